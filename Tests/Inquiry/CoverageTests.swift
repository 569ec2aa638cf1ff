import Engine
import Inquiry
import Language
import TestSupport
import Testing

/// How much of a shadow its reverse map covers.
@Suite struct CoverageTests {
  @Test func `a shadow says how many of its leaves no entry covers`() throws {
    var session = try QuestionTests.session("found/revmap-coverage.pw")
    var seen: Set<Int> = []
    for event in 0...session.timeline.events.count {
      session.seek(to: Moment(events: event))
      let answer = try QuestionTests.answer(ShadowsAnswer.self, &session)
      let stores =
        session.timeline.currentEvent.map { session.timeline.stores(ofEvent: $0) } ?? 0..<0
      let broken = session.timeline.machine.violations(after: stores)
        .filter { $0.invariant == .reverseMapCoverage }
      for shadow in answer.shadows {
        let uncovered = try #require(shadow.reverseMap?.uncovered)
        #expect(
          uncovered == broken.count { $0.table == .shadow(shadow.number) }, "after \(event)")
        seen.insert(uncovered)
        if shadow.isInUse == true, shadow.reverseMap?.isBroken == false {
          let words = uncovered == 0 ? "every leaf covered" : "\(uncovered) lea"
          #expect(answer.report(.engineer).lines.contains { $0.text.string.contains(words) })
        }
      }
    }
    #expect(seen.count > 1, "\(seen)")
  }
}
