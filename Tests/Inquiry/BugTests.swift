import Engine
import TestSupport
import Testing

@testable import Inquiry
@testable import Language

/// What each bug of the reverse map's postings is, version by version.
@Suite struct BugTests {
  struct Bug: Sendable {
    let file: String
    /// Rules that a version breaks, besides revmap-sleep, which v1 breaks with its first record.
    var broken: [ReverseMapVersion: Set<String>] = [:]
    /// Versions that remove more leaves than have to go.
    var wasteful: Set<ReverseMapVersion> = []
  }

  private static let ranges: Set<ReverseMapVersion> = [.none, .v1, .v2, .v3, .repaired]
  private static let untracked: Set<String> = ["revmap-coverage", "leaf-outlives-page"]

  private static let bugs = [
    Bug(file: "b01-nested-ipa-0", broken: [.v1: untracked.union(["revmap-mirror"])]),
    Bug(file: "b02-wrong-lock", broken: [.v1: ["revmap-lock"]]),
    // v1 fails the run instead of breaking the map, so it has less to unmap.
    Bug(file: "b03-allocation", wasteful: [.none, .v2, .v3, .repaired]),
    Bug(file: "b04-stale-entry", wasteful: [.none, .v2]),
    // Without a valid bit the entry is v1's: B1.
    Bug(file: "b05-top-bit", broken: [.v1: untracked.union(["revmap-mirror"])]),
    Bug(file: "b06-iterator", broken: [.v1: ["revmap-lock"]]),
    // No leaf reaches the page, and 7.3.4 unmaps what there is.
    Bug(
      file: "b07-vncr", broken: [.v1: ["vncr"], .v2: ["vncr"], .v3: ["vncr"]], wasteful: [.none]),
    Bug(
      file: "b08-lost-broken",
      broken: [.v1: ["revmap-lock"], .v2: untracked, .v3: untracked]),
    Bug(file: "b09-split", wasteful: ranges),
    Bug(file: "b10-collapse", wasteful: ranges),
    Bug(file: "b11-aliases", wasteful: ranges),
    Bug(file: "b12-widening", wasteful: ranges),
    Bug(file: "b13-failed-erase", wasteful: [.none]),
    Bug(file: "b14-over-unmap"),
    // No nested guest: no version can help, and none harms.
    Bug(file: "endless-fault"),
    Bug(file: "stage2-off", broken: [.v1: untracked, .v2: untracked, .v3: untracked]),
    Bug(file: "two-unmappers", broken: [.v1: untracked, .v2: untracked, .v3: untracked]),
    // The host splits a huge page for its discard, and notifies all 2M: everything had to go.
    Bug(file: "worked-example"),
  ]

  @Test(arguments: bugs)
  func `a bug is in the versions that have it, and in no other`(bug: Bug) throws {
    let scenario = try shippedScenario("bugs/\(bug.file).pw")
    for cost in scenario.costs(under: ReverseMapVersion.allCases) {
      let policy = try #require(ReverseMapVersion(rawValue: cost.policy))
      let broken = Set(cost.violations.map(\.rule)).subtracting(["revmap-sleep"])
      #expect(broken == bug.broken[policy] ?? [], "\(bug.file) under \(policy)")
      #expect(
        (cost.leavesRemoved > cost.leavesNeeded) == bug.wasteful.contains(policy),
        "\(bug.file) under \(policy)")
      if policy == .v1 {
        let isRecorded = !["stage2-off", "endless-fault"].contains(bug.file)
        #expect(cost.violations.contains { $0.rule == "revmap-sleep" } || !isRecorded)
      }
    }
  }
}
