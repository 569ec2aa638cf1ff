import TestSupport
import Testing

@testable import KernelText

/// The text of raw tables, written here by its description.
@Suite struct RawTableTests {
  /// The remainder of a division of polynomials over GF(2), bit by bit: CRC-32C by its definition.
  private func sum(_ text: String) -> UInt32 {
    var state: UInt32 = 0xffff_ffff
    for byte in text.utf8 {
      for bit in 0..<8 {
        let isSet = (state & 1 != 0) != (byte >> UInt8(bit) & 1 != 0)
        state = state >> 1 ^ (isSet ? 0x82f6_3b78 : 0)
      }
    }
    return ~state
  }

  private func page(_ address: UInt64, _ level: Int, _ lines: [String]) -> String {
    let text = ([String(format: address, level)] + lines).map { $0 + "\n" }.joined()
    return text + "end 0x\(String(address, radix: 16)) \(String(sum(text), radix: 16))\n"
  }

  private var text: String {
    """
    pagewalk-table 1
    # the VM of process 1
    table canonical ipa=40 granule=4K start=1 roots=2 vmid=0x5 root=0x43608000 taken=812.004511

    """
      + page(
        0x4360_8000, 1, ["+000 0000000043609003 00000000800007fd", "+1ff 0000000000000001"])
      + page(0x4360_9000, 2, []) + page(0x4360_a000, 1, ["+0ff 00000000c00007fd"])
  }

  @Test func `the sum is that of RFC 3720`() {
    #expect(sum("123456789") == 0xe306_9283)
    var found = CRC32C()
    for byte in "123456789".utf8 { found.add(byte) }
    #expect(found.value == 0xe306_9283)
  }

  @Test func `words are where their lines say, and zero elsewhere`() throws {
    let tables = try RawTable.read([UInt8](text.utf8))
    #expect(tables.count == 1)
    let table = tables[0]
    #expect(table.name == "canonical" && table.vmid == 5 && table.root == 0x4360_8000)
    let words = try #require(table.words(at: 0x4360_8000, count: 512))
    #expect(words[0] == 0x4360_9003 && words[1] == 0x8000_07fd && words[511] == 1)
    #expect(words.count { $0 != 0 } == 3)
    #expect(table.words(at: 0x4360_9ff8, count: 1) == [0])
    // What is not in the text is not known.
    #expect(table.words(at: 0x4360_a000, count: 512)?[255] == 0xc000_07fd)
    #expect(table.words(at: 0x4360_8000, count: 1024)?.count == 1024)
    #expect(table.words(at: 0x4360_b000, count: 1) == nil)
  }

  @Test(arguments: [
    ("pagewalk-table 1", "pagewalk-table 2", 1, "the only version"),
    ("granule=4K", "granule=64K", 3, "granule=4K"), ("roots=2", "roots=3", 3, "do not fit"),
    ("root=0x43608000", "root=0x43609000", 3, "do not fit"),
    ("+1ff", "+001", 6, "an index from 2"), ("00000000800007fd", "800007fd", 5, "16 hex digits"),
    ("00000000800007fd", "00000000900007fd", 7, "some of them changed"),
    ("page 0x43609000 2", "page 0x43608000 2", 8, "twice"),
    ("end 0x43608000", "end 0x43609000", 7, "the end of the page"),
    ("page 0x43609000 2", "", 9, "expected the end of the page"),
  ])
  func `what is wrong is named with its line`(
    old: String, new: String, line: Int, message: String
  ) {
    let changed = text.replacing(old, with: new, maxReplacements: 1)
    let error = #expect(throws: TextError.self) { try RawTable.read([UInt8](changed.utf8)) }
    #expect(
      error?.line == line && error?.message.contains(message) == true,
      "\(String(describing: error))")
  }

  @Test func `any flipped bit of a page is found, or changes nothing`() throws {
    let tables = try RawTable.read([UInt8](text.utf8))
    let bytes = [UInt8](text.utf8)
    var random = Generator(seed: 4)
    let start = bytes.count - 120
    for _ in 0..<500 {
      var changed = bytes
      changed[start + random.below(119)] ^= 1 << UInt8(random.below(7))
      // As the case of a hex digit behind `end`.
      let found = try? RawTable.read(changed)
      #expect(found == nil || found == tables)
    }
  }
}

extension String {
  fileprivate init(format address: UInt64, _ level: Int) {
    self = "page 0x\(String(address, radix: 16)) \(level)"
  }
}
