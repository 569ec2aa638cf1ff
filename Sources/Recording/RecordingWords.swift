import Language

/// The words of a line of a recording, separated by blanks. A quoted word may contain anything, with
/// `\"`, `\\`, `\n` and `\u{HEX}` for characters that would end it or act on a terminal.
package struct RecordingWords {
  private var rest: Substring

  package init(_ text: some StringProtocol) { rest = Substring(text) }

  /// Whether there is another word.
  package var isEmpty: Bool { rest.isEmpty }

  /// The rest, unchanged.
  package mutating func takeRemainder() -> String {
    defer { rest = "" }
    return String(rest)
  }

  /// The next word; nil if there is none, or its quotes do not close.
  package mutating func next() -> String? {
    guard let first = rest.first else { return nil }
    if first != "\"" {
      let word = rest.prefix { $0 != " " }
      rest = rest[word.endIndex...].dropFirst()
      return String(word)
    }
    var word = ""
    var scalars = rest.unicodeScalars.dropFirst()
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"":
        rest = Substring(scalars).drop { $0 == " " }
        return word
      case "\\":
        guard let escaped = scalars.popFirst() else { return nil }
        guard let meant = Self.meaning(of: escaped, &scalars) else { return nil }
        word.unicodeScalars.append(meant)
      default: word.unicodeScalars.append(scalar)
      }
    }
    return nil
  }

  /// The next word as a number in decimal.
  mutating func number<Number: FixedWidthInteger>() -> Number? { next().flatMap { Number($0) } }

  /// The next word, which must be `name=`, as the number after it.
  mutating func number<Number: FixedWidthInteger>(_ name: String, radix: Int = 10) -> Number? {
    value(name).flatMap { Number($0, radix: radix) }
  }

  /// The next word, which must be `name=`: the text after it.
  mutating func value(_ name: String) -> String? {
    guard rest.hasPrefix(name + "=") else { return nil }
    rest = rest.dropFirst(name.utf8.count + 1)
    return next()
  }

  private static func meaning(
    of escaped: Unicode.Scalar, _ scalars: inout Substring.UnicodeScalarView.SubSequence
  ) -> Unicode.Scalar? {
    switch escaped {
    case "n": return "\n"
    case "u":
      guard scalars.popFirst() == "{" else { return nil }
      var digits = ""
      while let digit = scalars.popFirst() {
        if digit == "}" { return UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) } }
        digits.unicodeScalars.append(digit)
        if digits.utf8.count > 6 { return nil }
      }
      return nil
    default: return escaped
    }
  }

  /// A quoted text.
  package static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f {
          quoted += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}
