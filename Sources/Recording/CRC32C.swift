/// A CRC-32C (Castagnoli, RFC 3720): detects every error burst of up to 32 bits. It is not a signature:
/// another text with the same value is easy to make.
package struct CRC32C: Sendable {
  private var state = UInt32.max

  package init() {}

  /// The checksum of all added bytes.
  package var value: UInt32 { ~state }

  /// Adds bytes.
  ///
  /// - Complexity: O(n), eight bytes at a time.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var place = 0
    var state = state
    Self.tables.withUnsafeBufferPointer { tables in
      while place + 8 <= bytes.count {
        let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let high = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
        let mixed = state ^ low
        state = 0
        for index in 0..<4 {
          let shift = UInt32(index) &* 8
          state ^= tables[(7 &- index) &* 256 &+ Int(mixed &>> shift & 0xff)]
          state ^= tables[(3 &- index) &* 256 &+ Int(high &>> shift & 0xff)]
        }
        place &+= 8
      }
      while place < bytes.count {
        state = tables[Int((state ^ UInt32(bytes[place])) & 0xff)] ^ state &>> 8
        place &+= 1
      }
    }
    self.state = state
  }

  /// Adds bytes.
  package mutating func add(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes { add($0) }
  }

  /// Adds a number, its lowest byte first.
  mutating func add(_ number: UInt32) {
    withUnsafeBytes(of: number.littleEndian) { add($0) }
  }

  /// Eight tables of 256 entries: the contribution of a byte 0 to 7 bytes before the end of eight.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
        value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78
      }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables[index] = tables[Int(before & 0xff)] ^ before >> 8
    }
    return tables
  }()
}
