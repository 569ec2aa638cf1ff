/// Inserting and removing pairs, and allocating and freeing nodes for them.
///
/// A full node first moves pairs to a neighbour with room; it is split in two only if there is none. That
/// keeps nodes three quarters full under insertions in any order. Insertions at the end of the tree start
/// a new node and leave the full one full, so ascending insertions waste nothing. A node that becomes
/// small is merged with a neighbour if that leaves room for more; an empty one is freed.
extension Memory {
  /// Minimum room in a neighbour to move pairs to it.
  private static let worthMoving = 4
  /// A node with fewer pairs is merged with a neighbour if possible.
  private static let small = 4
  /// Neighbours with more pairs together than this are not merged, lest they be split again.
  private static let joinedAtMost = 12

  // MARK: Nodes

  private mutating func allocateNode(level: Int, of tree: RangeTree) -> Int {
    let pool = Machine.Register.freeNode.slot
    if load(pool) == 0 {
      let frame = allocateFrame(FrameRole(.nodes))
      for node in stride(
        from: frame + Memory.frameWords - RangeTree.nodeWords, through: frame,
        by: -RangeTree.nodeWords)
      {
        store(load(pool), at: node)
        store(UInt64(node), at: pool)
      }
    }
    let node = Int(load(pool))
    store(load(node), at: pool)
    store(tree.header(level: level), at: node)
    store(load(tree.slot + 1) + 1, at: tree.slot + 1)
    return node
  }

  mutating func freeNode(_ node: Int, of tree: RangeTree) {
    let pool = Machine.Register.freeNode.slot
    // The header gives the keys their tree, so clear the keys first.
    for index in 0..<RangeTree.capacity { store(0, at: Self.keySlot(index, of: node)) }
    store(load(pool), at: node)
    store(UInt64(node), at: pool)
    store(load(tree.slot + 1) - 1, at: tree.slot + 1)
    if recentLeaf(of: tree) == node { setRecentLeaf(0, of: tree) }
  }

  /// The first leaf of an empty tree.
  mutating func plantRoot(of tree: RangeTree) -> Int {
    let root = allocateNode(level: 0, of: tree)
    setLimit(RangeTree.endPage, ofLeaf: root)
    store(UInt64(root), at: tree.slot)
    return root
  }

  // MARK: A pair comes

  /// Inserts a pair into a node in whose span it lies, making room first if the node is full.
  @inline(__always)
  mutating func insertPair(_ key: UInt64, _ payload: UInt64, in node: Int, of tree: RangeTree) {
    guard let index = freeIndex(in: node) else {
      return insertPairMakingRoom(key, payload, in: node, of: tree)
    }
    store(payload, at: Self.payloadSlot(index, of: node))
    store(key, at: Self.keySlot(index, of: node))
  }

  @inline(never)
  private mutating func insertPairMakingRoom(
    _ key: UInt64, _ payload: UInt64, in node: Int, of tree: RangeTree
  ) {
    let node = makeRoom(in: node, for: key >> RangeTree.keyShift, of: tree)
    insertPair(key, payload, in: node, of: tree)
  }

  /// Makes room in a full node and returns the node for a pair that begins at `page`.
  private mutating func makeRoom(in node: Int, for page: UInt64, of tree: RangeTree) -> Int {
    if parent(ofNode: node) == 0 {
      growRoot(above: node, of: tree)
    } else {
      let (left, right) = siblings(ofNode: node)
      if left != 0, case let room = RangeTree.capacity - count(ofNode: left),
        room >= Self.worthMoving
      {
        return movePairs(room / 2, from: node, toEndOf: left, for: page, of: tree)
      }
      if right != 0, case let room = RangeTree.capacity - count(ofNode: right),
        room >= Self.worthMoving
      {
        return movePairs(room / 2, from: node, toStartOf: right, for: page, of: tree)
      }
    }
    return split(node, for: page, of: tree)
  }

  /// A new root with the old one as its only child.
  private mutating func growRoot(above node: Int, of tree: RangeTree) {
    let root = allocateNode(level: level(ofNode: node) + 1, of: tree)
    store(UInt64(root), at: tree.slot)
    insertChild(node, from: 0, in: root, of: tree)
  }

  /// Gives a full node a new right neighbour.
  private mutating func split(_ node: Int, for page: UInt64, of tree: RangeTree) -> Int {
    let right = allocateNode(level: level(ofNode: node), of: tree)
    var border = page
    let isAtEnd = ceiling(of: page, in: node) < 0 && isOnRightEdge(node)
    if !isAtEnd {
      for _ in 0..<RangeTree.capacity / 2 { border = movePair(highest(in: node), node, to: right) }
    }
    if level(ofNode: node) == 0 {
      setLimit(limit(ofLeaf: node), ofLeaf: right)
      setLimit(border, ofLeaf: node)
      setRecentLeaf(right, of: tree)
    }
    insertChild(right, from: border, in: parent(ofNode: node), of: tree)
    return page < border ? node : right
  }

  private mutating func insertChild(
    _ child: Int, from page: UInt64, in node: Int, of tree: RangeTree
  ) {
    var node = node
    if freeIndex(in: node) == nil { node = makeRoom(in: node, for: page, of: tree) }
    insertPair(Self.childKey(page), UInt64(child), in: node, of: tree)
    setParent(node, ofNode: child)
  }

  private static func childKey(_ page: UInt64) -> UInt64 {
    page << RangeTree.keyShift | 1 << RangeTree.lengthShift
  }

  private func isOnRightEdge(_ node: Int) -> Bool {
    var node = node
    while case let parent = parent(ofNode: node), parent != 0 {
      if child(highest(in: parent), of: parent) != node { return false }
      node = parent
    }
    return true
  }

  /// Moves the first pairs of a node to its left neighbour, and returns the node where `page` now belongs.
  private mutating func movePairs(
    _ moved: Int, from node: Int, toEndOf left: Int, for page: UInt64, of tree: RangeTree
  ) -> Int {
    for _ in 0..<moved { movePair(lowest(in: node), node, to: left) }
    let border = key(lowest(in: node), of: node) >> RangeTree.keyShift
    setBorder(between: left, and: node, at: border)
    return page < border ? left : node
  }

  /// Moves the last pairs of a node to its right neighbour, and returns the node where `page` now belongs.
  private mutating func movePairs(
    _ moved: Int, from node: Int, toStartOf right: Int, for page: UInt64, of tree: RangeTree
  ) -> Int {
    var border: UInt64 = 0
    for _ in 0..<moved { border = movePair(highest(in: node), node, to: right) }
    setBorder(between: node, and: right, at: border)
    return page < border ? node : right
  }

  /// Moves a pair to a node that has room. Returns its page.
  @discardableResult
  private mutating func movePair(_ index: Int, _ node: Int, to other: Int) -> UInt64 {
    guard let place = freeIndex(in: other) else { preconditionFailure("the node is full") }
    let key = key(index, of: node)
    store(payload(index, of: node), at: Self.payloadSlot(place, of: other))
    store(key, at: Self.keySlot(place, of: other))
    store(0, at: Self.keySlot(index, of: node))
    if level(ofNode: node) > 0 { setParent(other, ofNode: child(index, of: node)) }
    return key >> RangeTree.keyShift
  }

  // MARK: Spans

  private mutating func setBorder(between left: Int, and right: Int, at page: UInt64) {
    if level(ofNode: left) == 0 { setLimit(page, ofLeaf: left) }
    setFirst(page, ofNode: right)
  }

  /// Makes a node's span begin at a page, and the spans of the parents that begin with it.
  private mutating func setFirst(_ page: UInt64, ofNode node: Int) {
    var node = node
    while case let parent = parent(ofNode: node), parent != 0 {
      let index = index(ofChild: node, in: parent)
      let isLowest = index == lowest(in: parent)
      store(Self.childKey(page), at: Self.keySlot(index, of: parent))
      if !isLowest { return }
      node = parent
    }
  }

  /// Extends a leaf's span up to a page, which must not be above the next leaf's first entry.
  mutating func extend(_ leaf: Int, to page: UInt64, of tree: RangeTree) {
    let next = self.leaf(for: limit(ofLeaf: leaf), of: tree)
    setBorder(between: leaf, and: next, at: page)
  }

  // MARK: A pair goes

  /// Removes a pair of a node, and merges or frees the node if it has become small.
  mutating func removePair(_ index: Int, in node: Int, of tree: RangeTree) {
    store(0, at: Self.keySlot(index, of: node))
    let count = count(ofNode: node)
    if count < Self.small { mend(node, count, of: tree) }
  }

  private mutating func mend(_ node: Int, _ count: Int, of tree: RangeTree) {
    if parent(ofNode: node) == 0 {
      shrinkRoot(of: tree)
    } else if count == 0 {
      drop(node, of: tree)
    } else {
      let (left, right) = siblings(ofNode: node)
      if right != 0, count + self.count(ofNode: right) <= Self.joinedAtMost {
        join(node, right, of: tree)
      } else if left != 0, count + self.count(ofNode: left) <= Self.joinedAtMost {
        join(left, node, of: tree)
      }
    }
  }

  /// Frees a root without pairs; replaces an inner root with one child by that child.
  private mutating func shrinkRoot(of tree: RangeTree) {
    while case let root = root(of: tree), root != 0 {
      let isLeaf = level(ofNode: root) == 0
      if count(ofNode: root) > (isLeaf ? 0 : 1) { return }
      let child = isLeaf ? 0 : child(lowest(in: root), of: root)
      if child != 0 { setParent(0, ofNode: child) }
      store(UInt64(child), at: tree.slot)
      freeNode(root, of: tree)
    }
  }

  /// Moves all pairs of a node to its left neighbour.
  private mutating func join(_ left: Int, _ right: Int, of tree: RangeTree) {
    while case let index = lowest(in: right), index >= 0 { movePair(index, right, to: left) }
    if level(ofNode: left) == 0 {
      setLimit(limit(ofLeaf: right), ofLeaf: left)
      setRecentLeaf(left, of: tree)
    }
    removeChild(right, of: tree)
  }

  /// Removes a node without pairs. The next leaf takes over its span, or at the end the one before.
  private mutating func drop(_ node: Int, of tree: RangeTree) {
    if level(ofNode: node) > 0 { return removeChild(node, of: tree) }
    let first = first(ofNode: node)
    let limit = limit(ofLeaf: node)
    let heir = leaf(for: limit == RangeTree.endPage ? first - 1 : limit, of: tree)
    removeChild(node, of: tree)
    if limit == RangeTree.endPage {
      setLimit(limit, ofLeaf: heir)
    } else {
      setFirst(first, ofNode: heir)
    }
    setRecentLeaf(heir, of: tree)
  }

  private mutating func removeChild(_ child: Int, of tree: RangeTree) {
    let parent = parent(ofNode: child)
    freeNode(child, of: tree)
    removePair(index(ofChild: child, in: parent), in: parent, of: tree)
  }
}
