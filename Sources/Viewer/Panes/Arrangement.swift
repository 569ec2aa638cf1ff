/// How the panes share the screen.
enum Arrangement: String, CaseIterable {
  /// The tables, and below them the steps and the answer.
  case overview
  /// The tables alone.
  case tables
  /// The table that has the focus, and beside it the steps and the answer.
  case reading

  /// The least width of a pane in which a table can be read.
  static let tableWidth = 36
  /// The least width of a pane of text.
  static let textWidth = 52
}
