/// An index of what depends on the shadows' reverse maps, and of their trees.
struct MapIndex: Sendable {
  /// Whether there is any map.
  let isKept: Bool
  /// Whether a direct map must mirror it; whether the direct map is the only map.
  let isMirrored: Bool
  let isDirect: Bool

  /// The canonical memory for which a leaf would be found. If it would, one such place is enough.
  struct Record: Sendable {
    let number: Int
    let leaf: TableEntry
    var places: [UInt64] = []
    var isFound = true
  }

  private(set) var records: [Int: Record] = [:]
  /// Number of leaves that would not be found, by the number of their shadow.
  private(set) var lostCounts: [Int]
  /// By level: canonical IPA of a place, and slot of the leaf.
  private var leavesOfPlace = [PairSet](repeating: PairSet(), count: 4)
  /// Physical address and slot of leaves that would not be found.
  private var lost = PairSet()
  /// Those of them whose page is in too many places to keep.
  private(set) var floating: Set<Int> = []

  private static let placesKept = 8

  // Trees have numbers from 1 on, two for each shadow; 0 is any other tree.
  var treeOfRoot: [Int: Int] = [:]
  private var treeOfNode: [UInt16] = []
  private var nodes: [Int]
  private(set) var suspects: Set<Int> = []
  var mirrors: [Mirror]

  /// A map of canonical IPAs and the map of nested IPAs that must agree with it.
  struct Mirror: Sendable {
    var known = 0
    var direct = 0
    /// Known entries: nested IPA, and canonical IPA.
    var byNested = PairSet()
    /// Those without a twin, by canonical IPA.
    var unmatched = PairSet()
  }

  init(_ machine: Machine) {
    let shadows = machine.configuration.shadows
    isKept = machine.policy.keepsMap && shadows > 0
    isMirrored = machine.policy.keepsTwoMaps
    isDirect = machine.policy.encoding.isKeyedByNested
    nodes = Array(repeating: 0, count: 2 * shadows + 1)
    mirrors = Array(repeating: Mirror(), count: shadows + 1)
    lostCounts = Array(repeating: 0, count: shadows + 1)
    guard isKept else { return }
    for number in 1...shadows {
      let mmu = machine.mmu(number)
      for (tree, number) in [(mmu.reverseMap, 2 * number - 1), (mmu.directMap, 2 * number)] {
        let root = machine.memory.root(of: tree)
        if root != 0 { treeOfRoot[root] = number }
      }
    }
  }

  // MARK: Leaves

  /// Removes the record of a leaf.
  mutating func remove(_ slot: Int) -> Record? {
    guard let record = records.removeValue(forKey: slot) else { return nil }
    for place in record.places {
      leavesOfPlace[record.leaf.level].remove(PairSet.Pair(place, UInt64(slot)))
    }
    if !record.isFound {
      lostCounts[record.number] -= 1
      lost.remove(PairSet.Pair(record.leaf.descriptor.address, UInt64(slot)))
      floating.remove(slot)
    }
    return record
  }

  /// A leaf would be found through the entry for a place.
  mutating func insert(_ leaf: TableEntry, _ number: Int, foundBy place: UInt64) {
    records[leaf.slot] = Record(number: number, leaf: leaf, places: [place])
    leavesOfPlace[leaf.level].insert(PairSet.Pair(place, UInt64(leaf.slot)))
  }

  /// A leaf would not be found for any place of its page.
  mutating func insert(_ leaf: TableEntry, _ number: Int, lostAt places: [UInt64]) {
    let isMany = places.count > Self.placesKept
    records[leaf.slot] = Record(
      number: number, leaf: leaf, places: isMany ? [] : places, isFound: false)
    lost.insert(PairSet.Pair(leaf.descriptor.address, UInt64(leaf.slot)))
    lostCounts[number] += 1
    if isMany {
      floating.insert(leaf.slot)
    } else {
      for place in places {
        leavesOfPlace[leaf.level].insert(PairSet.Pair(place, UInt64(leaf.slot)))
      }
    }
  }

  /// A page has one more place: lost leaves of it may now be found.
  func pageComes(_ physical: UInt64, level: Int, _ slots: inout [Int]) {
    if lost.isEmpty { return }
    lost.appendSlots(in: physical..<physical + TLB.geometry.size(level), to: &slots)
  }

  /// The pages behind canonical memory have changed.
  func placesChange(in canonical: Range<UInt64>, _ slots: inout [Int]) {
    for level in TLB.levels where !leavesOfPlace[level].isEmpty {
      leavesOfPlace[level].appendSlots(in: canonical, to: &slots)
    }
  }

  /// The map's entries for canonical memory have changed.
  private func entryChanges(_ canonical: Range<UInt64>, _ slots: inout [Int]) {
    for level in TLB.levels where !leavesOfPlace[level].isEmpty {
      let size = TLB.geometry.size(level)
      let start = canonical.lowerBound >= size ? canonical.lowerBound - size + 1 : 0
      leavesOfPlace[level].appendSlots(in: start..<canonical.upperBound, to: &slots)
    }
  }

  // MARK: Trees

  /// A tree has another root, or none.
  mutating func rootChanges(
    _ mmu: MMU, isDirect: Bool, from old: Int, to new: Int, _ nodes: inout [Int]
  ) {
    let tree = 2 * mmu.index - (isDirect ? 0 : 1)
    if old != 0 {
      // It may now be another tree's.
      if treeOfRoot[old] == tree { treeOfRoot[old] = nil }
      nodes.append(old)
    }
    if new != 0 {
      treeOfRoot[new] = tree
      nodes.append(new)
    }
  }

  /// The tree of a node, or 0.
  private func tree(ofNode start: Int, _ memory: Memory) -> Int {
    var node = start
    // No tree is as high as that.
    for _ in 0..<16 {
      if let tree = treeOfRoot[node] { return tree }
      let parent = memory.parent(ofNode: node)
      guard parent > 0, parent % RangeTree.nodeWords == 0, parent < memory.wordCount,
        memory.role(ofFrameAt: parent).use == FrameUse.nodes.rawValue,
        memory.level(ofNode: parent) > 0,
        (0..<RangeTree.capacity).contains(where: {
          memory.key($0, of: parent) != 0 && memory.child($0, of: parent) == node
        })
      else { return 0 }
      node = parent
    }
    return 0
  }

  /// An entry added to or removed from a tree; a moved one is both.
  struct Change {
    let tree: Int
    let entry: RangeEntry
    let comes: Bool
  }

  /// Finds what has changed in trees, by their nodes.
  mutating func changes(
    in dirty: [Int], _ changed: ChangedWords, _ memory: Memory
  ) -> [Change] {
    if dirty.isEmpty { return [] }
    var queue = dirty
    var seen: Set<Int> = []
    var live: [Int] = []
    var changes: [Change] = []
    let count = memory.wordCount / RangeTree.nodeWords
    if treeOfNode.count < count {
      treeOfNode.append(contentsOf: repeatElement(0, count: count - treeOfNode.count))
    }
    while let node = queue.popLast() {
      if !seen.insert(node).inserted { continue }
      let old = Int(treeOfNode[node / RangeTree.nodeWords])
      let new = tree(ofNode: node, memory)
      if old == 0, new == 0 { continue }
      let oldLevel = Int(changed.old(node, in: memory) & 0xff)
      let newLevel = memory.level(ofNode: node)
      for index in 0..<RangeTree.capacity {
        let keySlot = Memory.keySlot(index, of: node)
        let payloadSlot = Memory.payloadSlot(index, of: node)
        let before = (changed.old(keySlot, in: memory), changed.old(payloadSlot, in: memory))
        let after = (memory.load(keySlot), memory.load(payloadSlot))
        if old == new, oldLevel == newLevel, before == after { continue }
        for (tree, level, pair, comes) in [
          (old, oldLevel, before, false), (new, newLevel, after, true),
        ] where tree != 0 && pair.0 != 0 {
          if level > 0 {
            queue.append(Int(pair.1))
          } else {
            changes.append(
              Change(tree: tree, entry: RangeEntry(key: pair.0, payload: pair.1), comes: comes))
          }
        }
      }
      if old != new {
        nodes[old] -= 1
        nodes[new] += 1
        treeOfNode[node / RangeTree.nodeWords] = UInt16(new)
      }
      touchedTrees.insert(old)
      touchedTrees.insert(new)
      if new != 0 { live.append(node) }
    }
    for node in live where !memory.isSound(node) {
      suspects.insert(Int(treeOfNode[node / RangeTree.nodeWords]))
    }
    touchedTrees.remove(0)
    return changes
  }

  /// Trees that have changed since the last check.
  private(set) var touchedTrees: Set<Int> = []

  /// Whether a changed tree has errors.
  mutating func isFaulty(_ number: Int, _ tree: RangeTree, _ memory: Memory) -> Bool {
    let recent = memory.recentLeaf(of: tree)
    let isRecentRight =
      recent == 0
      || Int(treeOfNode[recent / RangeTree.nodeWords]) == number
        && memory.level(ofNode: recent) == 0
    if !suspects.contains(number), isRecentRight, nodes[number] == memory.nodeCount(of: tree) {
      return false
    }
    // One error may come with others: do not rely on this index for the tree.
    let isFaulty = !memory.faults(in: tree).isEmpty
    if isFaulty { suspects.insert(number) } else { suspects.remove(number) }
    return isFaulty
  }

  mutating func forgetTouchedTrees() { touchedTrees = suspects }

  /// Adds slots of leaves that a change may make found, or lost.
  func leaves(of change: Change, _ slots: inout [Int]) {
    if change.tree % 2 == 1 { entryChanges(change.entry.range, &slots) }
  }
}

extension RangeEntry {
  /// The entry of a leaf's pair.
  init(key: UInt64, payload: UInt64) {
    let first = key >> RangeTree.keyShift
    let length = (key & RangeTree.lengthMask) >> RangeTree.lengthShift
    let isLong = length == RangeTree.longLength
    let end = isLong ? payload >> 12 : first &+ length
    self.init(
      Range(uncheckedBounds: (first << 12, end << 12)),
      isLong ? payload & RangeTree.longPayloadMask : payload)
  }
}
