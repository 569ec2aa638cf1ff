import Engine
import Inquiry

/// The forecast in the rows of a table.
extension ForecastAnswer {
  /// Rows of future entries that lead somewhere, by table, each in the order of the table.
  var rows: [TableID: [Row]] {
    var rows: [TableID: [Row]] = [:]
    for run in runs {
      let entries = run.entries
      if entries.isRemoved || entries.descriptor.isTable(entries.level) { continue }
      rows[run.table, default: []].append(
        Row(
          kind: .coming, position: entries.position, descriptor: entries.descriptor,
          count: entries.count, entrySize: entries.entrySize))
    }
    return rows
  }

  /// Whether an entry of a row will change.
  func touches(_ row: Row, of table: TableID) -> Bool {
    changes.contains {
      $0.table == table && $0.level == row.level && (row.address..<row.end).contains($0.address)
    }
  }
}
