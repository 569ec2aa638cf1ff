import Foundation
import TestSupport
import Testing

/// What the command line says of reverse maps.
@Suite struct ReverseMapCommandTests {
  private static let bugs = "assets/scenarios/bugs"

  @Test func `run --dump-dir writes the map of each shadow at each step`() throws {
    try Program.withFolder { folder in
      let result = try Program.run([
        "run", Self.bugs + "/worked-example.pw", "--dump-dir", folder.path,
      ])
      #expect(result.code == 0)
      func text(_ path: String) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
      }
      #expect(
        try text("before/revmap0") == """
          0x80080000-0x80081000 known 0x1000
          0x80100000-0x80101000 known 0x2000
          0x80300000-0x80301000 known 0x5000

          """)
      #expect(
        try text("after/revmap0") == """
          0x80000000-0x80200000 unknown
          0x80300000-0x80301000 known 0x5000

          """)
      #expect(try text("polluted/revmap0") == "")
      #expect(try text("before/revmap1") == "")
      // What the kernel writes stands beside it, under another policy, too.
      let other = try Program.run([
        "run", Self.bugs + "/worked-example.pw", "--dump-dir", folder.path + "/none", "--policy",
        "revmap=none",
      ])
      #expect(other.code == 0)
      #expect(try text("none/before/revmap0") == "")
      #expect(
        try text("none/before/nested/nested_mmu0") == text("before/nested/nested_mmu0"))
    }
  }

  private struct Report: Decodable {
    struct Cost: Decodable {
      struct Breach: Decodable {
        let rule: String
        let event: Int
        let line: Int
      }
      let policy: String
      let notifiers: Int
      let fullUnmaps: Int
      let leavesRemoved: Int
      let leavesNeeded: Int
      let refaults: Int
      let peakEntries: Int
      let peakBytes: Int
      let peakUnknown: Int
      let peakStale: Int
      let violations: [Breach]
    }
    let file: String
    let policies: [Cost]
  }

  @Test func `compare --json gives an object for each file, policies as they were asked for`()
    throws
  {
    let files = ["/b04-stale-entry.pw", "/stage2-off.pw"].map { Self.bugs + $0 }
    let result = try Program.run(["compare"] + files + ["--policies", "ideal,v2", "--json"])
    #expect(result.code == 0)
    let reports = try result.text.split(separator: "\n").map {
      try JSONDecoder().decode(Report.self, from: Data($0.utf8))
    }
    #expect(reports.map(\.file) == files)
    #expect(reports.allSatisfy { $0.policies.map(\.policy) == ["ideal", "v2"] })
    let (ideal, v2) = (reports[0].policies[0], reports[0].policies[1])
    #expect((v2.notifiers, v2.fullUnmaps, v2.refaults) == (1, 1, 0))
    #expect((ideal.leavesRemoved, ideal.leavesNeeded) == (1, 1))
    #expect((v2.leavesRemoved, v2.leavesNeeded) == (2, 1))
    #expect((v2.peakEntries, v2.peakBytes) == (2, 256))
    #expect((v2.peakUnknown, v2.peakStale) == (4096, 1))
    let breach = try #require(reports[1].policies[1].violations.first)
    #expect((breach.rule, breach.event, breach.line) == ("revmap-coverage", 7, 17))
  }

  @Test func `compare prints a table a file, with what is broken below it`() throws {
    let result = try Program.run([
      "compare", Self.bugs + "/b11-aliases.pw", Self.bugs + "/stage2-off.pw", "--policies",
      "none,v2",
    ])
    #expect(
      result.text == """
        assets/scenarios/bugs/b11-aliases.pw: B11: two nested IPAs for one page
        policy notify full removed needed refaults entries bytes unknown stale broken
        none        1    1       3      2        0       0     0       0     0      0
        v2          1    1       3      2        0       2   256      4K     0      0

        assets/scenarios/bugs/stage2-off.pw: L1's guest without a stage 2
        policy notify full removed needed refaults entries bytes unknown stale broken
        none        1    1       1      1        0       0     0       0     0      0
        v2          1    0       0      1        0       0     0       0     0      2
        v2 breaks revmap-coverage at event 7, line 17
        v2 breaks leaf-outlives-page at event 8, line 24

        """)
  }

  @Test func `an unknown policy is refused with the names that there are`() throws {
    let result = try Program.run([
      "compare", Self.bugs + "/stage2-off.pw", "--policies", "none,v7",
    ])
    #expect(result.code == 2)
    #expect(result.text.isEmpty)
    #expect(
      result.errors.contains("expected names of none, v1, v2, v3, repaired, ideal, not 'v7'"))
  }

  @Test(arguments: [
    ("resume", "6:1: expected a paused event: nothing is paused, and no pause is asked for"),
    (
      "revmap fail 1",
      "6:1: expected a policy with a reverse map: under revmap=none there is nothing that can fail"
    ),
  ])
  func `a statement that makes no sense stops the run at its place`(
    statement: String, expected: String
  ) throws {
    let text = """
      pagewalk 1
      vm ipa=40 vcpus=1 nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 write 0x40000000
      step first "done"
      \(statement)
      step second "never"

      """
    try Program.withFolder { folder in
      let result = try Program.run(
        ["run", "-", "--dump-dir", folder.path], input: [UInt8](text.utf8))
      #expect(result.code == 3)
      #expect(result.errors == "stdin:\(expected)\n")
      // What came before it stands; nothing came after.
      let steps = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(steps == ["first"])
    }
  }
}
