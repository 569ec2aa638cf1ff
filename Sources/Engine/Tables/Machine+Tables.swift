/// Reading whole tables.
extension Machine {
  /// The table of a context, or nil if it does not exist. Only tables that the host keeps; for L1's own
  /// see `guestTable`.
  public func table(_ id: TableID) -> Table? {
    switch id {
    case .canonical: table(of: canonical)
    case .shadow(let number):
      (0..<configuration.shadows).contains(number) ? table(of: shadow(number)) : nil
    case .vmmStage1: hostTable
    case .guest: nil
    case .iommu(let device): domainTable(ofDevice: device)
    case .pkvmHost: protectedTables.first
    case .protectedGuest(let number): protectedGuest(number).map { table(of: $0) }
    }
  }

  /// All tables that exist now except the VMM's own, each once: the CPUs', L1's, the shadows in use, and those
  /// that are kept for devices, whether one uses them or not. Of L1's tables with one VMID only the first has a
  /// name.
  public var tableIDs: [TableID] {
    let isProtected = configuration.isolation.pkvm != nil
    return (isProtected ? [] : [.canonical])
      + (isProtected ? [.pkvmHost] : [])
      + protectedGuests.map { .protectedGuest($0.number) }
      + guestTables.map(\.vttbr.vmid).reduce(into: []) { vmids, vmid in
        if vmids.last != vmid { vmids.append(vmid) }
      }.map { .guest($0) }
      + (0..<configuration.shadows).filter { shadowContext($0).isValid }.map { .shadow($0) }
      + ownDomainTables.map(\.id)
  }

  /// The CPUs' table that devices share, or with which theirs is compared: the host's under pKVM, else
  /// the VM's.
  public var cpuTableID: TableID { ownership.cpuTable }

  /// Who makes and changes a table of this machine; without a table KVM where there is an RMP, else nil.
  func keeper(of id: TableID?) -> TableKind.Keeper? {
    guard let kept = id?.kind.keeper else {
      return configuration.isolation == .rmp ? .amdKVM : nil
    }
    return switch (configuration.isolation, kept) {
    case (.cca, .kvm), (.cca, .iommu): .realmManager
    case (.pkvm, .iommu): .pkvmDriver
    case (.rmp, .kvm): .amdKVM
    case (.rmp, .iommu): .amdDriver
    case (.none, _), (.cca, _), (.pkvm, _), (.rmp, _): kept
    }
  }

  /// Bytes that the leaf at an input address of a table maps, or nil if there is none.
  public func leafSize(at address: UInt64, of table: Table) -> UInt64? {
    guard address < table.geometry.inputSize else { return nil }
    let end = memory.walk(table, address)
    return end.isLeaf ? table.geometry.size(end.level) : nil
  }
}

/// A stage-2 table that L1 keeps in its own memory.
public struct GuestTable: Equatable, Sendable {
  /// L1's VTTBR_EL2.
  public let vttbr: VTTBR
  /// L1's VTCR_EL2, one that can be walked.
  public let vtcr: VTCR

  /// The shape of the table; what entries that are not valid hold is L1's own affair.
  public var geometry: Geometry {
    var shape = vtcr.geometry
    shape.keepsNotes = false
    return shape
  }

  /// Canonical IPA of the root.
  public var root: UInt64 { vttbr.base & ~(UInt64(vtcr.geometry.rootEntries) * 8 - 1) }
}

extension Machine {
  /// L1's tables that are in use, by a vCPU or a shadow, in the order of their VMIDs.
  public var guestTables: [GuestTable] {
    var found: [GuestTable] = []
    // A recording does not contain L1's memory.
    if configuration.isRecorded { return [] }
    func add(_ vttbr: UInt64, _ vtcr: UInt64) {
      let table = GuestTable(
        vttbr: VTTBR(vttbr & ~VTTBR.commonNotPrivate), vtcr: VTCR(vtcr))
      if table.vtcr.isWalkable, !found.contains(table) { found.append(table) }
    }
    for number in 0..<configuration.vcpus {
      let vcpu = vcpu(number)
      if self[vcpu, .hcr] & 1 != 0 { add(self[vcpu, .vttbr], self[vcpu, .vtcr]) }
    }
    for mmu in validShadows where self[mmu, .stage2Enabled] != 0 {
      add(self[mmu, .vttbr], self[mmu, .vtcr])
    }
    return found.sorted { $0.vttbr.bits < $1.vttbr.bits }
  }

  /// The first of L1's tables in use with the virtual VMID of `id`; nil if `id` names another kind.
  public func guestTable(_ id: TableID) -> GuestTable? {
    guard case .guest(let vmid) = id else { return nil }
    return guestTables.first { $0.vttbr.vmid == vmid }
  }

  /// The current word of L1's memory at a canonical IPA; faults nothing in. Nil outside all
  /// slots and mappings.
  ///
  /// - Parameter past: stores whose values stay hidden.
  public func peekGuestMemory(at ipa: UInt64, _ past: PastWords = PastWords()) -> UInt64? {
    guestPage(at: ipa).map {
      let word = Int(ipa >> 3 & 511)
      return past.isEmpty ? $0[word] : $0.word(word, in: past)
    }
  }
}
