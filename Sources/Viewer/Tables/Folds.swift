import Inquiry

/// What of a table is not shown in full.
struct Folds: Equatable {
  /// Tables whose entries are hidden.
  private(set) var closed: Set<Position> = []
  /// Pages of tables, by where their first entry is, in which every entry has a row of its own.
  private(set) var unfolded: Set<Position> = []

  func isClosed(_ table: Position) -> Bool { closed.contains(table) }
  func isUnfolded(_ page: Position) -> Bool { unfolded.contains(page) }

  mutating func close(_ table: Position) { closed.insert(table) }
  mutating func open(_ table: Position) { closed.remove(table) }
  mutating func unfold(_ page: Position) { unfolded.insert(page) }
  mutating func fold(_ page: Position) { unfolded.remove(page) }
}

/// How a table is shown.
enum Face: String, CaseIterable {
  /// All tables and their entries.
  case tree
  /// The leaves alone, as ranges.
  case flat
}
