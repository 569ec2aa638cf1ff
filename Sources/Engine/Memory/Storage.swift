/// The storage of the words and of the journal, without checks: `Memory` is the only user, and checks
/// bounds and makes copies.
///
/// Words are one block that grows by doubling, so that a slot is an index. The journal grows by chunks, so
/// that its entries never move.
final class Storage: @unchecked Sendable {
  /// The words; those from `wordCount` on do not exist.
  @exclusivity(unchecked) private(set) var words: UnsafeMutablePointer<UInt64>
  @exclusivity(unchecked) private(set) var wordCount = 0
  private var wordCapacity: Int
  /// For each frame, the number of its nonzero words. Derived from the words.
  @exclusivity(unchecked) private(set) var used: UnsafeMutablePointer<UInt16>

  /// Chunks of the journal: values, then slots, of `chunkEntries` entries.
  @exclusivity(unchecked) private(set) var chunks: [Chunk] = []

  static let chunkShift = 14
  static let chunkEntries = 1 << chunkShift

  struct Chunk: @unchecked Sendable {
    let values: UnsafeMutablePointer<UInt64>
    let slots: UnsafeMutablePointer<UInt32>
    /// The fingerprint before the chunk's first store.
    let fingerprint: Fingerprint

    init(entries: Int, _ fingerprint: Fingerprint) {
      self.fingerprint = fingerprint
      values = .allocate(capacity: entries)
      slots = .allocate(capacity: entries)
    }

    /// A chunk without entries, for a journal that has none.
    static let none = Chunk(entries: 0, Fingerprint())

    /// Bytes that an entry takes: a value and a slot.
    static let entryBytes = MemoryLayout<UInt64>.stride + MemoryLayout<UInt32>.stride

    func free() {
      values.deallocate()
      slots.deallocate()
    }
  }

  /// Bytes that the journal has allocated: whole chunks.
  var journalBytes: Int { chunks.count * Self.chunkEntries * Chunk.entryBytes }

  init() {
    wordCapacity = 1 << 16
    words = .allocate(capacity: wordCapacity)
    used = .allocate(capacity: wordCapacity >> 9)
  }

  deinit {
    words.deallocate()
    used.deallocate()
    for chunk in chunks { chunk.free() }
  }

  /// A copy of the words and of the first `entries` entries of the journal.
  func copy(journalEntries entries: Int) -> Storage {
    let copy = Storage()
    copy.growWords(to: wordCount)
    copy.words.update(from: words, count: wordCount)
    copy.used.update(from: used, count: wordCount >> 9)
    var left = entries
    for chunk in chunks where left > 0 {
      let count = min(left, Self.chunkEntries)
      copy.addChunk(chunk.fingerprint)
      copy.chunks[copy.chunks.count - 1].values.initialize(from: chunk.values, count: count)
      copy.chunks[copy.chunks.count - 1].slots.initialize(from: chunk.slots, count: count)
      left -= count
    }
    return copy
  }

  /// Grows to at least `count` words, a whole number of frames; new ones are zero.
  func growWords(to count: Int) {
    if count <= wordCount { return }
    if count > wordCapacity {
      while wordCapacity < count { wordCapacity *= 2 }
      words = Self.moved(words, count: wordCount, capacity: wordCapacity)
      used = Self.moved(used, count: wordCount >> 9, capacity: wordCapacity >> 9)
    }
    (words + wordCount).initialize(repeating: 0, count: count - wordCount)
    (used + (wordCount >> 9)).initialize(repeating: 0, count: (count - wordCount) >> 9)
    wordCount = count
  }

  private static func moved<Value>(
    _ old: UnsafeMutablePointer<Value>, count: Int, capacity: Int
  ) -> UnsafeMutablePointer<Value> {
    let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity)
    larger.initialize(from: old, count: count)
    old.deallocate()
    return larger
  }

  func addChunk(_ fingerprint: Fingerprint) {
    chunks.append(Chunk(entries: Self.chunkEntries, fingerprint))
  }

  /// Frees the chunks that `entries` entries do not need.
  func truncateJournal(to entries: Int) {
    let needed = (entries + Self.chunkEntries - 1) >> Self.chunkShift
    while chunks.count > needed { chunks.removeLast().free() }
  }
}
