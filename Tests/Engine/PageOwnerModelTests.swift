import TestSupport
import Testing

@testable import Engine

/// pKVM beside a model of it that is a dictionary.
@Suite struct PageOwnerModelTests {
  private static let eventsOfRun = 600

  @Test(
    arguments: 0..<UInt64(RandomRun.runs(of: eventsOfRun, default: 3_600)),
    [IOMMUConfiguration.TableChoice.own, .shared])
  func `random runs agree with the dictionary`(
    seed: UInt64, table: IOMMUConfiguration.TableChoice
  ) throws {
    var configuration = VMConfiguration(ipaBits: 36)
    configuration.isolation = .pkvm(.v5)
    configuration.iommu.table = table
    var machine = Machine(configuration)
    var model = PageOwnerModel(memory: RandomProtectedEvents.memory)
    var source = RandomProtectedEvents(seed: seed)
    var outcomes: [KernelError?: Int] = [:]
    for event in source.setUp() + (0..<Self.eventsOfRun).map({ _ in source.next() }) {
      // Pausing is for other tests: here the states after each event count.
      switch event {
      case .pause, .resume: continue
      default: if (try? machine.apply(event)) == nil { continue }
      }
      switch event {
      case .pkvm(.createGuest(let guest, let isProtected)): model.isProtected[guest] = isProtected
      case .pkvm(.tearDownGuest(let guest)): model.dying.insert(guest)
      case .pkvm(.call(let call)):
        let error = model.apply(call)
        outcomes[error, default: 0] += 1
        try #require(machine.lastError == error, "seed \(seed): \(event.statement)")
      case .pkvm(.hostAccess(_, let page, _)):
        #expect((machine.lastError == nil) == model.isReachable(page), "seed \(seed)")
      case .dma(_, let iova, _) where RandomProtectedEvents.memory.contains(iova):
        let isAttached = machine.streamEntry(ofDevice: 0).kind == .stage2
        let reached = machine.lastDeviceOutcome?.physical
        if table == .own {
          #expect(reached == (isAttached && model.isReachable(iova & ~4095) ? iova : nil))
        } else if reached != nil {
          // The CPUs' table may have nothing there yet; it has nothing that it must not have.
          #expect(reached == iova && model.isReachable(iova & ~4095))
        }
      default: break
      }
      compare(machine, model, seed)
    }
    // The run has seen successes and refusals.
    #expect(outcomes[.none, default: 0] > 15)
    #expect(outcomes[.eperm, default: 0] > 40)
  }

  private func compare(_ machine: Machine, _ model: PageOwnerModel, _ seed: UInt64) {
    for page in stride(
      from: model.memory.lowerBound, to: model.memory.upperBound, by: 4096)
    {
      let states = [machine.hostState(of: page), machine.hypervisorState(of: page)]
      if states != [model.host(page), model.hypervisor(page)] {
        Issue.record("seed \(seed), page \(page): \(states)")
      }
    }
    for guest in 0..<4 {
      for address: UInt64 in [0x1000, 0x2000, 0x3000, 0x20_0000]
      where machine.guestState(of: address, guest: guest) != model.guest(guest, address) {
        Issue.record("seed \(seed), guest \(guest) at \(address)")
      }
    }
  }
}
