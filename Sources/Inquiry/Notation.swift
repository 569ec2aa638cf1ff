import Engine
import Language

/// Signs in reports. A display limited to ASCII replaces them.
enum Sign {
  static let arrow = "→"
  static let changed = "*"
  static let differs = "≠"
  static let ellipsis = "…"
  static let mismatch = "!"
  static let selected = "►"
  static let stale = "~"
  static let times = "×"
  static let unknown = "?"
}

extension DefaultStringInterpolation {
  /// Adds an address or a word in hexadecimal, after `0x`.
  mutating func appendInterpolation(hex value: UInt64) {
    appendLiteral("0x")
    appendLiteral(String(value, radix: 16))
  }
}

extension String {
  /// The alignment of text in a column.
  enum Alignment { case left, right }

  /// The text padded with blanks to at least `columns` columns.
  func padded(to columns: Int, _ alignment: Alignment = .left) -> String {
    let blanks = String(repeating: " ", count: max(0, columns - unicodeScalars.count))
    return alignment == .left ? self + blanks : blanks + self
  }

  /// The text with a capital at its start.
  package var capitalized: String { prefix(1).uppercased() + dropFirst() }

  /// The text without trailing blanks.
  var trimmedAtEnd: Substring {
    var end = endIndex
    while end > startIndex, self[index(before: end)] == " " { end = index(before: end) }
    return self[..<end]
  }
}

extension StringProtocol {
  /// The text without blanks, tabs and returns around it.
  package var trimmed: SubSequence {
    let start = drop { $0 == " " || $0 == "\t" || $0 == "\r" }
    var end = start.endIndex
    while end > start.startIndex, " \t\r".contains(start[start.index(before: end)]) {
      end = start.index(before: end)
    }
    return start[start.startIndex..<end]
  }
}

/// A number with the noun that it counts.
func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
  "\(number) \(number == 1 ? one : many ?? one + "s")"
}
