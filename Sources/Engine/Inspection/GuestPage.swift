/// The words of one 4 KiB page of L1's memory as they are now, found once and then read fast; and as they
/// were before some stores, also if the VMM's page there was another one.
public struct GuestPage: Sendable {
  private let memory: Memory
  /// The VMM's table, and the page's address in it.
  private let host: Table
  private let hva: UInt64
  private let now: Held

  /// What a page of the VMM's holds.
  private struct Held {
    /// Its physical address; nil if it is absent.
    let physical: UInt64?
    /// Slot of the two words about its contents, if anything was ever stored in it.
    let record: Int?
    let contents: PageContents
  }

  init(at hva: UInt64, by host: Table, in memory: Memory) {
    self.memory = memory
    self.host = host
    self.hva = hva
    now = Self.held(hva, host, memory, before: PastWords())
  }

  private static func physical(_ hva: UInt64, _ end: WalkEnd, _ host: Table) -> UInt64? {
    let entry = HostEntry(bits: end.descriptor.bits)
    guard entry.has(Descriptor.valid) else { return nil }
    return (entry.address | hva & (host.geometry.size(end.level) - 1)).page
  }

  /// The page as it was before some stores.
  private static func held(
    _ hva: UInt64, _ host: Table, _ memory: Memory, before past: PastWords
  ) -> Held {
    let physical = physical(hva, memory.walk(host, hva, before: past), host)
    let record = physical.flatMap { Machine.contentsSlot(ofPage: $0, in: memory) }
    return Held(
      physical: physical, record: record,
      contents: record.map {
        PageContents(
          head: past[$0] ?? memory.load($0), tail: past[$0 + 1] ?? memory.load($0 + 1))
      } ?? .absent)
  }

  /// One of the 512 words.
  public subscript(word: Int) -> UInt64 {
    Machine.unknownWord(now.contents.pattern, word)
      ^ now.contents.difference(at: word, in: memory)
  }

  /// Whether the page may have differed before some stores.
  func mayDiffer(from past: PastWords) -> Bool {
    if past.isEmpty { return false }
    if now.record.map({ past.touchesFrame(of: $0) }) ?? false { return true }
    if now.contents.frame.map({ past.touchesFrame(of: $0) }) ?? false { return true }
    return Self.physical(hva, memory.walk(host, hva, before: past), host) != now.physical
  }

  /// One of the 512 words as it was before some stores.
  package func word(_ word: Int, in past: PastWords) -> UInt64 {
    let old = Self.held(hva, host, memory, before: past)
    let difference =
      old.contents.frame.flatMap { past[$0 + word] }
      ?? old.contents.difference(at: word, in: memory)
    return Machine.unknownWord(old.contents.pattern, word) ^ difference
  }

  /// Slots of the machine's words that determine a word of the page.
  public func slots(ofWord word: Int) -> [Int] {
    (now.record.map { [$0, $0 + 1] } ?? []) + (now.contents.frame.map { [$0 + word] } ?? [])
  }
}

extension Machine {
  /// The page of L1's memory at a canonical IPA, without faulting anything in; nil outside all slots and
  /// mappings. An absent page reads as zero.
  public func guestPage(at ipa: UInt64) -> GuestPage? {
    guard let slot = memslot(at: ipa) else { return nil }
    let hva = hva(of: ipa, in: slot)
    return vma(at: hva) == nil ? nil : GuestPage(at: hva.page, by: hostTable, in: memory)
  }
}
