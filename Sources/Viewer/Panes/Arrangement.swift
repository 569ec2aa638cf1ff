/// How the panes share the screen.
enum Arrangement: String, CaseIterable {
  /// The tables, and below them the steps and the answer.
  case overview
  /// Only the tables.
  case tables
  /// The table that has the focus, and beside it the steps and the answer.
  case reading

  /// The minimum width of a readable table pane.
  static let tableWidth = 36
  /// The minimum width of a text pane.
  static let textWidth = 52
}
