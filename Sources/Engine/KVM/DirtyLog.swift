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
    writeProtect(range(of: slot))
    invalidate(table(of: canonical), range(of: slot), .writeProtected)
    splitBlocks(in: range(of: slot))
  }

  /// KVM_MEM_LOG_DIRTY_PAGES cleared: the bitmap is freed, no table changes.
  mutating func stopDirtyLog(_ slot: Memslot) {
    if !isLogging(slot) { return note(.end(.noEffect(.loggingUnchanged))) }
    note(.slot(.dirtyLogOff), .canonical, at: self[slot, .ipa], size: self[slot, .size])
    self[slot, .flags] &= ~Memslot.logsDirtyPages
    dirtyBitmap(of: slot).removeAll(in: &memory)
  }

  /// KVM_GET_DIRTY_LOG: for each bitmap word with dirty pages, write-protects the pages from the first to
  /// the last of them again (`kvm_get_dirty_log_protect`).
  mutating func getDirtyLog(_ slot: Memslot) {
    let bitmap = dirtyBitmap(of: slot)
    let base = self[slot, .ipa]
    note(.slot(.dirtyLogGet), .canonical, at: base, size: self[slot, .size])
    self[slot, .reported] = bitmap.load(0, from: memory)
    let words = (self[slot, .size] >> 12 + 63) / 64
    var found = false
    var index: UInt64 = 0
    while let next = bitmap.firstIndex(in: index..<words, of: memory) {
      let mask = bitmap.load(next, from: memory)
      note(.slot(.dirtyPages(mask: mask)), .canonical, at: base + next << 18)
      bitmap.store(0, at: next, in: &memory)
      let first = next * 64 + UInt64(mask.trailingZeroBitCount)
      let last = next * 64 + UInt64(63 - mask.leadingZeroBitCount)
      writeProtect(base + first << 12..<base + (last + 1) << 12)
      found = true
      index = next + 1
    }
    if found { invalidate(table(of: canonical), range(of: slot), .writeProtected) }
  }

  /// Write-protects the canonical leaves of a range and, since the affected shadow leaves are unknown,
  /// every leaf of every valid shadow (`kvm_nested_s2_wp`).
  mutating func writeProtect(_ range: Range<UInt64>) {
    note(.fault(.locked(.write)))
    clear(Descriptor.write, in: range, of: table(of: canonical), TableStep.writeProtect)
    for mmu in validShadows {
      clear(Descriptor.write, in: inputRange(of: mmu), of: table(of: mmu), TableStep.writeProtect)
    }
    if configuration.nested { dropVNCR(Self.allAddresses) }
    note(.fault(.unlocked(.write)))
  }

  /// Eager splitting of canonical blocks, chunk by chunk (`kvm_mmu_split_huge_pages`): each becomes a
  /// table with all its pages, 1 GiB blocks via 2 MiB blocks.
  private mutating func splitBlocks(in range: Range<UInt64>) {
    if self[.splitChunk] != 0 { split(range) }
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

  /// `stage2_split_walker`: the table is complete before it replaces the block.
  private mutating func split(_ block: TableEntry, of table: Table) {
    let level = block.level + 1
    let frame = allocateTable(for: table, at: block.address, level: level)
    let size = table.geometry.size(level)
    for index in 0..<UInt64(table.geometry.tableEntries) {
      let leaf = Descriptor.leaf(
        at: block.descriptor.address + index * size, level: level, memAttr: Self.normalMemory,
        permissions: block.descriptor.permissions, guestLevel: 0)
      makeEntry(
        leaf, at: block.address + index * size, slot: frame + Int(index), level: level, in: table)
    }
    let end = WalkEnd(slot: block.slot, level: block.level, descriptor: block.descriptor)
    guard breakEntry(end, at: block.address, in: table) else { return }
    makeEntry(
      .table(at: Memory.address(ofSlot: frame)), at: block.address, slot: block.slot,
      level: block.level, in: table)
  }
}

extension Machine {
  /// First word of the dirty log last fetched for the slot with a number, or nil if there is no slot.
  public func reportedDirtyWord(ofSlot id: UInt64) -> UInt64? {
    memslots.first { self[$0, .id] == id }.map { self[$0, .reported] }
  }
}
