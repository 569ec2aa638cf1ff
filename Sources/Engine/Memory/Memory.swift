/// The simulated memory: every word that can change, in 4 KiB frames of 512 words.
///
/// Table frames, guest contents, reverse-map nodes, MMU contexts, TLB entries and counters all lie
/// here. `store` is the only way to change one, and it writes the journal; so one journal gives time
/// travel for everything, "what changed" is a list of slots, and equal states have equal words.
///
/// A *slot* is the index of a word. Frame *f* has the physical address `base + f * 4096`.
public struct Memory: Sendable {
  /// Physical address of frame 0. All tables of the machine lie at or above it.
  public static let base: UInt64 = 0x4000_0000
  /// Words in a frame.
  public static let frameWords = 512
  /// Bytes in a frame.
  public static let frameBytes: UInt64 = 4096

  /// The words. Slots beyond the end read as never used.
  public private(set) var words: [UInt64] = []
  /// All stores, done and undone.
  public private(set) var journal = Journal()

  init() {}

  /// The word at `slot`.
  @inline(__always)
  public func load(_ slot: Int) -> UInt64 { words[slot] }

  /// Changes a word. A store of the value that is there already changes nothing and leaves no trace.
  @inline(__always)
  mutating func store(_ value: UInt64, at slot: Int) {
    let old = words[slot]
    if old == value { return }
    words[slot] = value
    journal.record(slot: slot, old: old, new: value)
  }

  /// Makes room for frames `0 ..< count`; new words are zero.
  mutating func reserve(frames count: Int) {
    let missing = count * Self.frameWords - words.count
    if missing > 0 { words.append(contentsOf: repeatElement(0, count: missing)) }
  }

  /// Goes back or forward in history to where `position` stores are done.
  mutating func seek(to position: Int) {
    journal.seek(to: position, in: &words)
  }

  /// Gives up the done stores: history begins here.
  mutating func forgetPast() {
    journal = Journal()
  }

  /// Gives up the undone stores.
  mutating func forgetFuture() {
    journal.truncate()
  }

  /// Slot of the word at a physical address, or nil if no frame is there.
  public func slot(at address: UInt64) -> Int? {
    guard address >= Self.base else { return nil }
    let slot = Int((address - Self.base) / 8)
    return slot < words.count ? slot : nil
  }

  /// Physical address of a slot.
  public static func address(ofSlot slot: Int) -> UInt64 { base + UInt64(slot) * 8 }

  /// Slot of the first word of the frame at a physical address that is known to be a frame's.
  @inline(__always)
  static func firstSlot(ofFrameAt address: UInt64) -> Int { Int((address - base) / 8) }

  /// Whether two memories hold the same words; memory that was never used counts as zero.
  public func hasSameWords(as other: Memory) -> Bool {
    let common = min(words.count, other.words.count)
    return words[..<common] == other.words[..<common]
      && words[common...].allSatisfy { $0 == 0 }
      && other.words[common...].allSatisfy { $0 == 0 }
  }
}
