/// Removing leaves, as `kvm_pgtable_stage2_unmap` does.
///
/// A range may end in the middle of a block. The whole block is then removed, including the part outside
/// the range, and nothing takes its place. Splitting it would need a table page, and an unmap must not
/// fail: a notifier runs while memory is being reclaimed, and cannot allocate. It is also not necessary.
/// A stage-2 table of KVM is a cache of the host's mappings and of L1's, and whatever is missing faults
/// in again.
///
/// So a caller must not assume that exactly the range was removed. A reverse map that forgets only the
/// range keeps an entry for the rest of a removed leaf: that only costs time, since the next sweep finds
/// nothing there. The opposite mistake, keeping the leaf and forgetting the entry, would leave a page
/// mapped that the host has reclaimed. The one TLB invalidation at the end covers only the range, as in
/// the kernel. That is enough because hardware that has cached a block drops all of it when any address
/// of it is invalidated, and so does `drop` in the TLB.
///
/// None of this holds for a device's own table, where a missing translation is a failed DMA, not a
/// refault. `unmapPages` therefore refuses to unmap part of a block, and removes nothing.
extension Machine {
  /// Removes every leaf that overlaps `range`, blocks as a whole, frees tables that become empty, and
  /// then invalidates the TLB for the range in one go, as the kernel does on a CPU with range
  /// invalidation and forced write-back (`stage2_unmap_defer_tlb_flush`).
  ///
  /// - Parameter reason: of the invalidation.
  /// - Returns: number of leaves removed.
  @discardableResult
  package mutating func unmap(
    _ range: Range<UInt64>, in table: Table, _ reason: TLBStep.Reason = .unmapped
  ) -> Int {
    let before = tally.unmaps
    let end = memory.walk(table, range.lowerBound)
    let size = table.geometry.size(end.level)
    if range.upperBound <= range.lowerBound & ~(size &- 1) &+ size {
      // The whole range lies in one entry.
      if end.descriptor.bits != 0 {
        clearLeaf(
          end.descriptor, at: range.lowerBound & ~(size &- 1), slot: end.slot, level: end.level,
          in: table, of: range)
      }
      if memory.usedWords(inFrameAt: end.slot) == 0 {
        freeEmptyTables(at: range.lowerBound, in: table)
      }
    } else {
      unmapEntries(range, in: table)
    }
    invalidate(table, range, reason)
    return tally.unmaps &- before
  }

  @inline(__always)
  private mutating func clearLeaf(
    _ old: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table,
    of range: Range<UInt64>
  ) {
    note(
      .table(.clearLeaf(old, count: 1, asked: range)), table.id, at: address,
      size: table.geometry.size(level), level: level)
    storeEntry(0, at: slot)
    tally.unmaps &+= Int(truncatingIfNeeded: old.bits & Descriptor.valid)
  }

  private mutating func unmapEntries(_ range: Range<UInt64>, in table: Table) {
    var walk = TableWalk(of: table, range, [.used, .tablePost])
    while let entry = memory.next(&walk) {
      if entry.kind != .table {
        clearLeaf(
          entry.descriptor, at: entry.address, slot: entry.slot, level: entry.level, in: table,
          of: range)
      } else if memory.usedWords(
        inFrameAt: Memory.firstSlot(ofFrameAt: entry.descriptor.address)) == 0
      {
        clearTable(
          entry.descriptor, at: entry.address, slot: entry.slot, level: entry.level, in: table,
          from: range.lowerBound)
      }
    }
  }

  /// Frees the empty tables on the path to an address, the lowest first.
  private mutating func freeEmptyTables(at address: UInt64, in table: Table) {
    for entry in path(to: address, in: table).reversed() where entry.kind == .table {
      let child = Memory.firstSlot(ofFrameAt: entry.descriptor.address)
      if memory.usedWords(inFrameAt: child) != 0 { return }
      clearTable(
        entry.descriptor, at: entry.address, slot: entry.slot, level: entry.level, in: table,
        from: address)
    }
  }

  /// Removes an entry that points to an empty table, and the table (`stage2_unmap_walker`). The TLBI names the
  /// address at which the walk, which began at `start`, entered the table.
  private mutating func clearTable(
    _ entry: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table,
    from start: UInt64
  ) {
    note(.table(.clearTable(entry)), table.id, at: address, level: level)
    storeEntry(0, at: slot)
    invalidate(
      table, max(address, start.page)..<address + table.geometry.size(level), .tableFreed)
    freeTable(
      Memory.firstSlot(ofFrameAt: entry.address), of: table, at: address, level: level + 1)
  }
}
