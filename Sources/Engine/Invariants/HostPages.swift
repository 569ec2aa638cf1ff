/// The VMM's pages by physical address.
struct HostPages: Sendable {
  struct Page: Equatable {
    /// Physical addresses.
    var range: Range<UInt64>
    /// Address of the VMM.
    var hva: UInt64
    var isWritable: Bool
  }

  /// First physical address, and the VMM's address with the level and a bit for writable below it.
  private var pages = PairSet()

  init() {}

  init(of machine: Machine) {
    machine.visit(.mapping, of: machine.hostTable) {
      insert(HostEntry(bits: $0.descriptor.bits), at: $0.address, level: $0.level)
    }
  }

  private static func pair(_ entry: HostEntry, _ hva: UInt64, _ level: Int) -> PairSet.Pair {
    PairSet.Pair(
      entry.address, hva | UInt64(level) << 1 | (entry.has(HostEntry.write) ? 1 : 0))
  }

  private static func page(_ pair: PairSet.Pair) -> Page {
    let size = TLB.geometry.size(Int(pair.second >> 1 & 3))
    return Page(
      range: pair.first..<pair.first + size, hva: pair.second.page,
      isWritable: pair.second & 1 != 0)
  }

  /// A leaf of the VMM's table is added, or removed.
  mutating func insert(_ entry: HostEntry, at hva: UInt64, level: Int) {
    pages.insert(Self.pair(entry, hva, level))
  }
  mutating func remove(_ entry: HostEntry, at hva: UInt64, level: Int) {
    pages.remove(Self.pair(entry, hva, level))
  }

  /// The page that holds a physical address; of merged pages the one with the highest VMM address.
  func page(at address: UInt64) -> Page? {
    guard let page = pages.last(through: PairSet.Pair(address, .max)).map(Self.page),
      page.range.contains(address)
    else { return nil }
    return page
  }

  /// All pages that hold a physical address: merged pages, and the zero page, are in several places.
  func pages(at address: UInt64) -> [Page] {
    guard let last = page(at: address) else { return [] }
    let start = last.range.lowerBound
    return pages.pairs(in: start..<start + 1).map(Self.page)
  }
}
