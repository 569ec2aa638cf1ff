/// Nodes of a `RangeTree`, word by word.
extension Memory {
  @inline(__always)
  func root(of tree: RangeTree) -> Int { Int(truncatingIfNeeded: load(tree.slot)) }

  /// Number of 256-byte nodes of the tree.
  package func nodeCount(of tree: RangeTree) -> Int { Int(load(tree.slot + 1)) }

  /// The leaf that was added or grew last, or 0.
  @inline(__always)
  func recentLeaf(of tree: RangeTree) -> Int { Int(truncatingIfNeeded: load(tree.slot + 2)) }

  mutating func setRecentLeaf(_ leaf: Int, of tree: RangeTree) {
    store(UInt64(leaf), at: tree.slot + 2)
  }

  @inline(__always)
  func level(ofNode node: Int) -> Int { RangeTree.level(inHeader: load(node)) }

  @inline(__always)
  func parent(ofNode node: Int) -> Int { RangeTree.parent(inHeader: load(node)) }

  mutating func setParent(_ parent: Int, ofNode node: Int) {
    store(RangeTree.header(load(node), parent: parent), at: node)
  }

  @inline(__always)
  static func keySlot(_ index: Int, of node: Int) -> Int { node &+ 1 &+ index }

  @inline(__always)
  static func payloadSlot(_ index: Int, of node: Int) -> Int { node &+ 17 &+ index }

  @inline(__always)
  func key(_ index: Int, of node: Int) -> UInt64 { load(Self.keySlot(index, of: node)) }

  @inline(__always)
  func payload(_ index: Int, of node: Int) -> UInt64 { load(Self.payloadSlot(index, of: node)) }

  /// The page at which the next leaf begins.
  @inline(__always)
  func limit(ofLeaf leaf: Int) -> UInt64 { load(leaf &+ 16) }

  mutating func setLimit(_ page: UInt64, ofLeaf leaf: Int) { store(page, at: leaf + 16) }

  /// The child that a pair of an inner node leads to.
  @inline(__always)
  func child(_ index: Int, of node: Int) -> Int {
    Int(truncatingIfNeeded: payload(index, of: node))
  }

  /// First address of a pair.
  @inline(__always)
  func address(_ index: Int, of node: Int) -> UInt64 {
    (key(index, of: node) >> RangeTree.keyShift) << 12
  }

  /// First and end page of a leaf's pair.
  @inline(__always)
  func pages(_ index: Int, of leaf: Int) -> Range<UInt64> {
    let key = key(index, of: leaf)
    let first = key >> RangeTree.keyShift
    let length = (key & RangeTree.lengthMask) >> RangeTree.lengthShift
    let end =
      length != RangeTree.longLength ? first &+ length : payload(index, of: leaf) >> 12
    return Range(uncheckedBounds: (first, end))
  }

  /// The entry of a leaf's pair.
  @inline(__always)
  func entry(_ index: Int, of leaf: Int) -> RangeEntry {
    let pages = pages(index, of: leaf)
    let payload = payload(index, of: leaf)
    let isLong = key(index, of: leaf) & RangeTree.lengthMask == RangeTree.lengthMask
    return RangeEntry(
      Range(uncheckedBounds: (pages.lowerBound << 12, pages.upperBound << 12)),
      isLong ? payload & RangeTree.longPayloadMask : payload)
  }

  // MARK: Searching in a node

  /// Index of the pair with the highest key that is not above `bound`, or -1.
  @inline(__always)
  private func highest(atMost bound: UInt64, in node: Int) -> Int {
    // An empty slot, 0, is at distance `bound`: too far. Keys above are farther still: they wrap around.
    nearest(in: node, closerThan: bound) { bound &- $0 }
  }

  /// Index of the pair with the lowest key that is above `bound`, or -1.
  @inline(__always)
  private func lowest(above bound: UInt64, in node: Int) -> Int {
    let start = bound &+ RangeTree.indexMask &+ 1
    return nearest(in: node, closerThan: 0 &- start) { $0 &- start }
  }

  /// Index of the pair whose key has the least distance, if that is below a bound, or -1.
  ///
  /// The index is in the spare low bits of the keys, so the search is just the minimum of fifteen words:
  /// no branch to mispredict, and no dependency between the two halves.
  @inline(__always)
  private func nearest(
    in node: Int, closerThan bound: UInt64, _ distance: (UInt64) -> UInt64
  ) -> Int {
    let half = RangeTree.capacity / 2
    var first = bound
    var second = min(bound, distance(key(2 * half, of: node)) | UInt64(2 * half))
    for index in 0..<half {
      first = min(first, distance(key(index, of: node)) | UInt64(index))
      second = min(second, distance(key(half + index, of: node)) | UInt64(half + index))
    }
    let least = min(first, second)
    return least < bound ? Int(truncatingIfNeeded: least & RangeTree.indexMask) : -1
  }

  /// Index of the last pair that begins at or before `page`, or -1.
  @inline(__always)
  func floor(of page: UInt64, in node: Int) -> Int {
    highest(atMost: page << RangeTree.keyShift | RangeTree.lengthMask, in: node)
  }

  /// Index of the first pair that begins after `page`, or -1.
  @inline(__always)
  func ceiling(of page: UInt64, in node: Int) -> Int {
    lowest(above: page << RangeTree.keyShift | RangeTree.lengthMask, in: node)
  }

  /// Index of the first pair, or -1.
  func lowest(in node: Int) -> Int { lowest(above: 0, in: node) }

  /// Index of the last pair, or -1.
  func highest(in node: Int) -> Int { highest(atMost: ~RangeTree.indexMask, in: node) }

  /// Number of pairs.
  func count(ofNode node: Int) -> Int {
    var count = 0
    for index in 0..<RangeTree.capacity { count &+= key(index, of: node) == 0 ? 0 : 1 }
    return count
  }

  /// A free index for another pair, or nil if the node is full.
  @inline(__always)
  func freeIndex(in node: Int) -> Int? {
    var index = 0
    while index < RangeTree.capacity {
      if key(index, of: node) == 0 { return index }
      index &+= 1
    }
    return nil
  }

  /// Indices of the pairs, ascending by key.
  func indices(ofNode node: Int) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(RangeTree.capacity)
    for index in 0..<RangeTree.capacity {
      let key = key(index, of: node)
      if key == 0 { continue }
      var place = indices.count
      while place > 0, self.key(indices[place - 1], of: node) > key { place -= 1 }
      indices.insert(index, at: place)
    }
    return indices
  }

  /// Index of the pair of an inner node that leads to `child`.
  func index(ofChild child: Int, in node: Int) -> Int {
    var index = 0
    while key(index, of: node) == 0 || self.child(index, of: node) != child { index += 1 }
    return index
  }

  /// First page of a node's span.
  func first(ofNode node: Int) -> UInt64 {
    let parent = parent(ofNode: node)
    return parent == 0
      ? 0 : key(index(ofChild: node, in: parent), of: parent) >> RangeTree.keyShift
  }

  /// The nodes before and after `node` that have the same parent; 0 where there is none.
  func siblings(ofNode node: Int) -> (left: Int, right: Int) {
    let parent = parent(ofNode: node)
    let page = first(ofNode: node)
    let left = page == 0 ? -1 : floor(of: page - 1, in: parent)
    let right = ceiling(of: page, in: parent)
    return (left < 0 ? 0 : child(left, of: parent), right < 0 ? 0 : child(right, of: parent))
  }
}
