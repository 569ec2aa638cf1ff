/// page_idle: the host asks whether pages were used.
extension Machine {
  /// Sets the idle flag of the page at an IPA, after ageing it.
  mutating func markIdle(_ ipa: UInt64, in slot: Memslot) {
    guard let page = idleCandidate(ipa, in: slot) else { return note(.end(.noEffect(.notTracked))) }
    age(page)
    note(.host(.idleSet), .vmmStage1, at: page.address)
    for entry in mappings(of: page) {
      memory.store(entry.descriptor.bits | HostEntry.idle, at: entry.slot)
    }
  }

  /// Reads the idle flag of the page at an IPA: an idle page is aged again, and the flag is cleared if it
  /// was young.
  mutating func testIdle(_ ipa: UInt64, in slot: Memslot) {
    guard let page = idleCandidate(ipa, in: slot) else { return note(.end(.noEffect(.notTracked))) }
    guard HostEntry(bits: page.descriptor.bits).has(HostEntry.idle) else {
      return note(.end(.noEffect(.notIdle)))
    }
    let young = age(page)
    note(.host(.idleTested(isIdle: !young)), .vmmStage1, at: page.address)
    if young { clearIdle(page.address) }
  }

  /// Whether the idle flag of the page at an IPA is set.
  public func isIdle(_ ipa: UInt64) -> Bool {
    guard let slot = memslot(at: ipa), let page = idleCandidate(ipa, in: slot) else { return false }
    return HostEntry(bits: page.descriptor.bits).has(HostEntry.idle)
  }

  /// The page at an address of the VMM is used: it is no longer idle (`mark_page_accessed`).
  mutating func clearIdle(_ hva: UInt64) {
    let table = hostTable
    let page = TableEntry(memory.walk(table, hva), for: hva, in: table.geometry)
    guard HostEntry(bits: page.descriptor.bits).has(HostEntry.idle) else { return }
    for entry in mappings(of: page) {
      memory.store(entry.descriptor.bits & ~HostEntry.idle, at: entry.slot)
    }
  }

  /// The page that page_idle would check: an anonymous page, by its first 4 KiB; tails of huge pages and
  /// the zero pages are skipped (`page_idle_get_folio`).
  private func idleCandidate(_ ipa: UInt64, in slot: Memslot) -> TableEntry? {
    let hva = hva(of: ipa, in: slot).page
    let table = hostTable
    let page = TableEntry(memory.walk(table, hva), for: hva, in: table.geometry)
    let entry = HostEntry(bits: page.descriptor.bits)
    let isTail = entry.has(HostEntry.part) && entry.address & (Self.hugeSize - 1) != 0
    guard page.isLeaf, !entry.has(HostEntry.zero), !isTail, page.level >= 2, page.address == hva
    else { return nil }
    return page
  }

  /// The entries of the VMM's table that map a page, as they are now (`rmap_walk`): those of all parts of a
  /// huge page that is mapped by 4 KiB entries, those that share a KSM page, else the one it was found by.
  private func mappings(of page: TableEntry) -> [TableEntry] {
    let entry = HostEntry(bits: page.descriptor.bits)
    if entry.has(HostEntry.part) {
      let first = page.address & ~(Self.hugeSize - 1)
      return leaves(in: first..<first + Self.hugeSize) {
        $0.has(HostEntry.part) && ($0.address ^ entry.address) & ~(Self.hugeSize - 1) == 0
      }
    }
    if entry.has(HostEntry.merged) {
      return vmas(in: 0..<1 << 48).filter { $0.flags.contains(.mergeable) }.flatMap {
        leaves(in: $0.range) { $0.has(HostEntry.merged) && $0.address == entry.address }
      }
    }
    return leaves(in: page.address..<page.address + Page.size) { _ in true }
  }

  private func leaves(
    in range: Range<UInt64>, where matches: (HostEntry) -> Bool
  ) -> [TableEntry] {
    var found: [TableEntry] = []
    var walk = TableWalk(of: hostTable, range, .mapping)
    while let leaf = memory.next(&walk) {
      if matches(HostEntry(bits: leaf.descriptor.bits)) { found.append(leaf) }
    }
    return found
  }

  /// Clears the access flags of a page, in the VMM's table and in the canonical table, and returns whether
  /// one was set. Shadow tables are not touched, and no TLB is invalidated (`kvm_age_gfn`): the kernel relies
  /// on eviction over time. Unless the policy keeps TLB entries, the CPUs have replaced theirs by the next
  /// access.
  @discardableResult
  private mutating func age(_ page: TableEntry) -> Bool {
    var wasAccessed = false
    for entry in mappings(of: page) {
      let end = entry.address + hostTable.geometry.size(entry.level)
      note(.host(.age), .vmmStage1, over: entry.address..<end)
      if entry.descriptor.bits & Descriptor.accessed != 0 { wasAccessed = true }
      memory.store(entry.descriptor.bits & ~Descriptor.accessed, at: entry.slot)
      for part in canonicalParts(of: entry.address..<end) {
        let table = table(of: canonical)
        let aged = clear(Descriptor.accessed, in: part, of: table, TableStep.ageLeaf)
        if aged > 0 { wasAccessed = true }
        if table.hasVMID, !configuration.keepsTLB {
          memory.drop(part, .vmid(table.vmid), from: layout.tlb)
        }
      }
    }
    return wasAccessed
  }
}
