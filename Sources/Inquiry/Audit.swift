import Engine
import Language

/// The rules broken after each event, as far as the history was checked.
package struct Audit: Sendable {
  /// Number of events checked, from the first on.
  package private(set) var checked = 0
  /// The rules broken after an event, by its index.
  package private(set) var violations: [Int: [Violation]] = [:]
  /// The event since which each of them has persisted without a gap, in the same order.
  private var beginnings: [Int: [Int]] = [:]
  /// The same for those after the last checked event.
  private var open: [Violation: Int] = [:]
  /// A session that carries a long history out once more, and keeps no past.
  private var runner: Session?

  package init() {}

  /// Events after which some rule was broken, ascending.
  package var events: [Int] { violations.keys.sorted() }

  /// The rules broken at the session's moment; nil if that was not checked yet.
  package func violations(at timeline: Timeline) -> [Violation]? {
    guard let judged = Self.judgedEvent(at: timeline) else { return [] }
    return judged < checked ? violations[judged] ?? [] : nil
  }

  /// The event whose end counts for the rules at a moment: during an event, the state before it still
  /// counts. Nil before the first has ended.
  static func judgedEvent(at timeline: Timeline) -> Int? {
    guard let event = timeline.currentEvent else { return nil }
    if timeline.stepsDone == timeline.steps.count { return event }
    return event > 0 ? event - 1 : nil
  }

  /// The event since which a violation after some event has persisted without a gap.
  func beginning(of violation: Violation, after event: Int) -> Int? {
    violations[event]?.firstIndex(of: violation).flatMap { beginnings[event]?[$0] }
  }

  /// Whether every event of a session was checked.
  package func isComplete(for session: Session) -> Bool {
    checked >= session.timeline.events.count
  }

  /// Checks the next event. The session is then positioned after it.
  package mutating func checkNext(in session: inout Session) {
    session.seek(to: Moment(events: checked + 1))
    note(session.violations())
    runner = nil
  }

  /// Checks the next event in a session of its own, so that one whose moment is far away need not seek there
  /// and back.
  ///
  /// - Complexity: O(the event); the first time, O(all events before it).
  package mutating func checkNext(apartFrom session: Session) {
    var runner = self.runner ?? Session(session.scenario, keepsPast: false)
    self.runner = nil
    do throws(ScenarioError) {
      while runner.eventsDone <= checked { try runner.advance() }
    } catch {
      preconditionFailure("an event of the past is refused: \(error)")
    }
    note(runner.violations())
    if !isComplete(for: session) { self.runner = runner }
  }

  /// Notes the rules broken after the next event.
  private mutating func note(_ found: [Violation]) {
    open = Dictionary(
      found.map { ($0, open[$0] ?? checked) }, uniquingKeysWith: { first, _ in first })
    if !found.isEmpty {
      violations[checked] = found
      beginnings[checked] = found.map { open[$0] ?? checked }
    }
    checked += 1
  }

  /// Checks every unchecked event before an index. The session stays where it is.
  package mutating func finish(
    _ session: inout Session, until end: Int, noteEvent: () -> Void
  ) {
    let moment = session.timeline.moment
    while checked < end {
      checkNext(in: &session)
      noteEvent()
    }
    session.seek(to: moment)
  }
}
