/// A TLB: one frame for each leaf level, of 64 sets of 4 entries of 2 words. One TLB holds the entries of
/// all CPUs, each with its CPU number; another is the SMMU's own.
///
///       62  57 56                  21 20          3  2 1  0
///     +-+-----+----------------------+-------------+----+--+
///     |0| CPU | input page           |   context   |lvl |V |   tag; the other word is the leaf's descriptor
///     +-+-----+----------------------+-------------+----+--+
///
/// A walk fills it with the leaf as it is then, including its permissions. From then on the cached entry
/// decides an access, not the table: an access that it forbids is a permission fault, even if the leaf has
/// been relaxed since; one that it allows is made, even if the leaf is now write-protected or unmapped.
/// Unmapping therefore takes effect for a table's users only with a TLBI that has the right VMID.
///
/// Each level has its own frame so that the memory's count of the frame's words tells whether a level
/// needs a lookup at all: most of the time only pages are cached.
public struct TLB: Equatable, Sendable {
  /// Slot of the first word.
  let base: Int

  /// Slots of all its words.
  var slots: Range<Int> { base..<base + Self.words }

  static let sets = 64
  static let ways = 4
  /// Levels that a leaf can have.
  static let levels = 1...Geometry.lastLevel
  static let frames = levels.count
  static let words = frames * Memory.frameWords

  /// All host tables have this granule, so it sets the size of an entry at each level.
  static let geometry = Geometry.stage2(bits: VMConfiguration.physicalBits)

  /// A live entry.
  public struct Entry: Equatable, Sendable {
    /// Whose translation it is.
    public let context: TranslationContext
    /// First input address, aligned to the size of the level.
    public let address: UInt64
    /// Level of the leaf that was cached.
    public let level: Int
    /// The leaf as it was when cached.
    public let descriptor: Descriptor
    /// Slot of the tag.
    public let slot: Int
    /// Number of the CPU whose TLB holds it; 0 for the SMMU's.
    public let cpu: Int

    /// Hardware VMID, or nil for stage 1.
    public var vmid: UInt16? { context.isStage1 ? nil : context.number }
    /// The input addresses that it translates.
    public var range: Range<UInt64> { address..<address + TLB.geometry.size(level) }

    /// The entry whose tag is at `slot`, or nil if that place is free.
    init?(at slot: Int, in memory: Memory) {
      let tag = memory.load(slot)
      guard tag & 1 != 0 else { return nil }
      context = TranslationContext(bits: tag >> 3 & TranslationContext.mask)
      address = TLB.address(ofTag: tag)
      level = Int(tag >> 1 & 3)
      descriptor = Descriptor(memory.load(slot + 1))
      cpu = TLB.cpu(ofTag: tag)
      self.slot = slot
    }
  }

  /// Number of the SMMU's TLB in the roles of its frames; that of the CPUs has 0.
  static let iotlbNumber: UInt64 = 1

  /// The input addresses of an entry by its tag, or nil if it is free.
  static func addresses(ofTag tag: UInt64) -> Range<UInt64>? {
    let start = address(ofTag: tag)
    return tag & 1 == 0 ? nil : start..<start + geometry.size(Int(tag >> 1 & 3))
  }

  @inline(__always)
  fileprivate static func address(ofTag tag: UInt64) -> UInt64 { (tag >> 21) << 12 & inputMask }

  @inline(__always)
  static func cpu(ofTag tag: UInt64) -> Int { Int(truncatingIfNeeded: tag >> cpuShift) }

  /// A tag as it would be on CPU 0.
  @inline(__always)
  static func withoutCPU(_ tag: UInt64) -> UInt64 { tag & (1 << cpuShift - 1) }

  private static let cpuShift: UInt64 = 57
  /// Mask of an entry's input address: no table translates larger ones.
  static let inputMask: UInt64 = 1 << UInt64(VMConfiguration.physicalBits) - 1

  /// First slot of the frame for leaves of a level.
  @inline(__always)
  func frame(_ level: Int) -> Int { base &+ (level &- 1) &* Memory.frameWords }

  /// First slot of the set for an address and a level.
  @inline(__always)
  func set(_ context: TranslationContext, _ address: UInt64, level: Int) -> Int {
    let page = address >> Self.geometry.shift(level)
    let hash = (page ^ page >> 6 ^ context.bits) & UInt64(Self.sets - 1)
    return frame(level) &+ Int(truncatingIfNeeded: hash) &* (Self.ways * 2)
  }

  /// The tag of an entry for an address that a table can translate.
  @inline(__always)
  static func tag(
    _ context: TranslationContext, _ address: UInt64, level: Int, cpu: Int
  ) -> UInt64 {
    let page = (address & ~(geometry.size(level) - 1)) >> 12
    return UInt64(truncatingIfNeeded: cpu) << cpuShift | page << 21 | context.bits << 3
      | UInt64(truncatingIfNeeded: level) << 1 | 1
  }
}

extension Memory {
  /// All live entries of a TLB, in the order of their slots.
  func entries(of tlb: TLB) -> [TLB.Entry] {
    stride(from: tlb.slots.lowerBound, to: tlb.slots.upperBound, by: 2).compactMap {
      TLB.Entry(at: $0, in: self)
    }
  }

  /// Slot of the tag of a CPU's entry for an address at a level, or nil. A table must be able to
  /// translate the address.
  @inline(__always)
  func slot(
    of address: UInt64, level: Int, _ context: TranslationContext, cpu: Int = 0, in tlb: TLB
  ) -> Int? {
    if isEmpty(level, of: tlb) { return nil }
    let tag = TLB.tag(context, address, level: level, cpu: cpu)
    var way = tlb.set(context, address, level: level)
    for _ in 0..<TLB.ways {
      if load(way) == tag { return way }
      way &+= 2
    }
    return nil
  }

  /// Whether a TLB holds no leaf of a level.
  @inline(__always)
  func isEmpty(_ level: Int, of tlb: TLB) -> Bool { usedWords(inFrameAt: tlb.frame(level)) == 0 }

  /// Caches the leaf at which a CPU's walk ended.
  mutating func fill(
    _ tlb: TLB, _ context: TranslationContext, _ address: UInt64, _ end: WalkEnd, cpu: Int = 0
  ) {
    let start = address & ~(TLB.geometry.size(end.level) - 1)
    let tag = TLB.tag(context, address, level: end.level, cpu: cpu)
    let set = tlb.set(context, address, level: end.level)
    // A free way, else the one that the address selects.
    var place = set + Int((start >> 18 ^ start >> 12) & UInt64(TLB.ways - 1)) * 2
    var free: Int?
    for way in stride(from: set, to: set + 2 * TLB.ways, by: 2) {
      let old = load(way)
      if old == tag {
        place = way
        free = nil
        break
      }
      if old == 0, free == nil { free = way }
    }
    if let free { place = free }
    store(tag, at: place)
    store(end.descriptor.bits, at: place + 1)
  }

  /// Drops every entry of a context that overlaps a range of input addresses: on all CPUs, or on one.
  mutating func drop(
    _ range: Range<UInt64>, _ context: TranslationContext, cpu: Int? = nil, from tlb: TLB
  ) {
    let isPage = range.size == Memory.frameBytes
    for level in TLB.levels where !isEmpty(level, of: tlb) {
      let frame = tlb.frame(level)
      let set = tlb.set(context, range.lowerBound, level: level)
      drop(
        range, context, cpu,
        fromSlots: isPage ? set..<set + 2 * TLB.ways : frame..<frame + Memory.frameWords)
    }
  }

  private mutating func drop(
    _ range: Range<UInt64>, _ context: TranslationContext, _ cpu: Int?,
    fromSlots slots: Range<Int>
  ) {
    for slot in stride(from: slots.lowerBound, to: slots.upperBound, by: 2) {
      let tag = load(slot)
      guard tag >> 3 & TranslationContext.mask == context.bits,
        let addresses = TLB.addresses(ofTag: tag)
      else { continue }
      if let cpu, TLB.cpu(ofTag: tag) != cpu { continue }
      if addresses.overlaps(range) { remove(slot) }
    }
  }

  /// Drops all entries of a CPU.
  mutating func drop(cpu: Int, from tlb: TLB) {
    for level in TLB.levels {
      var slot = tlb.frame(level)
      // Few are live at a time: stop at the last of them.
      var left = usedWords(inFrameAt: slot)
      while left > 0 {
        let tag = load(slot)
        if tag & 1 != 0 {
          left -= load(slot + 1) == 0 ? 1 : 2
          if TLB.cpu(ofTag: tag) == cpu { remove(slot) }
        }
        slot += 2
      }
    }
  }

  private mutating func remove(_ slot: Int) {
    store(0, at: slot)
    store(0, at: slot + 1)
  }
}

extension Machine {
  /// All live entries of the CPUs' TLB, in the order of their slots.
  public var tlbEntries: [TLB.Entry] { memory.entries(of: layout.tlb) }

  /// A CPU's cached entry for an input address of a table: the end of an earlier walk, or nil if it must
  /// walk. Of entries of two sizes, the smaller.
  func cached(_ address: UInt64, in table: Table, cpu: Int) -> WalkEnd? {
    if address > table.inputMask { return nil }
    for level in TLB.levels.reversed() {
      let slot = memory.slot(
        of: address, level: level, .vmid(table.vmid), cpu: cpu, in: layout.tlb)
      if let slot {
        return WalkEnd(slot: slot, level: level, descriptor: Descriptor(memory.load(slot + 1)))
      }
    }
    return nil
  }

  /// Invalidates every TLB entry of a table's VMID that overlaps a range of input addresses, on all CPUs
  /// or, without broadcast, on one.
  @inline(__always)
  mutating func invalidate(
    _ table: Table, _ range: Range<UInt64>, _ reason: TLBStep.Reason, cpu: Int? = nil
  ) {
    tally.invalidations &+= reason.count
    note(.tlb(.invalidate(reason, vmid: table.vmid)), table.id, over: range)
    if table.hasVMID { memory.drop(range, .vmid(table.vmid), cpu: cpu, from: layout.tlb) }
    if hasTableHooks { didInvalidate(range, of: table, isLocal: cpu != nil) }
  }

  @inline(never)
  private mutating func didInvalidate(_ range: Range<UInt64>, of table: Table, isLocal: Bool) {
    for hook in tableHooks {
      hook.didInvalidate(range, of: table, isLocal: isLocal, in: &self)
    }
  }

  /// Whether the table from which a TLB entry was filled would now give another translation.
  public func isStale(_ entry: TLB.Entry, in table: Table) -> Bool {
    isStale(
      WalkEnd(slot: entry.slot, level: entry.level, descriptor: entry.descriptor),
      at: entry.address, in: table)
  }

  /// The same for a cached walk end of an address.
  func isStale(_ cached: WalkEnd, at address: UInt64, in table: Table) -> Bool {
    let end = memory.walk(table, address)
    let ignored = Descriptor.accessed | Descriptor.softwareMask
    return end.level != cached.level
      || (end.descriptor.bits ^ cached.descriptor.bits) & ~ignored != 0
  }
}
