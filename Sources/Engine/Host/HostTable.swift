/// Changes of the VMM's address space, each made by the kernel under the page table lock.
extension Machine {
  /// Changes the flags of part of the address space, and merges it with neighbours that have the same.
  mutating func setFlags(_ part: Range<UInt64>, _ flags: VMAFlags) {
    note(.host(.flags), .vmmStage1, over: part)
    var range = part
    var flags = flags
    for neighbour in [vma(at: part.lowerBound - 1), vma(at: part.upperBound)] {
      guard let neighbour, neighbour.flags.union(.anonymous) == flags.union(.anonymous) else {
        continue
      }
      flags.formUnion(neighbour.flags)
      range =
        min(
          range.lowerBound, neighbour.range.lowerBound)..<max(
          range.upperBound, neighbour.range.upperBound)
    }
    setVMA(range, flags)
  }

  /// `zap_pmd_range`: empties the table for a range. A huge page covered only in part is split first,
  /// with its own notification; returns the tasks for that, after which the zap must be repeated.
  mutating func zap(_ range: Range<UInt64>) -> [Work] {
    for edge in [range.lowerBound, range.upperBound - 1] {
      let start = edge & ~(Self.hugeSize - 1)
      let region = start..<start + Self.hugeSize
      let (entry, level, _) = hostWalk(edge)
      if level == 2, entry.has(Descriptor.valid), region.clamped(to: range) != region {
        return notified(region, .splitHugePage(start)) + [.zap(range)]
      }
    }
    let (found, level) = zapped(in: range)
    note(.host(.zap(found)), .vmmStage1, at: range.lowerBound, size: range.size, level: level)
    if let zapped = changeHostLeaves(in: range, { _, _, _ in 0 }) { invalidateHost(zapped) }
    // A page table whose 2 MiB were all zapped at once is freed (`zap_empty_pte_table`).
    freeHostTables(in: range, level: 2)
    return []
  }

  /// What a zap of a range finds, and the level of the first entry: for the words of a step alone.
  private func zapped(in range: Range<UInt64>) -> (HostStep.Zapped, level: Int) {
    if !steps.isRecording { return (.pages, -1) }
    var walk = TableWalk(of: hostTable, range, .mapping)
    guard let first = memory.next(&walk) else { return (.nothing, -1) }
    return (hasPinnedLeaf(in: range) ? .pinnedPages : .pages, first.level)
  }

  /// The VMAs of a range are taken out of the tree, and `mmap_lock` is downgraded: from now on others may read.
  mutating func removeVMAs(_ range: Range<UInt64>) {
    note(.host(.areasRemoved), .vmmStage1, over: range)
    memory.erase(range, in: vmaTree)
    mapLock = HeldMapLock(.read)
  }

  /// The end of a munmap: the tables that no VMA needs any more (`free_pgtables`).
  mutating func freeHostTables(_ range: Range<UInt64>) {
    for level in [2, 1, 0] {
      let size = hostTable.geometry.size(level)
      var start = range.lowerBound & ~(size - 1)
      while start < range.upperBound {
        if memory.first(in: start..<start + size, of: vmaTree) == nil {
          freeHostTables(in: start..<start + size, level: level)
        }
        start += size
      }
    }
  }

  /// Frees the tables that entries of `level` point to, for entries that lie wholly in the range; the
  /// tables must be empty.
  private mutating func freeHostTables(in range: Range<UInt64>, level: Int) {
    let table = hostTable
    let size = table.geometry.size(level)
    var start = (range.lowerBound + size - 1) & ~(size - 1)
    while start + size <= range.upperBound {
      let end = memory.walk(table, start, to: level)
      if end.level == level, end.descriptor.isTable(level) {
        memory.store(0, at: end.slot)
        memory.freeFrame(Memory.firstSlot(ofFrameAt: end.descriptor.address))
      }
      start += size
    }
  }

  /// Changes every leaf of a range; the caller sees to the TLBs. Returns the range from the first leaf to the
  /// last, or nil if there is none.
  @discardableResult
  private mutating func changeHostLeaves(
    in range: Range<UInt64>, _ change: (Machine, HostEntry, _ level: Int) -> UInt64
  ) -> Range<UInt64>? {
    let table = hostTable
    var changed: Range<UInt64>?
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) {
      memory.store(change(self, HostEntry(bits: leaf.descriptor.bits), leaf.level), at: leaf.slot)
      let end = leaf.address + table.geometry.size(leaf.level)
      changed = (changed?.lowerBound ?? leaf.address)..<end
    }
    return changed
  }

  /// Invalidates a range from its first leaf to its last, if it has one (`tlb_end_vma`).
  mutating func flushHostLeaves(in range: Range<UInt64>) {
    guard isProcessWatched else { return }
    let table = hostTable
    var found: Range<UInt64>?
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) {
      let end = leaf.address + table.geometry.size(leaf.level)
      found = (found?.lowerBound ?? leaf.address)..<end
    }
    if let found { invalidateHost(found) }
  }

  /// `change_protection`. On a change to read-write only exclusive pages become writable at once, hugetlb
  /// pages never. A huge page covered in part is split first.
  mutating func changeProtection(_ range: Range<UInt64>, write: Bool) -> [Work] {
    for edge in [range.lowerBound, range.upperBound - 1] {
      let start = edge & ~(Self.hugeSize - 1)
      let (entry, level, _) = hostWalk(edge)
      if level == 2, entry.has(Descriptor.valid),
        start < range.lowerBound || start + Self.hugeSize > range.upperBound
      {
        return notified(start..<start + Self.hugeSize, .splitHugePage(start))
          + [.changeProtection(range, write: write)]
      }
    }
    note(.host(.protect(write: write)), .vmmStage1, over: range)
    let hugetlb = vma(at: range.lowerBound)?.flags.contains(.hugetlb) ?? false
    let changed = changeHostLeaves(in: range) { _, entry, _ in
      if !write { return entry.bits & ~HostEntry.write }
      return entry.has(HostEntry.exclusive) && !hugetlb
        ? entry.bits | HostEntry.write : entry.bits
    }
    // Of hugetlb the entries are invalidated under the notification, of others after it.
    if hugetlb, let changed { invalidateHost(changed) }
    return []
  }

  /// Whether a leaf of a range leads to a page that is pinned for a device: for the words of a step alone, so
  /// that it is not asked unless steps are recorded. O(leaves) if anything is pinned.
  private func hasPinnedLeaf(in range: Range<UInt64>) -> Bool {
    if !steps.isRecording || self[.pinCounts] == 0 { return false }
    var walk = TableWalk(of: hostTable, range, .mapping)
    while let leaf = memory.next(&walk) {
      if isFolioPinned(HostEntry(bits: leaf.descriptor.bits), level: leaf.level) { return true }
    }
    return false
  }

  /// The effect of fork on the parent: nothing is writable, nothing exclusive. A huge page that is pinned, or of
  /// which a part is, is split first, with its own notification (`copy_huge_pmd`); returns the tasks for that,
  /// and for what comes behind it.
  mutating func protectForFork(_ range: Range<UInt64>) -> [Work] {
    if let start = firstPinnedHugePage(in: range) {
      let before = range.lowerBound..<start
      return (before.isEmpty ? [] : [.protectForFork(before)])
        + notified(start..<start + Self.hugeSize, .splitHugePage(start))
        + [.protectForFork(start..<range.upperBound)]
    }
    let copiesPinned = hasPinnedLeaf(in: range)
    note(.host(.fork(copiesPinned: copiesPinned)), .vmmStage1, over: range)
    // A pinned page is not shared with the child but copied for it (`copy_present_page`).
    changeHostLeaves(in: range) { machine, entry, level in
      machine.isFolioPinned(entry, level: level)
        ? entry.bits : entry.bits & ~(HostEntry.write | HostEntry.exclusive)
    }
    return []
  }

  /// Start of the first huge page in a range that is exclusive, and wholly or in part pinned; nil if there is
  /// none. hugetlb is not split.
  private func firstPinnedHugePage(in range: Range<UInt64>) -> UInt64? {
    if self[.pinCounts] == 0 { return nil }
    var walk = TableWalk(of: hostTable, range, .mapping)
    while let leaf = memory.next(&walk) {
      let entry = HostEntry(bits: leaf.descriptor.bits)
      if leaf.level == 2, entry.has(HostEntry.exclusive), isFolioPinned(entry, level: 2) {
        return leaf.address
      }
    }
    return nil
  }

  /// `pmdp_collapse_flush`: the page table of 2 MiB, at a slot, is no longer linked.
  mutating func unlinkForCollapse(_ start: UInt64) {
    let region = start..<start + Self.hugeSize
    if isProcessWatched {
      note(.host(.cleared), .vmmStage1, at: start, size: Self.hugeSize, level: 2)
    }
    memory.store(0, at: memory.walk(hostTable, start, to: 2).slot)
    invalidateHost(region)
  }

  /// `collapse_huge_page` after its notifier: the pages of an unlinked table are copied into a huge page that
  /// takes their place, and what was absent there is zero.
  mutating func collapse(_ start: UInt64, table: Int) {
    let page = allocateHostPage(size: Self.hugeSize)
    var leaves: [TableEntry] = []
    var walk = TableWalk(
      hostTable.geometry, page: Memory.address(ofSlot: table), level: 3, at: start,
      start..<start + Self.hugeSize, .mapping)
    while let leaf = memory.next(&walk) { leaves.append(leaf) }
    let copied = leaves.count { !HostEntry(bits: $0.descriptor.bits).has(HostEntry.zero) }
    note(
      .host(.collapse(to: page, copied: UInt64(copied))), .vmmStage1, at: start,
      size: Self.hugeSize, level: 2)
    for leaf in leaves {
      copyContents(of: leaf.descriptor.address, to: page + (leaf.address - start))
      memory.store(0, at: leaf.slot)
    }
    memory.freeFrame(table)
    let writable = vma(at: start)?.flags.contains(.write) ?? false ? HostEntry.write : 0
    setHostLeaf(.leaf(page, level: 2, HostEntry.exclusive | writable), at: start, level: 2)
  }
}

/// Flushing TLBs after changes of the VMM's table.
extension Machine {
  /// `flush_tlb_mm`: TLBI ASIDE1IS, everything of the VMM's ASID.
  mutating func invalidateProcess() {
    guard isProcessWatched else { return }
    tally.invalidations += 1
    let asid = UInt16(truncatingIfNeeded: self[.processASID])
    note(.tlb(.hostAll(asid: asid)), .vmmStage1)
    let all = 0..<hostTable.geometry.inputSize
    for hook in hostHooks { hook.didFlushProcess(all, isLocal: false, in: &self) }
  }

  /// `flush_tlb_range`: TLBI VAE1IS by the VMM's ASID, on all CPUs. The CPUs' stage-1 entries are not
  /// modelled, so this does nothing unless a hook watches.
  ///
  /// - Parameter isLocal: on this CPU alone, without a broadcast (TLBF_NOBROADCAST).
  mutating func invalidateHost(_ range: Range<UInt64>, isLocal: Bool = false) {
    guard isProcessWatched else { return }
    tally.invalidations += 1
    let asid = UInt16(truncatingIfNeeded: self[.processASID])
    note(.tlb(.host(asid: asid, isLocal: isLocal)), .vmmStage1, over: range)
    for hook in hostHooks { hook.didFlushProcess(range, isLocal: isLocal, in: &self) }
  }

  /// `ptep_clear_flush`: entries of the VMM's table are cleared and invalidated before they are replaced.
  /// If no hook watches, the new entry replaces them directly.
  mutating func clearAndFlush(_ range: Range<UInt64>) {
    if !isProcessWatched { return }
    note(
      .host(.cleared), .vmmStage1, at: range.lowerBound, size: range.size,
      level: hostWalk(range.lowerBound).level)
    var walk = TableWalk(of: hostTable, range, .mapping)
    while let leaf = memory.next(&walk) { memory.store(0, at: leaf.slot) }
    invalidateHost(range)
  }
}
