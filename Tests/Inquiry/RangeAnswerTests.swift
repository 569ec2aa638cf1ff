import Engine
import Inquiry
import Language
import TestSupport
import Testing

/// Answers about ranges of reverse maps: each against the map itself, at the moments around its changes.
@Suite struct RangeAnswerTests {
  private static let version = ReverseMapVersion.v2

  /// A session after the event that leaves the most ranges.
  private func session() throws -> Session {
    var session = Session(try shippedScenario("bugs/worked-example.pw").under(Self.version))
    try session.finish()
    var best = (events: 0, ranges: 0)
    for event in 0...session.timeline.events.count {
      session.seek(to: Moment(events: event))
      let machine = session.timeline.machine
      let ranges = (0..<machine.configuration.shadows).reduce(0) {
        $0 + machine.reverseMap(ofShadow: $1).count
      }
      if ranges > best.ranges { best = (event, ranges) }
    }
    session.seek(to: Moment(events: best.events))
    return session
  }

  private func subject(_ shadow: Int, _ canonical: UInt64) -> Subject {
    var subject = Subject()
    subject.reverseMap = shadow
    subject.address = canonical
    return subject
  }

  /// The entries of a map of which some address lies in a range.
  private func entries(
    of shadow: Int, in range: Range<UInt64>, _ machine: Machine
  ) -> [ReverseMapEntry] {
    machine.reverseMap(ofShadow: shadow).filter { $0.canonical.overlaps(range) }
  }

  @Test func `a range is told of by its word, and is stale when a look at all entries finds it so`()
    throws
  {
    var session = try session()
    let machine = session.timeline.machine
    var count = 0
    for shadow in 0..<machine.configuration.shadows {
      let stale = machine.staleEntries(ofShadow: shadow)
      for entry in machine.reverseMap(ofShadow: shadow) {
        let last = entry.canonical.upperBound - 1
        let answer = try #require(
          try Question.entry.answer(about: subject(shadow, last), in: &session)
            as? RangeEntryAnswer)
        #expect(answer.range.start == entry.canonical.lowerBound)
        #expect(answer.range.nested == entry.nested)
        #expect(answer.isStale == stale.contains(entry))
        #expect(answer.nodes.payload.contains(String(entry.payload, radix: 16)))
        count += 1
      }
    }
    #expect(count > 1)
  }

  @Test func `the changes of a range are those events after which the map is another there`() throws
  {
    var session = try session()
    let end = session.timeline.moment
    let machine = session.timeline.machine
    for shadow in 0..<machine.configuration.shadows {
      for entry in machine.reverseMap(ofShadow: shadow) {
        let answer = try #require(
          try Question.provenance.answer(
            about: subject(shadow, entry.canonical.lowerBound), in: &session)
            as? RangeProvenanceAnswer)
        #expect(session.timeline.moment == end)
        let told = Set(answer.changes.map(\.moment.events))
        for event in 0..<end.events {
          session.seek(to: Moment(events: event))
          let before = entries(of: shadow, in: entry.canonical, session.timeline.machine)
          session.seek(to: Moment(events: event + 1))
          let after = entries(of: shadow, in: entry.canonical, session.timeline.machine)
          if before != after { #expect(told.contains(event) || answer.isCut, "event \(event + 1)") }
        }
        session.seek(to: end)
      }
    }
  }

  @Test func `what no map holds, and what is asked of tables alone, has no answer`() throws {
    var session = try session()
    #expect(throws: Unanswerable.self) {
      try Question.entry.answer(about: subject(0, 0xdead_0000), in: &session)
    }
    #expect(throws: Unanswerable.self) {
      try Question.entry.answer(about: subject(999, 0x8000_0000), in: &session)
    }
    #expect(throws: Unanswerable.self) {
      try Question.aliases.answer(about: subject(0, 0x8020_0000), in: &session)
    }
  }
}
