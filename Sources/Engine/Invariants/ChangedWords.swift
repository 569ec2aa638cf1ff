/// The words that were stored between two moments of a history, with what they held at the first.
///
/// What is collected for one event after the other: places by slot are in a hash table that grows as needed
/// and is forgotten at once, by the number of the collection in each of its words.
struct ChangedWords: Sendable {
  /// The slots, each once, in the order in which they were first come across.
  private(set) var slots: [Int] = []
  /// What each held at the first moment; it may hold the same now.
  private(set) var olds: [UInt64] = []
  /// The collection in the upper half, an index of `slots` in the lower.
  private var places: [UInt64] = []
  private var collection: UInt64 = 0

  /// Number of slots.
  var count: Int { slots.count }

  /// Collects the words that differ, or once differed, between a position of the journal and the one where
  /// the memory is now, before or after it.
  mutating func collect(from start: Int, in memory: Memory) {
    slots.removeAll(keepingCapacity: true)
    olds.removeAll(keepingCapacity: true)
    collection += 1
    let end = memory.position
    var needed = 64
    while needed < 2 * abs(end - start) { needed *= 2 }
    if places.count < needed { places = Array(repeating: 0, count: needed) }
    if start <= end {
      for index in start..<end { add(memory.journalEntry(index)) }
    } else {
      for index in (end..<start).reversed() { add(memory.journalEntry(index)) }
    }
  }

  @inline(__always)
  private func place(of slot: Int) -> Int {
    let mask = places.count &- 1
    var place = Int(truncatingIfNeeded: UInt64(slot) &* 0x9e37_79b9_7f4a_7c15 >> 32) & mask
    while case let word = places[place], word >> 32 == collection,
      slots[Int(word & 0xffff_ffff)] != slot
    { place = (place &+ 1) & mask }
    return place
  }

  @inline(__always)
  private mutating func add(_ entry: (slot: Int, value: UInt64)) {
    let place = place(of: entry.slot)
    // Of a word that was stored more than once the first that is come across is the oldest.
    if places[place] >> 32 == collection { return }
    places[place] = collection << 32 | UInt64(slots.count)
    slots.append(entry.slot)
    olds.append(entry.value)
  }

  /// What a word held at the first moment, or nil if it was not stored.
  func old(_ slot: Int) -> UInt64? {
    let word = places.isEmpty ? 0 : places[place(of: slot)]
    return word >> 32 == collection && collection > 0 ? olds[Int(word & 0xffff_ffff)] : nil
  }

  /// What a word held at the first moment.
  func old(_ slot: Int, in memory: Memory) -> UInt64 { old(slot) ?? memory.load(slot) }
}
