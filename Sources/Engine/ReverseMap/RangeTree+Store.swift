/// Storing and erasing ranges.
extension Memory {
  /// Stores `payload` for `range`, replacing whatever overlaps it, as the kernel's `mas_store`: an entry
  /// that overlaps in part keeps the rest.
  ///
  /// - Parameters:
  ///   - range: whole pages, not empty, below 2^52.
  ///   - payload: not 0; below 4096 if the range has `RangeTree.longLength` pages or more.
  package mutating func store(_ payload: UInt64, for range: Range<UInt64>, in tree: RangeTree) {
    var place = search(range, in: tree)
    if place.index >= 0 {
      erase(range, in: tree)
      place = search(range, in: tree)
    }
    insert(payload, for: range, at: place, in: tree)
  }

  /// Removes `range` from every entry that overlaps it.
  package mutating func erase(_ range: Range<UInt64>, in tree: RangeTree) {
    while case let place = search(range, in: tree), let old = entry(at: place) {
      remove(at: place, in: tree)
      if old.range.lowerBound < range.lowerBound {
        store(old.payload, for: old.range.lowerBound..<range.lowerBound, in: tree)
      }
      if old.range.upperBound > range.upperBound {
        store(old.payload, for: range.upperBound..<old.range.upperBound, in: tree)
        return
      }
    }
  }

  /// Inserts a range that overlaps nothing, at the place where the search for it ended.
  package mutating func insert(
    _ payload: UInt64, for range: Range<UInt64>, at place: RangePlace, in tree: RangeTree
  ) {
    let pages = Range(uncheckedBounds: (range.lowerBound >> 12, range.upperBound >> 12))
    let length = pages.upperBound &- pages.lowerBound
    precondition(
      payload != 0 && length > 0 && pages.upperBound <= RangeTree.endPage,
      "not a range with a payload")
    let key = pages.lowerBound << RangeTree.keyShift
    let leaf = place.leaf != 0 ? place.leaf : plantRoot(of: tree)
    if pages.upperBound > limit(ofLeaf: leaf) { extend(leaf, to: pages.upperBound, of: tree) }
    if length < RangeTree.longLength {
      insertPair(key | length << RangeTree.lengthShift, payload, in: leaf, of: tree)
    } else {
      precondition(payload <= RangeTree.longPayloadMask, "a long range has a payload of 12 bits")
      insertPair(
        key | RangeTree.lengthMask, pages.upperBound << 12 | payload, in: leaf, of: tree)
    }
  }

  /// Removes the entry that a search found.
  package mutating func remove(at place: RangePlace, in tree: RangeTree) {
    removePair(place.index, in: place.leaf, of: tree)
  }

  /// Removes every entry and frees the nodes, as the kernel's `mtree_destroy`.
  mutating func removeAll(in tree: RangeTree) {
    let root = root(of: tree)
    if root == 0 { return }
    freeSubtree(root, of: tree)
    store(0, at: tree.slot)
  }

  private mutating func freeSubtree(_ node: Int, of tree: RangeTree) {
    if level(ofNode: node) > 0 {
      for index in indices(ofNode: node) { freeSubtree(child(index, of: node), of: tree) }
    }
    freeNode(node, of: tree)
  }
}
