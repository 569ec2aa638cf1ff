/// KVM's result of a walk of L1's stage-2 table for a nested IPA (`struct kvm_s2_trans`).
public struct GuestTranslation: Equatable, Sendable {
  /// Canonical IPA.
  public let output: UInt64
  /// Bytes that L1's leaf maps.
  public let size: UInt64
  /// Level of L1's leaf.
  public let level: Int
  /// L1's leaf.
  public let descriptor: Descriptor

  /// For a contiguous run the output address covers the run, but the size one leaf.
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
  case first([Work])
  /// The host must act before the access flag can be stored; the walk then goes on where it is.
  case firstInHandler([Work])
}

/// Where a walk of L1's table ends.
enum GuestWalkEnd {
  /// A leaf whose access flag is set, or must be set by the walker.
  case leaf(TableEntry)
  case fault(FaultStatus)
  /// An entry of the level could not be read.
  case unread(level: Int)
}

extension GuestTable {
  /// Where a walk for a nested IPA ends, with any reader of words (`walk_nested_s2_pgd`). The table's
  /// VTCR must be walkable.
  ///
  /// - Parameter read: the word at the canonical IPA of an entry at a level; nil ends the walk.
  @inline(__always)
  func end(
    of nested: UInt64, read: (_ place: UInt64, _ level: Int) -> UInt64?
  ) -> GuestWalkEnd {
    let geometry = vtcr.geometry
    if root & geometry.illegalOutputMask != 0 {
      return .fault(FaultStatus(.addressSize, level: 0))
    }
    // Bits of the address above the input size are ignored: they alias.
    let address = nested & (geometry.inputSize - 1)
    var walk = TableWalk(of: self, address..<address + 1, .path)
    var level = geometry.startLevel
    while let entry = walk.next({ read($0, level) }) {
      if entry.kind == .table {
        level += 1
        continue
      }
      if let fault = entry.kind.fault { return .fault(FaultStatus(fault, level: level)) }
      let isAccessed = entry.descriptor.bits & Descriptor.accessed != 0
      return isAccessed || vtcr.hardwareAccessFlag
        ? .leaf(entry) : .fault(FaultStatus(.accessFlag, level: level))
    }
    return .unread(level: level)
  }
}

/// Result of reading or changing a word of L1's memory on its behalf.
enum GuestMemory {
  case word(UInt64, physical: UInt64)
  case unreadable
  case first([Work])
}

/// KVM's software walk of L1's stage-2 table (`walk_nested_s2_pgd`).
extension Machine {
  /// Walks L1's table.
  ///
  /// - Parameter isRead: whether its entries were read before the host had to act.
  mutating func walkGuest(
    _ nested: UInt64, vttbr: VTTBR, vtcr: VTCR, isRead: Bool
  ) -> GuestWalk {
    let geometry = vtcr.geometry
    // Input sizes unknown to the walker do not even get a fault status.
    guard vtcr.hasKnownInputSize else {
      note(.fault(.guestWalkRefused(vtcr)), guestID(vttbr), at: nested)
      return .fault(FaultStatus(0), error: true)
    }
    guard vtcr.isWalkable else {
      note(.fault(.guestWalkRefused(vtcr)), guestID(vttbr), at: nested)
      return .fault(FaultStatus(.translation, level: 0), error: true)
    }
    let guest = GuestTable(vttbr: vttbr, vtcr: vtcr)
    var unreadable: GuestMemory?
    let end = guest.end(of: nested) { place, level in
      let descriptor: Descriptor
      switch readGuestMemory(at: place) {
      case .word(let bits, _): descriptor = Descriptor(bits)
      case let other:
        if case .unreadable = other {
          note(.fault(.guestUnreadable(at: place)), guestID(vttbr), at: nested, level: level)
        }
        unreadable = other
        return nil
      }
      if !isRead {
        note(
          .fault(.guestRead(descriptor, at: place)), guestID(vttbr), at: nested,
          size: geometry.size(level), level: level)
      }
      return descriptor.bits
    }
    switch end {
    case .leaf(let leaf):
      return finishGuestWalk(
        leaf.descriptor, at: leaf.place, level: leaf.level, for: nested, vttbr: vttbr, vtcr: vtcr)
    case .fault(let status): return .fault(status, error: false)
    case .unread(let level):
      if case .first(let tasks) = unreadable { return .first(tasks) }
      return .fault(FaultStatus(.externalOnWalk, level: level), error: true)
    }
  }

  /// The leaf that a walk of L1's table finds, or nil if it ends in a fault. Faults nothing in and sets
  /// no flag.
  ///
  /// - Parameter past: stores whose values stay hidden.
  public func peekGuestWalk(
    _ nested: UInt64, _ guest: GuestTable, _ past: PastWords = PastWords()
  ) -> GuestTranslation? {
    guard guest.vtcr.isWalkable,
      case .leaf(let leaf) = guest.end(
        of: nested, read: { place, _ in peekGuestMemory(at: place, past) })
    else { return nil }
    return GuestTranslation(
      leaf: leaf.descriptor, level: leaf.level, nested: nested, geometry: guest.geometry)
  }

  /// The leaf is found: access flag, then the output address.
  private mutating func finishGuestWalk(
    _ leaf: Descriptor, at place: UInt64, level: Int, for nested: UInt64, vttbr: VTTBR, vtcr: VTCR
  ) -> GuestWalk {
    let geometry = vtcr.geometry
    var leaf = leaf
    if leaf.bits & Descriptor.accessed == 0 {
      leaf.bits |= Descriptor.accessed
      switch writeGuestMemory(leaf.bits, at: place) {
      case .first(let tasks):
        // A fault of the store itself, which is then made again.
        return .firstInHandler(tasks)
      case .unreadable:
        // The VMM may only read this memory.
        return .fault(FaultStatus(.externalOnWalk, level: level), error: false)
      case .word:
        note(
          .fault(.guestAccessFlag(leaf, at: place)), guestID(vttbr), at: nested, level: level)
      }
    }
    return .output(
      GuestTranslation(leaf: leaf, level: level, nested: nested, geometry: geometry))
  }

  private func guestID(_ vttbr: VTTBR) -> TableID { .guest(vttbr.vmid) }

  /// `kvm_read_guest` of one word: through the VMM's address space, so it may fault the page in.
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
    case .unreadable: note(.fault(.hostRefused), .vmmStage1, at: hva(of: ipa, in: slot))
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
  package var isWalkable: Bool {
    let geometry = self.geometry
    guard geometry.startLevel >= (geometry.granuleShift == 12 ? 0 : 1), geometry.startLevel <= 3
    else { return false }
    let rootBits = geometry.inputBits - Int(geometry.shift(geometry.startLevel))
    return (1...geometry.stride + 4).contains(rootBits)
  }

  /// Whether KVM's walk takes the input size at all: 25 to 48 bits (`walk_nested_s2_pgd`).
  var hasKnownInputSize: Bool { (25...48).contains(geometry.inputBits) }
}
