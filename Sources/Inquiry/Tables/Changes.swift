import Engine
import Language

/// The changes made by the last event or micro-step.
package struct Changes: Sendable {
  /// The words before it.
  package private(set) var past = PastWords()
  /// Entries that it removed, by table, ascending; each run is one row.
  package private(set) var removed: [TableID: [EntryRun]] = [:]
  /// Number of entries that it made, changed or removed, by table.
  package private(set) var counts: [TableID: Int] = [:]
  /// Number of tables that it unlinked, by table: they have no row any more.
  package private(set) var tablesGone: [TableID: Int] = [:]
  /// Entries broken and not made again, by table.
  private var broken: [TableID: Set<Position>] = [:]
  /// What the event has cost so far.
  package private(set) var cost = Cost()

  /// No changes.
  package init() {}

  /// Whether a word of the VMM's own table has changed, which has no pane.
  package private(set) var changesHost = false

  /// Whether no entry of a table was made, changed or removed, but perhaps of the VMM's own.
  package var isEmpty: Bool { counts.isEmpty && removed.isEmpty && tablesGone.isEmpty }

  /// The changes that led to a session's moment: where tables were seen, all since the moment before; at the
  /// first, at which all is new, none.
  package init(in session: Session) {
    let timeline = session.timeline
    guard let sight = session.sight else {
      self.init(in: timeline)
      return
    }
    self.init()
    cost = Cost(at: timeline)
    if sight.before == nil { return }
    let rows = sight.rows
    let first = timeline.stores(ofEvent: rows.lowerBound)
    let stores = first.lowerBound..<timeline.stores(ofEvent: rows.upperBound - 1).upperBound
    past = PastWords(before: stores, in: timeline.machine.memory)
    for event in rows {
      if case .table(let table, _) = timeline.events[event].facts.place {
        counts[table, default: 0] += 1
      }
    }
  }

  package init(in timeline: Timeline) {
    guard let event = timeline.currentEvent else { return }
    let machine = timeline.machine
    let isWhole = timeline.stepsDone == timeline.steps.count
    let last = timeline.stepsDone - 1
    let stores =
      isWhole || last < 0 ? timeline.stores(ofEvent: event) : timeline.stores(ofStep: last)
    past = PastWords(before: stores, in: machine.memory)
    let steps = isWhole ? timeline.steps[...] : timeline.steps[max(0, last)..<last + 1]
    for step in steps { note(step, in: machine) }
    if steps.contains(where: \.mayStoreInGuestMemory) { compareGuestTables(in: machine) }
    changesHost = past.touches(.vmmStage1, in: machine.memory)
    for (table, places) in broken { counts[table, default: 0] += places.count }
    broken = [:]
    cost = Cost(at: timeline)
    for table in removed.keys { removed[table] = Self.folded(removed[table] ?? []) }
  }

  private mutating func note(_ step: Step, in machine: Machine) {
    guard let table = step.table else { return }
    switch step.stepClass {
    case .leafRemoved:
      counts[table, default: 0] += 1
      guard case .table(.clearLeaf(let old, _, _)) = step.action else { return }
      removed[table, default: []].append(
        EntryRun(
          position: Position(step.address, level: step.level), descriptor: old,
          entrySize: step.size, isChanged: true, isRemoved: true))
    // A broken entry that is made again counts once.
    case .entryBroken:
      broken[table, default: []].insert(Position(step.address, level: step.level))
    case .tableRemoved: tablesGone[table, default: 0] += 1
    case .leafMade, .leafRelaxed, .leafWeakened, .accessFlag, .tableMade, .entryReplaced, .seen:
      counts[table, default: 0] += 1
      broken[table]?.remove(Position(step.address, level: step.level))
    case .access, .deviceAccess, .walk, .data, .guestEntry, .fault, .deviceFault, .injection,
      .setting, .choice, .trigger, .lookUp, .lookUpMiss, .lookUpFailure, .record, .recordLost,
      .mapState,
      .tableAllocated, .tableFilled, .tableFreed, .cleaning, .sweep, .plan, .wholeShadow,
      .invalidation, .deviceInvalidation, .wait, .hostPage, .hostMapping, .hostArea, .ageing,
      .lock, .pause, .ownership, .pinning, .identifier, .retry, .remark, .refusal:
      break
    }
  }

  private mutating func compareGuestTables(in machine: Machine) {
    for change in past.changedGuestEntries(in: machine) {
      counts[change.table, default: 0] += 1
      if change.after.bits != 0 { continue }
      removed[change.table, default: []].append(
        EntryRun(
          position: Position(change.address, level: change.level), descriptor: change.before,
          entrySize: change.size, isChanged: true, isRemoved: true))
    }
  }

  /// Rows in order, with contiguous neighbours in one page joined.
  private static func folded(_ rows: [EntryRun]) -> [EntryRun] {
    var folded: [EntryRun] = []
    for row in rows.sorted(by: { $0.position < $1.position }) {
      if let last = folded.last, last.end == row.address, last.level == row.level,
        row.address & (row.entrySize &* 512 &- 1) != 0,
        row.descriptor.bits
          == last.descriptor.bits &+ last.entrySize &* UInt64(last.count)
      {
        folded[folded.count - 1].count += 1
      } else if folded.last?.position != row.position {
        folded.append(row)
      }
    }
    return folded
  }
}

extension PastWords {
  /// The entries of L1's tables in use that differ from what they were, whoever stored there, and by
  /// whatever name. O(n) in the pages of those tables.
  func changedGuestEntries(in machine: Machine) -> [EntryChange] {
    var changes: [EntryChange] = []
    for table in machine.guestTables {
      var left = Machine.guestTableLimit
      let reader = TableReader(table, in: machine)
      compare(reader.root, of: reader, as: .guest(table.vttbr.vmid), &left, &changes)
    }
    return changes
  }

  private func compare(
    _ page: TablePage, of reader: TableReader, as table: TableID, _ left: inout Int,
    _ changes: inout [EntryChange]
  ) {
    left -= 1
    if page.mayDiffer(from: self) {
      for index in 0..<page.count {
        let before = page.entry(index, in: self)
        if before == page[index] { continue }
        changes.append(
          EntryChange(
            table: table, address: page.address(of: index), level: page.level,
            size: page.entrySize, before: before, after: page[index]))
      }
    }
    if page.level == Geometry.lastLevel { return }
    for index in 0..<page.count where page[index].isTable(page.level) {
      if left <= 0 { return }
      guard let child = reader.child(of: index, in: page) else { continue }
      compare(child, of: reader, as: table, &left, &changes)
    }
  }
}
