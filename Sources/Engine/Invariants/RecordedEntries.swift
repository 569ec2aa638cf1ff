/// Statistics of the reverse maps: the amount of canonical memory that is unknown, and the known entries
/// that no leaf confirms.
///
/// For each known entry one leaf that confirms it is kept. While that leaf stays, other changes in the
/// entry's range make no difference.
struct RecordedEntries: Sendable {
  /// An entry by its shadow's number, from 1, and its first address in its tree.
  typealias Key = PairSet.Pair

  struct Entry: Sendable {
    let canonical: Range<UInt64>
    let nested: UInt64
    /// A nested IPA of the leaf that confirms it.
    var witness: UInt64?

    var nestedRange: Range<UInt64> { nested..<nested &+ canonical.size }

    /// The nested IPAs of a part of the canonical IPAs.
    func nested(of canonical: Range<UInt64>) -> Range<UInt64> {
      let part = canonical.clamped(to: self.canonical)
      let start = nested &+ (part.lowerBound &- self.canonical.lowerBound)
      return start..<start + part.size
    }
  }

  /// Whether trees are sorted by nested IPAs.
  private let isKeyedByNested: Bool
  private var entries: [Key: Entry] = [:]
  /// Entries by the addresses that are not their tree's keys.
  private var others: IntervalIndex
  /// Entries that a larger leaf overlaps from before: not all their confirming leaves are in their range.
  private var straddled: Set<Key> = []
  /// Leaves that confirmed removed entries, to be tried first for new entries.
  private var hints: [Key: UInt64] = [:]

  /// Entries of all trees, including direct maps.
  var count = 0
  /// Bytes of canonical memory without a nested IPA.
  private(set) var unknown: UInt64 = 0
  /// Known entries that no leaf confirms.
  private(set) var stale = 0

  init(isKeyedByNested: Bool) {
    self.isKeyedByNested = isKeyedByNested
    others = IntervalIndex()
  }

  private func otherRange(_ entry: Entry) -> Range<UInt64> {
    isKeyedByNested ? entry.canonical : entry.nestedRange
  }

  /// An entry of a tree was removed.
  mutating func goes(_ entry: RangeEntry, of number: Int) {
    if !isKeyedByNested, RangeMap.isUnknown(entry.payload) {
      unknown -= entry.range.size
      return
    }
    let key = Key(UInt64(number), entry.range.lowerBound)
    guard let known = entries.removeValue(forKey: key) else { return }
    if known.witness == nil { stale -= 1 }
    hints[Key(UInt64(number), known.canonical.lowerBound &- known.nested)] = known.witness
    straddled.remove(key)
    others.remove(key, at: otherRange(known))
  }

  /// An entry of a tree was added.
  mutating func comes(_ entry: RangeEntry, of number: Int, _ machine: Machine) {
    if !isKeyedByNested, RangeMap.isUnknown(entry.payload) {
      unknown += entry.range.size
      return
    }
    let key = Key(UInt64(number), entry.range.lowerBound)
    let address = entry.payload & ReverseMapEntry.addressMask
    let known =
      isKeyedByNested
      ? Entry(
        canonical: address..<address + entry.range.size, nested: entry.range.lowerBound)
      : Entry(canonical: entry.range, nested: address)
    entries[key] = known
    stale += 1
    others.insert(key, at: otherRange(known))
    // An entry that grew, or lost a part, is usually confirmed by the same leaf as before.
    if let hint = hints[Key(UInt64(number), known.canonical.lowerBound &- known.nested)],
      known.nestedRange.contains(hint)
    {
      look(key, in: hint..<hint + Page.size, machine)
    }
    if entries[key]?.witness == nil { look(key, in: known.nestedRange, machine) }
  }

  /// All removed and added entries have been reported.
  mutating func settle(_ machine: Machine) {
    hints.removeAll(keepingCapacity: true)
    for key in straddled {
      guard let entry = entries[key] else { continue }
      setWitness(nil, of: key)
      look(key, in: entry.nestedRange, machine)
    }
  }

  /// Leaves of a shadow have changed.
  mutating func leavesChange(_ nested: Range<UInt64>, of number: Int, _ machine: Machine) {
    for key in keys(nested, isNested: true, number, machine) {
      if let entry = entries[key] {
        changes(key, entry, in: nested.clamped(to: entry.nestedRange), machine)
      }
    }
  }

  /// The VMM's pages behind canonical memory have changed.
  mutating func pagesChange(_ canonical: Range<UInt64>, of number: Int, _ machine: Machine) {
    for key in keys(canonical, isNested: false, number, machine) {
      if let entry = entries[key] {
        changes(key, entry, in: entry.nested(of: canonical), machine)
      }
    }
  }

  /// The entries of a shadow of which some address lies in a range.
  private func keys(
    _ range: Range<UInt64>, isNested: Bool, _ number: Int, _ machine: Machine
  ) -> [Key] {
    if isNested != isKeyedByNested { return others.keys(in: range, of: number) }
    let mmu = machine.mmu(number)
    return machine.memory.entries(
      in: range.clamped(to: Machine.allAddresses),
      of: isKeyedByNested ? mmu.directMap : mmu.reverseMap
    ).map { Key(UInt64(number), $0.range.lowerBound) }
  }

  /// Something has changed in a part of an entry.
  private mutating func changes(
    _ key: Key, _ entry: Entry, in part: Range<UInt64>, _ machine: Machine
  ) {
    if part.isEmpty { return }
    guard let witness = entry.witness else { return look(key, in: part, machine) }
    if !part.contains(witness) { return }
    setWitness(nil, of: key)
    let all = entry.nestedRange
    look(key, in: part.lowerBound..<all.upperBound, machine)
    if entries[key]?.witness == nil {
      look(key, in: all.lowerBound..<part.lowerBound, machine)
    }
  }

  /// Looks for a leaf that confirms an entry.
  private mutating func look(_ key: Key, in nested: Range<UInt64>, _ machine: Machine) {
    guard let entry = entries[key], !nested.isEmpty else { return }
    var walk = TableWalk(of: machine.table(of: machine.mmu(Int(key.first))), nested, .mapping)
    while let leaf = machine.memory.next(&walk) {
      if leaf.address < entry.nested { straddled.insert(key) }
      let canonical = entry.canonical.lowerBound &+ leaf.address &- entry.nested
      if machine.isBacking(leaf.descriptor.address, canonical) {
        return setWitness(max(leaf.address, entry.nested), of: key)
      }
    }
  }

  private mutating func setWitness(_ witness: UInt64?, of key: Key) {
    guard let old = entries[key]?.witness else {
      if witness != nil { stale -= 1 }
      entries[key]?.witness = witness
      return
    }
    if witness == nil { stale += 1 }
    if witness != old { entries[key]?.witness = witness }
  }
}

/// Keys of ranges, looked up by an address in them. Ranges may overlap.
///
/// Ranges are in sets by the number of bits of their size: in each set only a range that begins less than
/// that size before an address can hold it.
private struct IntervalIndex: Sendable {
  private var sets: [Int: [Int: PairSet]] = [:]

  private static func bits(_ range: Range<UInt64>) -> Int {
    UInt64.bitWidth - range.size.leadingZeroBitCount
  }

  mutating func insert(_ key: PairSet.Pair, at range: Range<UInt64>) {
    sets[Int(key.first), default: [:]][Self.bits(range), default: PairSet()].insert(
      PairSet.Pair(range.lowerBound, key.second))
  }

  mutating func remove(_ key: PairSet.Pair, at range: Range<UInt64>) {
    sets[Int(key.first)]?[Self.bits(range)]?.remove(PairSet.Pair(range.lowerBound, key.second))
  }

  /// The keys of a number whose range may overlap a range, and some others.
  func keys(in range: Range<UInt64>, of number: Int) -> [PairSet.Pair] {
    guard let sets = sets[number] else { return [] }
    return sets.keys.sorted().flatMap { bits -> [PairSet.Pair] in
      let most: UInt64 = 1 << UInt64(bits)
      let start = range.lowerBound > most ? range.lowerBound - most : 0
      return (sets[bits]?.pairs(in: start..<range.upperBound) ?? [])
        .map { PairSet.Pair(UInt64(number), $0.second) }
    }
  }
}
