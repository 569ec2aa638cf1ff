/// What a reverse map says about a range of canonical IPAs.
public struct ReverseMapEntry: Equatable, Sendable {
  /// The canonical IPAs.
  public let canonical: Range<UInt64>
  /// The nested IPA of the first of them, or nil if it is unknown.
  public let nested: UInt64?
  /// The word that the tree holds, as the policy encodes it.
  public let payload: UInt64

  /// Bits 55:12 of a payload: the address, in all versions.
  public static let addressMask: UInt64 = 0xff_ffff_ffff_f000
}

/// Inspecting the reverse map of a shadow.
extension Machine {
  /// The entries of shadow `number`, which must exist, ascending by canonical IPA.
  public func reverseMap(ofShadow number: Int) -> [ReverseMapEntry] {
    policy.entries(of: shadow(number), in: self)
  }

  /// Whether an insertion failed, so that the absence of an entry proves nothing.
  public func isReverseMapBroken(ofShadow number: Int) -> Bool {
    self[shadow(number), .broken] == 1
  }

  /// Entry counts of the two trees of shadow `number`, and the bytes of their nodes.
  ///
  /// - Complexity: O(n) in the nodes.
  public func reverseMapSize(ofShadow number: Int) -> (reverse: Int, direct: Int, bytes: Int) {
    (
      memory.entryCount(of: shadow(number).reverseMap),
      memory.entryCount(of: shadow(number).directMap), reverseMapBytes(ofShadow: number)
    )
  }

  /// Only the bytes.
  package func reverseMapBytes(ofShadow number: Int) -> Int {
    let trees = [shadow(number).reverseMap, shadow(number).directMap]
    return trees.reduce(0) { $0 + memory.nodeCount(of: $1) } * ReverseMapNode.bytes
  }

  /// Known entries of shadow `number` that no leaf confirms: their nested range does not map the page now
  /// behind their canonical range. Legal, but they cost time.
  public func staleEntries(ofShadow number: Int) -> [ReverseMapEntry] {
    reverseMap(ofShadow: number).filter { isStale($0, ofShadow: number) }
  }

  /// Whether an entry of a shadow's map is known, and no leaf confirms it.
  package func isStale(_ entry: ReverseMapEntry, ofShadow number: Int) -> Bool {
    guard let nested = entry.nested else { return false }
    var walk = TableWalk(
      of: table(of: shadow(number)), nested..<nested + entry.canonical.size, .mapping)
    while let leaf = memory.next(&walk) {
      let canonical = entry.canonical.lowerBound &+ leaf.address &- nested
      // Of a real kernel's memory it is not known what is there: a leaf is taken to lead to it.
      if configuration.isRecorded || isBacking(leaf.descriptor.address, canonical) { return false }
    }
    return true
  }

  /// Whether the page behind a canonical IPA is at a physical address.
  func isBacking(_ physical: UInt64, _ ipa: UInt64) -> Bool {
    if let kept = keptPage(at: ipa) { return physical.page == kept }
    return isBehind(ipa, physical)
  }
}
