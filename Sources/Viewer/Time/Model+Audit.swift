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
  var auditIsComplete: Bool { branches[branch].audit.isComplete(for: session) }

  /// Whether there is something left to check that is worth it.
  var isAuditDue: Bool { ahead == nil && run == nil && !auditIsComplete && isAuditable }

  /// Checks the next events.
  mutating func continueAudit() {
    let moment = timeline.moment
    var audit = branches[branch].audit
    var left = Self.wordsAtOnce
    while left > 0, !audit.isComplete(for: session) {
      audit.checkNext(in: &session)
      left -= wordsOfCheck
    }
    branches[branch].audit = audit
    session.seek(to: moment)
  }

  /// The rules that do not hold now; nil if nobody has looked.
  var violationsNow: [Violation]? { branches[branch].audit.violations(at: timeline) }
}
