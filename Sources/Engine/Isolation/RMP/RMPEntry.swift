/// AMD's reverse map table (RMP): the owner of each page of memory, and the size at which it was
/// assigned. The format is that of `struct rmpentry_raw` in arch/x86/virt/svm/sev.c:
///
///      63 62 61         51 50           12 11     3  2  1  0
///     +--+--+--+----------+---------------+--------+--+--+--+
///     |U |V |  |   ASID   | guest address |        |I |S |A |   A assigned, S 2M, I immutable, V validated
///     +--+--+--+----------+---------------+--------+--+--+--+
///
/// U, not in memory in the hardware, means that another instruction has locked the entry. A 2M region
/// assigned as one has its entry at its first page; those of the other pages are zero.
public struct RMPEntry: Hashable, Sendable {
  /// The 64 bits.
  public var bits: UInt64

  static let assigned: UInt64 = 1 << 0
  static let large: UInt64 = 1 << 1
  static let validated: UInt64 = 1 << 62
  static let inUse: UInt64 = 1 << 63

  /// The entry with these bits.
  public init(_ bits: UInt64) { self.bits = bits }

  /// An entry that assigns a page to the guest.
  init(guestAddress: UInt64, isLarge: Bool) {
    bits =
      Self.assigned | (isLarge ? Self.large : 0) | guestAddress & 0x7_ffff_ffff_f000
      | Machine.guestASID << 51
  }

  /// Whether a guest owns the page; else it is the hypervisor's.
  public var isAssigned: Bool { bits & Self.assigned != 0 }
  /// Whether it is a 2M entry.
  public var isLarge: Bool { bits & Self.large != 0 }
  /// Whether the guest has accepted it.
  public var isValidated: Bool { bits & Self.validated != 0 }
  /// Whether another instruction has locked it.
  public var isInUse: Bool { bits & Self.inUse != 0 }
  /// The guest's address of the page.
  public var guestAddress: UInt64 { bits & 0x7_ffff_ffff_f000 }
}

extension Machine {
  /// The guest's ASID, which identifies it in the RMP.
  static let guestASID: UInt64 = 1
  static let largeSize: UInt64 = 2 << 20

  private var rmp: SparseArray { SparseArray(root: Register.rmp.slot, .rmp) }

  /// The entry that covers a page, and the first physical address that it covers.
  public func rmpEntry(of physical: UInt64) -> (entry: RMPEntry, start: UInt64) {
    let head = physical & ~(Self.largeSize - 1)
    let large = RMPEntry(rmp.load(head >> 12, from: memory))
    if large.isAssigned, large.isLarge { return (large, head) }
    let page = physical.page
    return (RMPEntry(rmp.load(page >> 12, from: memory)), page)
  }

  mutating func setRMP(_ entry: RMPEntry, at physical: UInt64) {
    rmp.store(entry.bits, at: physical >> 12, in: &memory)
  }

  /// The first page in a range of physical addresses with its own entry.
  func firstRMPEntry(in range: Range<UInt64>) -> UInt64? {
    rmp.firstIndex(
      in: range.lowerBound >> 12..<(range.upperBound + Page.size - 1) >> Page.shift, of: memory
    )
    .map { $0 << 12 }
  }

  /// Whether the IOMMU lets a DMA pass to a page, by the level of the I/O page: both must be of the same
  /// size class, 2M and more, or less.
  ///
  /// A page of the hypervisor has no size; but an I/O page of 2M or more over a region with single guest
  /// pages is also refused.
  ///
  /// Source: Kardashevskiy in [PATCH v8 07/15] iommupt: Add map_pages op, 2026-01-22.
  func passesRMP(_ physical: UInt64, level: Int) -> Bool {
    let (entry, _) = rmpEntry(of: physical)
    let isLargePage = level < Geometry.lastLevel
    if entry.isAssigned { return entry.isLarge == isLargePage }
    if !isLargePage { return true }
    let head = physical & ~(Self.largeSize - 1)
    return firstRMPEntry(in: head..<head + Self.largeSize) == nil
  }
}

/// Ownership under an RMP: each DMA is checked, and there are no other guests' pages.
struct RMPOwnership: Ownership {
  /// An IOMMU caches at most 2M, whatever the leaf's size.
  var lowestCachedLevel: Int { 2 }

  func largestMapping(at ipa: UInt64, of page: UInt64, in machine: Machine) -> UInt64 {
    machine.largestMapping(of: page)
  }

  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange? {
    machine.firstRMPEntry(in: physical..<1 << UInt64(VMConfiguration.physicalBits)).map { page in
      let (entry, start) = machine.rmpEntry(of: page)
      return OwnedRange(
        range: start..<start + (entry.isLarge ? Machine.largeSize : Memory.frameBytes),
        state: .rmp(entry))
    }
  }

  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64? { nil }

  func check(
    _ physical: UInt64, level: Int, isCached: Bool, of machine: Machine
  ) -> DeviceFault? {
    if isCached, machine.configuration.rmp.check == .walk { return nil }
    return machine.passesRMP(physical, level: level) ? nil : .rmp
  }

  /// Without a translation no size can differ: the guest's pages are just not the host's.
  func checkBypass(_ physical: UInt64, of machine: Machine) -> DeviceFault? {
    machine.rmpEntry(of: physical).entry.isAssigned ? .rmp : nil
  }

  /// Failing DMA to pages that the guest still owns: the translation has the wrong size class.
  func violations(of machine: Machine) -> [Violation] {
    if machine[.dmaStalled] != 0 { return [] }
    return machine.attachedDevices.flatMap { device -> [Violation] in
      guard let table = machine.domainTable(ofDevice: device) else { return [] }
      var found: [Violation] = []
      machine.visit(.mapping, of: table) { leaf in
        if let address = machine.firstRefused(
          by: leaf, size: table.geometry.size(leaf.level), device: device)
        {
          found.append(Violation(invariant: .dmaHole, table: table.id, address: address))
        }
      }
      return found
    }
  }
}

extension Machine {
  /// The first address in a device's leaf at which its DMA is refused although the guest owns the page,
  /// apart from stalls; nil if there is none.
  func firstRefused(by leaf: TableEntry, size: UInt64, device: Int) -> UInt64? {
    // All pages of a large leaf behave alike except for cached entries.
    for offset in stride(from: 0, to: size, by: Page.stride) {
      let page = leaf.descriptor.address + offset
      if passesRMP(page, level: leaf.level) { return nil }
      if rmpEntry(of: page).entry.isValidated,
        case .fault(.rmp, _) = checkedOutcome(of: leaf.address + offset, device: device)
      {
        return leaf.address + offset
      }
    }
    return nil
  }
}
