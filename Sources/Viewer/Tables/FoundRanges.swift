import Engine

/// Ranges found in a table's flat face, so that each is searched only once.
///
/// It is a memo: its contents are derived from the table, the folds and the moment for which it was made.
/// So copies of a model may share it, drawing a frame may fill it, and no frame depends on its contents.
final class FoundRanges {
  /// Rows that do not overlap, ascending.
  private var rows: [Row] = []
  /// The table and folds of the rows.
  private let table: TableID?
  private let folds: Folds

  init(of table: TableID? = nil, folds: Folds = Folds()) {
    self.table = table
    self.folds = folds
  }

  /// Whether it was made for a table with some folds.
  func belongs(to table: TableID, _ folds: Folds) -> Bool {
    self.table == table && self.folds == folds
  }

  /// The row that covers an input address: one found before, else the result of `find`.
  func row(covering address: UInt64, find: () -> Row) -> Row {
    let index = rows.indices.partitioningIndex { rows[$0].end > address }
    if index < rows.count, rows[index].address <= address { return rows[index] }
    let row = find()
    rows.insert(row, at: index)
    return row
  }
}
