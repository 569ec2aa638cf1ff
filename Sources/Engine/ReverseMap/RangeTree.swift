/// A range of addresses with a payload, as a `RangeTree` holds it.
public struct RangeEntry: Equatable, Sendable {
  /// The addresses, in whole 4 KiB pages.
  public var range: Range<UInt64>
  /// The owner's value for them; never 0, which means "no entry" as in the maple tree.
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
/// A node is 256 bytes, as in the kernel, and has much the same parts (`struct maple_range_64`):
///
///     word 0            header: level (0 = leaf) in bits 7:0, slot of the parent node in bits 39:8,
///                       number of the tree above
///     words 1 … 15      keys, 0 where there is none
///     word 16           leaves: the page at which the next leaf begins
///     words 17 … 31     for each key a payload, or the slot of a child
///
///      63                  24 23           4 3   0
///     +----------------------+--------------+-----+
///     | first page           | pages        |  0  |  the key of an entry
///     +----------------------+--------------+-----+
///     | first page           | 1            |  0  |  the key of a child
///     +----------------------+--------------+-----+
///
/// A node covers a span of addresses, which its children divide among them, the first from its beginning;
/// the entries of a leaf lie wholly in its span. So the child with the highest key
/// not above an address leads to the only entry that can hold it.
///
/// Keys are unordered. A search reads all fifteen, which are in two cache lines; an insertion or a
/// removal moves none: it stores two words, or one, since the journal makes stores expensive. A range of
/// `longLength` pages or more has that length in its key, and `end page << 12 | payload` as its payload,
/// which leaves 12 bits.
package struct RangeTree: Equatable {
  /// Slot of the tree's three words: root node (0 = empty), number of nodes, and the leaf that was added
  /// or grew last (0 = none), where a series of insertions or removals continues.
  let slot: Int
  /// The tree's number for the fingerprint, which its nodes have in their headers. 0 for a tree whose
  /// entries are derived from other state.
  let number: UInt64

  /// The classes of the tree's three words: only its entries count.
  static let words = [WordClass](repeating: .history, count: 3)

  static let nodeWords = 32
  /// Capacity of a node in pairs.
  static let capacity = 15

  static let keyShift: UInt64 = 24
  static let lengthShift: UInt64 = 4
  static let lengthMask: UInt64 = 0xff_fff0
  static let longLength = lengthMask >> lengthShift
  /// Low bits that are 0 in a key, to hold the index of a pair.
  static let indexMask: UInt64 = 0xf
  static let longPayloadMask: UInt64 = 0xfff
  /// The page after the last.
  static let endPage: UInt64 = 1 << 40

  private static let parentShift: UInt64 = 8
  private static let parentMask: UInt64 = 0xffff_ffff
  private static let numberShift: UInt64 = 40

  /// A node's header.
  func header(level: Int, parent: Int = 0) -> UInt64 {
    number << Self.numberShift | UInt64(parent) << Self.parentShift | UInt64(level)
  }
  @inline(__always)
  static func level(inHeader header: UInt64) -> Int { Int(truncatingIfNeeded: header & 0xff) }
  @inline(__always)
  static func parent(inHeader header: UInt64) -> Int {
    Int(truncatingIfNeeded: header &>> parentShift & parentMask)
  }
  @inline(__always)
  static func number(inHeader header: UInt64) -> UInt64 { header &>> numberShift }
  /// A header with another parent.
  static func header(_ header: UInt64, parent: Int) -> UInt64 {
    header & ~(parentMask << parentShift) | UInt64(parent) << parentShift
  }
}

/// Where the search for a range ended, as in the kernel's `ma_state`. Valid until the tree changes.
package struct RangePlace {
  /// The leaf of the entry found, else the leaf in which the range begins; 0 in an empty tree.
  let leaf: Int
  /// Index of the first entry that overlaps the range, or -1 if none does.
  let index: Int
}

/// Looking up.
extension Memory {
  /// The entry that holds `address`, or nil.
  package func find(_ address: UInt64, in tree: RangeTree) -> RangeEntry? {
    let page = address >> 12
    let leaf = leaf(for: page, of: tree)
    if leaf == 0 { return nil }
    let index = floor(of: page, in: leaf)
    if index < 0 || pages(index, of: leaf).upperBound <= page { return nil }
    return entry(index, of: leaf)
  }

  /// Looks for the first entry that overlaps `range`, which must not be empty.
  package func search(_ range: Range<UInt64>, in tree: RangeTree) -> RangePlace {
    let first = range.lowerBound >> 12
    let (leaf, below) = leafAndFloor(of: first, of: tree)
    if leaf == 0 { return RangePlace(leaf: 0, index: -1) }
    if below >= 0, pages(below, of: leaf).upperBound > first {
      return RangePlace(leaf: leaf, index: below)
    }
    let above = ceiling(of: first, in: leaf)
    if above >= 0 {
      let isHit = address(above, of: leaf) < range.upperBound
      return RangePlace(leaf: leaf, index: isHit ? above : -1)
    }
    let limit = limit(ofLeaf: leaf)
    if limit << 12 < range.upperBound {
      let next = self.leaf(for: limit, of: tree)
      let index = lowest(in: next)
      if address(index, of: next) < range.upperBound { return RangePlace(leaf: next, index: index) }
    }
    return RangePlace(leaf: leaf, index: -1)
  }

  /// The entry that a search found, or nil.
  @inline(__always)
  package func entry(at place: RangePlace) -> RangeEntry? {
    place.index < 0 ? nil : entry(place.index, of: place.leaf)
  }

  /// The first entry that overlaps `range`, as the kernel's `mas_find_range`, or nil.
  package func first(in range: Range<UInt64>, of tree: RangeTree) -> RangeEntry? {
    range.isEmpty ? nil : entry(at: search(range, in: tree))
  }

  /// The last entry that starts before `address`, or nil.
  func last(before address: UInt64, of tree: RangeTree) -> RangeEntry? {
    if address == 0 { return nil }
    let page = min((address - 1) >> 12, RangeTree.endPage - 1)
    let leaf = leaf(for: page, of: tree)
    if leaf == 0 { return nil }
    let index = floor(of: page, in: leaf)
    if index >= 0 { return entry(index, of: leaf) }
    // Nothing before `address` in this leaf: continue with the last entry of the leaf before.
    let start = first(ofNode: leaf)
    return start == 0 ? nil : last(before: start << 12, of: tree)
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

  /// The leaf whose span holds a page; 0 if the tree is empty.
  @inline(__always)
  func leaf(for page: UInt64, of tree: RangeTree) -> Int {
    var node = root(of: tree)
    if node == 0 { return 0 }
    for _ in 0..<level(ofNode: node) { node = child(floor(of: page, in: node), of: node) }
    return node
  }

  /// The leaf whose span holds a page, and the index of its last pair that begins at or before that, or -1.
  ///
  /// A pair at or before the page, in a leaf that reaches beyond it, needs no way down from the root.
  @inline(__always)
  private func leafAndFloor(of page: UInt64, of tree: RangeTree) -> (leaf: Int, floor: Int) {
    let near = recentLeaf(of: tree)
    if near != 0, page < limit(ofLeaf: near), case let floor = floor(of: page, in: near), floor >= 0
    {
      return (near, floor)
    }
    let leaf = leaf(for: page, of: tree)
    return (leaf, leaf == 0 ? -1 : floor(of: page, in: leaf))
  }

  /// Number of ranges in the tree. Counted anew, so that no insertion has to.
  func entryCount(of tree: RangeTree) -> Int {
    func entries(below node: Int) -> Int {
      level(ofNode: node) == 0
        ? count(ofNode: node)
        : indices(ofNode: node).reduce(0) { $0 + entries(below: child($1, of: node)) }
    }
    let root = root(of: tree)
    return root == 0 ? 0 : entries(below: root)
  }
}
