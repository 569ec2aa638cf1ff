import Engine
import Inquiry

/// What a table pane shows of its table.
struct TableView {
  /// The table, if it was chosen; else the pane follows events.
  var pinned: TableID?
  /// The cursor; nil before it was set.
  var cursor: Position?
  /// The place of the row at the top.
  var top = Position(0, level: 0)
  /// The folds, by table.
  var folds: [TableID: Folds] = [:]
  var face = Face.tree
  /// Ranges found at this moment.
  private var found = FoundRanges()

  /// The ranges found for a table with some folds, or an empty set.
  func ranges(of table: TableID, _ folds: Folds) -> FoundRanges {
    found.belongs(to: table, folds) ? found : FoundRanges(of: table, folds: folds)
  }

  /// Keeps the ranges to be found for a table with some folds.
  mutating func keepRanges(of table: TableID, _ folds: Folds) {
    found = ranges(of: table, folds)
  }

  /// Drops the found ranges, which are of another moment.
  mutating func forgetRanges() { found = FoundRanges() }

  /// Moves the top as little as possible, so that the cursor is among `height` rows.
  ///
  /// There is no margin around the cursor: the line that scrolls in is then the cursor's line, and the
  /// only other one drawn is the line that the cursor leaves.
  mutating func scroll(_ rows: Rows, height: Int) {
    guard height > 0, let first = rows.first else { return }
    let start = rows.first(from: top) ?? rows.last ?? first
    top = start.position
    defer { fill(rows, height: height) }
    guard let cursor, let row = rows.row(at: cursor) else { return }
    if row.position < start.position {
      top = row.position
    } else if Self.distance(from: start, to: row, in: rows, limit: height) == nil {
      top = Self.row(height - 1, before: row, in: rows).position
    }
  }

  /// Moves the top up while rows below would stay empty.
  private mutating func fill(_ rows: Rows, height: Int) {
    guard let start = rows.first(from: top) else { return }
    let following = Self.distance(from: start, toEndOf: rows, limit: height - 1)
    top = Self.row(height - 1 - following, before: start, in: rows).position
  }

  /// The visible rows.
  func visible(_ rows: Rows, height: Int) -> [Row] {
    var visible: [Row] = []
    var row = rows.first(from: top) ?? rows.last
    while let next = row, visible.count < height {
      visible.append(next)
      row = rows.next(after: next)
    }
    return visible
  }

  /// Number of rows from one to the same or a later one; nil if not below the limit.
  private static func distance(from start: Row, to end: Row, in rows: Rows, limit: Int) -> Int? {
    var row = start
    for distance in 0..<limit {
      if row.position >= end.position { return row.position == end.position ? distance : nil }
      guard let next = rows.next(after: row) else { return nil }
      row = next
    }
    return nil
  }

  /// Number of rows that follow, up to a limit.
  private static func distance(from start: Row, toEndOf rows: Rows, limit: Int) -> Int {
    var row = start
    for distance in 0..<limit {
      guard let next = rows.next(after: row) else { return distance }
      row = next
    }
    return limit
  }

  /// The row that many rows before another, or the first.
  static func row(_ count: Int, before row: Row, in rows: Rows) -> Row {
    var row = row
    for _ in 0..<max(0, count) {
      guard let previous = rows.previous(before: row) else { break }
      row = previous
    }
    return row
  }

  /// The row that many rows after another, or the last.
  static func row(_ count: Int, after row: Row, in rows: Rows) -> Row {
    var row = row
    for _ in 0..<max(0, count) {
      guard let next = rows.next(after: row) else { break }
      row = next
    }
    return row
  }
}
