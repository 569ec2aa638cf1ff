import Engine
import Foundation
import Language
import TestSupport
import Testing

/// pKVM and its devices under random events; how many each policy sees, `RandomRun.length` says.
@Suite struct RandomProtectedTests {
  private static let eventsOfRun = 125
  private static let runs = RandomRun.runs(of: eventsOfRun, default: 500)

  /// A policy, and for one that is wrong the rule that it breaks.
  struct Policy: CustomTestStringConvertible, Sendable {
    let name: String
    var rule: Invariant?
    let change: @Sendable (inout VMConfiguration) -> Void

    var testDescription: String { name }

    var configuration: VMConfiguration {
      var configuration = VMConfiguration(ipaBits: 36)
      configuration.isolation = .pkvm(.v5)
      change(&configuration)
      return configuration
    }
  }

  private static func shared(
    _ faults: IOMMUConfiguration.FaultHandling, bbm: Int = 0,
    _ forwarding: IOMMUConfiguration.Forwarding = .forward
  ) -> @Sendable (inout VMConfiguration) -> Void {
    {
      $0.iommu.table = .shared
      $0.iommu.faults = faults
      $0.iommu.forwarding = forwarding
      $0.iommu.cpuBreakLevel = bbm
      $0.iommu.smmuBreakLevel = min(2, bbm)
    }
  }

  static let right: [Policy] = [
    Policy(name: "shadowed") { _ in },
    Policy(name: "stalling", change: shared(.stall)),
    Policy(name: "stalling-in-place", change: shared(.stall, bbm: 3, .broadcast)),
    Policy(name: "pinning", change: shared(.pin)),
    Policy(name: "pinning-in-place", change: shared(.pin, bbm: 2)),
  ]

  static let wrong: [Policy] = [
    Policy(name: "v4-flag", rule: .foreignDMA) { $0.isolation = .pkvm(.v4) },
    Policy(name: "no-sync", rule: .staleIOTLB) { $0.iommu.syncs = false },
    Policy(name: "no-tlbi", rule: .staleIOTLB, change: shared(.stall, .none)),
    Policy(name: "untouched", rule: .dmaHole, change: shared(.abort)),
    Policy(name: "noncoherent", rule: .foreignDMA) {
      shared(.abort)(&$0)
      $0.iommu.isCoherent = false
    },
  ]

  private func run(
    _ policy: Policy, seed: UInt64, watching rules: Set<Invariant>
  ) -> RandomRun {
    var source = RandomProtectedEvents(seed: seed)
    let setUp = source.setUp()
    return RandomRun(
      policy.configuration,
      (0..<Self.eventsOfRun).lazy.map { $0 < setUp.count ? setUp[$0] : source.next() },
      watching: rules)
  }

  @Test(arguments: right)
  func `a policy that is right breaks no rule`(policy: Policy) {
    for seed in 0..<UInt64(Self.runs) {
      let run = run(policy, seed: seed, watching: Set(Invariant.allCases))
      #expect(run.disagreement == nil, "seed \(seed)")
      if let rule = run.broken {
        Issue.record("seed \(seed) breaks \(rule.rawValue):\n\(run.shortest().scenario)")
        return
      }
    }
  }

  /// With `PAGEWALK_EXAMPLES` in the environment, the shortest run is written into that folder.
  @Test(arguments: wrong)
  func `what is wrong with a policy is found`(policy: Policy) throws {
    let rule = try #require(policy.rule)
    let broken = (0..<UInt64(max(20, Self.runs))).lazy.map {
      run(policy, seed: $0, watching: [rule])
    }.first { $0.broken != nil }
    for seed in 0..<UInt64(Self.runs) {
      #expect(run(policy, seed: seed, watching: []).disagreement == nil, "seed \(seed)")
    }
    let short = try #require(broken, "\(rule.rawValue) is never broken").shortest()
    #expect(short.events.count < 12)
    if let folder = ProcessInfo.processInfo.environment["PAGEWALK_EXAMPLES"] {
      let path = "\(folder)/pkvm-\(policy.name).pw"
      try short.scenario.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }

  /// The words at random moments, in the middle of events and while one is paused, are the same whichever way
  /// one comes there.
  @Test(arguments: right.prefix(3), 1..<3 as Range<UInt64>)
  func `back is exact, also while a hypercall is paused`(policy: Policy, seed: UInt64) throws {
    var source = RandomProtectedEvents(seed: seed)
    var timeline = Timeline(policy.configuration)
    let start = timeline.machine.memory
    var moments: [(Moment, Memory)] = []
    var wasPaused = false
    for event in source.setUp() + (0..<120).map({ _ in source.next() }) {
      guard (try? timeline.append(event)) != nil else { continue }
      wasPaused = wasPaused || timeline.machine.isPaused
      if moments.count < 30 || timeline.machine.isPaused {
        moments.append((timeline.moment, timeline.machine.memory))
      }
    }
    #expect(wasPaused)
    var random = Generator(seed: seed)
    for (moment, memory) in moments.shuffled(using: &random) {
      let inside = Moment(events: random.below(timeline.events.count), steps: random.below(9))
      timeline.seek(to: inside)
      timeline.seek(to: moment)
      #expect(timeline.machine.memory.hasSameWords(as: memory), "at \(moment)")
    }
    timeline.seek(to: Moment(events: 0))
    #expect(timeline.machine.memory.hasSameWords(as: start))
  }

  @Test func `an event is read as it was written`() throws {
    var source = RandomProtectedEvents(seed: 3)
    for event in source.setUp() + (0..<1_000).map({ _ in source.next() }) {
      try expectReadBack(event, after: "vm ipa=36\npolicy pkvm=v5")
    }
  }
}
