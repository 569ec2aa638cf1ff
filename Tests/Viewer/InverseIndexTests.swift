import Engine
import Inquiry
import TestSupport
import Testing

@testable import Viewer

/// Which input addresses lead to an output address: what an index finds is what reading all of the table finds.
@Suite struct InverseIndexTests {
  /// A device's table with pages and blocks, some of which lead to the same memory.
  private func screen(seed: UInt64) throws -> Screen {
    var random = Generator(seed: seed)
    var text = "memslot 0 0x80000000 1M backing=4K\niommu attach\n"
    for slot in 0..<80 {
      let start = 0x1_0000_0000 + UInt64(slot) * 0x20_0000
      let isBlock = random.below(3) == 0
      let output =
        0x20_0000_0000 + UInt64(random.below(8)) * 0x20_0000
        + (isBlock ? 0 : UInt64(random.below(512)) * 4096)
      let size = isBlock ? 0x20_0000 : UInt64(1 + random.below(3)) * 4096
      text += "iommu map \(start) \(size) \(output) rw\n"
    }
    var screen = try Screen(statements: text)
    screen.press("$")
    return screen
  }

  /// The input addresses of a device's pages, by output address.
  private func pages(of reader: TableReader) -> [UInt64: [UInt64]] {
    var pages: [UInt64: [UInt64]] = [:]
    let rows = Rows(reader, folds: Folds())
    var row = rows.first
    while let leaf = row {
      if leaf.descriptor.isLeaf(leaf.level) {
        for offset in stride(from: 0, to: leaf.end - leaf.address, by: 4096) {
          pages[leaf.descriptor.address + offset, default: []].append(leaf.address + offset)
        }
      }
      row = rows.next(after: leaf)
    }
    return pages
  }

  @Test(arguments: [1, 2, 3])
  func `an index finds what reading the table finds`(seed: UInt64) throws {
    let machine = try screen(seed: seed).model.machine
    let table = try #require(machine.table(.iommu(0)))
    let expected = pages(of: TableReader(table, in: machine))
    #expect(expected.values.contains { $0.count > 2 })
    var index = InverseIndex(.host(.iommu(0)))
    var reads = 0
    while !index.isWhole {
      var left = 3
      index.read(machine, pages: &left)
      reads += 1
    }
    #expect(reads > 10)
    for slot in 0..<9 * 512 as Range<UInt64> {
      let output = 0x20_0000_0000 + slot * 4096
      #expect(index.inputs(leadingTo: output, atMost: .max) == expected[output] ?? [])
    }
    #expect(index.inputs(leadingTo: 0x1F_FFFF_F000, atMost: .max).isEmpty)
  }

  @Test func `no more places are found than can be listed`() throws {
    let maps = (0..<400).map { "iommu map \(0x1_0000_0000 + $0 * 4096) 4K 0x800400000 r\n" }
    var screen = try Screen(
      statements: "memslot 0 0x80000000 1M backing=4K\nl1 write 0x80000000\niommu attach\n"
        + maps.joined())
    screen.press("$ 1 G a")
    #expect(screen.model.link?.places[.iommu(0)]?.count == Link.placesAtMost)
    #expect(screen.text.contains("Some tables may have more than 250 places."))
  }
}
