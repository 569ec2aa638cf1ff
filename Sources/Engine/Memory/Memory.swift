/// The simulated memory: every word that can change, in 4 KiB frames of 512 words, and the journal.
///
/// Table frames, guest contents, reverse-map nodes, MMU contexts, TLB entries and counters all lie
/// here. `store` is the only way to change one, and it writes the journal; so one journal gives time
/// travel for everything, and "what changed" is a list of slots.
///
/// A *slot* is the index of a word. Frame *f* has the physical address `base + f * 4096`.
///
/// The journal is a swap log: for every store, the slot and the value that is *not* in memory now.
/// Entries before `position` are done and hold the value that the store replaced; entries from it on are
/// undone and hold the value that the store wrote. Stepping over an entry, either way, is the same swap.
public struct Memory: @unchecked Sendable {
  /// Physical address of frame 0. All tables of the machine lie at or above it.
  public static let base: UInt64 = 0x4000_0000
  /// Words in a frame.
  public static let frameWords = 512
  /// Bytes in a frame.
  public static let frameBytes: UInt64 = 4096

  private var storage: Storage
  /// The storage's words.
  private var words: UnsafeMutablePointer<UInt64>
  /// The storage's counts of nonzero words.
  private var used: UnsafeMutablePointer<UInt16>
  /// Which words count in the fingerprint.
  private let classes = WordClasses.all
  /// The fingerprint of all words of state.
  private(set) var fingerprint = Fingerprint()
  /// The journal position of the next store: a chunk, and an index in it.
  private var chunk = Storage.Chunk.none
  private var place = Storage.chunkEntries
  /// Number of stores before the chunk; negative while there is none.
  private var chunkStart = -Storage.chunkEntries
  private var undone = 0
  /// Number of dropped futures: journal positions noted before the last drop may now name other stores.
  private(set) var lineage = 0
  /// Number of stores dropped with the past, to be added to a position to keep it valid.
  private(set) var forgotten = 0

  init() {
    storage = Storage()
    words = storage.words
    used = storage.used
  }

  /// Number of done stores.
  public var position: Int { chunkStart + place }

  /// Number of stores, done and undone.
  public var journalCount: Int { position + undone }

  /// Bytes that the journal has allocated.
  package var journalBytes: Int { storage.journalBytes }

  /// Number of words that exist; all others read as never used.
  public var wordCount: Int { storage.wordCount }

  /// The word at `slot`, which must exist.
  @inline(__always)
  public func load(_ slot: Int) -> UInt64 {
    assert(slot >= 0 && slot < storage.wordCount)
    return words[slot]
  }

  /// Changes a word. A store of the current value changes nothing and is not recorded.
  ///
  /// The memory must not be shared with a copy: the code that begins an event calls `makeUnique`.
  @inline(__always)
  mutating func store(_ value: UInt64, at slot: Int) {
    assert(slot >= 0 && slot < storage.wordCount)
    let old = words[slot]
    if old == value { return }
    words[slot] = value
    used[slot &>> 9] &+= Self.change(from: old, to: value)
    if undone != 0 || place == Storage.chunkEntries { prepareRecord(slot, value) }
    chunk.slots[place] = UInt32(truncatingIfNeeded: slot)
    chunk.values[place] = old
    place &+= 1
    fingerprint += Fingerprint.change(at: slot, from: old, to: value, in: words, classes)
  }

  /// The change, by a store, of the number of nonzero words in its frame.
  @inline(__always)
  private static func change(from old: UInt64, to new: UInt64) -> UInt16 {
    (old == 0 ? 1 : 0) &- (new == 0 ? 1 : 0)
  }

  /// Number of nonzero words of the frame that holds `slot`. For a table that is the number of
  /// references that the kernel holds on its page for its entries (`get_page` and `put_page` in
  /// kvm_pgtable): 0 means that it can be freed.
  @inline(__always)
  func usedWords(inFrameAt slot: Int) -> Int { Int(used[slot &>> 9]) }

  /// Before the end of the journal a store is a replay: the engine is deterministic, so the store must
  /// equal the journal's entry. Anything else is an engine bug.
  @inline(never)
  private mutating func prepareRecord(_ slot: Int, _ value: UInt64) {
    if place == Storage.chunkEntries {
      if undone == 0 { storage.addChunk(fingerprint) }
      enterChunk(at: position)
    }
    if undone != 0 {
      precondition(
        journalEntry(position) == (slot, value), "a replayed store differs from the recorded one")
      undone -= 1
    }
  }

  /// Makes the chunk that holds an entry the one where the next store is recorded.
  private mutating func enterChunk(at position: Int) {
    chunk = storage.chunks[position >> Storage.chunkShift]
    place = position & (Storage.chunkEntries - 1)
    chunkStart = position - place
  }

  /// Gives this value its own storage, if it shares it with a copy.
  mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&storage) {
      storage = storage.copy(journalEntries: journalCount)
      words = storage.words
      used = storage.used
      setPosition(position)
    }
  }

  /// Makes room for frames `0 ..< count`; new words are zero.
  mutating func reserve(frames count: Int) {
    storage.growWords(to: count * Self.frameWords)
    words = storage.words
    used = storage.used
  }

  /// Slot of the word at a physical address, or nil if no frame is there.
  public func slot(at address: UInt64) -> Int? {
    guard address >= Self.base else { return nil }
    let slot = Int((address - Self.base) / 8)
    return slot < wordCount ? slot : nil
  }

  /// Physical address of a slot.
  @inline(__always)
  public static func address(ofSlot slot: Int) -> UInt64 { base + UInt64(slot) * 8 }

  /// The word at an offset, in bytes, in the frame at a physical address, which must be a frame's.
  ///
  /// Each level of a table walk does this, so it takes as few instructions as possible.
  @inline(__always)
  func load(fromFrameAt address: UInt64, offset: UInt64) -> UInt64 {
    let byte = Int(truncatingIfNeeded: address &+ offset &- Self.base)
    assert(byte >= 0 && byte / 8 < wordCount)
    return UnsafeRawPointer(words).load(fromByteOffset: byte, as: UInt64.self)
  }

  /// Slot of the first word of the frame at a physical address, which must be a frame's.
  @inline(__always)
  static func firstSlot(ofFrameAt address: UInt64) -> Int {
    Int(truncatingIfNeeded: (address &- base) >> 3)
  }

  /// Whether two memories hold the same words; memory that was never used counts as zero.
  public func hasSameWords(as other: Memory) -> Bool {
    let common = min(wordCount, other.wordCount)
    return (0..<common).allSatisfy { load($0) == other.load($0) }
      && (common..<wordCount).allSatisfy { load($0) == 0 }
      && (common..<other.wordCount).allSatisfy { other.load($0) == 0 }
  }
}

/// Seeking in the journal.
extension Memory {
  /// Goes back or forward to the moment at which `target` stores are done.
  ///
  /// A chunk has the fingerprint at its start, so the fingerprint is updated store by store only in the
  /// last chunk.
  mutating func seek(to target: Int) {
    makeUnique()
    let end = journalCount
    var position = position
    let (words, used) = (words, used)
    while position > target {
      // Down to the start of a chunk at a time.
      let chunkStart = (position - 1) & ~(Storage.chunkEntries - 1)
      let chunk = storage.chunks[chunkStart >> Storage.chunkShift]
      let stop = max(target, chunkStart)
      for index in stride(from: position - 1, through: stop, by: -1) {
        let change = Self.swap(index - chunkStart, of: chunk, words, used)
        if stop > chunkStart { follow(change) }
      }
      if stop == chunkStart { fingerprint = chunk.fingerprint }
      position = stop
    }
    while position < target {
      let chunkStart = position & ~(Storage.chunkEntries - 1)
      let stop = min(target, chunkStart + Storage.chunkEntries)
      let chunk = storage.chunks[chunkStart >> Storage.chunkShift]
      let next = stop >> Storage.chunkShift
      let isKnown = stop > chunkStart + Storage.chunkEntries - 1 && next < storage.chunks.count
      for index in position..<stop {
        let change = Self.swap(index - chunkStart, of: chunk, words, used)
        if !isKnown { follow(change) }
      }
      if isKnown { fingerprint = storage.chunks[next].fingerprint }
      position = stop
    }
    setPosition(target)
    undone = end - target
  }

  /// Sets the position without changing words.
  private mutating func setPosition(_ position: Int) {
    if position < storage.chunks.count << Storage.chunkShift {
      enterChunk(at: position)
    } else {
      // At the end of a full chunk, or in an empty journal: the next store adds a chunk.
      chunkStart = position - Storage.chunkEntries
      place = Storage.chunkEntries
    }
  }

  private typealias Change = (slot: Int, old: UInt64, new: UInt64)

  @inline(__always)
  private mutating func follow(_ change: Change) {
    fingerprint += Fingerprint.change(
      at: change.slot, from: change.old, to: change.new, in: words, classes)
  }

  @inline(__always)
  private static func swap(
    _ index: Int, of chunk: Storage.Chunk, _ words: UnsafeMutablePointer<UInt64>,
    _ used: UnsafeMutablePointer<UInt16>
  ) -> Change {
    let slot = Int(chunk.slots[index])
    let other = chunk.values[index]
    let now = words[slot]
    chunk.values[index] = now
    words[slot] = other
    used[slot &>> 9] &+= change(from: now, to: other)
    return (slot, now, other)
  }

  /// Slot of a store, and the value that is not in memory now: the old one if the store is done.
  public func journalEntry(_ index: Int) -> (slot: Int, value: UInt64) {
    let chunk = storage.chunks[index >> Storage.chunkShift]
    let place = index & (Storage.chunkEntries - 1)
    return (Int(chunk.slots[place]), chunk.values[place])
  }

  /// Drops the done stores: history begins here.
  mutating func forgetPast() {
    precondition(undone == 0, "only what is the past altogether can be forgotten")
    makeUnique()
    forgotten += position
    storage.truncateJournal(to: 0)
    setPosition(0)
  }

  /// Drops the undone stores: the next store begins another future.
  mutating func forgetFuture() {
    makeUnique()
    if undone > 0 { lineage += 1 }
    storage.truncateJournal(to: position)
    setPosition(position)
    undone = 0
  }
}
