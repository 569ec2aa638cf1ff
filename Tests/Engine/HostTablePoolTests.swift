import TestSupport
import Testing

@testable import Engine

/// The pool of tables for pKVM's host, when it is as small as it can be.
@Suite struct HostTablePoolTests {
  private static func machine(reserve: UInt64, sharing: Bool) -> Machine {
    var configuration = VMConfiguration(ipaBits: 48)
    configuration.isolation = .pkvm(.v5)
    configuration.mmioReserve = reserve
    configuration.iommu.table = sharing ? .shared : .own
    configuration.iommu.faults = sharing ? .stall : .abort
    var machine = Machine(configuration)
    machine.steps.isRecording = true
    return machine
  }

  /// Events of pKVM without pauses, and accesses to MMIO that need a table each.
  private static func events(seed: UInt64) -> [Event] {
    var source = RandomProtectedEvents(seed: seed)
    var random = Generator(seed: seed)
    return source.setUp()
      + (0..<300).map { _ in
        let place = UInt64(1 + random.below(200)) << 39
        if random.below(4) == 0 { return .pkvm(.hostAccess(.read, place, value: nil)) }
        if random.below(12) == 0 { return .dma(device: 0, place, write: false) }
        let event = source.next()
        if case .pause = event { return .dma(device: 0, place, write: false) }
        return event
      }
  }

  /// The larger pool is never empty here, so its machine is the model of the other.
  @Test(arguments: [false, true], 0..<3 as Range<UInt64>)
  func `a small pool changes nothing that anybody sees but which MMIO is mapped`(
    sharing: Bool, seed: UInt64
  ) throws {
    var small = Self.machine(reserve: 4096, sharing: sharing)
    var large = Self.machine(reserve: 1 << 30, sharing: sharing)
    var refills = 0
    for (number, event) in Self.events(seed: seed).enumerated() {
      let start = small.memory.journalCount
      let isRefused = (try? large.apply(event)) == nil
      #expect(((try? small.apply(event)) == nil) == isRefused, "\(event)")
      if isRefused { continue }
      refills += small.steps.steps.count { $0.action.caseName == "hostPoolEmpty" }
      #expect(!large.steps.steps.contains { $0.action.caseName == "hostPoolEmpty" })
      #expect(small.lastError == large.lastError, "\(event)")
      #expect(small.lastDeviceOutcome?.physical == large.lastDeviceOutcome?.physical, "\(event)")
      #expect(small.hostTableCount <= small.hostTablePool)
      // A page that differs once goes on to differ, so that not every event has to be looked at.
      if number % 8 != 0 { continue }
      let stores = start..<small.memory.journalCount
      #expect(small.violations(after: stores).isEmpty, "\(event)")
      let other = stride(
        from: RandomProtectedEvents.memory.lowerBound,
        to: RandomProtectedEvents.memory.upperBound, by: 4096
      ).first { page in
        small.hypPage(at: page) != large.hypPage(at: page)
          || small.walk(page, in: small.pkvmHostTable).descriptor.isValid
            != large.walk(page, in: large.pkvmHostTable).descriptor.isValid
      }
      #expect(other == nil, "\(event)")
    }
    #expect(refills > 1)
  }

  /// The kernel's figure for a machine of 4 GiB: a table of level 3 for every 2M, of level 2 for every 1G,
  /// of levels 1, 0 and -1 for more than it has, and the same again for 1G of MMIO; 16 pages for the root, of
  /// which it takes one.
  @Test func `the pool is what the kernel reserves at boot`() throws {
    var machine = Self.machine(reserve: 1 << 30, sharing: false)
    try machine.apply(.pkvm(.memory(0x8_0000_0000..<0x9_0000_0000)))
    #expect(machine.hostTablePool == 2048 + 4 + 1 + 1 + 1 + 512 + 1 + 1 + 1 + 1 + 16 - 1)
  }
}
