import Engine
import Inquiry

/// The rows of a table, found by their place: the cost of a row does not depend on their number. Only a
/// range of the flat face, which may span any number of pages, is searched once and kept.
///
/// Besides the table's entries there are *extras*: removed or future entries, and the cursor's place if
/// it is empty.
struct Rows {
  let reader: TableReader
  let folds: Folds
  let face: Face
  /// The words before the last event or micro-step.
  let past: PastWords
  /// Ranges that were found before.
  let ranges: FoundRanges
  /// Rows without an entry in the table, ascending. Those in a closed table, or for which the table has
  /// an entry, are not shown.
  private var extras: [Row]
  /// Whether entries of the table have rows; else there are only extras.
  private let showsEntries: Bool

  init(
    _ reader: TableReader, folds: Folds = Folds(), face: Face = .tree,
    past: PastWords = PastWords(),
    extras: [Row] = [], showsEntries: Bool = true, ranges: FoundRanges = FoundRanges()
  ) {
    self.reader = reader
    self.folds = folds
    self.face = face
    self.past = past
    self.extras = extras
    self.showsEntries = showsEntries
    self.ranges = ranges
  }

  /// Adds the place of the cursor if no row is there.
  mutating func addCursor(_ position: Position) {
    guard row(at: position) == nil else { return }
    let path = reader.path(to: position.address)
    guard let (page, index) = path.last else { return }
    let address = position.address & ~(reader.geometry.size(Geometry.lastLevel) - 1)
    let row = Row(
      kind: .absent, position: Position(address, level: page.level), descriptor: page[index],
      entrySize: reader.geometry.size(Geometry.lastLevel))
    extras.insert(row, at: firstExtra(from: row.position))
  }

  /// The row at a place, or the one that covers its address; nil if there is none.
  func row(at position: Position) -> Row? {
    if let row = shownEntry(at: position) { return row }
    let index = firstExtra(after: Position(position.address, level: Geometry.lastLevel)) - 1
    guard index >= 0, extras[index].covers(position.address), isShown(extras[index])
    else { return nil }
    return extras[index]
  }

  private func shownEntry(at position: Position) -> Row? {
    showsEntries ? entryRow(at: position) : nil
  }

  /// The first row at, after or covering a place.
  func first(from position: Position) -> Row? {
    row(at: position) ?? nearest(from: position.address, after: position)
  }

  /// The first row of all.
  var first: Row? { nearest(from: 0, after: nil) }

  /// The last row of all.
  var last: Row? {
    lastShown(before: nil, entry: showsEntries ? lastEntryRow(in: reader.root) : nil)
  }

  func next(after row: Row) -> Row? {
    if case .table(isOpen: true) = row.kind {
      return nearest(from: row.address, after: row.position)
    }
    return nearest(from: row.end, after: row.position)
  }

  func previous(before row: Row) -> Row? {
    lastShown(
      before: row.position,
      entry: showsEntries ? lastEntryRow(before: row.position, in: reader.root) : nil)
  }

  /// The earlier of the first entry from an address on, and the first extra, both after a place.
  private func nearest(from address: UInt64, after position: Position?) -> Row? {
    let entry =
      showsEntries ? firstEntryRow(from: address, after: position, in: reader.root) : nil
    var index = position.map { firstExtra(after: $0) } ?? 0
    while index < extras.count {
      let extra = extras[index]
      if let entry, entry.position < extra.position { break }
      if extra.address >= address, isShown(extra) { return extra }
      // Skip all extras in the same closed table at once.
      let hiding = shownEntry(at: extra.position)
      let next = hiding.map { firstExtra(from: Position($0.end, level: 0)) } ?? 0
      index = max(index + 1, next)
    }
    return entry
  }

  private func lastShown(before position: Position?, entry: Row?) -> Row? {
    var index = (position.map { firstExtra(from: $0) } ?? extras.count) - 1
    while index >= 0 {
      let extra = extras[index]
      if let entry, entry.position > extra.position { break }
      if isShown(extra) { return extra }
      let hiding = shownEntry(at: extra.position)
      let next = hiding.map { firstExtra(from: $0.position) - 1 } ?? extras.count
      index = min(index - 1, next)
    }
    return entry
  }

  /// Whether an extra row has its place: no entry covers it.
  private func isShown(_ extra: Row) -> Bool { shownEntry(at: extra.position) == nil }

  /// Index of the first extra at or after a place.
  private func firstExtra(from position: Position) -> Int {
    extras.indices.partitioningIndex { extras[$0].position >= position }
  }

  private func firstExtra(after position: Position) -> Int {
    extras.indices.partitioningIndex { extras[$0].position > position }
  }
}
