/// The swap log: for every store, the slot and the value that is *not* in memory now.
///
/// Entries before `position` are done: they hold the value that the store replaced. Entries from
/// `position` on are undone: they hold the value that the store wrote. Stepping over an entry, in
/// either direction, is the same swap of memory and log. 12 bytes an entry.
public struct Journal: Sendable {
  /// Slot of each entry.
  private(set) var slots: [UInt32] = []
  /// The value of that slot which is not in memory.
  private(set) var values: [UInt64] = []
  /// How many entries are done.
  public private(set) var position = 0

  /// Number of entries, done and undone.
  public var count: Int { slots.count }

  /// Records that `slot` changed from `old` to `new`.
  ///
  /// In the middle of the log this is a replay: the engine is deterministic, so what it stores must be
  /// what the log holds. Anything else is a fault of the engine.
  mutating func record(slot: Int, old: UInt64, new: UInt64) {
    if position == slots.count {
      slots.append(UInt32(truncatingIfNeeded: slot))
      values.append(old)
    } else {
      precondition(
        slots[position] == UInt32(truncatingIfNeeded: slot) && values[position] == new,
        "a replayed store differs from the recorded one")
      values[position] = old
    }
    position += 1
  }

  /// Moves to `target`, swapping each entry passed with `words`.
  mutating func seek(to target: Int, in words: inout [UInt64]) {
    while position > target {
      position -= 1
      swapEntry(position, with: &words)
    }
    while position < target {
      swapEntry(position, with: &words)
      position += 1
    }
  }

  @inline(__always)
  private mutating func swapEntry(_ index: Int, with words: inout [UInt64]) {
    let slot = Int(slots[index])
    let other = values[index]
    values[index] = words[slot]
    words[slot] = other
  }

  /// Forgets the undone entries: what comes next is another future.
  mutating func truncate() {
    slots.removeSubrange(position...)
    values.removeSubrange(position...)
  }

  /// Slot and replaced value of a done entry.
  public func entry(_ index: Int) -> (slot: Int, old: UInt64) {
    (Int(slots[index]), values[index])
  }

  /// The last entry before `position` that wrote one of `slots`, or nil.
  public func lastWrite(toAny slots: Range<Int>, before position: Int) -> Int? {
    var index = position
    while index > 0 {
      index -= 1
      if slots.contains(Int(self.slots[index])) { return index }
    }
    return nil
  }
}
