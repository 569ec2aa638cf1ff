/// Dirty logging: write protection, the bitmap, eager splitting.
extension Machine {
  func dirtyBitmap(of slot: Memslot) -> SparseArray {
    SparseArray(
      root: slot.base + Memslot.Field.dirty.rawValue,
      elements: FrameRole(.dirty, number: self[slot, .id]))
  }

  /// `mark_page_dirty_in_slot`.
  mutating func markDirty(_ ipa: UInt64, in slot: Memslot) {
    if !isLogging(slot) { return }
    let page = (ipa - self[slot, .ipa]) >> 12
    let bitmap = dirtyBitmap(of: slot)
    let word = bitmap.load(page / 64, from: memory)
    bitmap.store(word | 1 << (page % 64), at: page / 64, in: &memory)
  }

  /// KVM_MEM_LOG_DIRTY_PAGES set: the whole slot is write-protected, blocks split if requested
  /// (`kvm_mmu_wp_memory_region`, `kvm_mmu_split_memory_region`).
  mutating func startDirtyLog(_ slot: Memslot) {
    if isLogging(slot) { return note(.end(.noEffect(.loggingUnchanged))) }
    note(.slot(.dirtyLogOn), .canonical, at: self[slot, .ipa], size: self[slot, .size])
    self[slot, .flags] |= Memslot.logsDirtyPages
    note(.fault(.locked(.write)))
    push(writeProtectTasks(range(of: slot)) + [.endDirtyLogStart(slot.base)])
  }

  /// The slot is write-protected: the TLBs, and the splitting of its blocks.
  mutating func endDirtyLogStart(_ slot: Memslot) {
    endWriteProtection(range(of: slot))
    if self[.splitChunk] != 0 { push([.splitBlocks(range(of: slot))]) }
  }

  /// KVM_MEM_LOG_DIRTY_PAGES cleared: the bitmap is freed, no table changes.
  mutating func stopDirtyLog(_ slot: Memslot) {
    if !isLogging(slot) { return note(.end(.noEffect(.loggingUnchanged))) }
    note(.slot(.dirtyLogOff), .canonical, at: self[slot, .ipa], size: self[slot, .size])
    self[slot, .flags] &= ~Memslot.logsDirtyPages
    dirtyBitmap(of: slot).removeAll(in: &memory)
  }

  /// KVM_GET_DIRTY_LOG (`kvm_get_dirty_log_protect`), under one hold of `mmu_lock`.
  mutating func getDirtyLog(_ slot: Memslot) {
    note(.slot(.dirtyLogGet), .canonical, at: self[slot, .ipa], size: self[slot, .size])
    self[slot, .reported] = dirtyBitmap(of: slot).load(0, from: memory)
    setFetched(true, slot)
    note(.fault(.locked(.dirtyLog)))
    push([.collectDirty(slot.base, from: 0, found: false)])
  }

  /// The next bitmap word with dirty pages: the pages from the first to the last of them are
  /// write-protected again. At the end, one TLBI if there was a word.
  ///
  /// - Parameters:
  ///   - start: index of the first word that may follow.
  ///   - found: whether there was one before.
  mutating func collectDirty(_ slot: Memslot, from start: UInt64, found: Bool) {
    let bitmap = dirtyBitmap(of: slot)
    let base = self[slot, .ipa]
    let words = (self[slot, .size] >> 12 + 63) / 64
    guard let next = bitmap.firstIndex(in: start..<words, of: memory) else {
      note(.fault(.unlocked(.dirtyLog)))
      if found { invalidateProtected(range(of: slot)) }
      return
    }
    let mask = bitmap.load(next, from: memory)
    note(.slot(.dirtyPages(mask: mask)), .canonical, at: base + next << 18)
    bitmap.store(0, at: next, in: &memory)
    let first = next * 64 + UInt64(mask.trailingZeroBitCount)
    let last = next * 64 + UInt64(63 - mask.leadingZeroBitCount)
    push(
      writeProtectTasks(base + first << 12..<base + (last + 1) << 12) + [
        .collectDirty(slot.base, from: next + 1, found: true)
      ])
  }

  /// The tasks that write-protect the canonical leaves of a range and, since the affected shadow leaves are
  /// unknown, every leaf of every valid shadow (`kvm_nested_s2_wp`).
  func writeProtectTasks(_ range: Range<UInt64>) -> [Work] {
    let shadows = (0..<configuration.shadows).map { shadow($0) }
    return [.writeProtect(canonical.index, range)]
      + shadows.map { .writeProtect($0.index, inputRange(of: $0)) }
      + (configuration.nested ? [.dropVNCR(Self.allAddresses)] : [])
  }

  /// Write-protects the leaves of a range of a context. `mmu_lock` may be dropped between gigabytes
  /// (`kvm_stage2_wp_range`).
  mutating func writeProtect(_ mmu: MMU, _ range: Range<UInt64>) {
    if !mmu.isCanonical, !isValid(mmu) { return }
    let stop = pausePlace(in: range)
    clear(
      Descriptor.write, in: range.lowerBound..<(stop ?? range.upperBound), of: table(of: mmu),
      TableStep.writeProtect)
    if let stop {
      push([.writeProtect(mmu.index, stop..<range.upperBound)])
      park(at: stop, in: mmu.tableID, dropsLock: true)
    }
  }

  /// After write protection: the lock is released, and then the TLBs are invalidated for the VM.
  mutating func endWriteProtection(_ range: Range<UInt64>) {
    note(.fault(.unlocked(.write)))
    invalidateProtected(range)
  }

  /// `kvm_flush_remote_tlbs_memslot`: on arm64 in ranges of at most MAX_TLBI_RANGE_PAGES
  /// (`kvm_tlb_flush_vmid_range`), on x86 all of the guest at once.
  private mutating func invalidateProtected(_ range: Range<UInt64>) {
    let ranges =
      configuration.isolation == .rmp ? 1 : (range.size - 1) / Self.largestInvalidation + 1
    invalidate(table(of: canonical), range, .writeProtected(ranges))
  }

  /// MAX_TLBI_RANGE_PAGES, in bytes.
  private static let largestInvalidation: UInt64 = 8 << 30

  /// Eager splitting of canonical blocks, chunk by chunk (`kvm_mmu_split_huge_pages`): each becomes a
  /// table with all its pages, 1 GiB blocks via 2 MiB blocks. Between chunks `mmu_lock` is dropped if the cache of
  /// pages for tables is short.
  mutating func splitBlocks(_ range: Range<UInt64>) {
    let stop = pausePlace(in: range, every: self[.splitChunk])
    note(.fault(.locked(.split)))
    split(range.lowerBound..<(stop ?? range.upperBound))
    if let stop {
      push([.splitBlocks(stop..<range.upperBound)])
      park(at: stop, in: canonical.tableID, dropsLock: true)
    } else {
      note(.fault(.unlocked(.split)))
    }
  }

  /// Splits the canonical blocks of a range.
  mutating func split(_ range: Range<UInt64>) {
    let table = table(of: canonical)
    // If a block has become a table, the walk continues with its parts.
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) {
      if leaf.kind == .block { split(leaf, of: table) }
    }
  }

  /// `stage2_split_walker`: the table is complete before it replaces the block. If a chunk is as large as
  /// the block, KVM has allocated all the pages that a tree down to 4 KiB needs, and builds it at once.
  private mutating func split(_ block: TableEntry, of table: Table) {
    let isWhole = self[.splitChunk] >= table.geometry.size(block.level)
    let frame = unlinkedTable(
      block.address, block.descriptor, level: block.level + 1, isWhole: isWhole, in: table)
    let end = WalkEnd(slot: block.slot, level: block.level, descriptor: block.descriptor)
    guard breakEntry(end, at: block.address, in: table) else { return }
    makeEntry(
      .table(at: Memory.address(ofSlot: frame)), at: block.address, slot: block.slot,
      level: block.level, in: table, isFull: true)
  }
}

/// Tables that are not yet linked.
extension Machine {
  /// A table of a level that maps what a block maps, by leaves of that level, or wholly by 4 KiB pages
  /// (`kvm_pgtable_stage2_create_unlinked`). Returns its first slot.
  private mutating func unlinkedTable(
    _ address: UInt64, _ block: Descriptor, level: Int, isWhole: Bool, in table: Table
  ) -> Int {
    let frame = allocateTable(for: table, at: address, level: level, toSplit: true)
    let size = table.geometry.size(level)
    let entries = (0..<UInt64(table.geometry.tableEntries)).map { index in
      let leaf = Descriptor.leaf(
        at: block.address + index * size, level: level, memAttr: Self.normalMemory,
        permissions: block.permissions, guestLevel: 0)
      guard isWhole, level < Geometry.lastLevel else { return leaf }
      let child = unlinkedTable(
        address + index * size, leaf, level: level + 1, isWhole: true, in: table)
      return Descriptor.table(at: Memory.address(ofSlot: child))
    }
    let leaves = isWhole && level < Geometry.lastLevel ? 0 : entries.count
    note(
      .table(.fillTable(block, leaves: UInt64(leaves))), table.id, at: address,
      size: table.geometry.size(level - 1), level: level)
    tally.maps += leaves
    for (index, entry) in entries.enumerated() { storeEntry(entry.bits, at: frame + index) }
    return frame
  }
}

extension Machine {
  /// First word of the dirty log last fetched for the slot with a number; nil if there is no slot, or its
  /// log was never fetched.
  public func reportedDirtyWord(ofSlot id: UInt64) -> UInt64? {
    memslots.first { self[$0, .id] == id && isFetched($0) }
      .map { self[$0, .reported] }
  }

  private func isFetched(_ slot: Memslot) -> Bool {
    PastAccesses(bits: self[.lastAccess]).fetchedLogs & bit(of: slot) != 0
  }

  /// Notes whether a slot's log was fetched.
  mutating func setFetched(_ isFetched: Bool, _ slot: Memslot) {
    var past = PastAccesses(bits: self[.lastAccess])
    let logs = past.fetchedLogs
    past.fetchedLogs = isFetched ? logs | bit(of: slot) : logs & ~bit(of: slot)
    if past.fetchedLogs != logs { self[.lastAccess] = past.bits }
  }

  /// Whether there is a slot with a number.
  public func hasMemslot(_ id: UInt64) -> Bool { memslots.contains { self[$0, .id] == id } }
}
