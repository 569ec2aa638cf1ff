import Foundation
import TestSupport
import Testing

@testable import Export

/// What is compressed, read by Debian's gzip.
@Suite struct DeflateTests {
  /// A reader of RFC 1952 around what is compressed: it compares the checksum and the size.
  private static func gunzip(_ compressed: [UInt8], of bytes: [UInt8]) throws -> [UInt8] {
    let checksum = ~bytes.reduce(~UInt32(0)) { checksum, byte in
      (0..<8).reduce(checksum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1) * 0xEDB8_8320 }
    }
    let trailer = [checksum, UInt32(bytes.count)].flatMap { word in
      stride(from: UInt32(0), to: 32, by: 8).map { UInt8(truncatingIfNeeded: word >> $0) }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).gz")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + compressed + trailer).write(to: file)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let read = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Array(read)
  }

  private static func compressed(_ bytes: [UInt8], block: Int) -> [UInt8] {
    var deflate = Deflate(block: block)
    deflate.add(bytes)
    return deflate.finish()
  }

  private static func expectReadable(
    _ bytes: [UInt8], _ name: String, block: Int = 256 << 10
  ) throws {
    #expect(try gunzip(compressed(bytes, block: block), of: bytes) == bytes, "\(name)")
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `text with moved parts is read as it was`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    let letters = Array("0123456789abcdef →│\n\u{E000}漢😀".utf8)
    var text = (0..<Int.random(in: 0...3_000, using: &random)).map { _ in
      letters[Int.random(in: 0..<letters.count, using: &random)]
    }
    var all: [UInt8] = []
    for _ in 0..<16 {
      let ends = (0..<3).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
      text = Array(
        text[..<ends[0]] + text[ends[1]..<ends[2]] + text[ends[0]..<ends[1]] + text[ends[2]...])
      for _ in 0..<Int.random(in: 0...9, using: &random) where !text.isEmpty {
        text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      all += text
    }
    try Self.expectReadable(all, "seed \(seed)")
    #expect(Self.compressed(all, block: all.count).count * 3 < all.count + 3_000)
  }

  @Test func `all lengths and distances of copies are read`() throws {
    var random = Generator(seed: 1)
    func noise(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
    var all: [UInt8] = []
    for length in 3...300 { all += noise(259).prefix(length) + all.suffix(length) + noise(2) }
    try Self.expectReadable(all, "lengths")
    all = noise(33_000)
    var distance = 1
    while distance <= 32_770 {
      for near in [distance - 1, distance, distance + 1] where near > 0 {
        for _ in 0..<5 { all.append(all[all.count - near]) }
        all += noise(3)
      }
      distance = distance * 5 / 4 + 1
    }
    try Self.expectReadable(all, "distances")
  }

  @Test func `what is at the edges of a block is read`() throws {
    var random = Generator(seed: 2)
    try Self.expectReadable([], "nothing")
    try Self.expectReadable([7], "one byte")
    let block = 5_000
    try Self.expectReadable(Array(repeating: 0, count: 4 * block), "one long run", block: block)
    let noise = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    for size in [block - 1, block, block + 1, 2 * block, 9 * block + 7] {
      let bytes = (0..<size).map { noise[$0 % noise.count] }
      try Self.expectReadable(bytes, "\(size) bytes", block: block)
      // What a block has in common with the one before is not written again.
      #expect(Self.compressed(bytes, block: block).count < 1_100 + 100 * (size / block + 1))
    }
  }

  /// Occurrences like Fibonacci's numbers give the longest codes there are.
  @Test func `codes have at most the bits that their lengths can say`() throws {
    var counts = [1, 1]
    while counts.count < 40 { counts.append(counts[counts.count - 1] + counts[counts.count - 2]) }
    for longest in [7, 15] {
      let counts = Array(counts.prefix(longest == 7 ? 19 : 40))
      let code = HuffmanCode(counts: counts, longest: longest)
      #expect(code.lengths.max() == longest || code.lengths.allSatisfy { $0 <= longest })
      // Kraft's sum of a code without gaps.
      #expect(code.lengths.reduce(0) { $0 + 1 << (longest - $1) } == 1 << longest)
    }
  }

  @Test func `three bytes are four letters`() {
    for count in 0..<50 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89 + 3) }
      #expect(base64(bytes) == Data(bytes).base64EncodedString())
    }
  }
}
