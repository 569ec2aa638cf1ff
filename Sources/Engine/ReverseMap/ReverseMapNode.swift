/// A node of a tree of a reverse map, as it is in memory.
public struct ReverseMapNode: Equatable, Sendable {
  /// 0 for a leaf, whose pairs are entries; else its pairs point to nodes.
  public let level: Int
  /// Physical address of its 256 bytes.
  public let address: UInt64
  /// First address of each pair: the search keys.
  public let pivots: [UInt64]
  /// Index of the pair that the search took, or -1 if all pivots lie above.
  public let taken: Int

  /// Capacity of a node in pairs.
  public static let capacity = RangeTree.capacity
  /// Bytes of a node.
  public static let bytes = RangeTree.nodeWords * 8
}

/// Inspecting a reverse map of any size piece by piece.
extension Machine {
  /// The nodes that a search for an address goes through, from the root down; none if the tree is empty.
  ///
  /// - Parameter direct: whether to search the tree from nested to canonical IPAs.
  public func reverseMapPath(
    ofShadow number: Int, to address: UInt64, direct: Bool = false
  ) -> [ReverseMapNode] {
    let mmu = shadow(number)
    var path: [ReverseMapNode] = []
    var node = memory.root(of: direct ? mmu.directMap : mmu.reverseMap)
    while node != 0 {
      let level = memory.level(ofNode: node)
      let indices = memory.indices(ofNode: node)
      let taken = memory.floor(of: address >> 12, in: node)
      path.append(
        ReverseMapNode(
          level: level, address: Memory.address(ofSlot: node),
          pivots: indices.map { memory.address($0, of: node) },
          taken: indices.firstIndex(of: taken) ?? -1))
      node = level > 0 ? memory.child(taken, of: node) : 0
    }
    return path
  }

  /// The first entry of a shadow's map that ends after a canonical IPA, or nil.
  public func reverseMapEntry(ofShadow number: Int, from address: UInt64) -> ReverseMapEntry? {
    policy.entry(of: shadow(number), from: address, in: self)
  }

  /// The last entry of a shadow's map that starts before a canonical IPA, or nil.
  public func reverseMapEntry(ofShadow number: Int, before address: UInt64) -> ReverseMapEntry? {
    policy.entry(of: shadow(number), before: address, in: self)
  }
}
