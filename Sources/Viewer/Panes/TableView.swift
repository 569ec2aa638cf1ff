import Engine
import Inquiry

/// What a table pane shows of its table.
struct TableView {
  /// The table, if it was chosen; else the pane follows what happens.
  var pinned: TableID?
  /// Where the cursor is; nil before it was anywhere.
  var cursor: Position?
  /// The place of the row at the top.
  var top = Position(0, level: 0)
  /// What is folded, by table.
  var folds: [TableID: Folds] = [:]
  var face = Face.tree
  /// Ranges that were found at this moment.
  private var found = FoundRanges()

  /// What was found of a table with some folds, or nothing yet.
  func ranges(of table: TableID, _ folds: Folds) -> FoundRanges {
    found.belongs(to: table, folds) ? found : FoundRanges(of: table, folds: folds)
  }

  /// Keeps what will be found of a table with some folds.
  mutating func keepRanges(of table: TableID, _ folds: Folds) {
    found = ranges(of: table, folds)
  }

  /// Forgets what was found, because it is of another moment.
  mutating func forgetRanges() { found = FoundRanges() }

  /// Moves the top so that the cursor is among `height` rows, as little as that takes.
  ///
  /// There is no margin around the cursor: a line that scrolls is then the line of the cursor, and no
  /// other is drawn besides the one that the cursor leaves.
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

  /// Moves the top up as long as rows below would stay empty.
  private mutating func fill(_ rows: Rows, height: Int) {
    guard let start = rows.first(from: top) else { return }
    let following = Self.distance(from: start, toEndOf: rows, limit: height - 1)
    top = Self.row(height - 1 - following, before: start, in: rows).position
  }

  /// The rows that are in sight.
  func visible(_ rows: Rows, height: Int) -> [Row] {
    var visible: [Row] = []
    var row = rows.first(from: top) ?? rows.last
    while let next = row, visible.count < height {
      visible.append(next)
      row = rows.next(after: next)
    }
    return visible
  }

  /// How many rows lie from one to another that is not before it; nil if that is not below the limit.
  private static func distance(from start: Row, to end: Row, in rows: Rows, limit: Int) -> Int? {
    var row = start
    for distance in 0..<limit {
      if row.position >= end.position { return row.position == end.position ? distance : nil }
      guard let next = rows.next(after: row) else { return nil }
      row = next
    }
    return nil
  }

  /// How many rows follow, up to a limit.
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
