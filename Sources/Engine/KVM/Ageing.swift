/// page_idle: the host asks whether pages were used.
extension Machine {
  /// Sets the idle flag of the page at an IPA, after ageing it.
  mutating func markIdle(_ ipa: UInt64, in slot: Memslot) {
    guard let page = idleCandidate(ipa, in: slot) else { return note(.noEffect(.notTracked)) }
    age(page, ipa)
    let entry = memory.load(page.slot)
    note(.idleSet, .host, at: page.start)
    memory.store(entry | HostEntry.idle, at: page.slot)
  }

  /// Reads the idle flag of the page at an IPA: an idle page is aged again, and if it was young the flag
  /// goes.
  mutating func testIdle(_ ipa: UInt64, in slot: Memslot) {
    guard let page = idleCandidate(ipa, in: slot) else { return note(.noEffect(.notTracked)) }
    guard page.entry.has(HostEntry.idle) else { return note(.noEffect(.notIdle)) }
    let young = age(page, ipa)
    note(.idleTested, .host, at: page.start, value: young ? 0 : 1)
    if young {
      memory.store(memory.load(page.slot) & ~HostEntry.idle, at: page.slot)
    }
  }

  /// Whether the idle flag of the page at an IPA is set.
  public func isIdle(_ ipa: UInt64) -> Bool {
    guard let slot = memslot(at: ipa) else { return false }
    return hostWalk(hva(of: ipa, in: slot)).entry.has(HostEntry.idle)
  }

  private typealias IdlePage = (entry: HostEntry, slot: Int, start: UInt64, size: UInt64)

  /// The page that page_idle would look at: an anonymous page, by its first 4 KiB; tails of huge pages
  /// and the zero pages are passed over (`page_idle_get_folio`).
  private func idleCandidate(_ ipa: UInt64, in slot: Memslot) -> IdlePage? {
    let hva = hva(of: ipa, in: slot)
    let (entry, level, entrySlot) = hostWalk(hva)
    let size = hostTable.geometry.size(level)
    let start = hva & ~(size - 1)
    guard entry.has(Descriptor.valid), !entry.has(HostEntry.zero), level >= 2,
      hva & ~4095 == start
    else { return nil }
    return (entry, entrySlot, start, size)
  }

  /// Clears the access flags of a page, in the VMM's table and in the canonical table, and says whether
  /// one was set. Shadow tables are left alone, and no TLB is invalidated (`kvm_age_gfn`).
  @discardableResult
  private mutating func age(_ page: IdlePage, _ ipa: UInt64) -> Bool {
    let wasAccessed = page.entry.has(HostEntry.accessed)
    note(.age, .host, at: page.start, size: page.size)
    memory.store(page.entry.bits & ~HostEntry.accessed, at: page.slot)
    let start = ipa & ~(page.size - 1)
    let aged = clear(
      Descriptor.accessed, in: start..<start + page.size, of: table(of: canonical), .ageLeaf)
    return wasAccessed || aged > 0
  }
}
