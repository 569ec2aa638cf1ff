/// Installing leaves, as `kvm_pgtable_stage2_map` does, and annotations (`kvm_pgtable_stage2_annotate`).
extension Machine {
  /// Maps one block or page at `level`. `address` and the leaf's output address must be aligned to its size.
  ///
  /// A table in the way is replaced and freed. A block in the way becomes an empty table, whose other
  /// entries later faults fill in; or a full table, where it may be replaced in place.
  ///
  /// - Returns: the replaced entry, or nil if the table is no longer what the fault saw (-EAGAIN) and the
  ///   guest must retry.
  @discardableResult
  package mutating func map(
    _ leaf: Descriptor, at address: UInt64, level: Int, in table: Table
  ) -> Descriptor? {
    var end = memory.walk(table, address, to: level)
    if hasTableHooks, end.level < level, end.isLeaf, replacesInPlace(table) {
      end = splitInPlace(end, at: address, to: level, in: table)
    }
    while end.level < level {
      let child = allocateTable(for: table, at: address, level: end.level + 1)
      guard breakEntry(end, at: address, in: table) else {
        freeTable(child, of: table, at: address, level: end.level + 1)
        return nil
      }
      makeEntry(
        .table(at: Memory.address(ofSlot: child)), at: address, slot: end.slot, level: end.level,
        in: table)
      end = memory.walk(table, address, to: level)
    }
    return install(leaf, over: end, at: address, in: table)
  }

  private mutating func splitInPlace(
    _ block: WalkEnd, at address: UInt64, to level: Int, in table: Table
  ) -> WalkEnd {
    splitBlocks(at: address, to: level, in: table)
    let size = table.geometry.size(block.level)
    let start = address & ~(size - 1)
    invalidate(table, start..<start + size, .replaced)
    return memory.walk(table, address, to: level)
  }

  /// `stage2_map_walker_try_leaf`, and for a table in the way `stage2_map_walk_table_pre`.
  @inline(__always)
  private mutating func install(
    _ leaf: Descriptor, over old: WalkEnd, at address: UInt64, in table: Table
  ) -> Descriptor? {
    let isKnown = (old.descriptor.bits ^ leaf.bits) & ~Descriptor.permissionMask == 0
    if isKnown, old.descriptor.isValid {
      note(.table(.mapUnneeded(old.descriptor)), table.id, at: address, level: old.level)
      return nil
    }
    guard breakEntry(old, at: address, in: table) else { return nil }
    makeEntry(leaf, at: address, slot: old.slot, level: old.level, in: table)
    if leaf.isValid { tally.maps &+= 1 }
    if old.isTable {
      freeSubtree(
        Memory.firstSlot(ofFrameAt: old.descriptor.address), of: table,
        at: address & ~(table.geometry.size(old.level) - 1), level: old.level + 1)
    }
    return old.descriptor
  }

  /// The break of break-before-make: the LOCKED marker, then the TLBI that a valid old entry
  /// needs (`stage2_try_break_pte`). False if another walker holds the entry.
  @inline(__always)
  mutating func breakEntry(_ old: WalkEnd, at address: UInt64, in table: Table) -> Bool {
    if old.descriptor.isLocked {
      note(.table(.entryLocked(old.descriptor)), table.id, at: address, level: old.level)
      return false
    }
    note(.table(.breakEntry(old.descriptor)), table.id, at: address, level: old.level)
    storeEntry(Descriptor.locked, at: old.slot)
    if old.descriptor.isValid { invalidateBroken(old, at: address, in: table) }
    return true
  }

  private mutating func invalidateBroken(_ old: WalkEnd, at address: UInt64, in table: Table) {
    let size = table.geometry.size(old.level)
    let start = address & ~(size - 1)
    let isTable = old.isTable
    invalidate(table, start..<start + size, isTable ? .breakTable : .breakLeaf)
    if !isTable { tally.unmaps += 1 }
  }

  /// The make of break-before-make (`stage2_make_pte`); of a table, whether it is full.
  @inline(__always)
  mutating func makeEntry(
    _ new: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table,
    isFull: Bool = false
  ) {
    let step: TableStep =
      !new.isTable(level) ? .makeLeaf(new, count: 1) : isFull ? .linkTable(new) : .makeTable(new)
    note(
      .table(step), table.id, at: address, size: table.geometry.size(level), level: level)
    storeEntry(new.bits, at: slot)
  }

  /// Allocates a zeroed page for a table whose entries will be of `level`.
  mutating func allocateTable(
    for table: Table, at address: UInt64, level: Int, toSplit: Bool = false
  ) -> Int {
    note(
      .table(toSplit ? .allocateForSplit : .allocateTable), table.id, at: address, level: level)
    tally.tablesAllocated += 1
    for hook in tableHooks { hook.didAllocateTable(for: table, in: &self) }
    return memory.allocateFrame(FrameRole(table.id, level: level, at: address))
  }

  /// Frees a table page, which must be all zero.
  ///
  /// - Parameter leaves: number of leaves that were in it when it was unlinked.
  mutating func freeTable(
    _ frame: Int, of table: Table, at address: UInt64, level: Int, leaves: Int = 0,
    isReplaced: Bool = false
  ) {
    let page = Memory.address(ofSlot: frame)
    note(
      .table(
        isReplaced
          ? .freeReplaced(page: page, leaves: UInt64(leaves))
          : .freeTable(page: page, leaves: UInt64(leaves))),
      table.id, at: address, level: level)
    tally.tablesFreed += 1
    tally.unmaps += leaves
    for hook in tableHooks { hook.didFreeTable(of: table, in: &self) }
    memory.freeFrame(frame)
  }

  /// Frees a table that no entry points to any more, and all tables below it
  /// (`kvm_pgtable_stage2_free_unlinked`, after the RCU grace period).
  mutating func freeSubtree(
    _ frame: Int, of table: Table, at address: UInt64, level: Int
  ) {
    var walk = TableWalk(
      table.geometry, page: Memory.address(ofSlot: frame), level: level, at: address,
      address..<address + table.geometry.size(level - 1), [.used, .tablePost])
    // Of the tables on the path, by level.
    var leaves = [Int](repeating: 0, count: Geometry.lastLevel + 1)
    while let entry = memory.next(&walk) {
      if entry.kind == .table {
        freeTable(
          Memory.firstSlot(ofFrameAt: entry.descriptor.address), of: table, at: entry.address,
          level: entry.level + 1, leaves: leaves[entry.level + 1], isReplaced: true)
        leaves[entry.level + 1] = 0
      } else if entry.isLeaf {
        leaves[entry.level] += 1
      }
      storeEntry(0, at: entry.slot)
    }
    freeTable(
      frame, of: table, at: address, level: level, leaves: leaves[level], isReplaced: true)
  }
}
