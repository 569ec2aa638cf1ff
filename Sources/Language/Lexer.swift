/// A word of a line: its place in bytes, and whether it was quoted.
struct Word {
  /// Bytes of the word in the file, without quotes.
  let range: Range<Int>
  let isQuoted: Bool
  /// The first 8 bytes, the first one lowest; 0 for a quoted word, which is not a keyword.
  let head: UInt64
}

/// A mistake at a byte of the file.
struct Mistake: Error {
  let offset: Int
  let message: String
  /// Whether even the first word of the statement is unknown.
  var isUnknownStatement = false
}

/// Splits a line into words.
///
/// Blanks separate, `#` starts a comment, `"…"` quotes; in quotes `\"` and `\\` are the character itself.
struct Lexer {
  let bytes: [UInt8]
  private(set) var words: [Word] = []
  /// End of the line, the place of a missing word.
  private(set) var end = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the line that starts at `start` and returns where the next one starts.
  mutating func read(from start: Int) throws(Mistake) -> Int {
    words.removeAll(keepingCapacity: true)
    var place = start
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") {
      let byte = bytes[place]
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): place += 1
      case UInt8(ascii: "#"): place = lineEnd(from: place)
      case UInt8(ascii: "\""): place = try readQuoted(from: place)
      default: place = try readPlain(from: place)
      }
      end = place
    }
    if words.isEmpty { end = start }
    return place + 1
  }

  private func lineEnd(from start: Int) -> Int {
    bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
  }

  private mutating func readPlain(from start: Int) throws(Mistake) -> Int {
    var place = start
    while place < bytes.count, Self.isPlain(bytes[place]) { place += 1 }
    if place < bytes.count, bytes[place] >= 0x7f {
      throw Mistake(
        offset: place, message: "expected printable ASCII outside quotes and comments")
    }
    if place == start {
      throw Mistake(offset: place, message: "expected text, found a control character")
    }
    words.append(Word(range: start..<place, isQuoted: false, head: head(start..<place)))
    return place
  }

  /// Whether a byte can be part of a word outside quotes: printable, not a blank, not starting a comment.
  @inline(__always)
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte &- 0x21 < 0x7f - 0x21 && byte != UInt8(ascii: "#")
  }

  /// The first 8 bytes of a range, the first one lowest.
  @inline(__always)
  private func head(_ range: Range<Int>) -> UInt64 {
    let missing = UInt64(8 * max(0, 8 - range.count))
    if range.lowerBound + 8 <= bytes.count {
      let word = bytes.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self)
      }
      return (UInt64(littleEndian: word) << missing) >> missing
    }
    return range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
  }

  private mutating func readQuoted(from start: Int) throws(Mistake) -> Int {
    var place = start + 1
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") {
      if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count,
        bytes[place + 1] != UInt8(ascii: "\n")
      {
        place += 2
      } else if bytes[place] == UInt8(ascii: "\"") {
        words.append(Word(range: start + 1..<place, isQuoted: true, head: 0))
        return place + 1
      } else {
        place += 1
      }
    }
    throw Mistake(offset: start, message: "expected a closing quote on the same line")
  }

  /// A word as text; a quoted word is unescaped.
  func text(_ word: Word) throws(Mistake) -> String {
    guard let text = String(validating: bytes[word.range], as: UTF8.self) else {
      throw Mistake(offset: word.range.lowerBound, message: "expected valid UTF-8")
    }
    if !word.isQuoted || !text.contains("\\") { return text }
    var result = ""
    var escaped = false
    for character in text.unicodeScalars {
      if character == "\\", !escaped {
        escaped = true
      } else {
        result.unicodeScalars.append(character)
        escaped = false
      }
    }
    return result
  }

  /// A number: decimal or hexadecimal with `0x`, `_` between digits, with K, M, G or T for a power of
  /// 1024. Nil if the bytes are not a number, or it exceeds 64 bits.
  func number(_ range: Range<Int>) -> UInt64? {
    var place = range.lowerBound
    var end = range.upperBound
    var shift: UInt64 = 0
    guard end > place else { return nil }
    switch bytes[end - 1] {
    case UInt8(ascii: "K"): shift = 10
    case UInt8(ascii: "M"): shift = 20
    case UInt8(ascii: "G"): shift = 30
    case UInt8(ascii: "T"): shift = 40
    default: break
    }
    if shift > 0 { end -= 1 }
    let isHexadecimal =
      end - place > 2 && bytes[place] == UInt8(ascii: "0") && bytes[place + 1] == UInt8(ascii: "x")
    if isHexadecimal { place += 2 }
    var value: UInt64 = 0
    var afterDigit = false
    while place < end {
      let byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "_"), afterDigit, place < end {
        afterDigit = false
        continue
      }
      let digit = Self.digit(byte)
      if isHexadecimal {
        if digit > 15 || value >> 60 != 0 { return nil }
        value = value << 4 | digit
      } else {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(digit)
        if digit > 9 || overflow || carry { return nil }
        value = sum
      }
      afterDigit = true
    }
    guard afterDigit, (value << shift) >> shift == value else { return nil }
    return value << shift
  }

  /// The value of a digit; above 15 for any other byte.
  private static func digit(_ byte: UInt8) -> UInt64 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
    default: 16
    }
  }
}
