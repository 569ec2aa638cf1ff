/// Splitting a block without anything becoming absent: a full table for it, made where nobody sees it,
/// takes its place. How it takes it is for the caller: in one store, or with a break in between.
extension Machine {
  /// A table with the leaves that a block stands for, one level down, of the same permissions.
  ///
  /// - Returns: the slot of the table's first entry.
  mutating func makeSplitTable(
    of block: Descriptor, at address: UInt64, level: Int, in table: Table
  ) -> Int {
    let child = allocateTable(for: table, at: address, level: level + 1)
    let size = table.geometry.size(level + 1)
    let isPage = level + 1 == Geometry.lastLevel
    note(
      .table(.fillTable(block)), table.id, at: address, size: table.geometry.size(level),
      level: level + 1)
    for index in 0..<table.geometry.tableEntries {
      let bits = block.bits + UInt64(index) * size | (isPage ? Descriptor.tableOrPage : 0)
      storeEntry(bits, at: child + index)
    }
    didStore(
      child..<child + table.geometry.tableEntries, of: table.id, at: address, level: level + 1)
    return child
  }

  /// Splits what is larger than a leaf of the level `last` at an address, level by level; each table
  /// takes the block's place in one store.
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
      storeEntry(entry.bits, at: end.slot)
      didStore(end.slot..<end.slot + 1, of: table.id, at: start, level: end.level)
    }
  }
}
