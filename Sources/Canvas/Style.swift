/// The ways besides colour in which a terminal can set text apart.
public struct Attributes: OptionSet, Hashable, Sendable {
  /// One bit per attribute.
  public let rawValue: UInt8

  /// Makes the attributes whose bits are set.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Stronger strokes.
  public static let bold = Attributes(rawValue: 1 << 0)
  /// Fainter colour.
  public static let dim = Attributes(rawValue: 1 << 1)
  /// Slanted strokes.
  public static let italic = Attributes(rawValue: 1 << 2)
  /// A line below.
  public static let underline = Attributes(rawValue: 1 << 3)
  /// Foreground and background exchanged: the cursor.
  public static let reverse = Attributes(rawValue: 1 << 4)

  /// Both sets of attributes at once.
  ///
  /// Reverse within reverse is upright again, so a cursor that runs over reversed text hides neither.
  func applied(to other: Attributes) -> Attributes {
    union(other).subtracting(.reverse).union(symmetricDifference(other).intersection(.reverse))
  }
}

/// The look of a cell: its meaning, and its own attributes.
///
/// A ``Theme`` turns it into colours.
public struct Style: Hashable, Sendable {
  /// What the cell means.
  public var role: Role
  /// Attributes in addition to those of the role.
  public var attributes: Attributes

  /// Makes the style of a role.
  public init(_ role: Role, _ attributes: Attributes = []) {
    self.role = role
    self.attributes = attributes
  }

  /// Ordinary text.
  public static let plain = Style(.text)
}
