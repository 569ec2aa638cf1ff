/// What KVM found in L1's stage-2 table for a nested IPA (`struct kvm_s2_trans`).
public struct GuestTranslation: Equatable, Sendable {
  /// Canonical IPA.
  public let output: UInt64
  /// Bytes that L1's leaf maps.
  public let size: UInt64
  /// Level of L1's leaf.
  public let level: Int
  /// L1's leaf.
  public let descriptor: Descriptor

  /// A contiguous run is one leaf for the output address, but not for the size.
  init(leaf: Descriptor, level: Int, nested: UInt64, geometry: Geometry) {
    let run = leaf.bits & Descriptor.contiguous != 0 ? UInt64(geometry.contiguousRun(level)) : 1
    let mask = geometry.size(level) * run - 1
    output = leaf.bits & Descriptor.addressMask & ~mask | nested & mask
    size = geometry.size(level)
    self.level = level
    descriptor = leaf
  }
}

/// Result of walking L1's table in software.
enum GuestWalk {
  case output(GuestTranslation)
  /// A fault for L1; `error` if KVM_RUN fails with EFAULT as well.
  case fault(FaultStatus, error: Bool)
  /// The host must act first.
  case first([Task])
}

/// Result of reading or changing a word of L1's memory on its behalf.
enum GuestMemory {
  case word(UInt64, physical: UInt64)
  case unreadable
  case first([Task])
}

/// KVM's software walk of L1's stage-2 table (`walk_nested_s2_pgd`).
extension Machine {
  mutating func walkGuest(_ nested: UInt64, vttbr: VTTBR, vtcr: VTCR) -> GuestWalk {
    let geometry = vtcr.geometry
    let inputBits = geometry.inputBits
    // Sizes that the walker does not know at all are not even given a fault status.
    guard (25...48).contains(inputBits) else {
      note(.fault(.guestWalkRefused(vtcr)), guestID(vttbr), at: nested)
      return .fault(FaultStatus(0), error: true)
    }
    guard vtcr.isWalkable else {
      note(.fault(.guestWalkRefused(vtcr)), guestID(vttbr), at: nested)
      return .fault(FaultStatus(.translation, level: 0), error: true)
    }
    let outputMask = ~((1 << UInt64(vtcr.outputBits)) - 1) & Descriptor.addressMask
    var table = vttbr.base & ~(UInt64(geometry.rootEntries) * 8 - 1)
    if table & outputMask != 0 { return .fault(FaultStatus(.addressSize, level: 0), error: false) }

    var level = geometry.startLevel
    while true {
      // Bits of the address above the input size are ignored: they alias.
      let place = table | UInt64(geometry.index(nested, level)) * 8
      let descriptor: Descriptor
      switch readGuestMemory(at: place) {
      case .first(let tasks): return .first(tasks)
      case .unreadable:
        note(.fault(.guestUnreadable(at: place)), guestID(vttbr), at: nested, level: level)
        return .fault(FaultStatus(.externalOnWalk, level: level), error: true)
      case .word(let bits, _): descriptor = Descriptor(bits)
      }
      note(
        .fault(.guestRead(descriptor, at: place)), guestID(vttbr), at: nested,
        size: geometry.size(level), level: level)

      if !descriptor.isValid || level == 3 && !descriptor.isLeaf(3) {
        return .fault(FaultStatus(.translation, level: level), error: false)
      }
      if descriptor.isTable(level) {
        if descriptor.bits & outputMask != 0 {
          return .fault(FaultStatus(.addressSize, level: level), error: false)
        }
        table = descriptor.address(granuleShift: geometry.granuleShift)
        level += 1
        continue
      }
      if !geometry.allowsLeaf(level) {
        return .fault(FaultStatus(.translation, level: level), error: false)
      }
      if descriptor.bits & outputMask != 0 {
        return .fault(FaultStatus(.addressSize, level: level), error: false)
      }
      return finishGuestWalk(
        descriptor, at: place, level: level, for: nested, vttbr: vttbr, vtcr: vtcr)
    }
  }

  /// The leaf is found: access flag, then the output address.
  private mutating func finishGuestWalk(
    _ leaf: Descriptor, at place: UInt64, level: Int, for nested: UInt64, vttbr: VTTBR, vtcr: VTCR
  ) -> GuestWalk {
    let geometry = vtcr.geometry
    var leaf = leaf
    if leaf.bits & Descriptor.accessed == 0 {
      guard vtcr.hardwareAccessFlag else {
        return .fault(FaultStatus(.accessFlag, level: level), error: false)
      }
      leaf.bits |= Descriptor.accessed
      switch writeGuestMemory(leaf.bits, at: place) {
      case .first(let tasks): return .first(tasks)
      case .unreadable:
        // The VMM may only read this memory. No fault status was chosen yet, so L1 is given code 0.
        return .fault(FaultStatus(0), error: true)
      case .word:
        note(
          .fault(.guestAccessFlag(leaf, at: place)), guestID(vttbr), at: nested, level: level)
      }
    }
    return .output(
      GuestTranslation(leaf: leaf, level: level, nested: nested, geometry: geometry))
  }

  private func guestID(_ vttbr: VTTBR) -> TableID { .guest(vttbr.vmid) }

  /// `kvm_read_guest` of one word: through the VMM's address space, which may fault the page in.
  mutating func readGuestMemory(at ipa: UInt64) -> GuestMemory {
    accessGuestMemory(at: ipa, write: false)
  }

  /// `__kvm_at_swap_desc`: a store to L1's memory, which also marks the page dirty.
  private mutating func writeGuestMemory(_ value: UInt64, at ipa: UInt64) -> GuestMemory {
    let result = accessGuestMemory(at: ipa, write: true)
    guard let slot = usableMemslot(at: ipa) else { return result }
    switch result {
    case .word(_, let physical):
      storeGuestWord(value, at: physical)
      markDirty(ipa, in: slot)
    case .unreadable: note(.fault(.hostRefused), .host, at: hva(of: ipa, in: slot))
    case .first: break
    }
    return result
  }

  private mutating func accessGuestMemory(at ipa: UInt64, write: Bool) -> GuestMemory {
    guard let slot = usableMemslot(at: ipa) else { return .unreadable }
    switch hostFault(hva(of: ipa, in: slot), write: write) {
    case .badAddress: return .unreadable
    case .first(let tasks): return .first(tasks)
    case .resolved(let entry, let level):
      let physical = entry.address | ipa & (hostTable.geometry.size(level) - 1)
      return .word(guestWord(at: physical), physical: physical)
    }
  }
}

extension VTCR {
  /// Whether the start level fits the granule and the input size (`check_base_s2_limits`, for 48 bits of
  /// physical address).
  var isWalkable: Bool {
    let geometry = self.geometry
    guard geometry.startLevel >= (geometry.granuleShift == 12 ? 0 : 1), geometry.startLevel <= 3
    else { return false }
    let rootBits = geometry.inputBits - Int(geometry.shift(geometry.startLevel))
    return (1...geometry.stride + 4).contains(rootBits)
  }
}
