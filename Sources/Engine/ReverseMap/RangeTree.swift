/// A range of addresses with a payload, as a `RangeTree` holds it.
public struct RangeEntry: Equatable, Sendable {
  /// The addresses, in whole 4 KiB pages.
  public var range: Range<UInt64>
  /// What the tree's owner stored for them; never 0, which means "no entry" as in the maple tree.
  public var payload: UInt64

  /// An entry as a tree would return it.
  public init(_ range: Range<UInt64>, _ payload: UInt64) {
    self.range = range
    self.payload = payload
  }
}

/// A balanced tree of disjoint address ranges in the simulated memory, the counterpart of the kernel's
/// maple tree: it holds memory slots, VMAs and the reverse map.
///
/// A node is 256 bytes, as in the kernel:
///
///     word 0            header: count, level (0 = leaf), slot of the parent node
///     word 1            unused
///     words 2 … 31      15 pairs (key, payload), or (key, slot of a child)
///
///      63                  24 23                  0
///     +----------------------+---------------------+
///     | first page           | pages, 0 = long     |  the key
///     +----------------------+---------------------+
///
/// Keys ascend. A child's key is the first key below it, exactly, so the pair with the last key that is
/// not above an address leads to the only entry that can hold it (floor search). A range of 2^24 pages
/// or more is *long*: its payload word holds `end page << 12 | payload`, so its payload has 12 bits.
package struct RangeTree: Equatable {
  /// Slot of the tree's three words: root node (0 = empty), number of entries, number of nodes.
  let slot: Int

  /// Words that a tree takes.
  static let words = 3

  static let nodeWords = 32
  static let capacity = 15
  /// A node with fewer pairs is merged with a neighbour or filled from it, except on the right edge of
  /// the tree, where ascending insertions leave it to grow.
  static let minimum = 5

  static let keyShift: UInt64 = 24
  static let lengthMask: UInt64 = 0xff_ffff
  static let longPayloadMask: UInt64 = 0xfff

}

/// Header and pairs of nodes.
extension Memory {
  func root(of tree: RangeTree) -> Int { Int(load(tree.slot)) }

  /// Number of ranges in the tree.
  func entryCount(of tree: RangeTree) -> Int { Int(load(tree.slot + 1)) }

  /// Number of 256-byte nodes of the tree.
  package func nodeCount(of tree: RangeTree) -> Int { Int(load(tree.slot + 2)) }

  @inline(__always)
  func count(ofNode node: Int) -> Int { Int(load(node) & 0xff) }

  @inline(__always)
  func level(ofNode node: Int) -> Int { Int(load(node) >> 8 & 0xff) }

  @inline(__always)
  func parent(ofNode node: Int) -> Int { Int(load(node) >> 16) }

  @inline(__always)
  func key(_ index: Int, of node: Int) -> UInt64 { load(node + 2 + 2 * index) }

  @inline(__always)
  func payload(_ index: Int, of node: Int) -> UInt64 { load(node + 3 + 2 * index) }

  /// The child that a pair of an inner node leads to.
  @inline(__always)
  func child(_ index: Int, of node: Int) -> Int { Int(payload(index, of: node)) }

  /// Index of the last pair whose first page is at most `page`, or -1.
  @inline(__always)
  func floor(of page: UInt64, in node: Int) -> Int {
    let bound = page << RangeTree.keyShift | RangeTree.lengthMask
    var low = 0
    var high = count(ofNode: node)
    while low < high {
      let middle = (low + high) / 2
      if key(middle, of: node) <= bound { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// First and end page of a leaf's pair.
  @inline(__always)
  func pages(_ index: Int, of leaf: Int) -> Range<UInt64> {
    let key = key(index, of: leaf)
    let first = key >> RangeTree.keyShift
    let length = key & RangeTree.lengthMask
    return first..<(length != 0 ? first + length : payload(index, of: leaf) >> 12)
  }

  /// The entry of a leaf's pair.
  func entry(_ index: Int, of leaf: Int) -> RangeEntry {
    let key = key(index, of: leaf)
    let pages = pages(index, of: leaf)
    let payload = payload(index, of: leaf)
    return RangeEntry(
      pages.lowerBound << 12..<pages.upperBound << 12,
      key & RangeTree.lengthMask != 0 ? payload : payload & RangeTree.longPayloadMask)
  }
}

/// Looking up.
extension Memory {
  /// The entry that holds `address`, or nil.
  package func find(_ address: UInt64, in tree: RangeTree) -> RangeEntry? {
    guard let (leaf, index) = floorPosition(of: address >> 12, in: tree), index >= 0,
      pages(index, of: leaf).upperBound > address >> 12
    else { return nil }
    return entry(index, of: leaf)
  }

  /// The first entry that overlaps `range`, as the kernel's `mas_find_range`, or nil.
  package func first(in range: Range<UInt64>, of tree: RangeTree) -> RangeEntry? {
    let page = range.lowerBound >> 12
    guard !range.isEmpty, var (leaf, index) = floorPosition(of: page, in: tree) else { return nil }
    if index < 0 || pages(index, of: leaf).upperBound <= page {
      index += 1
      if index == count(ofNode: leaf) {
        guard let next = nextLeaf(after: leaf) else { return nil }
        leaf = next
        index = 0
      }
    }
    let found = entry(index, of: leaf)
    return found.range.lowerBound < range.upperBound ? found : nil
  }

  /// All entries that overlap `range`, ascending.
  func entries(in range: Range<UInt64>, of tree: RangeTree) -> [RangeEntry] {
    var result: [RangeEntry] = []
    var from = range.lowerBound
    while from < range.upperBound, let next = first(in: from..<range.upperBound, of: tree) {
      result.append(next)
      from = next.range.upperBound
    }
    return result
  }

  /// The leaf that a page belongs to, and the index of the last entry that starts at or before it (-1:
  /// none); nil if the tree is empty.
  @inline(__always)
  func floorPosition(of page: UInt64, in tree: RangeTree) -> (leaf: Int, index: Int)? {
    var node = root(of: tree)
    if node == 0 { return nil }
    for _ in 0..<level(ofNode: node) {
      node = child(max(0, floor(of: page, in: node)), of: node)
    }
    return (node, floor(of: page, in: node))
  }

  /// The leaf to the right, or nil at the end.
  func nextLeaf(after leaf: Int) -> Int? {
    var node = leaf
    var climbed = 0
    while true {
      let parent = parent(ofNode: node)
      if parent == 0 { return nil }
      let index = index(ofChild: node, in: parent)
      node = parent
      climbed += 1
      if index + 1 < count(ofNode: parent) {
        node = child(index + 1, of: parent)
        break
      }
    }
    for _ in 1..<climbed { node = child(0, of: node) }
    return node
  }

  /// Index of the pair of `parent` that leads to `node`.
  func index(ofChild node: Int, in parent: Int) -> Int {
    floor(of: key(0, of: node) >> RangeTree.keyShift, in: parent)
  }
}
