import TestSupport
import Testing

@testable import Engine

/// A checker that follows the journal, away from the path that events take; along that path every run of random
/// events compares it with a look at everything.
@Suite struct RuleCheckerTests {
  private func timeline(_ configuration: VMConfiguration, _ events: [Event]) -> Timeline {
    var timeline = Timeline(configuration)
    for event in events { try? timeline.append(event) }
    return timeline
  }

  /// What rules do not hold after an event, by a checker and by a look at everything.
  private func looks(
    _ checker: inout RuleChecker, _ timeline: Timeline
  ) -> (found: [Violation], all: [Violation]) {
    let stores = timeline.currentEvent.map { timeline.stores(ofEvent: $0) } ?? 0..<0
    return (
      checker.violations(of: timeline.machine, after: stores),
      timeline.machine.violations(after: stores)
    )
  }

  private func expectEqual(
    _ timeline: Timeline, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var timeline = timeline
    var checker = RuleChecker(timeline.machine, countsEntries: true)
    var random = Generator(seed: 7)
    for _ in 0..<25 {
      timeline.seek(to: Moment(events: random.below(timeline.events.count + 1)))
      let looks = looks(&checker, timeline)
      #expect(
        looks.found == looks.all, "\(name), \(timeline.moment)", sourceLocation: sourceLocation)
      #expect(
        EntryCounts(checker) == EntryCounts(timeline.machine), "\(name), \(timeline.moment)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: ReverseMapVersion.allCases)
  func `goes back and forward through a history of shadows`(policy: ReverseMapVersion) {
    for seed in UInt64(0)..<2 {
      var source = RandomEvents(seed: seed, policy: policy)
      let events = source.setUp() + (0..<250).map { _ in source.next() }
      expectEqual(timeline(source.configuration, events), "seed \(seed)")
    }
  }

  @Test func `goes back and forward through a history of pinned memory, and of a process`() {
    var pinning = VMConfiguration(ipaBits: 40, vcpus: 2)
    pinning.iommu.table = .shared
    pinning.iommu.faults = .pin
    var process = VMConfiguration(ipaBits: 40, vcpus: 2)
    process.iommu.notifies = false
    for (system, configuration) in [
      (RandomDevices.System.mirror, pinning), (.process, process), (.own, VMConfiguration()),
    ] {
      var source = RandomDevices(seed: 3, system, configuration)
      let events = source.setUp() + (0..<250).map { _ in source.next() }
      expectEqual(timeline(configuration, events), "\(system)")
    }
  }

  @Test(arguments: PKVM.Version.allCases, [IOMMUConfiguration.FaultHandling.abort, .pin, .stall])
  func `goes back and forward through a history of pKVM`(
    version: PKVM.Version, faults: IOMMUConfiguration.FaultHandling
  ) {
    var configuration = VMConfiguration(ipaBits: 36)
    configuration.isolation = .pkvm(version)
    configuration.iommu.faults = faults
    var source = RandomProtectedEvents(seed: 5)
    let events = source.setUp() + (0..<60).map { _ in source.next() }
    expectEqual(timeline(configuration, events), "\(version), \(faults)")
  }

  @Test(arguments: [ReverseMapVersion.v1, .v3, .ideal])
  func `begins in the middle, and anew where another future is chosen; goes on without the past`(
    policy: ReverseMapVersion
  ) {
    var source = RandomEvents(seed: 11, policy: policy)
    var timeline = timeline(
      source.configuration, source.setUp() + (0..<150).map { _ in source.next() })
    var checker = RuleChecker(timeline.machine)
    func append(_ count: Int) {
      for _ in 0..<count {
        guard (try? timeline.append(source.next())) != nil else { continue }
        let looks = looks(&checker, timeline)
        #expect(looks.found == looks.all)
      }
    }
    append(60)
    timeline.seek(to: Moment(events: timeline.events.count - 40))
    timeline.forgetFuture()
    append(60)
    timeline.forgetPast()
    append(60)
  }

  @Test func `an ordered set of pairs is one`() {
    var set = PairSet()
    var model: Set<PairSet.Pair> = []
    var random = Generator(seed: 1)
    for _ in 0..<6_000 {
      let pair = PairSet.Pair(UInt64(random.below(900)), UInt64(random.below(4)))
      if random.below(5) < 3 {
        set.insert(pair)
        model.insert(pair)
      } else {
        set.remove(pair)
        model.remove(pair)
      }
    }
    let sorted = model.sorted()
    #expect(set.pairs(in: 0..<1_000) == sorted)
    for first in stride(from: UInt64(0), to: 905, by: 7) {
      let pair = PairSet.Pair(first, 2)
      #expect(
        set.pairs(in: first..<first + 9) == sorted.filter { (first..<first + 9).contains($0.first) }
      )
      #expect(set.first(from: pair) == sorted.first { $0 >= pair })
      #expect(set.last(through: pair) == sorted.last { $0 <= pair })
    }
    for pair in sorted { set.remove(pair) }
    #expect(set.isEmpty)
  }
}
