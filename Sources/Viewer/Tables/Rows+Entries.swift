import Engine

/// Rows that entries of the table give.
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
    // Beyond the page, all of it comes before the place.
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

  /// The table that an entry leads to, if it is shown.
  private func openChild(of index: Int, in page: TablePage) -> TablePage? {
    guard page[index].isTable(page.level) else { return nil }
    let position = Position(page.address(of: index), level: page.level)
    return face == .tree && folds.isClosed(position) ? nil : reader.child(of: index, in: page)
  }

  /// The row of an entry that is not empty, with the run that it belongs to.
  func row(of index: Int, in page: TablePage) -> Row {
    let entry = page[index]
    let position = Position(page.address(of: index), level: page.level)
    let mayDiffer = page.mayDiffer(from: past)
    func isChanged(_ index: Int) -> Bool {
      mayDiffer && page.entry(index, in: past) != page[index]
    }
    if entry.isTable(page.level) {
      return Row(
        kind: .table(isOpen: !folds.isClosed(position)), position: position, descriptor: entry,
        entrySize: page.entrySize, isChanged: isChanged(index))
    }
    let changed = isChanged(index)
    var run = index...index
    if !folds.isUnfolded(Position(page.address, level: page.level)) {
      func joins(_ next: Int, _ previous: Int) -> Bool {
        page[next].continues(page[previous], size: page.entrySize, at: page.level)
          && isChanged(next) == changed
      }
      var first = index
      while first > 0, joins(first, first - 1) { first -= 1 }
      var last = index
      while last + 1 < page.count, joins(last + 1, last) { last += 1 }
      run = first...last
    }
    return Row(
      kind: .leaf, position: Position(page.address(of: run.lowerBound), level: page.level),
      descriptor: page[run.lowerBound], count: run.count, entrySize: page.entrySize,
      isChanged: changed)
  }
}

extension Descriptor {
  /// Whether the entry maps, in the same way, what follows the output of the one before it.
  func continues(_ before: Descriptor, size: UInt64, at level: Int) -> Bool {
    guard before.isLeaf(level) else { return bits == before.bits && bits != 0 }
    return bits == before.bits &+ size
  }
}
