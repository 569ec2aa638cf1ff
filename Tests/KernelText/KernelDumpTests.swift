import Engine
import KernelText
import Language
import TestSupport
import Testing

/// What is shown of a table is what its walker sees.
@Suite struct KernelDumpTests {
  @Test(arguments: ["rules/guest-flags.pw"])
  func `a dump of L1's table maps what a walker finds in its pages, and nothing else`(file: String)
    throws
  {
    var session = Session(try shippedScenario(file))
    try session.finish()
    let machine = session.timeline.machine
    #expect(!machine.guestTables.isEmpty)
    for guest in machine.guestTables {
      let dump = KernelDump.text(of: guest, in: machine)
      let rows = dump.split(separator: "\n").dropFirst().map(Row.init)
      let image = machine.image(of: guest)
      let end = image.pages.map { $0.address + UInt64($0.words.count) * 8 }.max() ?? image.base
      var memory = [UInt8](repeating: 0, count: Int(end - image.base))
      for page in image.pages {
        for (index, word) in page.words.enumerated() {
          for byte in 0..<8 {
            memory[Int(page.address - image.base) + index * 8 + byte] =
              UInt8(truncatingIfNeeded: word >> UInt64(byte * 8))
          }
        }
      }
      let walker = try TableWalker(
        memory: memory, at: image.base, vttbr: image.registers[0].value,
        vtcr: image.registers[1].value)
      for row in rows {
        let leaf = walker.leaf(at: row.start)
        #expect((leaf != nil) == row.isMapped, "\(row)")
      }
      // The entry of nested 0x5000 is level 3 with bit 1 clear.
      let reserved = try #require(rows.first { $0.start == 0x5000 })
      #expect(!reserved.isMapped && reserved.text.hasPrefix("F R W"), "\(reserved)")
    }
  }

  /// A row of a dump: its first address, and what it says of the entries.
  struct Row {
    let start: UInt64
    let text: String
    var isMapped: Bool { !text.isEmpty && !text.hasPrefix("F") }

    init(_ line: Substring) {
      let words = line.split(separator: " ")
      start = UInt64(words[0].dropFirst(2).prefix(16), radix: 16) ?? 0
      text = words.dropFirst(3).joined(separator: " ")
    }
  }
}
