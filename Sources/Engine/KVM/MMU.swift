/// A stage-2 context (`struct kvm_s2_mmu`): the VM's own, or that of a shadow table. A record in memory.
public struct MMU: Equatable, Sendable {
  /// 0 for the canonical one, 1 + n for shadow n.
  let index: Int
  /// Slot of the record's first word.
  let base: Int

  enum Field: Int, RecordField {
    /// Slot of the root table.
    case root
    /// Id of the hardware VMID, 0 before the first use (`struct kvm_vmid`); see `VMIDAllocator`.
    case vmid
    /// L1's VTTBR without CnP; with CnP set, the context is not in use (`tlb_vttbr`).
    case vttbr
    /// L1's VTCR (`tlb_vtcr`).
    case vtcr
    /// Whether L1 had stage 2 on (`nested_stage2_enabled`).
    case stage2Enabled
    /// Whether everything must be unmapped before it is used again (`pending_unmap`).
    case pendingUnmap
    /// Tree from canonical IPA to nested IPA.
    case reverseMap
    /// Tree from nested IPA to canonical IPA.
    case directMap = 9
    /// Whether an insertion into the reverse map failed (`nested_revmap_broken`). Of a map that was only seen, the
    /// canonical IPA from which on no dump tells what it holds, with bit 1 set; 0 if all is told.
    case broken = 12
    /// Number of unmaps under way that may drop `mmu_lock`: of everything, or of long ranges
    /// that L1 invalidates.
    case sweeps
    /// Pin count of the VMID.
    case pins

    static let count = 16

    var words: [WordClass] {
      switch self {
      case .root: [.history]
      case .vmid, .vttbr, .vtcr, .stage2Enabled, .pendingUnmap, .broken, .sweeps, .pins: [.state]
      case .reverseMap, .directMap: RangeTree.words
      }
    }
  }

  /// The fields that identify the context that a shadow serves.
  static let contextFields: [Field] = [.vttbr, .vtcr, .stage2Enabled]

  package var reverseMap: RangeTree {
    RangeTree(
      slot: base + Field.reverseMap.rawValue, number: Self.firstMap + 2 * UInt64(index))
  }
  var directMap: RangeTree {
    RangeTree(
      slot: base + Field.directMap.rawValue, number: Self.firstMap + 2 * UInt64(index) + 1)
  }

  /// Number of the first tree of a context.
  private static let firstMap: UInt64 = 16

  /// Whether it is the VM's own.
  var isCanonical: Bool { index == 0 }

  /// The table that it describes.
  var tableID: TableID { isCanonical ? .canonical : .shadow(index - 1) }
}

extension Machine {
  subscript(mmu: MMU, field: MMU.Field) -> UInt64 {
    @inline(__always) get { memory.load(mmu.base + field.rawValue) }
    @inline(__always) set { memory.store(newValue, at: mmu.base + field.rawValue) }
  }

  /// The VM's own context.
  var canonical: MMU { mmu(0) }

  func mmu(_ index: Int) -> MMU {
    MMU(index: index, base: layout.mmus + index * MMU.Field.count)
  }

  /// The context of shadow `number`.
  package func shadow(_ number: Int) -> MMU { mmu(1 + number) }

  /// Whether a shadow is in use (`kvm_s2_mmu_valid`).
  func isValid(_ mmu: MMU) -> Bool { self[mmu, .vttbr] & VTTBR.commonNotPrivate == 0 }

  func geometry(of mmu: MMU) -> Geometry {
    // A shadow has the PA range that L1 is shown, not the VM's IPA space (`init_nested_s2_mmu`).
    .stage2(
      bits: mmu.isCanonical ? configuration.ipaBits : VMConfiguration.physicalBits,
      configuration.evidence.format)
  }

  func table(of mmu: MMU) -> Table {
    Table(
      id: mmu.tableID, root: Int(self[mmu, .root]), geometry: geometry(of: mmu),
      vmid: vmid(ofID: self[mmu, .vmid]))
  }

  /// All of the context's input addresses.
  func inputRange(of mmu: MMU) -> Range<UInt64> { 0..<geometry(of: mmu).inputSize }

  /// Creates the canonical context and the shadows with their root tables (`kvm_init_stage2_mmu`).
  mutating func createStage2() {
    for index in 0...configuration.shadows {
      let mmu = mmu(index)
      let pages = geometry(of: mmu).rootPages
      self[mmu, .root] = UInt64(memory.allocateRoot(of: mmu.tableID, geometry(of: mmu)))
      tally.tablesAllocated += pages
      if !mmu.isCanonical { self[mmu, .vttbr] = VTTBR.commonNotPrivate }
    }
  }
}

/// The context that a shadow serves.
public struct ShadowContext: Equatable, Sendable {
  /// Whether it is in use.
  public let isValid: Bool
  /// L1's VTTBR_EL2, without CnP.
  public let vttbr: UInt64
  /// L1's VTCR_EL2.
  public let vtcr: UInt64
  /// Whether L1 had stage 2 on (HCR_EL2.VM).
  public let stage2Enabled: Bool
  /// Whether it will be emptied before it is used again.
  public let pendingUnmap: Bool
  /// Hardware VMID, 0 before the first use.
  public let vmid: UInt16
}

extension Machine {
  /// The context that shadow `number`, which must exist, serves now.
  public func shadowContext(_ number: Int) -> ShadowContext {
    let mmu = shadow(number)
    return ShadowContext(
      isValid: isValid(mmu), vttbr: self[mmu, .vttbr], vtcr: self[mmu, .vtcr],
      stage2Enabled: self[mmu, .stage2Enabled] != 0, pendingUnmap: self[mmu, .pendingUnmap] != 0,
      vmid: vmid(ofID: self[mmu, .vmid]))
  }
}
