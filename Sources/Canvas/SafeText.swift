/// Text that can be drawn: every scalar in it takes one or two columns and does nothing else.
///
/// The only way for a string from outside (a label, a file name, an environment variable) to the
/// screen or to standard output. Whatever a terminal would act on, hide or reorder is spelled out
/// in place: control bytes as `\x1b`, other scalars as `\u{202e}`. That concerns
///
/// - C0, DEL and C1 controls, except the tab, which becomes one blank;
/// - bidirectional controls, zero-width scalars, variation selectors and other format characters;
/// - line and paragraph separators;
/// - private-use and unassigned scalars, whose width nobody knows;
/// - scalars that combine with a neighbour: marks, conjoining jamo, emoji modifiers, regional
///   indicators.
///
/// Bytes that are not UTF-8 become U+FFFD.
public struct SafeText: Hashable, Sendable {
  /// The text as a string; safe to print.
  public private(set) var string: String

  /// The width of the text in columns.
  public private(set) var columns: Int

  /// Makes text from a string of any origin.
  public init(_ string: some StringProtocol) {
    self.init()
    append(string)
  }

  /// Makes text from bytes of any origin, read as UTF-8.
  public init(utf8 bytes: some Collection<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }

  /// Makes text of `count` times the same text; a negative count makes none.
  public init(repeating text: SafeText, count: Int) {
    let count = max(count, 0)
    string = String(repeating: text.string, count: count)
    columns = text.columns * count
  }

  /// Makes text without any columns.
  public init() {
    string = ""
    columns = 0
  }

  /// Whether the text has no columns.
  public var isEmpty: Bool { columns == 0 }

  /// Adds the text to the end of this one.
  public static func += (left: inout SafeText, right: SafeText) {
    left.string += right.string
    left.columns += right.columns
  }

  /// The concatenation of two texts.
  public static func + (left: SafeText, right: SafeText) -> SafeText {
    var text = left
    text += right
    return text
  }

  /// Adds a string of any origin, cleaned.
  mutating func append(_ string: some StringProtocol) {
    if string.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
      self.string += string
      columns += string.utf8.count
    } else {
      for scalar in string.unicodeScalars { append(scalar) }
    }
  }

  /// Adds a scalar of any origin, as itself or spelled out.
  mutating func append(_ scalar: Unicode.Scalar) {
    if scalar == "\t" {
      string.unicodeScalars.append(" ")
      columns += 1
    } else if scalar.isDrawable {
      string.unicodeScalars.append(scalar)
      columns += scalar.columns
    } else {
      let escape = scalar.spelledOut
      string += escape
      columns += escape.utf8.count
    }
  }
}

extension SafeText: CustomStringConvertible {
  /// The text as a string; safe to print.
  public var description: String { string }
}

extension Unicode.Scalar {
  /// Whether a terminal just shows the scalar in its own cells.
  fileprivate var isDrawable: Bool {
    if isASCII { return value >= 0x20 && value != 0x7F }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned,
      .surrogate, .nonspacingMark, .spacingMark, .enclosingMark:
      return false
    default:
      return !properties.isDefaultIgnorableCodePoint && !joinsNeighbours
    }
  }

  /// Whether the scalar, although a letter or symbol, is drawn as one with its neighbours.
  private var joinsNeighbours: Bool {
    switch value {
    case 0x1160...0x11FF, 0xD7B0...0xD7FF: true  // medial and final jamo
    case 0x1F1E6...0x1F1FF: true  // regional indicators: two make a flag
    default: properties.isEmojiModifier
    }
  }

  /// The scalar in ASCII: `\x1b` for those that are one byte in Latin-1, `\u{202e}` for the others.
  fileprivate var spelledOut: String {
    let digits = String(value, radix: 16)
    if value > 0xFF { return "\\u{\(digits)}" }
    return digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
  }
}
