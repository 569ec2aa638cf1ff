/// Reading whole tables.
extension Machine {
  /// The table of a context that the host keeps, or nil for one that does not exist. L1's own tables are
  /// not among them: see `guestTable`.
  public func table(_ id: TableID) -> Table? {
    switch id {
    case .canonical: table(of: canonical)
    case .shadow(let number):
      (0..<configuration.shadows).contains(number) ? table(of: shadow(number)) : nil
    case .host: hostTable
    case .guest: nil
    case .iommu(let device): domainTable(ofDevice: device)
    case .protectedHost: configuration.isolation.pkvm != nil ? protectedHostTable : nil
    case .protectedGuest(let number): protectedGuest(number).map { table(of: $0) }
    }
  }

  /// The table of CPUs that devices share, or that theirs is compared with: the host's under pKVM, else the
  /// VM's.
  public var cpuTableID: TableID {
    configuration.isolation.pkvm != nil ? .protectedHost : .canonical
  }

  /// Bytes that the leaf at an input address of a table maps, or nil if there is none.
  public func leafSize(at address: UInt64, of table: Table) -> UInt64? {
    guard address < table.geometry.inputSize else { return nil }
    let end = memory.walk(table, address)
    return end.descriptor.isLeaf(end.level) ? table.geometry.size(end.level) : nil
  }

  /// Calls `visit` for every entry that is not a table, in ascending order of addresses: what a leaf
  /// walker of `kvm_pgtable_walk` sees.
  public func visitEntries(of table: Table, _ visit: (TableLeaf) -> Void) {
    visitEntries(
      at: 0, frame: table.root, entries: table.geometry.rootEntries,
      level: table.geometry.startLevel, table.geometry, visit)
  }

  private func visitEntries(
    at base: UInt64, frame: Int, entries: Int, level: Int, _ geometry: Geometry,
    _ visit: (TableLeaf) -> Void
  ) {
    for index in 0..<entries {
      let entry = Descriptor(memory.load(frame + index))
      let address = base + UInt64(index) << geometry.shift(level)
      if entry.isTable(level) {
        visitEntries(
          at: address, frame: Memory.firstSlot(ofFrameAt: entry.address),
          entries: geometry.tableEntries, level: level + 1, geometry, visit)
      } else {
        visit(TableLeaf(address: address, level: level, slot: frame + index, descriptor: entry))
      }
    }
  }
}

/// A stage-2 table that L1 keeps in its own memory.
public struct GuestTable: Equatable, Sendable {
  /// L1's VTTBR_EL2.
  public let vttbr: VTTBR
  /// L1's VTCR_EL2, which can be walked.
  public let vtcr: VTCR

  /// Canonical IPA of the root.
  public var root: UInt64 { vttbr.base & ~(UInt64(vtcr.geometry.rootEntries) * 8 - 1) }
}

extension Machine {
  /// Tables of one guest that are visited at most; a table that points to itself has no end.
  public static let guestTableLimit = 1 << 14

  /// L1's tables that are in use, by a vCPU or a shadow, in the order of their VMIDs.
  public var guestTables: [GuestTable] {
    var found: [GuestTable] = []
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

  /// The word of L1's memory at a canonical IPA as it is, without faulting anything in; nil outside all
  /// slots and mappings.
  public func peekGuestMemory(at ipa: UInt64) -> UInt64? {
    guard let slot = memslot(at: ipa) else { return nil }
    let hva = hva(of: ipa, in: slot)
    guard vma(at: hva) != nil else { return nil }
    let (entry, level, _) = hostWalk(hva)
    guard entry.has(Descriptor.valid) else { return 0 }
    return guestWord(at: entry.address | ipa & (hostTable.geometry.size(level) - 1))
  }

  /// Calls `visit` for every entry of L1's table that is not a table, in ascending order; the slot is
  /// that of no word. False if the table has too many parts to be visited.
  @discardableResult
  public func visitEntries(
    of guest: GuestTable, _ visit: (TableLeaf, _ place: UInt64) -> Void
  ) -> Bool {
    var left = Self.guestTableLimit
    let geometry = guest.vtcr.geometry
    visitGuestEntries(
      at: 0, table: guest.root, entries: geometry.rootEntries, level: geometry.startLevel, geometry,
      &left, visit)
    return left > 0
  }

  private func visitGuestEntries(
    at base: UInt64, table: UInt64, entries: Int, level: Int, _ geometry: Geometry,
    _ left: inout Int, _ visit: (TableLeaf, UInt64) -> Void
  ) {
    left -= 1
    for index in 0..<entries {
      if left <= 0 { return }
      let place = table + UInt64(index) * 8
      let entry = Descriptor(peekGuestMemory(at: place) ?? 0)
      let address = base + UInt64(index) << geometry.shift(level)
      if entry.isTable(level) {
        visitGuestEntries(
          at: address, table: entry.address(granuleShift: geometry.granuleShift),
          entries: geometry.tableEntries, level: level + 1, geometry, &left, visit)
      } else {
        visit(TableLeaf(address: address, level: level, slot: -1, descriptor: entry), place)
      }
    }
  }
}
