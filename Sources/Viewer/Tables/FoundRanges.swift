import Engine

/// Ranges of a table's flat face that were looked for, so that each is looked for once.
///
/// Copies of the rows share it. It is good for one moment.
final class FoundRanges {
  /// Rows that do not overlap, ascending.
  private var rows: [Row] = []
  /// What they are rows of.
  private var table: TableID?
  private var folds = Folds()

  /// Forgets all that was found, unless it was found in this table with these folds.
  func belong(to table: TableID, _ folds: Folds) -> FoundRanges {
    if self.table != table || self.folds != folds {
      (self.table, self.folds, rows) = (table, folds, [])
    }
    return self
  }

  /// The row that covers an input address: one that was found before, else the one that is found now.
  func row(covering address: UInt64, find: () -> Row) -> Row {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    if low < rows.count, rows[low].address <= address { return rows[low] }
    let row = find()
    rows.insert(row, at: low)
    return row
  }
}
