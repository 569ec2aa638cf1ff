/// One cell of a frame: a character and its look.
///
/// A wide character is in its left cell; the right one continues it.
public struct Cell: Hashable, Sendable {
  /// The character, or U+0000 in a cell that continues the wide character to its left.
  public internal(set) var scalar: Unicode.Scalar
  /// How the cell looks.
  public internal(set) var style: Style

  /// A blank of a style.
  static func blank(_ style: Style = .plain) -> Cell {
    Cell(scalar: " ", style: style)
  }

  /// The right half of a wide character.
  static func continuation(_ style: Style) -> Cell {
    Cell(scalar: "\0", style: style)
  }

  /// Whether the cell is the right half of a wide character.
  public var isContinuation: Bool { scalar == "\0" }
}
