/// The words stored between two moments of a history, with their values at the first.
///
/// Collected anew for each event: the index by slot is a hash table that grows as needed, and is cleared
/// at once by the collection number in each of its words.
struct ChangedWords: Sendable {
  /// The slots, each once, in the order in which they were first met.
  private(set) var slots: [Int] = []
  /// The value of each at the first moment; it may be the same now.
  private(set) var olds: [UInt64] = []
  /// The collection in the upper half, an index of `slots` in the lower.
  private var places: [UInt64] = []
  private var collection: UInt64 = 0

  /// Number of slots.
  var count: Int { slots.count }

  /// Collects the words that differ, or once differed, between a journal position and the memory's
  /// current one, before or after it.
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
    // If a word was stored more than once, the first store met is the oldest.
    if places[place] >> 32 == collection { return }
    places[place] = collection << 32 | UInt64(slots.count)
    slots.append(entry.slot)
    olds.append(entry.value)
  }

  /// The value of a word at the first moment, or nil if it was not stored.
  func old(_ slot: Int) -> UInt64? {
    let word = places.isEmpty ? 0 : places[place(of: slot)]
    return word >> 32 == collection && collection > 0 ? olds[Int(word & 0xffff_ffff)] : nil
  }

  /// The value of a word at the first moment.
  func old(_ slot: Int, in memory: Memory) -> UInt64 { old(slot) ?? memory.load(slot) }
}
