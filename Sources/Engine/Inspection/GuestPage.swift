/// The words of one 4 KiB page of L1's memory as they are now, found once and then read fast.
public struct GuestPage: Sendable {
  private let memory: Memory
  private let contents: PageContents
  private let record: Int?

  init(_ contents: PageContents, record: Int?, in memory: Memory) {
    self.contents = contents
    self.record = record
    self.memory = memory
  }

  /// One of the 512 words.
  public subscript(word: Int) -> UInt64 {
    Machine.unknownWord(contents.pattern, word) ^ contents.difference(at: word, in: memory)
  }

  /// Whether the page may have differed before some stores.
  func mayDiffer(from past: PastWords) -> Bool {
    record.map { past.touchesFrame(of: $0) } ?? false
      || contents.frame.map { past.touchesFrame(of: $0) } ?? false
  }

  /// One of the 512 words as it was before some stores.
  func word(_ word: Int, in past: PastWords) -> UInt64 {
    guard let record else { return 0 }
    let contents = PageContents(
      head: past[record] ?? memory.load(record), tail: past[record + 1] ?? memory.load(record + 1))
    let difference =
      contents.frame.flatMap { past[$0 + word] } ?? contents.difference(at: word, in: memory)
    return Machine.unknownWord(contents.pattern, word) ^ difference
  }

  /// Slots of the machine's words that determine a word of the page.
  public func slots(ofWord word: Int) -> [Int] {
    (record.map { [$0, $0 + 1] } ?? []) + (contents.frame.map { [$0 + word] } ?? [])
  }
}

extension Machine {
  /// The page of L1's memory at a canonical IPA, without faulting anything in; nil outside all slots and
  /// mappings. An absent page reads as zero.
  public func guestPage(at ipa: UInt64) -> GuestPage? {
    guard let slot = memslot(at: ipa) else { return nil }
    let hva = hva(of: ipa, in: slot)
    guard vma(at: hva) != nil else { return nil }
    let (entry, level, _) = hostWalk(hva)
    guard entry.has(Descriptor.valid) else { return GuestPage(.absent, record: nil, in: memory) }
    let page = (entry.address | ipa & (hostTable.geometry.size(level) - 1)).page
    return GuestPage(
      PageContents(of: page, in: self), record: contentsSlot(ofPage: page), in: memory)
  }
}
