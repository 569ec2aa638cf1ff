import Engine
import Foundation
import TestSupport
import Testing

@testable import KernelText
@testable import Language

/// The text form of a reverse map.
@Suite struct ReverseMapDumpTests {
  /// The dumps of shadow 0 at the end of each step of a scenario under a policy.
  private func dumps(_ scenario: Scenario, _ policy: ReverseMapVersion) throws -> [String] {
    var session = Session(scenario.under(policy))
    try session.finish()
    return session.chapters.map { chapter in
      session.seek(to: Moment(events: chapter.end))
      return ReverseMapDump.text(ofShadow: 0, in: session.timeline.machine)
    }
  }

  @Test(arguments: [ReverseMapVersion.v1, .v2, .v3, .repaired])
  func `the posting's example, step by step`(policy: ReverseMapVersion) throws {
    let dumps = try dumps(shippedScenario("bugs/worked-example.pw"), policy)
    #expect(
      dumps == [
        """
        0x80080000-0x80081000 known 0x1000
        0x80100000-0x80101000 known 0x2000
        0x80300000-0x80301000 known 0x5000

        """,
        """
        0x80000000-0x80200000 unknown
        0x80300000-0x80301000 known 0x5000

        """,
        """
        0x80000000-0x80200000 unknown

        """,
        "",
      ])
  }

  @Test func `an exact map has every mapping, also those of the same page`() throws {
    let dumps = try dumps(shippedScenario("bugs/worked-example.pw"), .ideal)
    #expect(
      dumps[1] == """
        0x80000000-0x80200000 known 0x40000000
        0x80080000-0x80081000 known 0x1000
        0x80100000-0x80101000 known 0x2000
        0x80300000-0x80301000 known 0x5000

        """)
    #expect(dumps[3] == "")
  }

  @Test func `nothing is recorded without a reverse map`() throws {
    let dumps = try dumps(shippedScenario("bugs/worked-example.pw"), .none)
    #expect(dumps == ["", "", "", ""])
  }

  @Test(arguments: [ReverseMapVersion.v1, .v2, .v3, .repaired, .ideal])
  func `a dump that is read says what was written, also out of a mail`(policy: ReverseMapVersion)
    throws
  {
    for dump in try dumps(shippedScenario("bugs/worked-example.pw"), policy) {
      let quoted = dump.split(separator: "\n").map { "> > \($0) \r\n" }.joined()
      for text in [dump, quoted, "\n" + dump] {
        let rows = try ReverseMapDump.read([UInt8](text.utf8))
        #expect(rows.map { $0.text + "\n" }.joined() == dump)
        #expect(ReverseMapDump.accepts([UInt8](text.utf8)) == !dump.isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("0x80000000-0x80001000 known 0x1000\n0x7000-0x8000 unknown\n", 2, 1),
    ("0x80000000-0x80001000 known 4096\n", 1, 29),
    ("0x80000000-0x80001000 known 0x1001\n", 1, 35),
    ("0x80000000-0x80001000 maybe\n", 1, 23),
    ("0x80000000-0x80001000\n", 1, 22),
    ("\n0x80000000-0x80000000 unknown\n", 2, 1),
    ("0x80000000-0x80000800 unknown\n", 1, 1),
    ("0xfffffffffffff000-0xffffffffffffffff0 unknown\n", 1, 1),
    ("0x80000000-0x80001000 unknown 0x1\n", 1, 31),
    ("what is this\n", 1, 1),
  ])
  func `a line that is no row is refused at its place`(text: String, line: Int, column: Int) {
    do {
      _ = try ReverseMapDump.read([UInt8](text.utf8))
      Issue.record("\(text) is read")
    } catch {
      #expect((error.line, error.column) == (line, column), "\(error) of \(text)")
    }
  }

  /// The rule of the posting worked out by hand, with one range a line: the input overlaps one known
  /// range, and what touches it without overlapping stays.
  @Test func `a mapping replaces only what it overlaps`() throws {
    let text = """
      pagewalk 1
      vm ipa=40 vcpus=1 nested=on
      policy revmap=v2
      memslot 0 0x40000000 4M backing=4K
      memslot 1 0x80000000 4M backing=4K
      l1 store 0x40100000 0x40101003
      l1 store 0x40101000 0x40102003
      l1 store 0x40102000 0x800007ff
      l1 store 0x40102008 0x800017ff
      l1 store 0x40102010 0x800027ff
      l1 store 0x40102018 0x800017ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 write 0x0
      l2 write 0x1000
      l2 write 0x2000
      step before "three pages in a row"
      l2 write 0x3000
      step after "the second page again, elsewhere"

      """
    let scenario = try Scenario(parsing: [UInt8](text.utf8), file: "f.pw")
    #expect(
      try dumps(scenario, .v2) == [
        """
        0x80000000-0x80001000 known 0x0
        0x80001000-0x80002000 known 0x1000
        0x80002000-0x80003000 known 0x2000

        """,
        """
        0x80000000-0x80001000 known 0x0
        0x80001000-0x80002000 unknown
        0x80002000-0x80003000 known 0x2000

        """,
      ])
  }
}
