/// The rules of the tree, checked from outside.
extension Memory {
  /// What is wrong with a tree: order, overlap, fill, spans, parent links, counts. Empty if nothing is.
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

  private mutating func visitEntries(_ indices: [Int], of leaf: Int, _ span: Range<UInt64>) {
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
