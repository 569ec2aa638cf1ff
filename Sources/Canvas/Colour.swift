/// A colour of a terminal's palette, by number: 0-7 the basic ones, 8-15 their bright forms, 16-231
/// a cube of 6x6x6, 232-255 greys.
public typealias Colour = UInt8

/// The number of colours that an output can show.
public enum ColourDepth: Sendable {
  /// None: attributes only.
  case mono
  /// The basic colours.
  case eight
  /// The basic colours and their bright forms.
  case sixteen
  /// The whole palette.
  case full

  /// Makes the depth of a terminal with that many colours, as terminfo counts them.
  public init(colours: Int) {
    switch colours {
    case 256...: self = .full
    case 16...: self = .sixteen
    case 8...: self = .eight
    default: self = .mono
    }
  }
}

/// A colour in sRGB parts of red, green and blue, each 0-255.
struct RGB: Hashable {
  var red: Int
  var green: Int
  var blue: Int

  /// The colour of a palette entry: exact in the cube and the greys, xterm's default below, where
  /// users choose their own.
  init(_ colour: Colour) {
    switch Int(colour) {
    case 0..<16:
      let value = Self.basic[Int(colour)]
      self.init(red: value >> 16, green: value >> 8 & 0xFF, blue: value & 0xFF)
    case 16..<232:
      let cube = Int(colour) - 16
      self.init(
        red: Self.steps[cube / 36], green: Self.steps[cube / 6 % 6], blue: Self.steps[cube % 6])
    default:
      let grey = 8 + 10 * (Int(colour) - 232)
      self.init(red: grey, green: grey, blue: grey)
    }
  }

  init(red: Int, green: Int, blue: Int) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// The colour as SVG and HTML write it.
  var hex: String {
    "#"
      + [red, green, blue].map { part in
        (part < 16 ? "0" : "") + String(part, radix: 16)
      }.joined()
  }

  private static let steps = [0, 95, 135, 175, 215, 255]

  private static let basic = [
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
  ]
}
