/// How a change of a table ended.
enum MapResult: Equatable {
  /// The leaf is in place.
  case done
  /// The table no longer is what the fault saw (-EAGAIN): the guest tries again.
  case again
}

/// Installing leaves, as `kvm_pgtable_stage2_map` does.
extension Machine {
  /// Maps one block or page at `level`. `address` and the leaf's output address must be aligned to it.
  ///
  /// A table in the way is replaced and freed, a block in the way becomes an empty table, whose other
  /// entries are left to later faults.
  @discardableResult
  mutating func map(_ leaf: Descriptor, at address: UInt64, level target: Int, in table: Table)
    -> MapResult
  {
    let geometry = table.geometry
    var level = geometry.startLevel
    var slot = table.root + geometry.index(address, level)
    while true {
      let old = Descriptor(memory.load(slot))
      if level == target {
        return install(leaf, over: old, at: address, slot: slot, level: level, in: table)
      }
      if old.isTable(level) {
        level += 1
        slot = Memory.firstSlot(ofFrameAt: old.address) + geometry.index(address, level)
        continue
      }
      let child = allocateTable(for: table, at: address, level: level + 1)
      guard breakEntry(old, at: address, slot: slot, level: level, in: table) else {
        freeTable(child, of: table, at: address, level: level + 1)
        return .again
      }
      makeEntry(
        .table(at: Memory.address(ofSlot: child)), at: address, slot: slot, level: level, in: table)
      level += 1
      slot = child + geometry.index(address, level)
    }
  }

  /// `stage2_map_walker_try_leaf`, and for a table in the way `stage2_map_walk_table_pre`.
  private mutating func install(
    _ leaf: Descriptor, over old: Descriptor, at address: UInt64, slot: Int, level: Int,
    in table: Table
  ) -> MapResult {
    if old.isValid, (old.bits ^ leaf.bits) & ~Descriptor.permissionMask == 0 {
      note(.mapUnneeded, table.id, at: address, level: level, value: old.bits)
      return .again
    }
    guard breakEntry(old, at: address, slot: slot, level: level, in: table) else { return .again }
    makeEntry(leaf, at: address, slot: slot, level: level, in: table)
    count(.maps)
    if old.isTable(level) {
      freeSubtree(
        Memory.firstSlot(ofFrameAt: old.address), of: table,
        at: address & ~(table.geometry.size(level) - 1), level: level + 1)
    }
    return .done
  }

  /// Break, of break-before-make: the LOCKED marker, then the TLB invalidation that a valid old entry
  /// needs (`stage2_try_break_pte`). False if another walker holds the entry.
  mutating func breakEntry(
    _ old: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table
  ) -> Bool {
    if old.isLocked {
      note(.entryLocked, table.id, at: address, level: level, value: old.bits)
      return false
    }
    note(.breakEntry, table.id, at: address, level: level, value: old.bits)
    memory.store(Descriptor.locked, at: slot)
    if old.isValid {
      let size = table.geometry.size(level)
      let start = address & ~(size - 1)
      if old.isTable(level) {
        invalidate(table, start..<start + size, .breakTable)
      } else {
        invalidate(table, start..<start + size, .breakLeaf)
        count(.unmaps)
      }
    }
    if old.bits != 0 { memory.releaseFrame(at: slot) }
    return true
  }

  /// Make, of break-before-make (`stage2_make_pte`).
  mutating func makeEntry(
    _ new: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table
  ) {
    note(
      new.isTable(level) ? .makeTable : .makeLeaf, table.id, at: address,
      size: table.geometry.size(level), level: level, value: new.bits)
    memory.retainFrame(at: slot)
    memory.store(new.bits, at: slot)
  }

  /// Takes a zeroed page for a table whose entries will be of `level`.
  mutating func allocateTable(for table: Table, at address: UInt64, level: Int) -> Int {
    note(.allocateTable, table.id, at: address, level: level)
    count(.tablesAllocated)
    return memory.allocateFrame(.table)
  }

  /// Gives back a table page, which must be all zero.
  mutating func freeTable(_ frame: Int, of table: Table, at address: UInt64, level: Int) {
    note(
      .freeTable, table.id, at: address, level: level, value: Memory.address(ofSlot: frame))
    count(.tablesFreed)
    memory.freeFrame(frame)
  }

  /// Frees a table that no entry points to any more, and all below it
  /// (`kvm_pgtable_stage2_free_unlinked`, after the RCU grace period).
  private mutating func freeSubtree(
    _ frame: Int, of table: Table, at address: UInt64, level: Int
  ) {
    var remaining = memory.references(ofFrameAt: frame) - 1
    for index in 0..<table.geometry.tableEntries {
      if remaining == 0 { break }
      let entry = Descriptor(memory.load(frame + index))
      if entry.bits == 0 { continue }
      remaining -= 1
      if entry.isTable(level) {
        freeSubtree(
          Memory.firstSlot(ofFrameAt: entry.address), of: table,
          at: address + UInt64(index) * table.geometry.size(level), level: level + 1)
      } else if entry.isValid {
        count(.unmaps)
      }
      memory.store(0, at: frame + index)
    }
    freeTable(frame, of: table, at: address, level: level)
  }
}
