/// Splitting a block without making anything absent: a full table, built out of sight, takes its place.
/// The caller decides how: in one store, or with a break in between.
///
/// Break-before-make writes an invalid entry, invalidates the TLBs, and only then writes the new entry, so
/// that no TLB ever holds both sizes of the translation. Two sizes at once are a TLB conflict: an abort, or
/// either of the two as the hardware likes. For a CPU the break is cheap. A vCPU that touches the page in
/// between takes a fault, waits for `mmu_lock`, and finds the new entry.
///
/// A device that walks the same table cannot wait. Its DMA in between fails, and most devices do not
/// retry. So with the break a device sees a hole, and without it a TLB may see two sizes. FEAT_BBM level
/// 2 promises that the CPUs handle two sizes, at worst with a conflict abort that the kernel repairs. It
/// says nothing about the SMMU, which has its own level (SMMU_IDR3.BBML). Whether a
/// block of a shared table can be replaced in place therefore depends on the *lower* of the two levels.
///
/// `policy bbm-cpu` and `bbm-smmu` set them separately, since asking only the CPUs is the mistake to
/// show: `replacesInPlace` follows the CPUs, and `cachedForDevice` then reports the conflict in the SMMU.
/// Nor does a TLBI alone close the gap: the CPUs' TLBI reaches the SMMU by broadcast or by a command,
/// and until then the SMMU may use the old entry after every CPU has stopped doing so.
extension Machine {
  /// Builds a table that maps what a block maps, one level down, with the same permissions.
  ///
  /// - Returns: the slot of the table's first entry.
  mutating func makeSplitTable(
    of block: Descriptor, at address: UInt64, level: Int, in table: Table
  ) -> Int {
    let child = allocateTable(for: table, at: address, level: level + 1)
    let size = table.geometry.size(level + 1)
    let isPage = level + 1 == Geometry.lastLevel
    note(
      .table(.fillTable(block, leaves: UInt64(table.geometry.tableEntries))), table.id, at: address,
      size: table.geometry.size(level), level: level + 1)
    tally.maps += table.geometry.tableEntries
    for index in 0..<table.geometry.tableEntries {
      let bits = block.bits + UInt64(index) * size | (isPage ? Descriptor.tableOrPage : 0)
      storeEntry(bits, at: child + index)
    }
    didStore(
      child..<child + table.geometry.tableEntries, of: table.id, at: address, level: level + 1)
    return child
  }

  /// Splits any block above level `last` at an address, level by level; each table replaces its block in
  /// one store.
  mutating func splitBlocks(
    at address: UInt64, to last: Int = Geometry.lastLevel, in table: Table
  ) {
    while true {
      let end = memory.walk(table, address)
      guard end.level < last, end.isLeaf else { return }
      let start = address & ~(table.geometry.size(end.level) - 1)
      let child = makeSplitTable(of: end.descriptor, at: start, level: end.level, in: table)
      let entry = Descriptor.table(at: Memory.address(ofSlot: child))
      note(
        .table(.swapEntry(entry, from: end.descriptor)), table.id, at: start,
        size: table.geometry.size(end.level), level: end.level)
      tally.unmaps += 1
      storeEntry(entry.bits, at: end.slot)
      didStore(end.slot..<end.slot + 1, of: table.id, at: start, level: end.level)
    }
  }
}
