/// The kind of memory behind a slot.
public enum Backing: UInt8, Sendable {
  /// Private anonymous memory that never uses huge pages.
  case pages
  /// Private anonymous memory that may use 2 MiB pages.
  case transparentHuge
  /// Private memory of 1 GiB hugetlb pages.
  case hugetlb1G
}

/// A KVM memory slot: a range of canonical IPAs, and the VMM's memory behind it. A record in memory.
struct Memslot: Equatable {
  /// Slot of the record's first word.
  let base: Int

  enum Field: Int, RecordField {
    /// Number that user space gave it.
    case id
    case ipa, size
    /// Its address in the VMM, congruent to the IPA modulo 2M (1G for hugetlb).
    case hva
    case backing
    /// Its flags, as below.
    case flags
    /// Root of the dirty bitmap, a sparse array of 64 pages a word.
    case dirty
    /// First word of the bitmap that KVM_GET_DIRTY_LOG last returned.
    case reported

    static let count = 8

    var words: [WordClass] {
      switch self {
      // The id identifies the others.
      case .id, .dirty, .reported: [.history]
      case .ipa, .size, .hva, .backing, .flags: [.state]
      }
    }
  }

  /// KVM_MEM_LOG_DIRTY_PAGES.
  static let logsDirtyPages: UInt64 = 1
  /// KVM_MEMSLOT_INVALID: it is being deleted, and guests no longer find memory there.
  static let invalid: UInt64 = 1 << 16
}

extension Machine {
  subscript(slot: Memslot, field: Memslot.Field) -> UInt64 {
    get { memory.load(slot.base + field.rawValue) }
    set { memory.store(newValue, at: slot.base + field.rawValue) }
  }

  /// The slots' numbers by IPA, derived from their records.
  var memslotTree: RangeTree { RangeTree(slot: Register.memslots.slot, number: 0) }

  /// The slot that holds a canonical IPA, or nil.
  func memslot(at ipa: UInt64) -> Memslot? {
    memory.find(ipa, in: memslotTree).map { memslot(number: Int($0.payload) - 1) }
  }

  /// The slot that holds a canonical IPA and is not being deleted, or nil.
  func usableMemslot(at ipa: UInt64) -> Memslot? {
    memslot(at: ipa).flatMap { self[$0, .flags] & Memslot.invalid == 0 ? $0 : nil }
  }

  /// Whether the dirty pages of a slot are logged.
  func isLogging(_ slot: Memslot) -> Bool { self[slot, .flags] & Memslot.logsDirtyPages != 0 }

  /// All slots, by ascending IPA.
  var memslots: [Memslot] {
    memory.entries(in: 0..<1 << 52, of: memslotTree).map { memslot(number: Int($0.payload) - 1) }
  }

  /// Canonical IPAs of a slot.
  func range(of slot: Memslot) -> Range<UInt64> {
    self[slot, .ipa]..<self[slot, .ipa] + self[slot, .size]
  }

  /// Addresses of a slot in the VMM.
  func hostRange(of slot: Memslot) -> Range<UInt64> {
    self[slot, .hva]..<self[slot, .hva] + self[slot, .size]
  }

  /// The VMM's address of a canonical IPA in a slot.
  func hva(of ipa: UInt64, in slot: Memslot) -> UInt64 {
    ipa - self[slot, .ipa] + self[slot, .hva]
  }

  /// The host page behind a guest address, and its level in the VMM's table; nil if there is none.
  func backingPage(at ipa: UInt64) -> (page: UInt64, level: Int)? {
    guard let slot = usableMemslot(at: ipa) else { return nil }
    let hva = hva(of: ipa, in: slot)
    let (entry, level, _) = hostWalk(hva)
    guard entry.has(Descriptor.valid), entry.has(HostEntry.exclusive) else { return nil }
    return (entry.address | (hva & (hostTable.geometry.size(level) - 1)).page, level)
  }

  /// KVM_SET_USER_MEMORY_REGION for a new slot, after the VMM has mapped memory for it.
  mutating func addMemslot(_ id: UInt64, _ range: Range<UInt64>, _ backing: Backing)
    throws(Refusal)
  {
    let huge = backing == .hugetlb1G ? UInt64(1 << 30) : Page.size
    try requireAligned(range.lowerBound, to: huge, operand: .address)
    try requireAligned(range.size, to: huge, operand: .size)
    if range.upperBound > 1 << UInt64(configuration.ipaBits) {
      throw Refusal(.beyondIPASpace(bits: configuration.ipaBits), operand: .address)
    }
    for slot in memslots {
      if self[slot, .id] == id { throw Refusal(.slotExists(id), operand: .slot) }
      if self.range(of: slot).overlaps(range) {
        throw Refusal(.slotsOverlap(self[slot, .id]), operand: .address)
      }
    }
    guard let number = freeMemslotNumber else {
      throw Refusal(.tooManySlots(Layout.memslotCount), operand: .slot)
    }
    guard let hva = mapVMMMemory(for: range, backing) else {
      throw Refusal(.addressSpaceFull, operand: .size)
    }
    note(.slot(.added(id, hva: hva)), .canonical, over: range)
    let record = memslot(number: number)
    self[record, .id] = id
    self[record, .ipa] = range.lowerBound
    self[record, .size] = range.size
    self[record, .hva] = hva
    self[record, .backing] = UInt64(backing.rawValue)
    memory.store(UInt64(number + 1), for: range, in: memslotTree)
  }

  /// The record with a number, whether it is in use or not. The tree of slots holds number + 1: a long
  /// range has little room for a payload.
  private func memslot(number: Int) -> Memslot {
    Memslot(base: layout.memslots + number * Memslot.Field.count)
  }

  /// The bit of a slot's record in a word about all of them.
  func bit(of slot: Memslot) -> UInt64 {
    1 << UInt64((slot.base - layout.memslots) / Memslot.Field.count)
  }

  private var freeMemslotNumber: Int? {
    (0..<Layout.memslotCount).first { self[memslot(number: $0), .size] == 0 }
  }

  /// Frees a slot's record; its mappings are already unmapped.
  mutating func removeMemslot(_ slot: Memslot) {
    memory.erase(range(of: slot), in: memslotTree)
    dirtyBitmap(of: slot).removeAll(in: &memory)
    setFetched(false, slot)
    for field in Memslot.Field.allCases { self[slot, field] = 0 }
  }
}
