/// Memory as seen by a walker that does not snoop the CPUs' caches: a word that a CPU stored keeps its
/// old value there until its line is cleaned to the point of coherency.
///
/// The worst case is modelled: no line is written back before it is cleaned.
extension Machine {
  /// Two words for every stored but uncleaned word: 1, and the old value.
  private var uncleaned: SparseArray { SparseArray(root: Register.uncleaned.slot, .uncleaned) }

  private static let lineWords = 8

  /// Saves the old value of a word before a store, for an incoherent walker.
  mutating func keepUncleaned(_ slot: Int, _ bits: UInt64) {
    let place = UInt64(slot) * 2
    if bits == memory.load(slot) || uncleaned.load(place, from: memory) != 0 { return }
    uncleaned.store(1, at: place, in: &memory)
    uncleaned.store(memory.load(slot), at: place + 1, in: &memory)
  }

  /// A word as the SMMU's walker sees it.
  @inline(__always)
  func loadForSMMU(_ slot: Int) -> UInt64 {
    if configuration.iommu.isCoherent { return memory.load(slot) }
    let place = UInt64(slot) * 2
    return uncleaned.load(place, from: memory) != 0
      ? uncleaned.load(place + 1, from: memory) : memory.load(slot)
  }

  /// Cleans the cache lines of some words (`__arm_lpae_sync_pte`); nothing for a coherent walker.
  mutating func clean(_ slots: Range<Int>, _ table: TableID, at address: UInt64, level: Int) {
    if configuration.iommu.isCoherent || slots.isEmpty { return }
    note(
      .table(
        .cleanEntries(
          at: Memory.address(ofSlot: slots.lowerBound), count: UInt64(slots.count))),
      table, at: address, level: level)
    let first = slots.lowerBound / Self.lineWords * Self.lineWords
    let end = (slots.upperBound + Self.lineWords - 1) / Self.lineWords * Self.lineWords
    for slot in first..<end {
      let place = UInt64(slot) * 2
      if uncleaned.load(place, from: memory) == 0 { continue }
      uncleaned.store(0, at: place, in: &memory)
      uncleaned.store(0, at: place + 1, in: &memory)
    }
  }

  /// Cleans every entry that a walk for input addresses of a device reads, as software that keeps a table
  /// for a non-snooping walker must do after each store.
  mutating func cleanEntries(for range: Range<UInt64>, device: Int) {
    guard let table = domainTable(ofDevice: device) else { return fail(.enoent, .iommu(device)) }
    var address = range.lowerBound.page
    while address < min(range.upperBound, table.geometry.inputSize) {
      let path = path(to: address, in: table)
      for entry in path where isUncleaned(entry.slot) {
        clean(
          entry.slot..<entry.slot + 1, table.id, at: entry.address, level: entry.level)
      }
      let size = table.geometry.size(path.last?.level ?? Geometry.lastLevel)
      address = address & ~(size - 1) + size
    }
  }

  /// Whether a word of a table differs from what the SMMU's walker sees.
  public func isUncleaned(_ slot: Int) -> Bool { loadForSMMU(slot) != memory.load(slot) }
}
