import Engine
import Language

/// Which event broke which rules, as far as the history was checked.
package struct Audit: Sendable {
  /// Number of events that were checked, from the first on.
  package private(set) var checked = 0
  /// The rules that did not hold after an event, by its index.
  package private(set) var violations: [Int: [Violation]] = [:]
  /// Since which event each of them is there without a gap, in the same order.
  private var beginnings: [Int: [Int]] = [:]
  /// The same of those that are there after the last event that was checked.
  private var open: [Violation: Int] = [:]

  package init() {}

  /// Events after which some rule did not hold, ascending.
  package var events: [Int] { violations.keys.sorted() }

  /// The rules that do not hold at the session's moment; nil if nobody has looked there.
  package func violations(at timeline: Timeline) -> [Violation]? {
    guard let judged = Self.judgedEvent(at: timeline) else { return [] }
    return judged < checked ? violations[judged] ?? [] : nil
  }

  /// The event whose end counts for the rules at a moment: in the middle of an event, what held before it
  /// still does. Nil before the first has ended.
  static func judgedEvent(at timeline: Timeline) -> Int? {
    guard let event = timeline.currentEvent else { return nil }
    if timeline.stepsDone == timeline.steps.count { return event }
    return event > 0 ? event - 1 : nil
  }

  /// Since which event a violation that is there after one is there without a gap.
  func beginning(of violation: Violation, after event: Int) -> Int? {
    violations[event]?.firstIndex(of: violation).flatMap { beginnings[event]?[$0] }
  }

  /// Whether every event of a session was checked.
  package func isComplete(for session: Session) -> Bool {
    checked >= session.timeline.events.count
  }

  /// Checks the next event. The session then stands after it.
  package mutating func checkNext(in session: inout Session) {
    session.seek(to: Moment(events: checked + 1))
    let found = session.violations()
    open = Dictionary(
      found.map { ($0, open[$0] ?? checked) }, uniquingKeysWith: { first, _ in first })
    if !found.isEmpty {
      violations[checked] = found
      beginnings[checked] = found.map { open[$0] ?? checked }
    }
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
