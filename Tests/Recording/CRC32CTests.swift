import Testing

@testable import Recording

/// The checksum is that of RFC 3720, B.4, and of a slow computation bit by bit.
@Suite struct CRC32CTests {
  private static func sum(_ bytes: [UInt8]) -> UInt32 {
    var sum = CRC32C()
    sum.add(bytes)
    return sum.value
  }

  @Test func `values are those of the standard`() {
    #expect(Self.sum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(Self.sum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(Self.sum(Array(0..<32)) == 0x46dd_794e)
    #expect(Self.sum(Array((0..<32).reversed())) == 0x113f_db5c)
    #expect(Self.sum(Array("123456789".utf8)) == 0xe306_9283)
  }

  @Test func `pieces give what the whole gives`() {
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
    var slow = UInt32.max
    for byte in bytes {
      slow ^= UInt32(byte)
      for _ in 0..<8 { slow = slow & 1 == 0 ? slow >> 1 : slow >> 1 ^ 0x82f6_3b78 }
    }
    for cut in [0, 1, 7, 8, 9, 500, 993, 1_000] {
      var sum = CRC32C()
      sum.add(bytes[..<cut])
      sum.add(bytes[cut...])
      #expect(sum.value == ~slow, "cut at \(cut)")
    }
  }
}
