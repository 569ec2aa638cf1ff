extension SafeText: ExpressibleByStringInterpolation {
  /// Makes text from a literal, which is cleaned like any other string.
  public init(stringLiteral value: String) {
    self.init(value)
  }

  /// Makes text from a literal with interpolated parts.
  public init(stringInterpolation: StringInterpolation) {
    self = stringInterpolation.text
  }

  /// The parts that own sentences are made of.
  ///
  /// A string cannot be interpolated: it is cleaned where it comes in, by making a ``SafeText`` of it.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = SafeText()

    /// Begins an empty text.
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Adds a literal part of the sentence.
    public mutating func appendLiteral(_ literal: String) {
      text.append(literal)
    }

    /// Adds text.
    public mutating func appendInterpolation(_ part: SafeText) {
      text += part
    }

    /// Adds a drawing character.
    public mutating func appendInterpolation(_ glyph: Glyph) {
      text.append(glyph.scalar)
    }

    /// Adds an integer in decimal.
    public mutating func appendInterpolation(_ number: some BinaryInteger) {
      text.append(String(number))
    }

    /// Adds an integer in hexadecimal, after `0x`, with leading zeros up to `digits`.
    public mutating func appendInterpolation(hex number: some BinaryInteger, digits: Int = 1) {
      let bare = String(number.magnitude, radix: 16)
      text.append(number < 0 ? "-0x" : "0x")
      text.append(String(repeating: "0", count: max(digits - bare.utf8.count, 0)))
      text.append(bare)
    }
  }
}
