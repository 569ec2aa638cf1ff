import Engine
import Language
import Recording
import TestSupport
import Testing

/// Which tables of two machines differ.
@Suite struct TableDifferencesTests {
  private static func machine(_ policy: String, events: Int) throws -> Machine {
    var session = Session(try shippedScenario("nested/three-tables.pw").under(policy: policy))
    try session.finish()
    session.seek(to: Moment(events: events))
    return session.timeline.machine
  }

  @Test func `a reverse map is no table`() throws {
    let (one, other) = try (
      Self.machine("revmap=none", events: 10), Self.machine("revmap=v2", events: 10)
    )
    let found = TableDifferences(one, other)
    #expect(found.tables.isEmpty && found.reverseMaps == [.shadow(0)])
    // After the notifier also the table of the shadow differs: the one lost all of it.
    let later = try TableDifferences(
      Self.machine("revmap=none", events: 15), Self.machine("revmap=v2", events: 15))
    #expect(later.tables == [.shadow(0)] && later.reverseMaps == [.shadow(0)])
    let same = TableDifferences(other, other)
    #expect(same.tables.isEmpty && same.reverseMaps.isEmpty)
  }

  @Test func `tables that lead to other memory differ, wherever they lie themselves`() throws {
    func machine(_ lines: [String]) throws -> Machine {
      let head = ["pagewalk 1", "vm ipa=40", "memslot 0 0x80000000 4M backing=4K", "iommu attach"]
      var session = Session(
        try Scenario(
          parsing: Array((head + lines).joined(separator: "\n").utf8 + [10]), file: "two"))
      try session.finish()
      return session.timeline.machine
    }
    let writes = ["host write 0x80000000 4K", "host write 0x80001000 4K"]
    let accesses = ["l1 write 0x80000000", "l1 write 0x80001000", "iommu pin 0x80000000 8K"]
    // Each page has the other's memory.
    let found = try TableDifferences(
      machine(writes + accesses), machine(writes.reversed() + accesses))
    #expect(found.tables.contains(.canonical) && found.tables.contains(.iommu(0)))
    // The tables themselves are made in another order, and lead to the same memory.
    let same = try TableDifferences(
      machine(writes + accesses), machine(writes + [accesses[2], accesses[0], accesses[1]]))
    #expect(same.tables.isEmpty)
  }
}
