/// The characters for drawing.
///
/// Views draw in Unicode. An output that can show only ASCII replaces each cell by the ASCII form,
/// which has the same width, so the choice of the character set never changes a layout. Apart from corners
/// and crossings of lines no two glyphs have the same ASCII form, so that one sign means one thing there too.
public enum Glyph: CaseIterable, Sendable {
  /// Lines.
  case horizontal, vertical, topLeft, topRight, bottomLeft, bottomRight
  case teeRight, teeLeft, teeDown, teeUp, cross
  /// Arrows and pointers.
  case left, right, up, down, pointer, selected
  /// Trees and text.
  case foldClosed, foldOpen, ellipsis, middleDot, check
  /// Bars, from the lowest to the full one.
  case bar1, bar2, bar3, bar4, bar5, bar6, bar7, bar8
  /// States of an entry, the same in both sets: they carry the meaning in a picture without colour.
  case changed, stale, unknown, mismatch
  /// A legal difference.
  case differs
  /// Half done, and still to come.
  case paused, coming

  /// The bars in order of height.
  public static let bars: [Glyph] = [.bar1, .bar2, .bar3, .bar4, .bar5, .bar6, .bar7, .bar8]

  /// The character, one column wide.
  public var scalar: Unicode.Scalar { forms.unicode }

  /// Its ASCII replacement.
  public var ascii: Unicode.Scalar { forms.ascii }

  private var forms: (unicode: Unicode.Scalar, ascii: Unicode.Scalar) {
    switch self {
    case .horizontal: ("─", "=")
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
    case .pointer: ("▲", "A")
    case .selected: ("►", "@")
    case .foldClosed: ("▸", "+")
    case .foldOpen: ("▾", "\\")
    case .ellipsis: ("…", "$")
    case .middleDot: ("·", ".")
    case .check: ("✓", "Y")
    case .bar1: ("▁", "1")
    case .bar2: ("▂", "2")
    case .bar3: ("▃", "3")
    case .bar4: ("▄", "4")
    case .bar5: ("▅", "5")
    case .bar6: ("▆", "6")
    case .bar7: ("▇", "7")
    case .bar8: ("█", "8")
    case .changed: ("*", "*")
    case .stale: ("~", "~")
    case .unknown: ("?", "?")
    case .mismatch: ("!", "!")
    case .differs: ("≠", "/")
    case .paused: ("‖", "\"")
    case .coming: ("»", "}")
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
