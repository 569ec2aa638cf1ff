/// Contiguous leaves of one size, for one call of `map_pages`.
struct IOPages {
  var address: UInt64
  var physical: UInt64
  let size: UInt64
  let count: UInt64
  /// Whether the device may also write.
  let isWritable: Bool
  /// Whether it is MMIO, mapped as device memory, not normal memory.
  var isDevice = false

  /// A leaf at a level (`arm_lpae_prot_to_pte`, `__arm_lpae_init_pte`): inner shareable if cacheable, else
  /// outer; accessed; executable, since no caller asks for less.
  func leaf(at physical: UInt64, level: Int, _ format: Descriptor.Format) -> Descriptor {
    let common =
      physical | Descriptor.valid | (level == Geometry.lastLevel ? Descriptor.tableOrPage : 0)
      | (isDevice ? 2 << 8 : Descriptor.innerShareable) | Descriptor.accessed
    return switch format {
    case .stage2, .dump:
      // ARM_LPAE_PTE_MEMATTR_DEV or ARM_LPAE_PTE_MEMATTR_OIWB.
      Descriptor(
        common | (isDevice ? 1 : 0xf) << 2 | Descriptor.read | (isWritable ? Descriptor.write : 0),
        format)
    case .process: preconditionFailure("io-pgtable keeps no table of a process")
    case .stage1:
      // ARM_LPAE_MAIR_ATTR_IDX_DEV or ARM_LPAE_MAIR_ATTR_IDX_CACHE.
      Descriptor(
        common | (isDevice ? 2 : 1) << 2 | Descriptor.unprivileged | Descriptor.notGlobal
          | (isWritable ? 0 : Descriptor.readOnly), format)
    }
  }
}

/// The kernel's table for an SMMU, as drivers/iommu/io-pgtable-arm.c keeps it: leaves are never
/// changed from one to another, blocks never split, and empty tables stay until a block replaces them.
extension Machine {
  /// Set in a table entry that is certainly visible to the SMMU (ARM_LPAE_PTE_SW_SYNC).
  static let entrySynced: UInt64 = 1 << 55

  /// `arm_lpae_map_pages`: leaves up to the end of one table page.
  ///
  /// - Returns: bytes mapped, also after an error.
  mutating func mapPages(
    _ pages: IOPages, in table: Table
  ) -> (bytes: UInt64, error: KernelError?) {
    if pages.address >= table.geometry.inputSize
      || pages.physical >> UInt64(VMConfiguration.physicalBits) != 0
    {
      return (0, .erange)
    }
    guard let level = table.geometry.level(ofSize: pages.size) else { return (0, .einval) }
    var end = memory.walk(table, pages.address, to: level)
    while end.level < level {
      if end.descriptor.bits != 0 { return (0, .eexist) }
      installTable(at: end, pages.address, in: table)
      end = memory.walk(table, pages.address, to: level)
    }
    return installLeaves(pages, at: end, in: table)
  }

  /// Installs a new table in an empty entry (`arm_lpae_install_table`).
  private mutating func installTable(at end: WalkEnd, _ address: UInt64, in table: Table) {
    let child = allocateTable(for: table, at: address, level: end.level + 1)
    let entry = Descriptor.table(at: Memory.address(ofSlot: child))
    makeEntry(entry, at: address, slot: end.slot, level: end.level, in: table)
    if configuration.iommu.isCoherent { return }
    clean(end.slot..<end.slot + 1, table.id, at: address, level: end.level)
    storeEntry(entry.bits | Self.entrySynced, at: end.slot)
  }

  /// `arm_lpae_init_pte`: a leaf in the way is an error, a table in the way is unmapped first.
  private mutating func installLeaves(
    _ pages: IOPages, at end: WalkEnd, in table: Table
  ) -> (bytes: UInt64, error: KernelError?) {
    let count = min(pages.count, Self.entriesToTableEnd(end.slot))
    for index in 0..<count {
      let entry = Descriptor(memory.load(end.slot + Int(index)))
      if entry.bits == 0 { continue }
      if entry.isLeaf(end.level) { return (0, .eexist) }
      var gather = Gather()
      let address = pages.address + index * pages.size
      if unmapPages(address, pages.size, 1, in: table, &gather) != pages.size {
        return (0, .einval)
      }
    }
    note(
      .table(
        .makeLeaf(
          pages.leaf(at: pages.physical, level: end.level, table.geometry.format), count: count)),
      table.id, at: pages.address, size: count * pages.size, level: end.level)
    for index in 0..<count {
      let leaf = pages.leaf(
        at: pages.physical + index * pages.size, level: end.level, table.geometry.format)
      storeEntry(leaf.bits, at: end.slot + Int(index))
    }
    tally.maps &+= Int(count)
    clean(end.slot..<end.slot + Int(count), table.id, at: pages.address, level: end.level)
    return (count * pages.size, nil)
  }

  /// Number of entries from a slot to the end of its table page (`arm_lpae_max_entries`).
  private static func entriesToTableEnd(_ slot: Int) -> UInt64 {
    UInt64(Memory.frameWords - slot % Memory.frameWords)
  }

  /// `arm_lpae_unmap_pages`: removes leaves, or tables that cover `size`, up to the end of one table page.
  ///
  /// - Returns: bytes unmapped; 0 at a hole, and at a leaf larger than `size`.
  mutating func unmapPages(
    _ address: UInt64, _ size: UInt64, _ wanted: UInt64, in table: Table, _ gather: inout Gather
  ) -> UInt64 {
    guard address < table.geometry.inputSize, let level = table.geometry.level(ofSize: size)
    else { return 0 }
    let end = memory.walk(table, address, to: level)
    if end.level < level {
      if end.descriptor.bits != 0 {
        note(
          .domain(.partialUnmap(end.descriptor)), table.id, at: address, size: size,
          level: end.level)
      }
      return 0
    }
    let count = min(wanted, Self.entriesToTableEnd(end.slot))
    var done: UInt64 = 0
    while done < count {
      let entry = Descriptor(memory.load(end.slot + Int(done)))
      if entry.bits == 0 { break }
      if entry.isTable(level) {
        unmapTable(
          entry, at: address + done * size, slot: end.slot + Int(done), level: level, in: table)
      }
      done += 1
    }
    clearLeaves(done, of: size, at: address, slot: end.slot, level: level, in: table)
    clean(end.slot..<end.slot + Int(done), table.id, at: address, level: level)
    for index in 0..<done {
      let start = address + index * size
      self.gather(start..<start + size, leaves: size, table, &gather)
    }
    return done * size
  }

  /// Clears the leaves among consecutive entries.
  private mutating func clearLeaves(
    _ count: UInt64, of size: UInt64, at address: UInt64, slot: Int, level: Int, in table: Table
  ) {
    let old = (slot..<slot + Int(count)).filter { memory.load($0) != 0 }
    guard let first = old.first else { return }
    let leaf = Descriptor(memory.load(first), table.geometry.format)
    note(
      .table(
        .clearLeaf(
          leaf, count: UInt64(old.count), asked: address..<address + count * size)), table.id,
      at: address + UInt64(first - slot) * size, size: UInt64(old.count) * size, level: level)
    for slot in old { storeEntry(0, at: slot) }
    tally.unmaps &+= old.count
  }

  /// Removes a table where leaves are to be unmapped, with all below it: first its entry, then the SMMU's
  /// cached partial walks, then its pages (`__arm_lpae_free_pgtable`).
  private mutating func unmapTable(
    _ entry: Descriptor, at address: UInt64, slot: Int, level: Int, in table: Table
  ) {
    note(.table(.clearTable(entry)), table.id, at: address, level: level)
    storeEntry(0, at: slot)
    clean(slot..<slot + 1, table.id, at: address, level: level)
    invalidate(
      address..<address + table.geometry.size(level), of: table, isOfLeaves: false)
    freeSubtree(
      Memory.firstSlot(ofFrameAt: entry.address), of: table, at: address, level: level + 1)
  }
}
