/// Removing leaves, as `kvm_pgtable_stage2_unmap` does.
extension Machine {
  /// Removes every leaf that overlaps `range`, blocks as a whole, frees tables that became empty, and
  /// then invalidates the TLB for the range in one go, as a CPU with range invalidation and forced
  /// write-back lets the kernel do (`stage2_unmap_defer_tlb_flush`).
  ///
  /// - Returns: number of leaves removed.
  @discardableResult
  mutating func unmap(_ range: Range<UInt64>, in table: Table) -> Int {
    let removed = unmapEntries(
      range, at: 0, frame: table.root, entries: table.geometry.rootEntries,
      level: table.geometry.startLevel, in: table)
    invalidate(table, range, .unmapped)
    if removed > 0 { count(.unmaps, by: removed) }
    return removed
  }

  /// - Parameter base: input address of the first entry of the frame.
  private mutating func unmapEntries(
    _ range: Range<UInt64>, at base: UInt64, frame: Int, entries: Int, level: Int, in table: Table
  ) -> Int {
    let shift = table.geometry.shift(level)
    let first = range.lowerBound > base ? Int((range.lowerBound - base) >> shift) : 0
    let last = min(entries - 1, Int((range.upperBound - 1 - base) >> shift))
    var removed = 0
    for slot in frame + first...frame + last {
      let entry = Descriptor(memory.load(slot))
      if entry.bits == 0 { continue }
      let address = base + UInt64(slot - frame) << shift
      if entry.isTable(level) {
        let child = Memory.firstSlot(ofFrameAt: entry.address)
        removed += unmapEntries(
          range, at: address, frame: child, entries: table.geometry.tableEntries, level: level + 1,
          in: table)
        if memory.references(ofFrameAt: child) == 1 {
          note(.clearTable, table.id, at: address, level: level, value: entry.bits)
          memory.store(0, at: slot)
          invalidate(table, address..<address + 1 << shift, .tableFreed)
          memory.releaseFrame(at: slot)
          freeTable(child, of: table, at: address, level: level + 1)
        }
      } else {
        note(
          .clearLeaf, table.id, at: address, size: 1 << shift, level: level, value: entry.bits)
        memory.store(0, at: slot)
        memory.releaseFrame(at: slot)
        if entry.isValid { removed += 1 }
      }
    }
    return removed
  }
}
