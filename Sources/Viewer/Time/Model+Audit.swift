import Engine
import Inquiry
import Language

/// Checking the rules of a history while no input comes.
extension Model {
  /// Maximum number of stores checked before the next frame, and in a history: checking, and returning to
  /// the moment, goes through them.
  private static let storesAtOnce = 20_000
  private static let storesAtMost = 4_000_000

  /// Whether the history is small enough to check its rules unasked.
  private var isAuditable: Bool { machine.memory.journalCount <= Self.storesAtMost }

  /// Whether every event of the history was, or will be, checked.
  var auditIsComplete: Bool { branches[branch].audit.isComplete(for: session) }

  /// Whether there is something left to check.
  var isAuditDue: Bool { ahead == nil && run == nil && !auditIsComplete && isAuditable }

  /// Checks the next events: in the session, if they are near its moment or few, else apart from it, since
  /// each piece would seek there and back.
  mutating func continueAudit() {
    let moment = timeline.moment
    var audit = branches[branch].audit
    if audit.isComplete(for: session) { return }
    branches[branch].audit = Audit()
    let next = timeline.stores(ofEvent: audit.checked).lowerBound
    let isFar = abs(machine.memory.position - next) > Self.storesAtOnce
    let isLong = machine.memory.journalCount - next > Self.storesAtOnce
    var left = Self.storesAtOnce
    while left > 0, !audit.isComplete(for: session) {
      let event = audit.checked
      if isFar, isLong {
        audit.checkNext(apartFrom: session)
      } else {
        audit.checkNext(in: &session)
      }
      left -= 50 + timeline.stores(ofEvent: event).count
    }
    branches[branch].audit = audit
    session.seek(to: moment)
  }

  /// Input addresses of a table at which rules are broken now, ascending.
  func brokenPlaces(in table: TableID) -> [UInt64] {
    (violationsNow ?? []).filter { $0.table == table && $0.invariant.isAtEntry }.map(\.address)
      .sorted()
  }

  /// The rules broken now; nil if not checked yet.
  var violationsNow: [Violation]? { branches[branch].audit.violations(at: timeline) }
}
