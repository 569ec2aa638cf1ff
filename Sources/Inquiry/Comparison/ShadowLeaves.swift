import Engine
import Language

/// The leaves of all shadows with the canonical memory for which each was made, which the tables
/// themselves do not hold.
struct ShadowLeaves {
  /// A place in a shadow.
  struct Key: Hashable {
    let shadow: Int
    let nested: UInt64
  }

  /// The memory for which a leaf was made.
  struct Leaf {
    let canonical: UInt64
    let size: UInt64
    var range: Range<UInt64> { canonical..<canonical + size }
  }

  private static let sizes: [UInt64] = [Page.size, 2 << 20, 1 << 30]

  private var leaves: [Key: Leaf] = [:]
  /// Places by size and by canonical IPA.
  private var places: [UInt64: [UInt64: Set<Key>]] = [:]

  mutating func add(_ leaf: Leaf, at key: Key) {
    leaves[key] = leaf
    places[leaf.size, default: [:]][leaf.canonical, default: []].insert(key)
  }

  /// Removes the leaves that overlap nested IPAs of a shadow, aligned to their size, and returns them.
  @discardableResult
  mutating func remove(_ nested: Range<UInt64>, of shadow: Int) -> [(Key, Leaf)] {
    var gone: [(Key, Leaf)] = []
    for size in Self.sizes {
      let start = nested.lowerBound & ~(size - 1)
      if (nested.upperBound - start) / size > UInt64(leaves.count) {
        gone += leaves.filter {
          $0.key.shadow == shadow && $0.value.size == size && nested.contains($0.key.nested)
        }.map { ($0.key, $0.value) }
        continue
      }
      for address in stride(from: start, to: nested.upperBound, by: Int(size)) {
        let key = Key(shadow: shadow, nested: address)
        if let leaf = leaves[key], leaf.size == size { gone.append((key, leaf)) }
      }
    }
    for (key, _) in gone { remove(at: key) }
    return gone
  }

  mutating func remove(at key: Key) {
    guard let leaf = leaves.removeValue(forKey: key) else { return }
    places[leaf.size]?[leaf.canonical]?.remove(key)
  }

  /// The leaves that reach a canonical range.
  func reaching(_ canonical: Range<UInt64>) -> [Key] {
    Self.sizes.flatMap { size -> [Key] in
      guard let bySize = places[size] else { return [] }
      let start = canonical.lowerBound & ~(size - 1)
      if (canonical.upperBound - start) / size > UInt64(bySize.count) {
        return bySize.filter { ($0.key..<$0.key + size).overlaps(canonical) }.flatMap(\.value)
      }
      return stride(from: start, to: canonical.upperBound, by: Int(size)).flatMap {
        bySize[$0] ?? []
      }
    }
  }
}
