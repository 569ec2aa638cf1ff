/// Nodes, and the rules that keep the tree balanced.
///
/// A full node first hands pairs to a neighbour; only when both neighbours are full it is split in two.
/// That keeps nodes about four fifths full under insertions in any order. An insertion at the right end
/// of the tree starts a new node and leaves the full one full, so ascending insertions waste nothing.
extension Memory {
  mutating func allocateNode(level: Int, of tree: RangeTree) -> Int {
    let pool = Machine.Register.freeNode.slot
    if load(pool) == 0 {
      let frame = allocateFrame(.nodes)
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
    store(UInt64(level) << 8, at: node)
    store(load(tree.slot + 2) + 1, at: tree.slot + 2)
    return node
  }

  mutating func freeNode(_ node: Int, of tree: RangeTree) {
    let pool = Machine.Register.freeNode.slot
    store(load(pool), at: node)
    store(UInt64(node), at: pool)
    store(load(tree.slot + 2) - 1, at: tree.slot + 2)
  }

  @inline(__always)
  private mutating func setCount(_ count: Int, ofNode node: Int) {
    store(load(node) & ~0xff | UInt64(count), at: node)
  }

  @inline(__always)
  private mutating func setParent(_ parent: Int, ofNode node: Int) {
    store(load(node) & 0xffff | UInt64(parent) << 16, at: node)
  }

  /// Inserts a pair at `index` of `node`, making room first if it is full.
  mutating func insertPair(
    _ key: UInt64, _ payload: UInt64, at index: Int, in node: Int, of tree: RangeTree
  ) {
    let count = count(ofNode: node)
    if count == RangeTree.capacity {
      let (node, index) = makeRoom(at: index, in: node, of: tree)
      insertPair(key, payload, at: index, in: node, of: tree)
      return
    }
    var place = node + 2 + 2 * count
    let target = node + 2 + 2 * index
    while place > target {
      store(load(place - 2), at: place)
      store(load(place - 1), at: place + 1)
      place -= 2
    }
    store(key, at: target)
    store(payload, at: target + 1)
    setCount(count + 1, ofNode: node)
    if level(ofNode: node) > 0 { setParent(node, ofNode: Int(payload)) }
    if index == 0 { updateFirstKey(of: node) }
  }

  /// Removes the pair at `index` of `node`, and mends nodes that have become too small.
  mutating func removePair(_ index: Int, in node: Int, of tree: RangeTree) {
    let count = count(ofNode: node) - 1
    for place in stride(from: node + 2 + 2 * index, to: node + 2 + 2 * count, by: 2) {
      store(load(place + 2), at: place)
      store(load(place + 3), at: place + 1)
    }
    setCount(count, ofNode: node)
    let parent = parent(ofNode: node)
    if parent == 0 {
      shrinkRoot(node, of: tree)
    } else if count == 0 {
      // Only on the right edge: elsewhere a node is mended long before.
      removePair(self.count(ofNode: parent) - 1, in: parent, of: tree)
      freeNode(node, of: tree)
    } else {
      if index == 0 { updateFirstKey(of: node) }
      if count < RangeTree.minimum { mend(node, in: parent, of: tree) }
    }
  }

  /// A root without pairs goes; an inner root with one child hands over to it.
  private mutating func shrinkRoot(_ root: Int, of tree: RangeTree) {
    let count = count(ofNode: root)
    if level(ofNode: root) == 0 {
      if count > 0 { return }
      store(0, at: tree.slot)
    } else {
      if count > 1 { return }
      let child = child(0, of: root)
      setParent(0, ofNode: child)
      store(UInt64(child), at: tree.slot)
    }
    freeNode(root, of: tree)
  }

  /// Restores the rule that a child's key is the first key below it.
  private mutating func updateFirstKey(of node: Int) {
    var node = node
    var parent = parent(ofNode: node)
    let key = key(0, of: node) & ~RangeTree.lengthMask
    while parent != 0 {
      // The old key is still in place, and is not above the new one's place among its neighbours.
      var index = 0
      while child(index, of: parent) != node { index += 1 }
      store(key, at: parent + 2 + 2 * index)
      if index > 0 { return }
      node = parent
      parent = self.parent(ofNode: node)
    }
  }

  /// Makes room in a full node and says where the pair meant for `index` goes now.
  private mutating func makeRoom(
    at index: Int, in node: Int, of tree: RangeTree
  ) -> (node: Int, index: Int) {
    let parent = parent(ofNode: node)
    if parent == 0 { return split(node, at: index, in: growRoot(above: node, of: tree), of: tree) }
    let place = self.index(ofChild: node, in: parent)
    if place > 0 {
      let left = child(place - 1, of: parent)
      let count = count(ofNode: left)
      let moved = (RangeTree.capacity - count + 1) / 2
      // The last pair of the left node must not be the one to come, so at least one stays behind.
      if moved > 0, index > 0 {
        let moved = min(moved, index)
        movePairs(moved, from: node, toEndOf: left)
        return index - moved == 0 && moved + count < RangeTree.capacity
          ? (left, count + moved) : (node, index - moved)
      }
    }
    if place + 1 < count(ofNode: parent) {
      let right = child(place + 1, of: parent)
      let moved = (RangeTree.capacity - count(ofNode: right) + 1) / 2
      if moved > 0, index < RangeTree.capacity {
        let moved = min(moved, RangeTree.capacity - index)
        movePairs(moved, from: node, toStartOf: right)
        return (node, index)
      }
    }
    return split(node, at: index, in: parent, of: tree)
  }

  /// A new root with `node` as its only child.
  private mutating func growRoot(above node: Int, of tree: RangeTree) -> Int {
    let root = allocateNode(level: level(ofNode: node) + 1, of: tree)
    store(UInt64(root), at: tree.slot)
    insertPair(key(0, of: node) & ~RangeTree.lengthMask, UInt64(node), at: 0, in: root, of: tree)
    return root
  }

  /// Gives a full node a new right neighbour and says where the pair meant for `index` goes.
  private mutating func split(
    _ node: Int, at index: Int, in parent: Int, of tree: RangeTree
  ) -> (node: Int, index: Int) {
    let right = allocateNode(level: level(ofNode: node), of: tree)
    let atEnd = index == RangeTree.capacity && isOnRightEdge(node)
    let moved = atEnd ? 1 : RangeTree.capacity / 2
    movePairs(moved, from: node, toStartOf: right)
    let place = self.index(ofChild: node, in: parent) + 1
    insertPair(
      key(0, of: right) & ~RangeTree.lengthMask, UInt64(right), at: place, in: parent, of: tree)
    let kept = RangeTree.capacity - moved
    return index > kept ? (right, index - kept) : (node, index)
  }

  private func isOnRightEdge(_ node: Int) -> Bool {
    var node = node
    while case let parent = parent(ofNode: node), parent != 0 {
      if child(count(ofNode: parent) - 1, of: parent) != node { return false }
      node = parent
    }
    return true
  }

  /// Merges a node that has become too small with a neighbour, or fills it from there.
  private mutating func mend(_ node: Int, in parent: Int, of tree: RangeTree) {
    let place = index(ofChild: node, in: parent)
    let siblings = count(ofNode: parent)
    if siblings == 1 || place == siblings - 1 && isOnRightEdge(node) { return }
    let (left, right, separator) =
      place + 1 < siblings
      ? (node, child(place + 1, of: parent), place + 1)
      : (child(place - 1, of: parent), node, place)
    let leftCount = count(ofNode: left)
    let rightCount = count(ofNode: right)
    if leftCount + rightCount <= RangeTree.capacity {
      movePairs(rightCount, from: right, toEndOf: left, updatingKey: false)
      removePair(separator, in: parent, of: tree)
      freeNode(right, of: tree)
    } else if leftCount < rightCount {
      movePairs((rightCount - leftCount) / 2, from: right, toEndOf: left)
    } else {
      movePairs((leftCount - rightCount) / 2, from: left, toStartOf: right)
    }
  }

  /// Moves the first pairs of `node` to the end of its left neighbour.
  private mutating func movePairs(
    _ moved: Int, from node: Int, toEndOf left: Int, updatingKey: Bool = true
  ) {
    let leftCount = count(ofNode: left)
    let rest = count(ofNode: node) - moved
    for word in 0..<(2 * moved) {
      store(load(node + 2 + word), at: left + 2 + 2 * leftCount + word)
    }
    for word in 0..<(2 * rest) { store(load(node + 2 + 2 * moved + word), at: node + 2 + word) }
    setCount(leftCount + moved, ofNode: left)
    setCount(rest, ofNode: node)
    adopt(leftCount..<(leftCount + moved), of: left)
    if updatingKey { updateFirstKey(of: node) }
  }

  /// Moves the last pairs of `node` to the start of its right neighbour, which may be new.
  private mutating func movePairs(_ moved: Int, from node: Int, toStartOf right: Int) {
    let rightCount = count(ofNode: right)
    let rest = count(ofNode: node) - moved
    for word in (0..<(2 * rightCount)).reversed() {
      store(load(right + 2 + word), at: right + 2 + 2 * moved + word)
    }
    for word in 0..<(2 * moved) { store(load(node + 2 + 2 * rest + word), at: right + 2 + word) }
    setCount(rest, ofNode: node)
    setCount(rightCount + moved, ofNode: right)
    adopt(0..<moved, of: right)
    if rightCount > 0 { updateFirstKey(of: right) }
  }

  /// Makes `node` the parent of the children at `indices`.
  private mutating func adopt(_ indices: Range<Int>, of node: Int) {
    if level(ofNode: node) == 0 { return }
    for index in indices { setParent(node, ofNode: child(index, of: node)) }
  }
}
