import Inquiry

/// The parts of a table that are not shown in full.
struct Folds: Equatable {
  /// Tables whose entries are hidden.
  private(set) var closed: Set<Position> = []
  /// Table pages, by their first entry's position, in which every entry has its own row.
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
  /// Only the leaves, as ranges.
  case flat
}
