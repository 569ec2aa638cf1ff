/// The TLB of the machine, shared by its CPUs: 64 sets of 4 entries of 2 words.
///
///      63                     20 19          4  2 1  0
///     +-------------------------+-------------+----+--+
///     | input page              |    VMID     |lvl |V |   tag; the other word is the leaf's descriptor
///     +-------------------------+-------------+----+--+
///
/// Accesses fill it and the kernel's TLB invalidations empty it, but no access is decided by it: an
/// entry that outlives its table entry is shown as stale, and never changes what the tables do.
public struct TLB: Sendable {
  static let sets = 64
  static let ways = 4
  static let words = sets * ways * 2

  /// A live entry.
  public struct Entry: Equatable, Sendable {
    /// Hardware VMID.
    public let vmid: UInt16
    /// First input address, aligned to the size of the level.
    public let address: UInt64
    /// Level of the leaf that was cached.
    public let level: Int
    /// The leaf as it was.
    public let descriptor: Descriptor
    /// Slot of the tag.
    public let slot: Int

    /// The entry whose tag is at `slot`, or nil if that place is free.
    init?(at slot: Int, in memory: Memory) {
      let tag = memory.load(slot)
      guard tag & 1 != 0 else { return nil }
      vmid = UInt16(truncatingIfNeeded: tag >> 4)
      address = (tag >> 20) << 12
      level = Int(tag >> 1 & 3)
      descriptor = Descriptor(memory.load(slot + 1))
      self.slot = slot
    }
  }

  /// First slot of the set for a page of a level.
  @inline(__always)
  static func set(_ vmid: UInt16, _ address: UInt64, level: Int, geometry: Geometry) -> Int {
    let page = address >> geometry.shift(level)
    let hash = (page ^ page >> 6 ^ UInt64(vmid) ^ UInt64(level) << 4) & UInt64(sets - 1)
    return Int(hash) * ways * 2
  }
}

extension Machine {
  /// All live TLB entries, in the order of their slots.
  public var tlbEntries: [TLB.Entry] {
    stride(from: layout.tlb, to: layout.tlb + TLB.words, by: 2).compactMap {
      TLB.Entry(at: $0, in: memory)
    }
  }

  /// Caches the leaf that a walk ended at.
  mutating func fillTLB(_ table: Table, _ address: UInt64, _ end: WalkEnd) {
    let start = address & ~(table.geometry.size(end.level) - 1)
    let tag = (start >> 12) << 20 | UInt64(table.vmid) << 4 | UInt64(end.level) << 1 | 1
    let set =
      layout.tlb + TLB.set(table.vmid, address, level: end.level, geometry: table.geometry)
    // A free way, or else one that the address picks.
    var place = set + Int((start >> 18 ^ start >> 12) & UInt64(TLB.ways - 1)) * 2
    var free: Int?
    for way in stride(from: set, to: set + 2 * TLB.ways, by: 2) {
      let old = memory.load(way)
      if old == tag {
        place = way
        free = nil
        break
      }
      if old == 0, free == nil { free = way }
    }
    if let free { place = free }
    memory.store(tag, at: place)
    memory.store(end.descriptor.bits, at: place + 1)
  }

  /// Invalidates what the TLB holds for a range of input addresses of a table: every entry of its VMID
  /// that overlaps the range.
  @inline(__always)
  mutating func invalidate(
    _ table: Table, _ range: Range<UInt64>, _ reason: Step.Invalidation
  ) {
    tally.invalidations &+= 1
    note(
      .invalidate(reason), table.id, at: range.lowerBound,
      size: range.upperBound - range.lowerBound, value: UInt64(table.vmid))
    // A context on which no vCPU ever ran has no VMID, and so no entries.
    if table.vmid != 0 { dropTLBEntries(of: table, range) }
  }

  private mutating func dropTLBEntries(of table: Table, _ range: Range<UInt64>) {
    let geometry = table.geometry
    let pages = (range.upperBound - range.lowerBound) >> UInt64(geometry.granuleShift)
    if pages == 1 {
      for level in max(1, geometry.startLevel)...Geometry.lastLevel {
        let set =
          layout.tlb + TLB.set(table.vmid, range.lowerBound, level: level, geometry: geometry)
        dropTLBEntries(set..<set + 2 * TLB.ways, table, range)
      }
    } else {
      dropTLBEntries(layout.tlb..<layout.tlb + TLB.words, table, range)
    }
  }

  private mutating func dropTLBEntries(
    _ slots: Range<Int>, _ table: Table, _ range: Range<UInt64>
  ) {
    for slot in stride(from: slots.lowerBound, to: slots.upperBound, by: 2) {
      let tag = memory.load(slot)
      if tag & 1 == 0 || UInt16(truncatingIfNeeded: tag >> 4) != table.vmid { continue }
      let start = (tag >> 20) << 12
      let size = table.geometry.size(Int(tag >> 1 & 3))
      if start < range.upperBound && range.lowerBound < start + size {
        memory.store(0, at: slot)
        memory.store(0, at: slot + 1)
      }
    }
  }

  /// Whether the table that a TLB entry was filled from would give another translation now.
  public func isStale(_ entry: TLB.Entry, in table: Table) -> Bool {
    let end = memory.walk(table, entry.address)
    let ignored = Descriptor.accessed | Descriptor.softwareMask
    return end.level != entry.level
      || (end.descriptor.bits ^ entry.descriptor.bits) & ~ignored != 0
  }
}
