/// A TLB invalidation that L1 executes for its guests.
public enum GuestInvalidation: Equatable, Sendable {
  /// IPAS2E1IS: one nested IPA, with the level hint of the operand (`ttl`, 0 for none).
  case address(UInt64, ttl: UInt8)
  /// RIPAS2E1IS: a number of granules, by as many instructions as needed.
  case range(UInt64, pages: UInt64, granuleShift: Int)
  /// VMALLS12E1IS: everything of the current VMID.
  case currentVMID
  /// ALLE1IS: everything.
  case all
  /// VMALLE1IS: stage 1 only.
  case stage1

  /// The first nested IPA of a range operation. KVM takes an address of at most 48 bits: bits above 48 of
  /// what the operand holds are lost (`decode_range_tlbi`).
  static func start(ofRangeAt base: UInt64, granuleShift: Int) -> UInt64 {
    base & (1 << 49 - 1) & ~((1 << UInt64(granuleShift)) - 1)
  }

  /// The granules of each instruction of a series that together covers exactly a number of granules.
  ///
  /// RIPAS2E1IS covers (NUM + 1) << (5 * SCALE + 1) granules, with NUM up to 31 and SCALE up to 3. So one
  /// instruction covers no odd number, and not every even one. Linux starts with the largest, and ends
  /// with IPAS2E1IS for an odd granule (`__flush_tlb_range_op`); here that one has a level hint, so that
  /// it covers one granule.
  static func instructions(covering granules: UInt64) -> [UInt64] {
    var counts: [UInt64] = []
    var rest = granules
    for scale: UInt64 in [3, 2, 1, 0] {
      let unit: UInt64 = 1 << (5 * scale + 1)
      while rest >= unit {
        let number = min(rest / unit, 32)
        counts.append(number * unit)
        rest -= number * unit
      }
    }
    return rest > 0 ? counts + [rest] : counts
  }
}

/// The operand of TLBI IPAS2E1 and its variants.
public struct IPAOperand: Equatable, Sendable {
  /// The first address of the page that it names.
  public let ipa: UInt64
  /// The level hint (TTL): in bits 2 and 3 the granule, 0 for no hint, and below it the level.
  public let ttl: UInt8

  /// What a register's bits say: pages in bits 0 to 35, the hint in bits 44 to 47.
  public init(_ bits: UInt64) {
    ipa = bits << 12 & Descriptor.addressMask
    ttl = UInt8(truncatingIfNeeded: bits >> 44 & 15)
  }
}

/// KVM's handling (`sys_regs.c`), for every valid shadow with the current virtual VMID.
extension Machine {
  mutating func guestInvalidationTasks(_ operation: GuestInvalidation, _ vcpu: VCPU) -> [Work] {
    let vmid = VTTBR(self[vcpu, .vttbr]).vmid
    note(.guest(.invalidation(vmid: operation == .all ? nil : vmid)), .guest(vmid))
    if case .range(let base, let pages, let shift) = operation {
      noteInstructions(base, pages, shift, vmid)
    }
    recordCoverage(of: operation, vmid)
    let tasks = unmaps(for: operation, vmid)
    if tasks.isEmpty || validShadows.isEmpty {
      note(.end(.noEffect(operation == .stage1 ? .stage1Only : .noShadow)))
    }
    return tasks
  }

  private func unmaps(for operation: GuestInvalidation, _ vmid: UInt16) -> [Work] {
    let limit = Self.allAddresses.upperBound
    switch operation {
    case .stage1: return []
    case .all:
      let cause = UnmapCause(.guestInvalidation)
      return emptyShadowsTasks(.guestInvalidation, cause) + [.dropVNCR(Self.allAddresses)]
    case .currentVMID: return invalidateTasks(Self.allAddresses, vmid)
    case .range(let base, let pages, let shift):
      var start = GuestInvalidation.start(ofRangeAt: base, granuleShift: shift)
      var tasks: [Work] = []
      for granules in GuestInvalidation.instructions(covering: pages) where start < limit {
        // A range past the end is capped there.
        let end = start + min(granules << UInt64(shift), limit - start)
        tasks += invalidateTasks(start..<end, vmid)
        start = end
      }
      return tasks
    case .address(let address, let ttl):
      let address = address & Descriptor.addressMask
      return matching(vmid).map {
        let size = invalidationSize(address, ttl: ttl, $0)
        let start = address & ~(size - 1)
        return .invalidateShadow($0.index, start..<start + size, vmid: vmid)
      }
    }
  }

  /// Notes it if no single operand encodes a number of granules.
  private mutating func noteInstructions(
    _ base: UInt64, _ pages: UInt64, _ shift: Int, _ vmid: UInt16
  ) {
    let counts = GuestInvalidation.instructions(covering: pages)
    let single = counts.last == 1
    if counts.count == 1, !single { return }
    note(
      .guest(.rangeTaken(granules: pages, ranges: counts.count - (single ? 1 : 0), single: single)),
      .guest(vmid), at: base & ~((1 << UInt64(shift)) - 1))
  }

  private func matching(_ vmid: UInt16) -> [MMU] {
    validShadows.filter { VTTBR(self[$0, .vttbr]).vmid == vmid }
  }

  /// The tasks that unmap nested IPAs of a VMID. Each shadow is asked when its turn comes, since the lock may
  /// have been dropped until then (`kvm_s2_mmu_iterate_by_vmid`).
  private func invalidateTasks(_ range: Range<UInt64>, _ vmid: UInt16) -> [Work] {
    if matching(vmid).isEmpty { return [] }
    return (0..<configuration.shadows).map {
      .invalidateShadow(shadow($0).index, range, vmid: vmid)
    }
  }

  /// `compute_tlb_inval_range`: the size from the hint, else from the shadow's first tagged leaf, else
  /// the granule's largest.
  func invalidationSize(_ address: UInt64, ttl: UInt8, _ mmu: MMU) -> UInt64 {
    let shift = VTCR(self[mmu, .vtcr]).granuleShift
    let hint = ttl != 0 ? ttl : taggedHint(address, shift, mmu)
    return Self.size(ofHint: hint) ?? Self.largestSize(shift)
  }

  /// `get_guest_mapping_ttl`: sizes ascending; the leaf at the aligned address may hold the level of
  /// L1's leaf, which must cover the address.
  private func taggedHint(_ address: UInt64, _ granuleShift: Int, _ mmu: MMU) -> UInt8 {
    let table = table(of: mmu)
    let granule = UInt8(granuleShift == 12 ? 1 : granuleShift == 14 ? 2 : 3) << 2
    var start = address
    for level in [3, 2, 1] {
      guard let size = Self.size(ofHint: granule | UInt8(level)) else { continue }
      start &= ~(size - 1)
      let end = memory.walk(table, start)
      guard end.isLeaf, end.descriptor.guestLevel != 0 else { continue }
      let hint = granule | UInt8(end.descriptor.guestLevel)
      let covered = Self.size(ofHint: hint) ?? 1 << 30
      return address < start + covered ? hint : 0
    }
    return 0
  }

  /// Bytes of a level hint (`__ttl_to_size`), or nil for a meaningless hint.
  static func size(ofHint ttl: UInt8) -> UInt64? {
    switch ttl {
    case 0b0101: 1 << 30
    case 0b0110: 2 << 20
    case 0b0111: 4 << 10
    case 0b1010: 32 << 20
    case 0b1011: 16 << 10
    case 0b1110: 512 << 20
    case 0b1111: 64 << 10
    default: nil
    }
  }

  private static func largestSize(_ granuleShift: Int) -> UInt64 {
    switch granuleShift {
    case 12: 1 << 30
    case 14: 32 << 20
    default: 512 << 20
    }
  }
}
