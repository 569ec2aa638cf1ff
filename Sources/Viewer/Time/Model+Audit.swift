import Engine
import Language

/// Checking the rules of a history while no input comes.
extension Model {
  /// Words of tables that are read for checks: before the next frame, and in all.
  private static let wordsAtOnce = 200_000
  private static let wordsAtMost = 60_000_000

  /// Words that the check after one event reads, by and large.
  private var wordsOfCheck: Int {
    4096 + Int(machine[.tablesAllocated] &- machine[.tablesFreed]) * 1024
  }

  /// Whether the history is small enough for its rules to be checked without being asked for.
  private var isAuditable: Bool { timeline.events.count * wordsOfCheck <= Self.wordsAtMost }

  /// Whether every event of the history was, or will be, checked.
  var auditIsComplete: Bool { branches[branch].audit.checked >= timeline.events.count }

  /// Whether there is something left to check that is worth it.
  var isAuditDue: Bool { ahead == nil && run == nil && !auditIsComplete && isAuditable }

  /// Checks the next events.
  mutating func continueAudit() {
    let moment = timeline.moment
    var audit = branches[branch].audit
    var left = Self.wordsAtOnce
    while left > 0, audit.checked < timeline.events.count {
      session.seek(to: Moment(events: audit.checked + 1))
      let found = machine.violations(after: timeline.stores(ofEvent: audit.checked))
      if !found.isEmpty { audit.violations[audit.checked] = found }
      audit.checked += 1
      left -= wordsOfCheck
    }
    branches[branch].audit = audit
    session.seek(to: moment)
  }

  /// The rules that do not hold now; nil if nobody has looked.
  var violationsNow: [Violation]? {
    guard let event = timeline.currentEvent else { return [] }
    let audit = branches[branch].audit
    // In the middle of an event, what held before it still counts.
    let judged = timeline.stepsDone == timeline.steps.count ? event : event - 1
    return judged < audit.checked ? audit.violations[judged] ?? [] : nil
  }
}
