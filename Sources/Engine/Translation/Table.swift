/// Which translation table something concerns.
public enum TableID: Hashable, Sendable {
  /// `kvm->arch.mmu`: canonical IPA to PA.
  case canonical
  /// A shadow table, by the number of its MMU: nested IPA to PA.
  case shadow(Int)
  /// A table of L1 in its own memory, by virtual VMID: nested IPA to canonical IPA.
  case guest(UInt16)
  /// The VMM's stage-1 table in the host: HVA to PA.
  case host
}

/// A table that the host keeps in frames: where its root is and how it is read.
public struct Table: Equatable, Sendable {
  /// Which table it is.
  public let id: TableID
  /// Slot of the first word of the root.
  public let root: Int
  /// Its shape.
  public let geometry: Geometry
  /// Hardware VMID under which the TLB holds its entries.
  public let vmid: UInt16

  /// Physical address of the root.
  public var rootAddress: UInt64 { Memory.address(ofSlot: root) }
}

/// The entry at which a walk ended.
public struct WalkEnd: Equatable, Sendable {
  /// Slot of the entry.
  public let slot: Int
  /// Its level.
  public let level: Int
  /// Its bits.
  public let descriptor: Descriptor
}

extension Memory {
  /// Follows table entries down to the first that is none: what the hardware's walker, KVM's
  /// `kvm_pgtable_get_leaf` and a reader of the table see for an input address.
  @inline(__always)
  func walk(_ table: Table, _ address: UInt64) -> WalkEnd {
    let geometry = table.geometry
    var level = geometry.startLevel
    var slot = table.root + geometry.index(address, level)
    while true {
      let descriptor = Descriptor(load(slot))
      if !descriptor.isTable(level) {
        return WalkEnd(slot: slot, level: level, descriptor: descriptor)
      }
      level += 1
      slot = Memory.firstSlot(ofFrameAt: descriptor.address) + geometry.index(address, level)
    }
  }
}

/// Result of translating one address by a table.
public enum Translation: Equatable, Sendable {
  /// The output address, from a leaf.
  case output(UInt64, WalkEnd)
  /// A fault, and the entry that caused it.
  case fault(FaultStatus, WalkEnd)
}

extension Machine {
  /// What the hardware's walker gives for an access of EL1 (Arm ARM, AArch64.S2Translate).
  ///
  /// The access flag is not checked: all tables have VTCR.HA set, so the hardware sets it.
  public func translate(_ address: UInt64, by table: Table, for access: AccessKind) -> Translation {
    if address >> UInt64(table.geometry.inputBits) != 0 {
      let end = WalkEnd(
        slot: table.root, level: table.geometry.startLevel, descriptor: Descriptor(0))
      return .fault(FaultStatus(.translation, level: table.geometry.startLevel), end)
    }
    let end = memory.walk(table, address)
    guard end.descriptor.isLeaf(end.level) else {
      return .fault(FaultStatus(.translation, level: end.level), end)
    }
    guard end.descriptor.permissions.allow(access) else {
      return .fault(FaultStatus(.permission, level: end.level), end)
    }
    let offset = address & (table.geometry.size(end.level) - 1)
    return .output(end.descriptor.address | offset, end)
  }
}
