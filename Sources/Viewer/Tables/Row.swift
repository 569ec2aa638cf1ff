import Engine
import Inquiry

/// One line of a table: an entry, or several beside each other that only differ in their addresses.
struct Row: Equatable {
  enum Kind: Equatable {
    /// Points to a table, whose entries follow if it is open.
    case table(isOpen: Bool)
    /// Maps something, or is an annotation.
    case leaf
    /// Was there before what was done last.
    case removed
    /// Will be there after the next event.
    case coming
    /// Nothing is there; shown where the cursor is.
    case absent
  }

  let kind: Kind
  /// Where the first entry is.
  let position: Position
  /// The first entry; of a row that is removed, as it was.
  let descriptor: Descriptor
  /// Number of entries.
  var count = 1
  /// Bytes that one entry covers.
  let entrySize: UInt64
  /// Whether what was done last changed it.
  var isChanged = false

  var address: UInt64 { position.address }
  var level: Int { position.level }
  /// The first input address after it.
  var end: UInt64 { address + entrySize * UInt64(count) }
  /// Whether it stands for an entry that the table has now.
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
  /// Whether one of some input addresses, which ascend, is among those that the row stands for now.
  func isBroken(at places: [UInt64]) -> Bool {
    let index = places.indices.partitioningIndex { places[$0] >= address }
    guard index < places.count, places[index] < end else { return false }
    switch kind {
    case .table(isOpen: true), .removed, .coming: return false
    case .table(isOpen: false), .leaf, .absent: return true
    }
  }

  /// The row of entries that were removed.
  init(removed run: EntryRun) {
    self.init(
      kind: .removed, position: run.position, descriptor: run.descriptor, count: run.count,
      entrySize: run.entrySize, isChanged: true)
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
