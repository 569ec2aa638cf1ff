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
}
