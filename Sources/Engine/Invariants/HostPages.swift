/// The VMM's pages by physical address.
struct HostPages {
  struct Page {
    /// Physical addresses.
    var range: Range<UInt64>
    /// Address of the VMM.
    var hva: UInt64
    var isWritable: Bool
  }

  private var pages: [Page] = []

  init(of machine: Machine) {
    machine.visit(.mapping, of: machine.hostTable) { leaf in
      let entry = HostEntry(bits: leaf.descriptor.bits)
      let size = machine.hostTable.geometry.size(leaf.level)
      pages.append(
        Page(
          range: entry.address..<entry.address + size, hva: leaf.address,
          isWritable: entry.has(HostEntry.write)))
    }
    pages.sort { $0.range.lowerBound < $1.range.lowerBound }
  }

  /// A page that holds a physical address.
  func page(at address: UInt64) -> Page? { pages(at: address).last }

  /// All pages that hold a physical address: merged pages are in several places.
  func pages(at address: UInt64) -> ArraySlice<Page> {
    let end = pages.indices.partitioningIndex { pages[$0].range.lowerBound > address }
    guard end > 0, pages[end - 1].range.contains(address) else { return [] }
    let start = pages[end - 1].range.lowerBound
    var first = end - 1
    while first > 0, pages[first - 1].range.lowerBound == start { first -= 1 }
    return pages[first..<end]
  }
}
