/// A colour requested by roles; a ``Theme`` answers with its nearest one.
enum Hue: CaseIterable {
  case plain, faint, blue, cyan, violet, yellow, orange, red
  // Text of a highlight, and its background.
  case linked, linkedGround, match, matchGround
  // The background of everything else.
  case ground
}

/// A colour at each depth, nil for the terminal's own.
struct Ink {
  var full: Colour?
  var sixteen: Colour?
  var eight: Colour?

  init(_ full: Colour?, _ sixteen: Colour?, _ eight: Colour?) {
    self.full = full
    self.sixteen = sixteen
    self.eight = eight
  }

  /// The terminal's own colour at every depth.
  static let terminal = Ink(nil, nil, nil)

  func colour(at depth: ColourDepth) -> Colour? {
    switch depth {
    case .mono: nil
    case .eight: eight
    case .sixteen: sixteen
    case .full: full
    }
  }
}

/// The settings of a terminal for a cell.
public struct Look: Hashable, Sendable {
  /// The colour of the strokes, nil for the terminal's own.
  public var foreground: Colour?
  /// The colour behind the strokes, nil for the terminal's own.
  public var background: Colour?
  /// The attributes besides colour.
  public var attributes: Attributes

  /// Makes a look.
  public init(foreground: Colour?, background: Colour?, attributes: Attributes) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
  }

  /// Plain text on a terminal with default settings.
  public static let plain = Look(foreground: nil, background: nil, attributes: [])
}

/// A choice of colours for all roles. The raw value is its name in the configuration.
public enum Theme: String, CaseIterable, Sendable {
  /// The names of all, with commas.
  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  /// For terminals with a dark background.
  case dark
  /// For terminals with a light background.
  case light
  /// White and bright colours on black, in the palette of 256 at a contrast of 7:1 or more.
  case highContrast = "high-contrast"
  /// Blue against orange, on dark and on light backgrounds.
  case colourBlind = "colour-blind"

  /// The look of a style at some depth. Without colours all themes look the same.
  public func look(of style: Style, at depth: ColourDepth) -> Look {
    let paint = style.role.paint
    let foreground = ink(paint.hue).colour(at: depth)
    let background = ink(paint.ground ?? .ground).colour(at: depth)
    let missing =
      foreground == nil && paint.hue != .plain
      || background == nil && paint.ground != nil
    let attributes = missing ? paint.attributes.union(paint.mono) : paint.attributes
    return Look(
      foreground: foreground, background: background,
      attributes: attributes.applied(to: style.attributes))
  }

  private func ink(_ hue: Hue) -> Ink {
    switch self {
    case .dark: Self.darkInk(hue)
    case .light: Self.lightInk(hue)
    case .highContrast: Self.highContrastInk(hue)
    case .colourBlind: Self.colourBlindInk(hue)
    }
  }

  /// The background that the theme is made for or paints itself.
  var backdrop: RGB {
    self == .light ? RGB(231) : RGB(16)
  }
}
