import Engine
import Inquiry

/// The forecast in the rows of a table.
extension ForecastAnswer {
  /// Rows of future entries that do not exist yet, by table, each in the order of the table.
  var rows: [TableID: [Row]] {
    var rows: [TableID: [Position: Row]] = [:]
    for change in changes {
      rows[change.table, default: [:]][change.position] = change.entry.map {
        Row(kind: .coming, position: change.position, descriptor: $0, entrySize: change.size)
      }
    }
    return rows.mapValues { $0.values.sorted { $0.position < $1.position } }
  }

  /// Whether an entry of a row will change.
  func touches(_ row: Row, of table: TableID) -> Bool {
    changes.contains {
      $0.table == table && $0.level == row.level && (row.address..<row.end).contains($0.address)
    }
  }
}
