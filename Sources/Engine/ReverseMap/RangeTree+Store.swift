/// Storing and erasing ranges.
extension Memory {
  /// Stores `payload` for `range` in place of whatever overlaps it, as the kernel's `mas_store`: what
  /// overlaps only in part keeps the rest.
  ///
  /// - Parameters:
  ///   - range: whole pages, not empty, below 2^52.
  ///   - payload: not 0; below 4096 if the range has 2^24 pages or more.
  package mutating func store(_ payload: UInt64, for range: Range<UInt64>, in tree: RangeTree) {
    let pages = range.lowerBound >> 12..<range.upperBound >> 12
    if let (leaf, index) = floorPosition(of: pages.lowerBound, in: tree) {
      let clear =
        (index < 0 || self.pages(index, of: leaf).upperBound <= pages.lowerBound)
        && firstPage(after: index, in: leaf).map { $0 >= pages.upperBound } ?? true
      if clear {
        insert(pages, payload, at: index + 1, in: leaf, of: tree)
        return
      }
    }
    erase(range, in: tree)
    insert(pages, payload, in: tree)
  }

  /// Removes `range` from every entry that overlaps it.
  package mutating func erase(_ range: Range<UInt64>, in tree: RangeTree) {
    while let old = first(in: range, of: tree) {
      let pages = old.range.lowerBound >> 12..<old.range.upperBound >> 12
      remove(pages.lowerBound, in: tree)
      if old.range.lowerBound < range.lowerBound {
        insert(pages.lowerBound..<range.lowerBound >> 12, old.payload, in: tree)
      }
      if old.range.upperBound > range.upperBound {
        insert(range.upperBound >> 12..<pages.upperBound, old.payload, in: tree)
      }
    }
  }

  /// Removes every entry and gives the nodes back, as the kernel's `mtree_destroy`.
  mutating func removeAll(in tree: RangeTree) {
    let root = root(of: tree)
    if root == 0 { return }
    freeSubtree(root, of: tree)
    store(0, at: tree.slot)
    store(0, at: tree.slot + 1)
  }

  private mutating func freeSubtree(_ node: Int, of tree: RangeTree) {
    if level(ofNode: node) > 0 {
      for index in 0..<count(ofNode: node) { freeSubtree(child(index, of: node), of: tree) }
    }
    freeNode(node, of: tree)
  }

  /// First page of the entry after `index`, in this leaf or the next, or nil.
  @inline(__always)
  private func firstPage(after index: Int, in leaf: Int) -> UInt64? {
    if index + 1 < count(ofNode: leaf) { return key(index + 1, of: leaf) >> RangeTree.keyShift }
    return nextLeaf(after: leaf).map { key(0, of: $0) >> RangeTree.keyShift }
  }

  /// Inserts pages that overlap nothing.
  private mutating func insert(_ pages: Range<UInt64>, _ payload: UInt64, in tree: RangeTree) {
    if let (leaf, index) = floorPosition(of: pages.lowerBound, in: tree) {
      insert(pages, payload, at: index + 1, in: leaf, of: tree)
    } else {
      let leaf = allocateNode(level: 0, of: tree)
      store(UInt64(leaf), at: tree.slot)
      insert(pages, payload, at: 0, in: leaf, of: tree)
    }
  }

  private mutating func insert(
    _ pages: Range<UInt64>, _ payload: UInt64, at index: Int, in leaf: Int, of tree: RangeTree
  ) {
    let length = pages.upperBound - pages.lowerBound
    precondition(
      payload != 0 && length > 0 && pages.upperBound <= 1 << 40, "not a range with a payload")
    let key = pages.lowerBound << RangeTree.keyShift
    if length <= RangeTree.lengthMask {
      insertPair(key | length, payload, at: index, in: leaf, of: tree)
    } else {
      precondition(payload <= RangeTree.longPayloadMask, "a long range has a payload of 12 bits")
      insertPair(key, pages.upperBound << 12 | payload, at: index, in: leaf, of: tree)
    }
    store(load(tree.slot + 1) + 1, at: tree.slot + 1)
  }

  /// Removes the entry that starts at `page`.
  private mutating func remove(_ page: UInt64, in tree: RangeTree) {
    guard let (leaf, index) = floorPosition(of: page, in: tree) else { return }
    removePair(index, in: leaf, of: tree)
    store(load(tree.slot + 1) - 1, at: tree.slot + 1)
  }
}
