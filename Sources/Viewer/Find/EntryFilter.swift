import Canvas
import Engine
import Inquiry
import Language

/// The entries to which tables are narrowed, found table by table, in pieces.
struct EntryFilter {
  let filter: Filter
  /// What was found in each table so far.
  private(set) var found: [TableID: Findings] = [:]

  struct Findings {
    /// The facts for the condition.
    let facts: EntryFacts
    /// Rows for which the condition holds, ascending.
    var rows: [Row] = []
    /// The last row examined, and how many of its entries if not all.
    var last: Row?
    var entriesOfLast: Int?
    var isComplete = false
    /// Whether there are more rows than are shown, or entries that were not compared.
    var isCut = false
  }

  /// What panes say of it in their titles.
  ///
  /// - Parameter isCut: whether not all was looked at, or is shown.
  func context(isCut: Bool) -> SafeText {
    "only \(SafeText(filter.text))" + (isCut ? ", not all of them" : "")
  }

  /// Maximum number of rows shown for a table.
  static let rowsAtMost = 20_000

  init(_ filter: Filter) { self.filter = filter }

  /// Whether a table was searched completely.
  func isComplete(_ table: TableID) -> Bool { found[table]?.isComplete ?? false }

  /// Whether a table can have more entries that meet the condition.
  func isCut(_ table: TableID) -> Bool { found[table]?.isCut ?? false }

  /// Starts over for another moment.
  mutating func restart() { found = [:] }

  /// Examines some more rows of a table; entries, where those of a row can differ.
  mutating func search(_ rows: Rows, of table: TableID, in machine: Machine, count: Int) {
    var findings =
      found[table]
      ?? Findings(facts: EntryFacts(for: filter, of: table, rows.reader, in: machine))
    var left = count
    while left > 0, !findings.isComplete {
      let start = findings.entriesOfLast ?? 0
      let isAtMost = findings.rows.count >= Self.rowsAtMost
      let row =
        start > 0 ? findings.last : findings.last.map { rows.next(after: $0) } ?? rows.first
      guard let row, !isAtMost else {
        findings.isComplete = true
        findings.isCut = row != nil || findings.facts.isCut
        break
      }
      let end = findings.facts.isAboutEntries ? min(row.count, start + left) : row.count
      for run in findings.facts.parts(of: EntryRun(row)[start..<end], with: filter) {
        findings.add(row.narrowed(to: run))
      }
      findings.last = row
      findings.entriesOfLast = end < row.count ? end : nil
      left -= findings.facts.isAboutEntries ? end - start : 1
    }
    found[table] = findings
  }
}

extension EntryFilter.Findings {
  /// Adds a row, or its entries to the last one of which it is the rest.
  fileprivate mutating func add(_ row: Row) {
    if entriesOfLast != nil, rows.last?.end == row.address {
      rows[rows.count - 1].count += row.count
    } else {
      rows.append(row)
    }
  }
}

extension Model {
  /// Number of rows examined before the next frame.
  private static let rowsAtOnce = 2_000

  mutating func setFilter(_ text: String) {
    do throws(FilterError) {
      let new = try Filter(parsing: text, for: .entries)
      if new.usesOutputs, !machine.configuration.knowsOutputs {
        return refuse(SafeText(Question.Need.outputs.refusal))
      }
      filter = EntryFilter(new)
      say("Only entries with \(SafeText(text)). \(press(.clearFilter)) to show all.")
    } catch {
      refuse(SafeText(error.message))
    }
  }

  mutating func clearFilter() { filter = nil }

  /// A visible pane whose table exists and is not completely searched.
  private var unfiltered: Pane? {
    guard let filter else { return nil }
    return layout.panes.map(\.pane).first { pane in
      pane.isTable && reader(of: pane) != nil
        && tableID(of: pane).map { !filter.isComplete($0) } ?? false
    }
  }

  var isFilterDue: Bool { unfiltered != nil }

  /// Examines some more rows for the filter.
  mutating func continueFilter() {
    guard let pane = unfiltered, let id = tableID(of: pane), let reader = reader(of: pane) else {
      return
    }
    let rows = Rows(
      reader, face: .flat, past: changes.past,
      extras: (changes.removed[id] ?? []).map { Row(removed: $0) },
      ranges: views[pane]?.ranges(of: id, Folds()) ?? FoundRanges())
    let machine = machine
    filter?.search(rows, of: id, in: machine, count: Self.rowsAtOnce)
  }
}
