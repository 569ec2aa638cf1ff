/// A table that the host keeps in frames, with 4 KiB granule: where its root is and how it is read.
public struct Table: Equatable, Sendable {
  /// Which table it is.
  public let id: TableID
  /// Slot of the first word of the root.
  public let root: Int
  /// Its shape.
  public let geometry: Geometry
  /// Hardware VMID, or at stage 1 the ASID, under which the TLB holds its entries.
  public let vmid: UInt16
  /// Whether there can be TLB entries of the table. A context on which no vCPU ever ran has no VMID: its
  /// word is 0.
  let hasVMID: Bool

  /// Log2 of the bytes that an entry of the root covers.
  let rootShift: UInt64
  /// The bits of an input address.
  let inputMask: UInt64

  @inline(__always)
  init(id: TableID, root: Int, geometry: Geometry, vmid: UInt16, hasVMID: Bool) {
    self.hasVMID = hasVMID
    self.id = id
    self.root = root
    self.geometry = geometry
    self.vmid = vmid
    rootShift = geometry.shift(geometry.startLevel)
    inputMask = geometry.inputSize &- 1
  }

  /// A table; a VMID of 0 means that it has none.
  @inline(__always)
  init(id: TableID, root: Int, geometry: Geometry, vmid: UInt16) {
    self.init(id: id, root: root, geometry: geometry, vmid: vmid, hasVMID: vmid != 0)
  }

  /// The context that tags its TLB entries. A device's stage 1 has one of the SMMU's own ASIDs (CD.ASET).
  var context: TranslationContext {
    switch geometry.format {
    case .stage2, .dump: .vmid(vmid)
    case .stage1, .process: .asid(vmid, isPrivate: true)
    }
  }

  /// Slot of the root's entry for an input address.
  @inline(__always)
  func rootSlot(_ address: UInt64) -> Int {
    root &+ Int(truncatingIfNeeded: (address & inputMask) &>> rootShift)
  }

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

  /// Whether it is a block or page.
  @inline(__always)
  public var isLeaf: Bool { descriptor.isLeaf(level) }

  /// Whether it points to a table, as when the walk was limited to its level.
  @inline(__always)
  var isTable: Bool { descriptor.isTable(level) }
}

extension Memory {
  /// Follows table entries down to the first entry that is not a table, or to level `last`: what the
  /// hardware's walker, KVM's `kvm_pgtable_get_leaf` and a reader of the table see for an input address.
  @inline(__always)
  func walk(_ table: Table, _ address: UInt64, to last: Int = Geometry.lastLevel) -> WalkEnd {
    var level = table.geometry.startLevel
    var bits = load(table.rootSlot(address))
    if bits & 3 != 3 || level == last {
      return WalkEnd(
        slot: table.rootSlot(address), level: level,
        descriptor: Descriptor(bits, table.geometry.format))
    }
    // The offset of an entry in its table is the address's index for the level, times 8.
    var shift = table.rootShift &- 12
    while true {
      let frame = bits & Descriptor.addressMask
      let offset = address &>> shift & 0xff8
      bits = load(fromFrameAt: frame, offset: offset)
      level &+= 1
      if bits & 3 != 3 || level == last {
        return WalkEnd(
          slot: Memory.firstSlot(ofFrameAt: frame &+ offset), level: level,
          descriptor: Descriptor(bits, table.geometry.format))
      }
      shift &-= 9
    }
  }
}

extension Memory {
  /// The same as it was before some stores.
  func walk(_ table: Table, _ address: UInt64, before past: PastWords) -> WalkEnd {
    var level = table.geometry.startLevel
    var slot = table.rootSlot(address)
    while true {
      let entry = Descriptor(past[slot] ?? load(slot), table.geometry.format)
      guard entry.isTable(level) else {
        return WalkEnd(slot: slot, level: level, descriptor: entry)
      }
      level += 1
      slot =
        Memory.firstSlot(ofFrameAt: entry.address)
        + Int(address >> UInt64(table.geometry.shift(level)) & 511)
    }
  }
}

/// Result of translating one address through a table.
public struct Translation: Equatable, Sendable {
  /// The entry at which the walk ended.
  public let end: WalkEnd
  /// The fault, or nil if there is an output address.
  public let fault: FaultStatus?

  /// The output address for an input address, given that there is no fault.
  @inline(__always)
  public func output(of address: UInt64, in table: Table) -> UInt64 {
    end.descriptor.address | address & (table.geometry.size(end.level) &- 1)
  }
}

extension Machine {
  /// The entry at which a walk for an input address ends.
  public func walk(_ address: UInt64, in table: Table) -> WalkEnd { memory.walk(table, address) }

  /// The result of the hardware's walk for an access from EL1 (Arm ARM, AArch64.S2Translate).
  ///
  /// The access flag is not checked: all tables have VTCR.HA set, so the hardware sets it.
  public func translate(_ address: UInt64, by table: Table, for access: AccessKind) -> Translation {
    if address > table.inputMask {
      let end = WalkEnd(
        slot: table.root, level: table.geometry.startLevel, descriptor: Descriptor(0))
      return Translation(
        end: end, fault: FaultStatus(.translation, level: table.geometry.startLevel))
    }
    let end = memory.walk(table, address)
    if !end.isLeaf {
      return Translation(end: end, fault: FaultStatus(.translation, level: end.level))
    }
    if !end.descriptor.permissions.allow(access) {
      return Translation(end: end, fault: FaultStatus(.permission, level: end.level))
    }
    return Translation(end: end, fault: nil)
  }
}
