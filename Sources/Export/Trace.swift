import Engine
import Inquiry
import Language

/// The part of a history for a trace: an event with its micro-steps, in the order in which they happen.
///
/// Traces have times, and a history has an order: event n is at n milliseconds, and its micro-steps share the
/// millisecond evenly. Each format says so.
package struct TraceEvent {
  /// Its number, from 1.
  package let number: Int
  /// Its actor.
  package let actor: String
  /// Its statement.
  package let statement: String
  /// The event, as a sentence.
  package let sentence: String
  /// Its micro-steps.
  package let steps: [Step]
  /// Counts after it, by name.
  package let counts: [(name: String, value: UInt64)]
  /// Number of leaves of each table after it.
  package let leaves: [(table: String, count: UInt64)]

  /// A micro-step.
  package struct Step {
    /// Its label, a word or two.
    package let label: String
    /// The action.
    package let what: String
    /// The table that it concerns, by its name; empty for none.
    package let table: String
    /// The address that it concerns.
    package let address: UInt64
    /// A number shared by the step that made a leaf and the one that removed it; nil for others.
    package let flow: UInt64?
  }

  /// The sentence about the meaning of time.
  package static let timeIsOrder =
    "Time is order, not duration: event n is at n ms, its micro-steps share the millisecond."
}

/// Goes through the events of a session for a trace.
package struct SessionEvents {
  private var session: Session
  private let last: Int
  /// Number of leaves of each existing table that is unchanged since the count.
  private var leaves: [TableID: UInt64] = [:]
  /// The flow numbers of leaves made.
  private var flows: [Leaf: UInt64] = [:]
  private var flowCount: UInt64 = 0

  private struct Leaf: Hashable {
    let table: TableID
    let address: UInt64
  }

  /// Some events of a session, by their numbers from 1.
  package init(_ session: Session, _ events: ClosedRange<Int>) {
    self.session = session
    last = min(events.upperBound, session.timeline.events.count)
    self.session.seek(to: Moment(events: events.lowerBound - 1))
  }

  /// The next event; nil after the last.
  ///
  /// - Complexity: that of the event, and O(n) in the tables that it changes.
  package mutating func next() -> TraceEvent? {
    guard session.timeline.moment.events < last, session.move({ $0.forward() }) else { return nil }
    let timeline = session.timeline
    let machine = timeline.machine
    let changes = Changes(in: timeline)
    let ids = machine.tableIDs
    leaves = leaves.filter { ids.contains($0.key) }
    for id in ids where leaves[id] == nil || changes.concerns(id) {
      leaves[id] = machine.leafCount(of: id)
    }
    let event = timeline.moment.events - 1
    let steps = timeline.steps.map { step in
      let explanation = step.explanation
      return TraceEvent.Step(
        label: explanation.label, what: explanation.what, table: step.table?.name ?? "",
        address: step.address, flow: flow(of: step))
    }
    return TraceEvent(
      number: event + 1, actor: timeline.events[event].actor,
      statement: session.text(ofEvent: event), sentence: timeline.events[event].sentence,
      steps: steps,
      counts: Counter.allCases.map { ("\($0)", machine[$0]) },
      leaves: ids.map { ($0.name, leaves[$0] ?? 0) })
  }
}

extension SessionEvents {
  private mutating func flow(of step: Engine.Step) -> UInt64? {
    guard let table = step.table else { return nil }
    let leaf = Leaf(table: table, address: step.address)
    switch step.stepClass {
    case .leafMade:
      flowCount += 1
      flows[leaf] = flowCount
      return flowCount
    case .leafRemoved: return flows.removeValue(forKey: leaf)
    default: return nil
    }
  }
}

extension Changes {
  /// Whether entries of a table were made, changed or removed, or tables unlinked from it.
  fileprivate func concerns(_ id: TableID) -> Bool {
    counts[id] != nil || removed[id] != nil || tablesGone[id] != nil
  }
}

extension Machine {
  /// Number of leaves of a table. O(n) in the table.
  fileprivate func leafCount(of id: TableID) -> UInt64 {
    var count: UInt64 = 0
    if let guest = guestTable(id) {
      visit(.leaf, of: guest) { if $0.descriptor.isValid { count += 1 } }
    } else if let table = table(id) {
      visit(.leaf, of: table) { if $0.descriptor.isValid { count += 1 } }
    }
    return count
  }
}
