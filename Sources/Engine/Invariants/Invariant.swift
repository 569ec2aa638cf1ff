/// A rule that must hold after every event.
public enum Invariant: String, CaseIterable, Sendable {
  /// A leaf maps the page that the VMM now has there, or a page pinned for a device that walks the table.
  case leafOutlivesPage = "leaf-outlives-page"
  /// A leaf is writable only if the VMM's page is: it may be shared with others. Linux 7.3.4 breaks it when
  /// L1 changes an entry without a TLBI: `kvm_pgtable_stage2_relax_perms` makes the old leaf writable
  /// because the new entry's page is.
  case writableLeaf = "writable-leaf"
  /// A shadow leaf, when installed, is L1's entry composed with canonical memory. L1 may change its entry
  /// later; until it invalidates, the leaf is stale, which is legal.
  case shadowComposition = "shadow-composition"
  /// When L1's TLBI returns, none of its shadows maps what it covers; and a recycled shadow holds none of
  /// its old leaves.
  case staleShadow = "stale-shadow"
  /// The counts of table pages and of their entries are right.
  case tableCounts = "table-counts"
  /// No TLB entry translates to a page that its table no longer maps there, or permits more than its leaf
  /// now does. Linux 7.3.4 breaks it where it write-protects shadows for dirty logging:
  /// `kvm_nested_s2_wp` leaves the TLB to its callers, and they invalidate the canonical VMID alone.
  case staleTLB = "stale-tlb"
  /// Every shadow leaf is found when its canonical page is unmapped: a known entry maps it, an unknown
  /// range covers it, or the map is broken.
  case reverseMapCoverage = "revmap-coverage"
  /// The reverse and the direct map hold the same known entries.
  case reverseMapMirror = "revmap-mirror"
  /// The trees of the reverse map are well formed.
  case reverseMapTree = "revmap-tree"
  /// No map is changed under a lock that other vCPUs may also hold.
  case reverseMapLock = "revmap-lock"
  /// No allocation may sleep while `mmu_lock` is held.
  case reverseMapSleep = "revmap-sleep"
  /// No two holders have the same VMID in the current generation.
  case uniqueVMID = "unique-vmid"
  /// KVM's translation of L1's VNCR page leads to the page that the VMM now has there.
  case vncr
  /// No translation of a device, cached or in its table, leads to a page whose owner is not the device's.
  case foreignDMA = "foreign-dma"
  /// Once the sync is done, the SMMU's TLB translates and permits nothing that the table no longer does.
  case staleIOTLB = "stale-iotlb"
  /// Where the device and the CPUs must see the same memory, their tables lead to the same pages.
  case tableAgreement = "table-agreement"
  /// DMA to memory that the device's owner still has does not fail.
  case dmaHole = "dma-hole"
  /// Under pKVM every page has one owner, and the states and tables of all parties agree.
  case pageOwner = "page-owner"
  /// An SMMU that learns of a shared table's changes by broadcast alone uses the CPUs' VMID for it, or
  /// for a process's table its ASID without ASET.
  case mirrorVMID = "mirror-vmid"
}

extension Invariant {
  /// Whether it can be judged of what is known of a machine. Where only tables were seen, none can: what was
  /// done to them, and where entries lead, is not known.
  public func isKnown(from evidence: Evidence) -> Bool {
    switch evidence {
    case .events: true
    case .calls: !needsMemory
    case .dumps: false
    }
  }

  /// Whether it is judged by what the VMM's memory or L1's tables hold, which no recording of a real kernel
  /// tells.
  private var needsMemory: Bool {
    switch self {
    case .leafOutlivesPage, .writableLeaf, .shadowComposition, .reverseMapCoverage, .vncr,
      .tableAgreement, .foreignDMA, .dmaHole:
      true
    case .staleShadow, .tableCounts, .staleTLB, .reverseMapMirror, .reverseMapTree,
      .reverseMapLock, .reverseMapSleep, .uniqueVMID, .staleIOTLB, .pageOwner, .mirrorVMID:
      false
    }
  }
}

/// A broken rule, and where.
public struct Violation: Hashable, Sendable {
  /// Where a rule is broken.
  public enum Place: Hashable, Sendable {
    /// At an input address of the table.
    case address(UInt64)
    /// At a canonical IPA of the table's reverse map, or anywhere in the map.
    case reverseMap(canonical: UInt64?)
    /// In the table as a whole, or its context.
    case table
    /// Not in the table: at another VM, by its number.
    case otherVM(UInt64)
    /// At the VMID or ASID by which the SMMU caches the table's entries.
    case tag(UInt16)
  }

  /// The rule.
  public let invariant: Invariant
  /// The table.
  public let table: TableID
  /// Where.
  public let place: Place

  init(invariant: Invariant, table: TableID, at place: Place) {
    (self.invariant, self.table, self.place) = (invariant, table, place)
  }

  init(invariant: Invariant, table: TableID, address: UInt64) {
    self.init(invariant: invariant, table: table, at: .address(address))
  }

  /// The number of the place: an address, a VM's number, a VMID or ASID; 0 if it has none.
  public var address: UInt64 {
    switch place {
    case .address(let address): address
    case .reverseMap(let canonical): canonical ?? 0
    case .table: 0
    case .otherVM(let number): number
    case .tag(let tag): UInt64(tag)
    }
  }
}

extension Machine {
  /// All rules broken now, by a full scan: the reference for a `RuleChecker`.
  ///
  /// - Parameter stores: the last event's journal entries; leaves among them must be right, while older
  ///   ones may have gone stale.
  public func violations(after stores: Range<Int>) -> [Violation] {
    let pages = HostPages(of: self)
    // A new leaf replaced a LOCKED entry; a leaf that was only changed may already be stale.
    let made = Set(
      stores.lazy.map { memory.journalEntry($0) }.filter { $0.value & Descriptor.valid == 0 }
        .map(\.slot))
    let found =
      leafViolations(pages, made: made, after: stores) + countViolations() + tlbViolations()
      + vmidViolations() + vncrViolations() + deviceViolations() + reverseMapViolations(pages)
      + lockViolations(after: stores) + coverageViolations(after: stores)
      + recyclingViolations(made: made, after: stores)
    return found.filter { $0.invariant.isKnown(from: configuration.evidence) }
  }

  private func leafViolations(
    _ pages: HostPages, made: Set<Int>, after stores: Range<Int>
  ) -> [Violation] {
    var found: [Violation] = []
    for index in 0...configuration.shadows {
      let mmu = mmu(index)
      visit(.mapping, of: table(of: mmu)) { leaf in
        if let rule = fault(of: leaf, of: mmu, pages) {
          found.append(Violation(invariant: rule, table: mmu.tableID, address: leaf.address))
        }
        if !mmu.isCanonical, made.contains(leaf.slot), isMadeWrong(leaf, of: mmu, stores, pages) {
          found.append(
            Violation(invariant: .shadowComposition, table: mmu.tableID, address: leaf.address))
        }
      }
    }
    return found
  }

  /// The rule that a leaf breaks now, or nil.
  func fault(of leaf: TableEntry, of mmu: MMU, _ pages: HostPages) -> Invariant? {
    let size = geometry(of: mmu).size(leaf.level)
    // Pages pinned for devices stay, and the guest may write to them; so do a realm's.
    if isKeptByPins(leaf.descriptor, size: size) || ownership.keeps(leaf, size: size, of: self) {
      return nil
    }
    guard let isWritable = backing(of: leaf, of: mmu, pages) else { return .leafOutlivesPage }
    return leaf.descriptor.permissions.write && !isWritable ? .writableLeaf : nil
  }

  /// Whether the page that a leaf maps is writable, or nil if there is no such page: for the canonical
  /// table at the leaf's own address, for a shadow anywhere.
  private func backing(of leaf: TableEntry, of mmu: MMU, _ pages: HostPages) -> Bool? {
    let size = geometry(of: mmu).size(leaf.level)
    if mmu.isCanonical {
      guard let slot = memslot(at: leaf.address) else { return nil }
      let hva = hva(of: leaf.address, in: slot)
      let (entry, level, _) = hostWalk(hva)
      let hostSize = hostTable.geometry.size(level)
      let isThere =
        entry.has(Descriptor.valid) && hostSize >= size
        && entry.address | hva & (hostSize - 1) == leaf.descriptor.address
      return isThere ? entry.has(HostEntry.write) : nil
    }
    guard let page = pages.page(at: leaf.descriptor.address),
      page.range.upperBound >= leaf.descriptor.address + size
    else { return nil }
    return page.isWritable
  }

  /// Whether a leaf of a shadow that the last event made was not L1's entry, as it was then, composed with
  /// canonical memory. The event's stores to L1's table after it made the leaf do not count.
  func isMadeWrong(
    _ leaf: TableEntry, of mmu: MMU, _ stores: Range<Int>, _ pages: HostPages
  ) -> Bool {
    if isKeptByPins(leaf.descriptor, size: geometry(of: mmu).size(leaf.level))
      || backing(of: leaf, of: mmu, pages) == nil
    {
      return false
    }
    let making = stores.last {
      let (slot, value) = memory.journalEntry($0)
      return slot == leaf.slot && value & Descriptor.valid == 0
    }
    let since = (making ?? stores.upperBound)..<stores.upperBound
    return isStale(leaf, of: mmu, PastWords(before: since, in: memory))
  }

  /// Whether L1's entry, as it was before some stores, composed with canonical memory would not give this
  /// shadow leaf.
  func isStale(_ leaf: TableEntry, of mmu: MMU, _ past: PastWords = PastWords()) -> Bool {
    let geometry = geometry(of: mmu)
    guard self[mmu, .stage2Enabled] != 0 else {
      return !isBacking(leaf.descriptor.address, leaf.address)
    }
    guard let found = peekGuestWalk(leaf.address, guestTable(of: mmu), past) else { return true }
    let allowed = found.descriptor.permissions
    let given = leaf.descriptor.permissions
    return !isBacking(leaf.descriptor.address, found.output)
      || found.size < geometry.size(leaf.level) || found.level != leaf.descriptor.guestLevel
      || given.read && !allowed.read || given.write && !allowed.write
      || given.executeNever != allowed.executeNever
  }

  private func guestTable(of mmu: MMU) -> GuestTable {
    GuestTable(vttbr: VTTBR(self[mmu, .vttbr]), vtcr: VTCR(self[mmu, .vtcr]))
  }

  /// The canonical IPA to which L1 now maps a nested IPA, or nil.
  func guestOutput(of nested: UInt64, _ mmu: MMU) -> UInt64? {
    self[mmu, .stage2Enabled] == 0 ? nested : peekGuestWalk(nested, guestTable(of: mmu))?.output
  }

  /// Checks the entry count of every table page, and the number of table pages.
  private func countViolations() -> [Violation] {
    var found: [Violation] = []
    var pages = 0
    for index in 0...configuration.shadows {
      let table = table(of: mmu(index))
      pages += table.geometry.rootPages
      visit(.tablePre, of: table) { entry in
        pages += 1
        let frame = Memory.firstSlot(ofFrameAt: entry.descriptor.address)
        let used = (frame..<frame + Memory.frameWords).count { memory.load($0) != 0 }
        if !isCountRight(used, ofTableAt: frame) {
          found.append(Violation(invariant: .tableCounts, table: table.id, address: entry.address))
        }
      }
    }
    for table in protectedTables {
      pages += table.geometry.rootPages
      let before = pages
      visit(.tablePre, of: table) { _ in pages += 1 }
      if table.id == .pkvmHost, UInt64(pages - before) != hostTableCount {
        found.append(Violation(invariant: .tableCounts, table: table.id, at: .table))
      }
    }
    for table in ownDomainTables {
      pages += table.geometry.rootPages
      visit(.tablePre, of: table) { _ in pages += 1 }
    }
    pages += detachedTables
    if UInt64(pages) != self[.tablesAllocated] - self[.tablesFreed] {
      found.append(Violation(invariant: .tableCounts, table: .canonical, at: .table))
    }
    return found
  }

  /// Whether a table below the root, from a slot on, may exist with `entries` entries, and the memory's
  /// count agrees.
  func isCountRight(_ entries: Int, ofTableAt slot: Int) -> Bool {
    // An empty table of a realm stays until the host has it destroyed.
    (entries > 0 || ownership.keepsEmptyTables)
      && entries == memory.usedWords(inFrameAt: slot)
  }

  /// Number of table pages that a paused event has unlinked, or not linked yet.
  var detachedTables: Int {
    parkedTaskList.count { task in
      switch task {
      case .freeRealmTable: true
      case .finishReplacing(_, let level, let bits): Descriptor(bits).isTable(level)
      default: false
      }
    }
  }

  /// Ranges of tables that the paused event has yet to invalidate in the CPUs' TLBs.
  var parkedTLBInvalidations: [(table: TableID, range: Range<UInt64>)] {
    parkedTaskList.compactMap { task in
      switch task {
      case .pkvm(.invalidateHost(let range)): (.pkvmHost, range)
      case .endWriteProtection(let range): (.canonical, range)
      case .endDirtyLogStart(let base), .collectDirty(let base, _, _):
        (.canonical, range(of: Memslot(base: base)))
      default: nil
      }
    }
  }

  private func tlbViolations() -> [Violation] {
    let tables = tlbTables
    let parked = isPaused ? parkedTLBInvalidations : []
    return tlbEntries.compactMap { entry in
      tables.first { $0.vmid == entry.vmid }.flatMap { staleness(of: entry, in: $0, parked) }
    }
  }

  /// The tables whose entries the CPUs' TLB may hold, by their VMIDs: of two tables of one VMID the first.
  var tlbTables: [Table] {
    // A VMID of an older generation may now be another's; its own entries were dropped at the rollover.
    protectedTables
      + (0...configuration.shadows).map { mmu($0) }.filter { isCurrent(self[$0, .vmid]) }
      .map { table(of: $0) }
  }

  /// The rule that an entry of the CPUs' TLB breaks, or nil.
  ///
  /// - Parameter parked: ranges of tables that a paused event has yet to invalidate.
  func staleness(
    of entry: TLB.Entry, in table: Table, _ parked: [(table: TableID, range: Range<UInt64>)]
  ) -> Violation? {
    if parked.contains(where: { $0.table == table.id && $0.range.overlaps(entry.range) }) {
      return nil
    }
    let end = memory.walk(table, entry.address)
    let size = table.geometry.size(end.level)
    // A smaller leaf says nothing about the rest of the entry's range.
    let isMapped =
      end.isLeaf && end.level <= entry.level
      && end.descriptor.address | entry.address & (size - 1) == entry.descriptor.address
    return isMapped && !entry.descriptor.permissions.exceed(end.descriptor.permissions)
      ? nil : Violation(invariant: .staleTLB, table: table.id, address: entry.address)
  }
}
