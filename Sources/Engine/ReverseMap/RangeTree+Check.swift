/// The rules of the tree, checked from outside.
extension Memory {
  /// What is wrong with a tree: order, overlap, fill, keys of children, parent links, counts. Empty if
  /// nothing is.
  func faults(in tree: RangeTree) -> [String] {
    var check = RangeTreeCheck(memory: self)
    let root = root(of: tree)
    if root != 0 {
      check.visit(root, parent: 0, level: level(ofNode: root), onRightEdge: true)
    }
    if check.entries != entryCount(of: tree) { check.faults.append("wrong number of entries") }
    if check.nodes != nodeCount(of: tree) { check.faults.append("wrong number of nodes") }
    return check.faults
  }
}

private struct RangeTreeCheck {
  let memory: Memory
  var faults: [String] = []
  var entries = 0
  var nodes = 0
  var end: UInt64 = 0

  mutating func visit(_ node: Int, parent: Int, level: Int, onRightEdge: Bool) {
    nodes += 1
    let count = memory.count(ofNode: node)
    if memory.parent(ofNode: node) != parent { faults.append("node \(node): wrong parent") }
    if memory.level(ofNode: node) != level { faults.append("node \(node): wrong level") }
    let minimum = parent == 0 ? (level > 0 ? 2 : 1) : onRightEdge ? 1 : RangeTree.minimum
    if count < minimum || count > RangeTree.capacity {
      faults.append("node \(node): \(count) pairs")
    }
    for index in 0..<count {
      if level == 0 {
        let pages = memory.pages(index, of: node)
        if pages.lowerBound < end || pages.isEmpty { faults.append("node \(node): out of order") }
        if memory.entry(index, of: node).payload == 0 { faults.append("node \(node): no payload") }
        end = pages.upperBound
        entries += 1
      } else {
        let child = memory.child(index, of: node)
        let first = memory.key(0, of: child) >> RangeTree.keyShift
        if memory.key(index, of: node) != first << RangeTree.keyShift {
          faults.append("node \(node): key of pair \(index) is not its child's first")
        }
        visit(
          child, parent: node, level: level - 1, onRightEdge: onRightEdge && index == count - 1)
      }
    }
  }
}
