import Foundation
import Language
import TestSupport
import Testing

@testable import Engine

/// The reverse maps under random events; how many each sees, `RandomRun.length` says.
@Suite struct RandomScenarioTests {
  private static let eventsOfRun = 500
  private static let runs = RandomRun.runs(of: eventsOfRun, default: 2_000)

  @Test(arguments: [ReverseMapVersion.none, .repaired, .ideal])
  func `a policy that is right breaks no rule`(policy: ReverseMapVersion) {
    for seed in 0..<UInt64(Self.runs) {
      let run = RandomRun(seed: seed, policy: policy, count: Self.eventsOfRun)
      #expect(run.disagreement == nil, "seed \(seed)")
      if let rule = run.broken {
        Issue.record("seed \(seed) breaks \(rule.rawValue):\n\(run.shortest().scenario)")
        return
      }
    }
  }

  /// With `PAGEWALK_EXAMPLES` in the environment, the shortest run for each rule is written into that
  /// folder.
  @Test(arguments: [ReverseMapVersion.v1, .v2, .v3])
  func `what is wrong with a posted policy is found`(policy: ReverseMapVersion) throws {
    let folder = ProcessInfo.processInfo.environment["PAGEWALK_EXAMPLES"]
    let rules: Set<Invariant> =
      folder == nil ? [.reverseMapCoverage] : RandomRun.rules
    var found: Set<Invariant> = []
    for rule in Invariant.allCases where rules.contains(rule) {
      var best: RandomRun?
      for seed in 0..<UInt64(Self.runs) {
        let run = RandomRun(
          seed: seed, policy: policy, count: Self.eventsOfRun, watching: [rule])
        #expect(run.disagreement == nil, "seed \(seed)")
        if run.broken == nil { continue }
        found.insert(rule)
        if folder == nil { break }
        let short = run.shortest()
        if short.events.count < best?.events.count ?? .max { best = short }
      }
      if let folder, let best {
        let path = "\(folder)/\(policy.rawValue)-\(rule.rawValue).pw"
        try best.scenario.write(toFile: path, atomically: true, encoding: .utf8)
      }
    }
    #expect(found.contains(.reverseMapCoverage))
  }

  /// A rule that nothing comes near holds always.
  @Test func `random events reach what the rules of the reverse map are about`() {
    var missing: Set<String> = [
      "recordKnown", "recordKept", "recordUnknown", "recordFailed", "recordSkipped", "lookUpKnown",
      "lookUpUnknown", "lookUpNothing", "lookUpBroken", "lookUpSwept", "eraseFailed", "resetMap",
      "forget", "parked", "resumed", "deleted", "shadowRecycled", "vncrTranslated",
      "vncrDropped", "stage2Off", "twoVCPUs",
    ]
    for seed in 0..<UInt64(60) where !missing.isEmpty {
      var source = RandomEvents(seed: seed, policy: .repaired)
      var machine = Machine(source.configuration)
      machine.steps.isRecording = true
      for event in source.setUp() + (0..<500).map({ _ in source.next() }) {
        guard (try? machine.apply(event)) != nil else { continue }
        for step in machine.steps.steps { missing.remove(step.action.caseName) }
        let off = machine.validShadows.filter { machine[$0, .stage2Enabled] == 0 }
        if off.contains(where: { !machine.reverseMap(ofShadow: $0.index - 1).isEmpty }) {
          missing.remove("stage2Off")
        }
      }
      if source.configuration.vcpus > 1 { missing.remove("twoVCPUs") }
    }
    #expect(missing == [])
  }

  @Test func `an event is read as it was written`() throws {
    var source = RandomEvents(seed: 7, policy: .repaired)
    for event in source.setUp() + (0..<2_000).map({ _ in source.next() }) {
      try expectReadBack(event, after: "vm ipa=48 vcpus=2 nested=on\npolicy revmap=v2")
    }
  }
}
