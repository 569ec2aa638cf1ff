/// What dumps of a real kernel showed of tables. Nothing here is what the kernel does: entries are put where a
/// dump says that they are, and how they came there is not known.
extension Machine {
  /// The most entries that one sight is of: a table that maps them in pages takes 1 GiB.
  private static let entriesAtMost: UInt64 = 1 << 27

  /// Entries of one level, next to each other, were seen, which are the same but for where they lead.
  mutating func see(
    _ range: Range<UInt64>, level: Int, _ first: Descriptor, in mmu: MMU
  ) throws(Refusal) {
    let table = table(of: mmu)
    let geometry = table.geometry
    guard level >= geometry.startLevel else {
      throw Refusal(.noSuchLevel(geometry.startLevel))
    }
    let size = geometry.size(level)
    try requireAligned(range.lowerBound, to: size, operand: .address)
    try requireAligned(range.upperBound, to: size, operand: .size)
    if range.size / size > Self.entriesAtMost {
      throw Refusal(.tooLarge(Self.entriesAtMost * size), operand: .size)
    }
    let isLeaf = geometry.kind(of: first, at: level).isLeaf
    if first.isValid, !isLeaf { throw Refusal(.leafSize(size), operand: .size) }
    note(
      .sight(.seen(first, count: range.size / size)), table.id, at: range.lowerBound, size: size,
      level: level)
    let step = isLeaf && first.format.knowsOutputs ? size : 0
    var bits = first.bits
    var address = range.lowerBound
    while address < range.upperBound {
      let slot = sightSlot(address, level: level, in: table)
      let left = (range.upperBound - address) / size
      let room =
        level == geometry.startLevel
        ? left : UInt64(geometry.tableEntries - geometry.index(address, level))
      for offset in 0..<Int(min(left, room)) {
        putSight(bits, at: slot + offset, level: level)
        bits &+= step
      }
      address += min(left, room) * size
    }
  }

  /// What a range is was not told.
  mutating func unsee(_ range: Range<UInt64>, in mmu: MMU) {
    let table = table(of: mmu)
    note(
      .sight(.unseen), table.id, at: range.lowerBound, size: range.size,
      level: table.geometry.startLevel)
    unsee(range, below: table.root, at: 0, level: table.geometry.startLevel, of: table)
  }

  private mutating func unsee(
    _ range: Range<UInt64>, below first: Int, at base: UInt64, level: Int, of table: Table
  ) {
    let size = table.geometry.size(level)
    var address = range.lowerBound & ~(size - 1)
    while address < range.upperBound {
      let slot = first + Int((address - base) / size)
      let part = range.clamped(to: address..<address + size)
      if part.size == size {
        putSight(Descriptor.unseen, at: slot, level: level)
      } else if memory.load(slot) != Descriptor.unseen {
        let child = sightTable(at: slot, level: level, address, of: table)
        unsee(part, below: child, at: address, level: level + 1, of: table)
      }
      address += size
    }
  }

  /// A shadow was seen to serve these registers of L1.
  mutating func seeContext(_ mmu: MMU, vttbr: UInt64, vtcr: UInt64, stage2Enabled: Bool) {
    note(.sight(.serves(VTTBR(vttbr), VTCR(vtcr), isOn: stage2Enabled)), mmu.tableID)
    self[mmu, .vttbr] = vttbr & ~VTTBR.commonNotPrivate
    self[mmu, .vtcr] = vtcr
    self[mmu, .stage2Enabled] = stage2Enabled ? 1 : 0
  }

  /// A shadow was seen to be in nobody's use.
  mutating func seeUnused(_ mmu: MMU) {
    note(.sight(.unused), mmu.tableID)
    self[mmu, .vttbr] = VTTBR.commonNotPrivate
    let table = table(of: mmu)
    for slot in table.root..<table.root + table.geometry.rootEntries {
      putSight(0, at: slot, level: table.geometry.startLevel)
    }
  }

  /// A shadow's reverse map was seen to have an entry, known or not.
  mutating func seeEntry(
    _ range: Range<UInt64>, nested: UInt64?, of mmu: MMU
  ) throws(Refusal) {
    if let nested {
      if nested.pageOffset != 0 { throw Refusal(.unaligned(nested, Page.size)) }
      // No leaf is larger, and no known entry has more than one.
      if range.size > 1 << 30 { throw Refusal(.tooLarge(1 << 30), operand: .size) }
      if nested >> UInt64(VMConfiguration.physicalBits) != 0 {
        throw Refusal(.beyondInput(bits: VMConfiguration.physicalBits))
      }
    }
    note(.sight(.entry(nested: nested)), mmu.tableID, over: range)
    policy.see(nested, over: range, of: mmu, in: &self)
  }

  /// A shadow's reverse map was seen to have no entry in a range.
  mutating func seeNoEntry(_ range: Range<UInt64>, of mmu: MMU) {
    note(.sight(.noEntry), mmu.tableID, over: range)
    policy.seeNothing(over: range, of: mmu, in: &self)
    guard let from = unseenFrom(mmu), range.lowerBound <= from, range.upperBound > from else {
      return
    }
    let isAll = range.upperBound >= 1 << UInt64(configuration.ipaBits)
    self[mmu, .broken] = isAll ? 0 : range.upperBound | Self.mapUnseen
  }

  /// What a shadow's reverse map holds from a canonical IPA on was not told.
  mutating func unseeMap(from: UInt64, of mmu: MMU) {
    let range = from..<1 << UInt64(configuration.ipaBits)
    note(.sight(.mapUnseen), mmu.tableID, over: range)
    policy.seeNothing(over: range, of: mmu, in: &self)
    self[mmu, .broken] = from | Self.mapUnseen
  }

  private func unseenFrom(_ mmu: MMU) -> UInt64? {
    let word = self[mmu, .broken]
    return word & Self.mapUnseen == 0 ? nil : word & ~Self.mapUnseen
  }

  /// The bit of `broken` that says that a map is not told, from an IPA on.
  private static let mapUnseen: UInt64 = 2

  /// The canonical IPA from which on no dump tells what the reverse map of a shadow holds; nil if all is told.
  package func reverseMapUnseen(ofShadow number: Int) -> UInt64? { unseenFrom(shadow(number)) }

  /// The slot of the entry of a level for an input address. A table on the way to it that was not seen before
  /// must be there.
  private mutating func sightSlot(_ address: UInt64, level: Int, in table: Table) -> Int {
    var end = memory.walk(table, address, to: level)
    while end.level < level {
      _ = sightTable(
        at: end.slot, level: end.level, address & ~(table.geometry.size(end.level) - 1), of: table)
      end = memory.walk(table, address, to: level)
    }
    return end.slot
  }

  /// The first slot of the table that an entry points to. Where there is none, it is made: of its entries
  /// nothing is known, unless the whole was seen to be empty.
  private mutating func sightTable(
    at slot: Int, level: Int, _ address: UInt64, of table: Table
  ) -> Int {
    let old = Descriptor(memory.load(slot))
    if old.isTable(level) { return Memory.firstSlot(ofFrameAt: old.address) }
    tally.tablesAllocated += 1
    let child = memory.allocateFrame(FrameRole(table.id, level: level + 1, at: address))
    if old.bits != 0 {
      for slot in child..<child + Memory.frameWords { storeEntry(Descriptor.unseen, at: slot) }
    }
    storeEntry(Descriptor.table(at: Memory.address(ofSlot: child)).bits, at: slot)
    return child
  }

  /// Puts an entry where another was, with all that was below that.
  private mutating func putSight(_ bits: UInt64, at slot: Int, level: Int) {
    let old = Descriptor(memory.load(slot))
    if old.bits == bits { return }
    storeEntry(bits, at: slot)
    if old.isTable(level) {
      dropSightTable(Memory.firstSlot(ofFrameAt: old.address), level: level + 1)
    }
  }

  private mutating func dropSightTable(_ first: Int, level: Int) {
    for slot in first..<first + Memory.frameWords { putSight(0, at: slot, level: level) }
    tally.tablesFreed += 1
    memory.freeFrame(first)
  }
}
