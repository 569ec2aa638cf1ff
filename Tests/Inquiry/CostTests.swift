import TestSupport
import Testing

@testable import Engine
@testable import Inquiry
@testable import Language

/// What an event costs, by its micro-steps and by the machine's counters: two counts of the same.
@Suite struct CostTests {
  /// Machines under random events.
  enum Kind: CaseIterable {
    case nested, reverseMap, pkvm, pkvmInPlace, own, mirror, process, rmp, realm, realmInPlace

    func events(seed: UInt64) -> (VMConfiguration, [Event]) {
      switch self {
      case .nested, .reverseMap:
        var source = RandomEvents(seed: seed, policy: self == .nested ? .none : .v2)
        return (source.configuration, source.setUp() + (0..<150).map { _ in source.next() })
      case .pkvm, .pkvmInPlace:
        var configuration = VMConfiguration(ipaBits: 36)
        configuration.isolation = .pkvm(.v5)
        if self == .pkvmInPlace {
          configuration.iommu.table = .shared
          configuration.iommu.faults = .stall
          configuration.iommu.cpuBreakLevel = 3
          configuration.iommu.smmuBreakLevel = 2
        }
        var source = RandomProtectedEvents(seed: seed)
        return (configuration, source.setUp() + (0..<150).map { _ in source.next() })
      case .own: return devices(.own, seed) { _ in }
      case .mirror: return devices(.mirror, seed) { $0.iommu.table = .shared }
      case .process: return devices(.process, seed) { $0.iommu.faults = .stall }
      case .rmp: return devices(.rmp, seed) { $0.isolation = .rmp }
      case .realm: return devices(.realm, seed) { $0.isolation = .cca }
      case .realmInPlace:
        return devices(.realm, seed) {
          $0.isolation = .cca
          $0.iommu.cpuBreakLevel = 2
          $0.iommu.smmuBreakLevel = 2
        }
      }
    }

    private func devices(
      _ system: RandomDevices.System, _ seed: UInt64,
      _ change: (inout VMConfiguration) -> Void
    ) -> (VMConfiguration, [Event]) {
      var configuration = VMConfiguration(ipaBits: 40, vcpus: 2)
      change(&configuration)
      var source = RandomDevices(seed: seed, system, configuration)
      return (configuration, source.setUp() + (0..<150).map { _ in source.next() })
    }
  }

  /// The counts of a cost, and the counters that count the same.
  private static let pairs: [([Cost.Count], [Counter])] = [
    ([.faults], [.canonicalFaults, .shadowFaults, .protectedFaults]), ([.injected], [.injected]),
    ([.made], [.maps]), ([.relaxed], [.relaxes]),
    (
      [.canonicalRemoved, .shadowRemoved, .hostRemoved, .guestRemoved, .deviceRemoved], [.unmaps]
    ), ([.fullUnmaps], [.fullUnmaps]), ([.tables], [.tablesAllocated]),
    ([.tablesFreed], [.tablesFreed]), ([.invalidations], [.invalidations]),
  ]

  /// What an event must have cost, by the machines before and after it.
  private func expectEqual(
    _ cost: Cost, from before: Machine, to after: Machine, _ place: @autoclosure () -> String
  ) {
    for (counts, counters) in Self.pairs {
      let difference = counters.reduce(0) { $0 + Int(after[$1]) - Int(before[$1]) }
      let counted = counts.reduce(0) { $0 + cost[$1] }
      #expect(counted == difference, "\(counts) at \(place())")
    }
  }

  /// Leaves of all tables but the VMM's and L1's, by looking at each table once.
  private func leaves(of machine: Machine) -> Int {
    var roots: Set<Int> = []
    return machine.tableIDs.compactMap { machine.table($0) }.reduce(0) { sum, table in
      if case .guest = table.id { return sum }
      guard roots.insert(table.root).inserted else { return sum }
      var walk = TableWalk(of: table, 0..<table.geometry.inputSize, .mapping)
      var count = 0
      while machine.memory.next(&walk) != nil { count += 1 }
      return sum + count
    }
  }

  @Test(arguments: shippedScenarioNames)
  func `the cost of an event is what the counters gain`(file: String) throws {
    let scenario = try shippedScenario(file)
    // What a real kernel did elsewhere is not known, and what a dump shows is no event.
    if scenario.configuration.isRecorded { return }
    var session = Session(scenario)
    try session.finish()
    session.seek(to: Moment(events: 0))
    var before = session.timeline.machine
    for event in 0..<min(session.timeline.events.count, 60) {
      session.seek(to: Moment(events: event + 1))
      let after = session.timeline.machine
      expectEqual(Cost(at: session.timeline), from: before, to: after, "event \(event + 1)")
      before = after
    }
  }

  /// Random machines of every kind: what costs and counters say after each event, and how many leaves there are.
  @Test(arguments: Kind.allCases, 0..<6 as Range<UInt64>)
  func `leaves that are made and not removed are those that exist`(
    kind: Kind, seed: UInt64
  ) throws {
    let (configuration, events) = kind.events(seed: seed)
    var timeline = Timeline(configuration)
    var before = timeline.machine
    for event in events {
      guard (try? timeline.append(event, recordingSteps: true)) != nil else { continue }
      let after = timeline.machine
      expectEqual(Cost(at: timeline), from: before, to: after, "\(event)")
      let counted = Int(after[.maps]) - Int(after[.unmaps])
      if !after.isPaused { #expect(leaves(of: after) == counted, "\(event)") }
      before = after
    }
  }
}
