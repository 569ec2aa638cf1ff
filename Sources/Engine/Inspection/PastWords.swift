/// The words of a machine as they were before some stores.
public struct PastWords: Sendable {
  private var values: [Int: UInt64] = [:]
  private var frames: Set<Int> = []

  /// The words before no store at all: as they are.
  public init() {}

  /// The words before stores that are done, the last of which is the machine's last.
  public init(before stores: Range<Int>, in memory: Memory) {
    values.reserveCapacity(stores.count)
    for store in stores.reversed() {
      let (slot, value) = memory.journalEntry(store)
      values[slot] = value
      frames.insert(slot / Memory.frameWords)
    }
  }

  /// The value that a word had, or nil if it has not changed.
  public subscript(slot: Int) -> UInt64? { values[slot] }

  /// Whether any word of the frame that holds a slot has changed.
  func touchesFrame(of slot: Int) -> Bool { frames.contains(slot / Memory.frameWords) }
}
