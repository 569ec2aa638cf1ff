import Engine
import Inquiry

/// Which table a pane shows.
extension Model {
  /// The table of a pane; nil if it has none now.
  func tableID(of pane: Pane) -> TableID? { pane.operations.table(in: self) }

  /// A reader of the table of a pane; nil if it has none now.
  func reader(of pane: Pane) -> TableReader? { pane.operations.reader(in: self) }

  /// The pane that shows a table.
  func pane(showing id: TableID) -> Pane? {
    panes.first { $0.isTable && tableID(of: $0) == id }
  }

  /// The table that has the focus, or had it last.
  var lastTable: Pane { focus.isTable ? focus : lastTableFocus }
}
