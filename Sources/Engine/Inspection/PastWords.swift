/// The words of a machine as they were before some stores.
public struct PastWords: Sendable {
  private var words = ChangedWords()
  /// Ascending.
  private var frames: [Int] = []

  /// The current words: before no store.
  public init() {}

  /// The words before some done stores, which must end with the machine's last.
  public init(before stores: Range<Int>, in memory: Memory) {
    if stores.isEmpty { return }
    words.collect(from: stores.lowerBound, in: memory)
    for slot in words.slots where frames.last != slot / Memory.frameWords {
      frames.append(slot / Memory.frameWords)
    }
    frames.sort()
  }

  /// Whether no word has changed.
  var isEmpty: Bool { words.count == 0 }

  /// The words that were stored, each once, in no order.
  var slots: [Int] { words.slots }

  /// The value that a word had, or nil if it has not changed.
  public subscript(slot: Int) -> UInt64? { words.old(slot) }

  /// Whether any word has changed that is now in a page of a table.
  public func touches(_ table: TableID, in memory: Memory) -> Bool {
    words.slots.contains {
      let role = memory.role(ofFrameAt: $0)
      return (role.use == FrameUse.table.rawValue || role.use == FrameUse.lastTable.rawValue)
        && role.number == table.frameNumber && words.old($0) != memory.load($0)
    }
  }

  /// Whether any word of the frame that holds a slot has changed.
  func touchesFrame(of slot: Int) -> Bool {
    let frame = slot / Memory.frameWords
    let index = frames.indices.partitioningIndex { frames[$0] >= frame }
    return index < frames.count && frames[index] == frame
  }
}
