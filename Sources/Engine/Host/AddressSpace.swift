/// The VMM's address space: VMAs in a range tree, and a stage-1 table in the format of arm64 Linux.
///
/// Huge pages, copy-on-write, KSM and the rest follow from the state of that table, as in the kernel:
/// a 2 MiB region with a page table stays in 4 KiB pages because of that table.

/// A VMA's flags, the payload of the tree of VMAs.
struct VMAFlags: OptionSet {
  let rawValue: UInt64

  /// The VMA exists; keeps the payload from being 0.
  static let present = VMAFlags(rawValue: 1 << 0)
  static let write = VMAFlags(rawValue: 1 << 1)
  static let hugePages = VMAFlags(rawValue: 1 << 2)
  static let noHugePages = VMAFlags(rawValue: 1 << 3)
  static let mergeable = VMAFlags(rawValue: 1 << 4)
  static let hugetlb = VMAFlags(rawValue: 1 << 5)
  /// It has an anon_vma: something was written here, or a huge page was faulted in.
  static let anonymous = VMAFlags(rawValue: 1 << 6)
}

/// An entry of the VMM's table: a descriptor with the flags that arm64 Linux, and the page's `struct
/// page`, keep about it.
struct HostEntry: Equatable {
  var bits: UInt64

  static let accessed = Descriptor.accessed
  /// PTE_WRITE.
  static let write: UInt64 = 1 << 51
  /// PTE_SPECIAL: the zero page, or the huge zero page.
  static let zero: UInt64 = 1 << 56
  /// A KSM page.
  static let merged: UInt64 = 1 << 57
  /// PageAnonExclusive: changes to the page must not be visible to others.
  static let exclusive: UInt64 = 1 << 58
  /// The page's idle flag; all entries that map the page have it.
  static let idle: UInt64 = 1 << 59
  /// A 4 KiB part of a huge page: splitting its entry does not split the page.
  static let part: UInt64 = 1 << 60

  var address: UInt64 { bits & Descriptor.addressMask }
  func has(_ flag: UInt64) -> Bool { bits & flag != 0 }

  static func leaf(_ address: UInt64, level: Int, _ flags: UInt64) -> HostEntry {
    HostEntry(
      bits: address | Descriptor.valid | (level == 3 ? Descriptor.tableOrPage : 0) | accessed
        | flags)
  }
}

extension Machine {
  static let hugeSize: UInt64 = 2 << 20
  /// First address of the host pages that back guest memory.
  public static let pagesBase: UInt64 = 0x8_0000_0000
  /// The zero page and the huge zero page, which all share.
  public static let zeroPage = pagesBase
  /// The huge zero page, 2 MiB.
  public static let hugeZeroPage = pagesBase + hugeSize
  private static let topHVA: UInt64 = 0xffff_9c00_0000

  var vmaTree: RangeTree { RangeTree(slot: Register.vmas.slot, number: 1) }
  /// Regions where huge pages are unavailable.
  var noHugePagesTree: RangeTree { RangeTree(slot: Register.noHugePages.slot, number: 2) }

  /// The VMM's stage-1 table.
  var hostTable: Table {
    Table(
      id: .vmmStage1, root: Int(self[.hostRoot]),
      geometry: Geometry(granuleShift: 12, inputBits: 48, startLevel: 0, format: .process),
      vmid: 0)
  }

  mutating func createAddressSpace() {
    self[.hostRoot] = UInt64(memory.allocateFrame(FrameRole(.vmmStage1, level: 0, at: 0)))
    self[.nextPage] = Self.hugeZeroPage + Self.hugeSize
    self[.nextHVA] = Self.topHVA
  }

  func vma(at hva: UInt64) -> (range: Range<UInt64>, flags: VMAFlags)? {
    memory.find(hva, in: vmaTree).map { ($0.range, VMAFlags(rawValue: $0.payload)) }
  }

  mutating func setVMA(_ range: Range<UInt64>, _ flags: VMAFlags) {
    memory.store(flags.rawValue, for: range, in: vmaTree)
  }

  /// `anon_vma_prepare`: gives a VMA its anon_vma, unless it has one.
  mutating func prepareAnonymous(_ range: Range<UInt64>, _ flags: VMAFlags) {
    if !flags.contains(.anonymous) { setVMA(range, flags.union(.anonymous)) }
  }

  /// mmap for a memory slot: top down, congruent to the IPA, never touching another mapping. Nil if the
  /// address space is full.
  mutating func mapVMMMemory(for ipa: Range<UInt64>, _ backing: Backing) -> UInt64? {
    let size = ipa.size
    let alignment: UInt64 = backing == .hugetlb1G ? 1 << 30 : Self.hugeSize
    let offset = ipa.lowerBound & (alignment - 1)
    guard self[.nextHVA] > size + offset + 2 * alignment else { return nil }
    let hva = (self[.nextHVA] - size - offset) & ~(alignment - 1) + offset
    self[.nextHVA] = (hva - Self.hugeSize) & ~(Self.hugeSize - 1)
    var flags: VMAFlags = [.present, .write]
    switch backing {
    case .pages: flags.insert(.noHugePages)
    case .transparentHuge: flags.insert(.hugePages)
    case .hugetlb1G: flags.insert(.hugetlb)
    }
    setVMA(hva..<hva + size, flags)
    return hva
  }

  /// Allocates a page that was never used before, so that an address always names the same page.
  mutating func allocateHostPage(size: UInt64) -> UInt64 {
    let page = (self[.nextPage] + size - 1) & ~(size - 1)
    self[.nextPage] = page + size
    return page
  }

  /// The entry of the VMM's table for an address: a leaf, or an empty entry.
  func hostWalk(_ hva: UInt64) -> (entry: HostEntry, level: Int, slot: Int) {
    let end = memory.walk(hostTable, hva)
    return (HostEntry(bits: end.descriptor.bits), end.level, end.slot)
  }

  /// Installs a leaf at `level` where the table has none, allocating the tables above it.
  mutating func setHostLeaf(_ leaf: HostEntry, at hva: UInt64, level target: Int) {
    let table = hostTable
    var end = memory.walk(table, hva, to: target)
    while end.level < target {
      let frame = memory.allocateFrame(FrameRole(.vmmStage1, level: end.level + 1, at: hva))
      memory.store(Descriptor.table(at: Memory.address(ofSlot: frame)).bits, at: end.slot)
      end = memory.walk(table, hva, to: target)
    }
    memory.store(leaf.bits, at: end.slot)
  }

  /// Whether the table has a page middle directory for an address, which decides whether a VMA boundary
  /// inside a 2 MiB region is notified (`mm_find_pmd`).
  func hasMiddleDirectory(_ hva: UInt64) -> Bool { memory.walk(hostTable, hva).level >= 2 }
}
