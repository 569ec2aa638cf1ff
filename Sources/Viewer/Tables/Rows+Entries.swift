import Engine
import Inquiry

/// Rows of the table's entries.
extension Rows {
  /// The row at a place, or the one that covers its address: a closed table, a block, a run.
  func entryRow(at position: Position) -> Row? {
    var page = reader.root
    while true {
      let index = page.index(of: position.address)
      let isWanted = page.level == position.level && face == .tree
      if !isWanted, let child = openChild(of: index, in: page) {
        page = child
        continue
      }
      return page[index].bits == 0 ? nil : row(of: index, in: page)
    }
  }

  /// The first row of a page, or below it, whose first address is not below `address`, and that comes
  /// after a place.
  func firstEntryRow(from address: UInt64, after position: Position?, in page: TablePage) -> Row? {
    let first = page.index(of: address)
    if address >= page.address(of: page.count) { return nil }
    for index in first..<page.count where page[index].bits != 0 {
      let start = page.address(of: index)
      let child = openChild(of: index, in: page)
      let isAfter = position.map { $0 < Position(start, level: page.level) } ?? true
      if start >= address, isAfter, child == nil || face == .tree {
        return row(of: index, in: page)
      }
      if let child, let found = firstEntryRow(from: address, after: position, in: child) {
        return found
      }
    }
    return nil
  }

  /// The last row of a page, or below it.
  func lastEntryRow(in page: TablePage) -> Row? {
    lastEntryRow(endingAt: page.count, in: page)
  }

  /// The last row of a page, or below it, that comes before a place.
  func lastEntryRow(before position: Position, in page: TablePage) -> Row? {
    let index = page.index(of: position.address)
    if page.level < position.level, let child = openChild(of: index, in: page) {
      if let found = lastEntryRow(before: position, in: child) { return found }
      if face == .tree { return row(of: index, in: page) }
    }
    // If the place is beyond the page, the whole page comes before it.
    let isBeyond = position.address >= page.address(of: page.count)
    return lastEntryRow(endingAt: isBeyond ? page.count : index, in: page)
  }

  private func lastEntryRow(endingAt end: Int, in page: TablePage) -> Row? {
    for index in (0..<end).reversed() where page[index].bits != 0 {
      guard let child = openChild(of: index, in: page) else { return row(of: index, in: page) }
      if let found = lastEntryRow(in: child) { return found }
      if face == .tree { return row(of: index, in: page) }
    }
    return nil
  }

  /// The table to which an entry points, if it is shown.
  private func openChild(of index: Int, in page: TablePage) -> TablePage? {
    guard page.kind(of: index) == .table else { return nil }
    let position = Position(page.address(of: index), level: page.level)
    return face == .tree && folds.isClosed(position) ? nil : reader.child(of: index, in: page)
  }

  /// The row of an entry that is not empty, with the run that it belongs to.
  func row(of index: Int, in page: TablePage) -> Row {
    let entry = page[index]
    if page.kind(of: index) == .table {
      let position = Position(page.address(of: index), level: page.level)
      return Row(
        kind: .table(isOpen: !folds.isClosed(position)), position: position, descriptor: entry,
        entrySize: page.entrySize, isChanged: isChanged(index, in: page))
    }
    return face == .flat
      ? ranges.row(covering: page.address(of: index)) { range(around: index, in: page) }
      : PageRun(around: index, in: page, of: self).row
  }

  /// Whether the last event or micro-step changed an entry.
  func isChanged(_ index: Int, in page: TablePage) -> Bool {
    page.mayDiffer(from: past) && page.entry(index, in: past) != page[index]
  }

  /// The row of an entry with its contiguous neighbours, in its page and in adjacent pages.
  private func range(around index: Int, in page: TablePage) -> Row {
    let run = PageRun(around: index, in: page, of: self)
    var first = run
    while let before = neighbour(of: first, isBefore: true) { first = before }
    var count = first.entries.count
    var last = first
    while let after = neighbour(of: last, isBefore: false) {
      count += after.entries.count
      last = after
    }
    var row = first.row
    row.count = count
    return row
  }

  /// The run in the page before or after that of another run, if the two are contiguous.
  private func neighbour(of run: PageRun, isBefore: Bool) -> PageRun? {
    let (page, edge) = (run.page, isBefore ? 0 : run.page.count - 1)
    let end = page.address(of: page.count)
    guard run.entries.contains(edge), isBefore ? page.address > 0 : end < reader.geometry.inputSize,
      let (other, index) = reader.path(to: isBefore ? page.address - 1 : end).last,
      other.level == page.level
    else { return nil }
    let next = PageRun(around: index, in: other, of: self)
    guard !run.isUnfolded, !next.isUnfolded, next.isChanged == run.isChanged else { return nil }
    let (one, two) = isBefore ? (other[index], page[edge]) : (page[edge], other[index])
    return two.continues(one, size: page.entrySize, at: page.level) ? next : nil
  }
}

/// Contiguous entries of one page.
private struct PageRun {
  let page: TablePage
  let entries: ClosedRange<Int>
  let isChanged: Bool
  /// Whether every entry of the page has its own row.
  let isUnfolded: Bool

  init(around index: Int, in page: TablePage, of rows: Rows) {
    self.page = page
    isChanged = rows.isChanged(index, in: page)
    isUnfolded = rows.folds.isUnfolded(Position(page.address, level: page.level))
    var first = index
    var last = index
    if !isUnfolded {
      // Asked once for the page: the last event or micro-step leaves most pages untouched.
      let mayDiffer = page.mayDiffer(from: rows.past)
      let changed = isChanged
      func joins(_ next: Int, _ previous: Int, _ new: Int) -> Bool {
        page[next].continues(page[previous], size: page.entrySize, at: page.level)
          && (!mayDiffer || (page.entry(new, in: rows.past) != page[new]) == changed)
      }
      while first > 0, joins(first, first - 1, first - 1) { first -= 1 }
      while last + 1 < page.count, joins(last + 1, last, last + 1) { last += 1 }
    }
    entries = first...last
  }

  var row: Row {
    Row(
      kind: .leaf, position: Position(page.address(of: entries.lowerBound), level: page.level),
      descriptor: page[entries.lowerBound], count: entries.count, entrySize: page.entrySize,
      isChanged: isChanged)
  }
}
