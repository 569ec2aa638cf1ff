/// The rules of the tree, checked from outside.
extension Memory {
  /// The errors in a tree: order, overlap, fill, spans, parent links, counts. Empty if there are none.
  func faults(in tree: RangeTree) -> [String] {
    var check = RangeTreeCheck(memory: self)
    let root = root(of: tree)
    if root != 0 {
      check.visit(root, parent: 0, level: level(ofNode: root), span: 0..<RangeTree.endPage)
    }
    if check.nodes != nodeCount(of: tree) { check.faults.append("wrong number of nodes") }
    let recent = recentLeaf(of: tree)
    if recent != 0, !check.leaves.contains(recent) { check.faults.append("a leaf that is gone") }
    return check.faults
  }
}

/// One node against its neighbours.
extension Memory {
  /// Whether a node fits where its parent links it, and its children fit too. If this holds for every
  /// changed node, and held for all before, the order of the tree is sound.
  func isSound(_ node: Int) -> Bool {
    let parent = parent(ofNode: node)
    let level = level(ofNode: node)
    let indices = indices(ofNode: node)
    let span = first(ofNode: node)..<end(ofNode: node)
    if parent != 0, self.level(ofNode: parent) != level + 1 { return false }
    if indices.count < (parent == 0 && level > 0 ? 2 : 1) { return false }
    var check = RangeTreeCheck(memory: self)
    if level == 0 {
      check.visitEntries(indices, of: node, span)
      return check.faults.isEmpty
    }
    let borders =
      indices.map { key($0, of: node) >> RangeTree.keyShift } + [span.upperBound]
    if borders[0] != span.lowerBound { return false }
    return indices.enumerated().allSatisfy { place, index in
      let child = child(index, of: node)
      let first = lowest(in: child)
      return borders[place] < borders[place + 1] && self.parent(ofNode: child) == node
        && self.level(ofNode: child) == level - 1 && first >= 0
        && (level == 1 || key(first, of: child) >> RangeTree.keyShift == borders[place])
        && endsSoundly(child, at: borders[place + 1])
    }
  }

  /// The page after the last of a node's span.
  private func end(ofNode node: Int) -> UInt64 {
    var node = node
    while case let parent = parent(ofNode: node), parent != 0 {
      let next = ceiling(of: first(ofNode: node), in: parent)
      if next >= 0 { return key(next, of: parent) >> RangeTree.keyShift }
      node = parent
    }
    return RangeTree.endPage
  }

  /// Whether the last leaf below a node ends where the node's span does.
  private func endsSoundly(_ node: Int, at end: UInt64) -> Bool {
    var node = node
    while level(ofNode: node) > 0 {
      let last = highest(in: node)
      if last < 0 { return false }
      node = child(last, of: node)
    }
    let last = highest(in: node)
    return limit(ofLeaf: node) == end && last >= 0 && pages(last, of: node).upperBound <= end
  }
}

private struct RangeTreeCheck {
  let memory: Memory
  var faults: [String] = []
  var nodes = 0
  var leaves: [Int] = []

  mutating func visit(_ node: Int, parent: Int, level: Int, span: Range<UInt64>) {
    nodes += 1
    let indices = memory.indices(ofNode: node)
    if memory.parent(ofNode: node) != parent { faults.append("node \(node): wrong parent") }
    if memory.level(ofNode: node) != level { faults.append("node \(node): wrong level") }
    if indices.count < (parent == 0 && level > 0 ? 2 : 1) {
      faults.append("node \(node): \(indices.count) pairs")
    }
    if level == 0 {
      leaves.append(node)
      visitEntries(indices, of: node, span)
    } else {
      visitChildren(indices, of: node, level, span)
    }
  }

  mutating func visitEntries(_ indices: [Int], of leaf: Int, _ span: Range<UInt64>) {
    if memory.limit(ofLeaf: leaf) != span.upperBound { faults.append("leaf \(leaf): wrong limit") }
    var end = span.lowerBound
    for index in indices {
      let pages = memory.pages(index, of: leaf)
      if pages.lowerBound < end || pages.isEmpty { faults.append("leaf \(leaf): out of order") }
      if memory.entry(index, of: leaf).payload == 0 { faults.append("leaf \(leaf): no payload") }
      end = pages.upperBound
    }
    if end > span.upperBound { faults.append("leaf \(leaf): an entry outside its span") }
  }

  private mutating func visitChildren(
    _ indices: [Int], of node: Int, _ level: Int, _ span: Range<UInt64>
  ) {
    let borders =
      indices.map { memory.key($0, of: node) >> RangeTree.keyShift } + [span.upperBound]
    if borders[0] != span.lowerBound { faults.append("node \(node): a span without a child") }
    for (place, index) in indices.enumerated() {
      guard borders[place] < borders[place + 1] else {
        faults.append("node \(node): out of order")
        continue
      }
      visit(
        memory.child(index, of: node), parent: node, level: level - 1,
        span: borders[place]..<borders[place + 1])
    }
  }
}
