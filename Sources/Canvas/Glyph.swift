/// The characters that pictures are drawn with.
///
/// Views draw in Unicode. An output that can show only ASCII replaces each cell by the ASCII form,
/// which has the same width, so the choice of the character set never changes a layout.
public enum Glyph: CaseIterable, Sendable {
  /// Lines.
  case horizontal, vertical, topLeft, topRight, bottomLeft, bottomRight
  case teeRight, teeLeft, teeDown, teeUp, cross
  /// Arrows and pointers.
  case left, right, up, down, both, pointer, selected
  /// Trees and text.
  case foldClosed, foldOpen, ellipsis, middleDot, check, crossMark
  /// Bars, from the lowest to the full one, and shades, from the lightest.
  case bar1, bar2, bar3, bar4, bar5, bar6, bar7, bar8
  case shade1, shade2, shade3
  /// States of an entry, the same in both sets: they are what a picture without colour says.
  case valid, table, block, invalid, changed, stale, unknown, mismatch
  /// What differs, and may.
  case differs

  /// The bars in order of height.
  public static let bars: [Glyph] = [.bar1, .bar2, .bar3, .bar4, .bar5, .bar6, .bar7, .bar8]

  /// The shades in order of darkness, the full block last.
  public static let shades: [Glyph] = [.shade1, .shade2, .shade3, .bar8]

  /// The character, one column wide.
  public var scalar: Unicode.Scalar { forms.unicode }

  /// The character that stands for it where only ASCII can be shown.
  public var ascii: Unicode.Scalar { forms.ascii }

  private var forms: (unicode: Unicode.Scalar, ascii: Unicode.Scalar) {
    switch self {
    case .horizontal: ("─", "-")
    case .vertical: ("│", "|")
    case .topLeft: ("┌", "+")
    case .topRight: ("┐", "+")
    case .bottomLeft: ("└", "+")
    case .bottomRight: ("┘", "+")
    case .teeRight: ("├", "+")
    case .teeLeft: ("┤", "+")
    case .teeDown: ("┬", "+")
    case .teeUp: ("┴", "+")
    case .cross: ("┼", "+")
    case .left: ("←", "<")
    case .right: ("→", ">")
    case .up: ("↑", "^")
    case .down: ("↓", "v")
    case .both: ("↔", "=")
    case .pointer: ("▲", "^")
    case .selected, .foldClosed: ("▸", ">")
    case .foldOpen: ("▾", "v")
    case .ellipsis: ("…", "~")
    case .middleDot: ("·", ".")
    case .check: ("✓", "v")
    case .crossMark: ("✗", "x")
    case .bar1: ("▁", "_")
    case .bar2: ("▂", ".")
    case .bar3: ("▃", ":")
    case .bar4: ("▄", "-")
    case .bar5: ("▅", "=")
    case .bar6: ("▆", "+")
    case .bar7: ("▇", "*")
    case .bar8: ("█", "#")
    case .shade1: ("░", ".")
    case .shade2: ("▒", ":")
    case .shade3: ("▓", "%")
    case .valid: ("#", "#")
    case .table: ("+", "+")
    case .block: ("=", "=")
    case .invalid: (".", ".")
    case .changed: ("*", "*")
    case .stale: ("~", "~")
    case .unknown: ("?", "?")
    case .mismatch: ("!", "!")
    case .differs: ("≠", "/")
    }
  }
}

extension SafeText {
  /// Makes text of one drawing character.
  public init(_ glyph: Glyph) {
    self.init()
    append(glyph.scalar)
  }
}

extension Role {
  /// The character that says the state of an entry where colour does not; nil for other roles.
  public var mark: Glyph? {
    switch self {
    case .valid: .valid
    case .table: .table
    case .block: .block
    case .invalid: .invalid
    case .changed: .changed
    case .stale: .stale
    case .unknown: .unknown
    case .mismatch: .mismatch
    default: nil
    }
  }
}
