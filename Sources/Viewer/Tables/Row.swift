import Engine
import Inquiry

/// One line of a table: an entry, or several adjacent ones that differ only in their addresses.
struct Row: Equatable {
  enum Kind: Equatable {
    /// Points to a table, whose entries follow if it is open.
    case table(isOpen: Bool)
    /// Maps something, or is an annotation.
    case leaf
    /// Existed before the last event or micro-step.
    case removed
    /// Will exist after the next event.
    case coming
    /// An empty entry; shown where the cursor is.
    case absent
  }

  let kind: Kind
  /// Where the first entry is.
  let position: Position
  /// The first entry; of a removed row, the old value.
  let descriptor: Descriptor
  /// Number of entries.
  var count = 1
  /// Bytes that one entry covers.
  let entrySize: UInt64
  /// Whether the last event or micro-step changed it.
  var isChanged = false

  var address: UInt64 { position.address }
  var level: Int { position.level }
  /// The first input address after it.
  var end: UInt64 { address + entrySize * UInt64(count) }
  /// Whether the table now has the entry.
  var isPresent: Bool {
    switch kind {
    case .table, .leaf: true
    case .removed, .coming, .absent: false
    }
  }
  var isTable: Bool {
    if case .table = kind { true } else { false }
  }

  /// Whether it covers an input address as the last entry of a walk.
  func covers(_ address: UInt64) -> Bool {
    kind != .table(isOpen: true) && self.address <= address && address < end
  }
}

extension Row {
  /// Whether the row now covers one of some ascending input addresses.
  func isBroken(at places: [UInt64]) -> Bool {
    let index = places.indices.partitioningIndex { places[$0] >= address }
    guard index < places.count, places[index] < end else { return false }
    switch kind {
    case .table(isOpen: true), .removed, .coming: return false
    case .table(isOpen: false), .leaf, .absent: return true
    }
  }

  /// The row of removed entries.
  init(removed run: EntryRun) {
    self.init(
      kind: .removed, position: run.position, descriptor: run.descriptor, count: run.count,
      entrySize: run.entrySize, isChanged: true)
  }
}

extension Row {
  /// A row of some of its entries.
  func narrowed(to run: EntryRun) -> Row {
    Row(
      kind: kind, position: run.position, descriptor: run.descriptor, count: run.count,
      entrySize: entrySize, isChanged: isChanged)
  }
}

extension EntryRun {
  /// The entries of a row.
  init(_ row: Row) {
    self.init(
      position: row.position, descriptor: row.descriptor, count: row.count,
      entrySize: row.entrySize, isChanged: row.isChanged, isRemoved: row.kind == .removed)
  }
}
