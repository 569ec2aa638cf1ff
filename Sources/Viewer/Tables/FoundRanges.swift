import Engine

/// Ranges of a table's flat face that were looked for, so that each is looked for once.
///
/// It is a memo: what it holds follows from the table, the folds and the moment that it was made for, and
/// could be found again at any time. So it may be shared by copies of a model, and be filled while a frame
/// is drawn, and no frame depends on what is in it.
final class FoundRanges {
  /// Rows that do not overlap, ascending.
  private var rows: [Row] = []
  /// What they are rows of.
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

  /// The row that covers an input address: one that was found before, else the one that is found now.
  func row(covering address: UInt64, find: () -> Row) -> Row {
    let index = rows.indices.partitioningIndex { rows[$0].end > address }
    if index < rows.count, rows[index].address <= address { return rows[index] }
    let row = find()
    rows.insert(row, at: index)
    return row
  }
}
