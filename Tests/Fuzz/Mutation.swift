import TestSupport

/// Files of one reader, and what becomes of them by the ways in which files are damaged, cut, joined, or made
/// by someone who means harm.
struct Corpus: Sendable {
  let files: [[UInt8]]

  /// The longest input.
  private static let bytesAtMost = 1 << 18

  /// One of the files, changed in up to five places; rarely as it is.
  func input(_ random: inout Generator) -> [UInt8] {
    var bytes = files[random.below(files.count)]
    for _ in 0..<random.below(6) { mutate(&bytes, &random) }
    return Array(bytes.prefix(Self.bytesAtMost))
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout Generator) {
    if bytes.isEmpty { return bytes = files[random.below(files.count)] }
    let place = random.below(bytes.count)
    switch random.below(14) {
    case 0: bytes[place] = UInt8(random.below(256))
    case 1: bytes[place] ^= 1 << UInt8(random.below(8))
    case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(64)))
    case 3: bytes.removeLast(random.below(bytes.count))
    case 4: bytes.removeFirst(random.below(bytes.count))
    case 5:
      let piece = bytes[place..<min(bytes.count, place + 1 + random.below(256))]
      bytes.insert(contentsOf: piece, at: random.below(bytes.count))
    case 6:
      let line = bytes[Self.line(at: place, in: bytes)]
      for _ in 0...random.below(20) { bytes.insert(contentsOf: line, at: place) }
    case 7: bytes.removeSubrange(Self.line(at: place, in: bytes))
    case 8:
      let line = Array(bytes[Self.line(at: place, in: bytes)])
      let other = Self.line(at: random.below(bytes.count), in: bytes)
      bytes.insert(contentsOf: line, at: other.lowerBound)
    case 9:
      let other = files[random.below(files.count)]
      bytes.replaceSubrange(place..., with: other.suffix(random.below(other.count + 1)))
    case 10, 11: replaceNumber(at: place, in: &bytes, &random)
    case 12: swapWords(at: place, in: &bytes, &random)
    default:
      let text = Self.inserts[random.below(Self.inserts.count)]
      let count = random.below(40) == 0 ? 70_000 / text.count : 1
      bytes.insert(contentsOf: repeatElement(text, count: count).joined(), at: place)
    }
  }

  private static func line(at place: Int, in bytes: [UInt8]) -> Range<Int> {
    let start = bytes[..<place].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let end = bytes[place...].firstIndex(of: 0x0a).map { $0 + 1 } ?? bytes.count
    return start..<end
  }

  /// Puts a number at the border of what can be in the place of the next one.
  private func replaceNumber(
    at place: Int, in bytes: inout [UInt8], _ random: inout Generator
  ) {
    func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end =
      bytes[start...].firstIndex { !isDigit($0) && ($0 | 0x20) &- 0x61 >= 6 && $0 != 0x78 }
      ?? bytes.count
    let number = Self.numbers[random.below(Self.numbers.count)]
    bytes.replaceSubrange(start..<end, with: number.utf8)
  }

  /// Puts a word of 8 bytes from elsewhere at a place: so tables point at each other.
  private func swapWords(at place: Int, in bytes: inout [UInt8], _ random: inout Generator) {
    guard bytes.count >= 16 else { return }
    let words = bytes.count / 8
    let (to, from) = (min(place / 8, words - 1) * 8, random.below(words) * 8)
    let word = Array(bytes[from..<from + 8])
    bytes.replaceSubrange(to..<to + 8, with: word)
  }

  private static let numbers = [
    "0", "1", "2", "3", "4", "11", "63", "64", "65", "4095", "4096", "4294967295", "4294967296",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "0x0", "0xfff", "0x1000", "0x200000", "0x40000000", "0xffffffff", "0x7fffffffffffffff",
    "0x8000000000000000", "0xfffffffffffff000", "0xffffffffffffffff", "0x10000000000000000",
    "ffffffffffffffff", "99999999999999999999999999999999", "-1",
    "00000000000000000000000000000001",
  ]

  private static let inserts: [[UInt8]] =
    [
      "\r", "\n", "\r\n", "\0", "\t", " ", "\"", "\\", "#", "(", ")", "[", "]", ":", ": ", "=", "-",
      "0x", "{", "}", ",", "~~~", "\u{1b}[2J", "\u{202e}", "é",
    ].map { Array($0.utf8) } + [[0xff], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80]]
}
