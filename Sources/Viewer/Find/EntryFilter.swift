import Canvas
import Engine
import Language

/// The entries that tables are narrowed to. They are found table by table, in pieces.
struct EntryFilter {
  let filter: Filter
  /// What was found in each table so far.
  private(set) var found: [TableID: Findings] = [:]

  struct Findings {
    /// Rows for which the condition holds, ascending.
    var rows: [Row] = []
    /// The last row that was looked at.
    var last: Row?
    var isComplete = false
  }

  /// Rows that are shown of a table at most.
  static let rowsAtMost = 20_000

  init(_ filter: Filter) { self.filter = filter }

  /// Whether a table was looked through.
  func isComplete(_ table: TableID) -> Bool { found[table]?.isComplete ?? false }

  /// What was found is of another moment: begins anew.
  mutating func restart() { found = [:] }

  /// Looks at some more rows of a table.
  mutating func search(_ rows: Rows, of table: TableID, in machine: Machine, count: Int) {
    var findings = found[table] ?? Findings()
    let outputs = filter.uses(.alias) ? Outputs(rows) : nil
    for _ in 0..<count {
      guard findings.rows.count < Self.rowsAtMost,
        let row = findings.last.map({ rows.next(after: $0) }) ?? rows.first
      else {
        findings.isComplete = true
        break
      }
      if filter.holds({ holds($0, row, rows, table, machine, outputs) }) {
        findings.rows.append(row)
      }
      findings.last = row
    }
    found[table] = findings
  }

  private func holds(
    _ term: Filter.Term, _ row: Row, _ rows: Rows, _ table: TableID, _ machine: Machine,
    _ outputs: Outputs?
  ) -> Bool {
    let entry = row.descriptor
    let permissions = entry.permissions
    switch term {
    case .permits(.read): return permissions.read
    case .permits(.write): return permissions.write
    case .permits(.execute): return permissions.executeNever != 2
    case .permissions(let wanted):
      return permissions.read == wanted.contains("r") && permissions.write == wanted.contains("w")
        && (permissions.executeNever != 2) == wanted.contains("x")
    case .size(let size): return row.entrySize == size
    case .level(let level): return row.level == level
    case .block: return row.level < Geometry.lastLevel
    case .page: return row.level == Geometry.lastLevel
    case .changed: return row.isChanged || row.kind == .removed
    case .stale:
      guard case .shadow(let number) = table, row.kind == .leaf else { return false }
      return machine.isStale(entry, at: row.address, level: row.level, inShadow: number)
    case .from(let range): return range.overlaps(row.address..<row.end)
    case .to(let range): return range.overlaps(rows.outputs(of: row))
    case .alias: return outputs?.hasAlias(of: row, rows) ?? false
    case .text(let text):
      let line = "\(hex(row.address)) \(Phrase.entry(entry.bits, level: row.level))"
      return line.lowercased().contains(text.lowercased())
    default: return false
    }
  }

  /// The output ranges of a table, to find those that overlap.
  private struct Outputs {
    private var ranges: [Range<UInt64>] = []
    /// Rows that are compared at most.
    private static let rowsAtMost = 20_000

    init(_ rows: Rows) {
      var row = rows.first
      while let now = row, ranges.count < Self.rowsAtMost {
        if now.kind == .leaf { ranges.append(rows.outputs(of: now)) }
        row = rows.next(after: now)
      }
      ranges.sort { $0.lowerBound < $1.lowerBound }
    }

    func hasAlias(of row: Row, _ rows: Rows) -> Bool {
      let range = rows.outputs(of: row)
      return row.kind == .leaf
        && ranges.lazy.filter { $0.lowerBound < range.upperBound && $0.overlaps(range) }.prefix(2)
          .count > 1
    }
  }
}

extension Rows {
  /// The output addresses of a row.
  func outputs(of row: Row) -> Range<UInt64> {
    let start = row.descriptor.address(granuleShift: reader.geometry.granuleShift)
    return start..<start + row.entrySize * UInt64(row.count)
  }
}

extension Model {
  /// Rows that are looked at before the next frame.
  private static let rowsAtOnce = 2_000

  mutating func setFilter(_ text: String) {
    do throws(FilterError) {
      filter = EntryFilter(try Filter(parsing: text, for: .entries))
      say("Only entries with \(SafeText(text)). \(press(.clearFilter)) to show all.")
    } catch {
      refuse(error.message)
    }
  }

  mutating func clearFilter() { filter = nil }

  /// The tables that are in sight and not looked through.
  private var unfiltered: Pane? {
    guard let filter else { return nil }
    return layout.panes.map(\.pane).first { pane in
      pane.isTable && tableID(of: pane).map { !filter.isComplete($0) } ?? false
    }
  }

  var isFilterDue: Bool { unfiltered != nil }

  /// Looks at some more rows for the filter.
  mutating func continueFilter() {
    guard let pane = unfiltered, let id = tableID(of: pane), let reader = reader(of: pane) else {
      return
    }
    let rows = Rows(
      reader, face: .flat, past: changes.past, extras: changes.removed[id] ?? [],
      ranges: views[pane]?.ranges(of: id, Folds()) ?? FoundRanges())
    let machine = machine
    filter?.search(rows, of: id, in: machine, count: Self.rowsAtOnce)
  }
}
