import Engine
import Language

/// Which event broke which rules, as far as the history was checked.
package struct Audit: Sendable {
  /// Number of events that were checked, from the first on.
  package private(set) var checked = 0
  /// The rules that did not hold after an event, by its index.
  package private(set) var violations: [Int: [Violation]] = [:]

  package init() {}

  /// Events after which some rule did not hold, ascending.
  package var events: [Int] { violations.keys.sorted() }

  /// The rules that do not hold at the session's moment; nil if nobody has looked there.
  package func violations(at timeline: Timeline) -> [Violation]? {
    guard let event = timeline.currentEvent else { return [] }
    // In the middle of an event, what held before it still counts.
    let judged = timeline.stepsDone == timeline.steps.count ? event : event - 1
    return judged < checked ? violations[judged] ?? [] : nil
  }

  /// Whether every event of a session was checked.
  package func isComplete(for session: Session) -> Bool {
    checked >= session.timeline.events.count
  }

  /// Checks the next event. The session then stands after it.
  package mutating func checkNext(in session: inout Session) {
    session.seek(to: Moment(events: checked + 1))
    let found = session.violations()
    if !found.isEmpty { violations[checked] = found }
    checked += 1
  }

  /// Checks every event before one that was not checked yet. The session stays where it is.
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
