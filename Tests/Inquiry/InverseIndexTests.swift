import Engine
import Language
import TestSupport
import Testing

@testable import Inquiry

/// Which input addresses lead to an output address: what an index finds is what reading all of the table finds.
@Suite struct InverseIndexTests {
  /// A device's table with pages and blocks, some of which lead to the same memory.
  private func machine(seed: UInt64) throws -> Machine {
    var random = Generator(seed: seed)
    var text = "pagewalk 1\nvm ipa=40\nmemslot 0 0x80000000 1M backing=4K\niommu attach\n"
    for slot in 0..<80 {
      let start = 0x1_0000_0000 + UInt64(slot) * 0x20_0000
      let isBlock = random.below(3) == 0
      let output =
        0x20_0000_0000 + UInt64(random.below(8)) * 0x20_0000
        + (isBlock ? 0 : UInt64(random.below(512)) * 4096)
      let size = isBlock ? 0x20_0000 : UInt64(1 + random.below(3)) * 4096
      text += "iommu map \(start) \(size) \(output) rw\n"
    }
    var session = Session(try Scenario(parsing: Array(text.utf8), file: "devices.pw"))
    try session.finish()
    return session.timeline.machine
  }

  /// The input addresses of a device's pages, by output address.
  private func pages(of reader: TableReader) -> [UInt64: [UInt64]] {
    var pages: [UInt64: [UInt64]] = [:]
    var leaf = reader.mappedRange(from: 0)
    while let now = leaf {
      for offset in stride(from: 0, to: now.size, by: 4096) {
        pages[now.output + offset, default: []].append(now.range.lowerBound + offset)
      }
      leaf = reader.mappedRange(from: now.range.upperBound)
    }
    return pages
  }

  @Test(arguments: [1, 2, 3])
  func `an index finds what reading the table finds`(seed: UInt64) throws {
    let machine = try machine(seed: seed)
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
}
