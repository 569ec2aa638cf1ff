import Glibc

/// A piece of a text that is read from left to right. The bytes belong to whoever reads the text.
struct Words {
  let bytes: UnsafeBufferPointer<UInt8>
  /// Start of the rest.
  private(set) var start: Int
  /// End of the piece.
  private(set) var end: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    self.bytes = bytes
    start = range.lowerBound
    end = range.upperBound
  }

  var isEmpty: Bool { start == end }
  var count: Int { end - start }
  var first: UInt8? { start < end ? bytes[start] : nil }
  var last: UInt8? { start < end ? bytes[end - 1] : nil }

  subscript(index: Int) -> UInt8? {
    index >= 0 && index < count ? bytes[start + index] : nil
  }

  /// The raw text. It may contain anything: `SafeText` makes it safe to show.
  var string: String { String(decoding: bytes[start..<end], as: UTF8.self) }

  /// Whether it begins with one byte and ends with another.
  func isEnclosed(_ open: Unicode.Scalar, _ close: Unicode.Scalar) -> Bool {
    first == UInt8(ascii: open) && last == UInt8(ascii: close)
  }

  func dropFirst(_ count: Int) -> Words {
    Words(bytes, min(end, start + max(0, count))..<end)
  }

  func prefix(_ count: Int) -> Words {
    Words(bytes, start..<min(end, start + max(0, count)))
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// Whether a byte may occur in a C identifier.
  @inline(__always)
  static func isName(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- 0x61 < 26 || byte == 0x5f
  }

  @inline(__always)
  mutating func skipBlanks() {
    while start < end, Self.isBlank(bytes[start]) { start += 1 }
  }

  /// Drops trailing blanks, carriage returns, and zeros, with which a file may be filled up.
  mutating func trimEnd() {
    while start < end,
      Self.isBlank(bytes[end - 1]) || bytes[end - 1] == 0x0d || bytes[end - 1] == 0
    {
      end -= 1
    }
  }

  @inline(__always)
  func hasPrefix(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard length <= count, let base = bytes.baseAddress, length > 0 else { return length == 0 }
    // The first byte alone tells most apart.
    return base[start] == text.utf8Start[0] && memcmp(base + start, text.utf8Start, length) == 0
  }

  @inline(__always)
  static func == (words: Words, text: StaticString) -> Bool {
    words.count == text.utf8CodeUnitCount && words.hasPrefix(text)
  }

  /// Takes the last word, and the blanks behind it.
  mutating func takeLastWord() -> Words {
    while start < end, Self.isBlank(bytes[end - 1]) { end -= 1 }
    let behind = end
    while start < end, !Self.isBlank(bytes[end - 1]) { end -= 1 }
    return Words(bytes, end..<behind)
  }

  /// Takes a text from the front; false, and nothing taken, if it is not there.
  mutating func take(_ text: StaticString) -> Bool {
    guard hasPrefix(text) else { return false }
    start += text.utf8CodeUnitCount
    return true
  }

  /// Takes the next byte.
  mutating func takeByte() -> UInt8? {
    guard start < end else { return nil }
    start += 1
    return bytes[start - 1]
  }

  /// Takes what stands before the next blank, after any blanks.
  @inline(__always)
  mutating func takeWord() -> Words {
    skipBlanks()
    return take { !Self.isBlank($0) }
  }

  /// Takes bytes for as long as a condition holds.
  @inline(__always)
  mutating func take(while holds: (UInt8) -> Bool) -> Words {
    let from = start
    while start < end, holds(bytes[start]) { start += 1 }
    return Words(bytes, from..<start)
  }

  /// Takes hexadecimal digits, at most those of 64 bits.
  @inline(__always)
  mutating func takeHex() -> UInt64? {
    let from = start
    var value: UInt64 = 0
    while start < end {
      let byte = bytes[start]
      let digit: UInt8
      if Self.isDigit(byte) {
        digit = byte &- 0x30
      } else if (byte | 0x20) &- 0x61 < 6 {
        digit = (byte | 0x20) &- 0x61 &+ 10
      } else {
        break
      }
      if value >> 60 != 0 { return nil }
      value = value << 4 | UInt64(digit)
      start += 1
    }
    return start == from ? nil : value
  }

  /// Takes decimal digits, at most those of 64 bits.
  mutating func takeDecimal() -> UInt64? {
    let from = start
    var value: UInt64 = 0
    while start < end, Self.isDigit(bytes[start]) {
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(UInt64(bytes[start] &- 0x30))
      if tooLarge || overflow { return nil }
      value = sum
      start += 1
    }
    return start == from ? nil : value
  }

  /// Takes a number as C prints it: hexadecimal after `0x`, else decimal.
  @inline(__always)
  mutating func takeNumber() -> UInt64? { take("0x") ? takeHex() : takeDecimal() }

  /// Whether it is a CPU's number as traces have it, `[003]`.
  var isCPU: Bool { isEnclosed("[", "]") && dropFirst(1).prefix(count - 2).isDecimal }

  /// Whether it has decimal digits, and nothing else.
  var isDecimal: Bool {
    if isEmpty { return false }
    for index in start..<end where !Self.isDigit(bytes[index]) { return false }
    return true
  }

  /// All of it as a number; nil if anything follows the number.
  var number: UInt64? {
    var rest = self
    guard let value = rest.takeNumber(), rest.isEmpty else { return nil }
    return value
  }

  /// The part after the first occurrence of a text; nil if there is none.
  func after(_ text: StaticString) -> Words? {
    let length = text.utf8CodeUnitCount
    guard length > 0, count >= length, let base = bytes.baseAddress else { return nil }
    var place = start
    while let found = memchr(base + place, Int32(text.utf8Start[0]), end - length + 1 - place) {
      place = base.distance(to: found.assumingMemoryBound(to: UInt8.self))
      if memcmp(found, text.utf8Start, length) == 0 { return Words(bytes, place + length..<end) }
      place += 1
    }
    return nil
  }
}

/// The lines of a text, with Unix or Windows line ends; the last needs none.
struct Lines: Sequence, IteratorProtocol {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var start = 0
  /// The number of the last returned line, from 1.
  private(set) var number = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func next() -> Words? {
    guard start < bytes.count else { return nil }
    var end = start
    while end < bytes.count, bytes[end] != 0x0a { end += 1 }
    var line = Words(bytes, start..<end)
    if line.last == 0x0d { line = line.prefix(line.count - 1) }
    start = end + 1
    number += 1
    return line
  }
}

/// An error in a text, and its place.
package struct TextError: Error, Equatable, Sendable, CustomStringConvertible {
  /// From 1.
  package let line: Int
  /// From 1.
  package let column: Int
  /// What was found, what was expected, and what to do.
  package let message: String

  /// An error at a place of a text.
  package init(line: Int, column: Int = 1, _ message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  /// As messages show it: line, column, and what is wrong.
  package var description: String { "\(line):\(column): \(message)" }
}

/// Lines of a text that its reader does not understand: their number, and the first ones.
package struct SkippedLines: Equatable, Sendable {
  /// Their number.
  package private(set) var count = 0
  /// The first three, with what is wrong with them.
  package private(set) var first: [TextError] = []

  /// None so far.
  package init() {}

  mutating func add(_ line: Int, _ message: @autoclosure () -> String) {
    count += 1
    if first.count < 3 { first.append(TextError(line: line, message())) }
  }
}
