import Glibc
import Testing

@testable import Canvas

@Suite struct ThemeTests {
  /// The contrast of two colours as WCAG 2 defines it, 1 to 21.
  static func contrast(_ one: RGB, _ other: RGB) -> Double {
    func linear(_ part: Int) -> Double {
      let value = Double(part) / 255
      if value <= 0.03928 { return value / 12.92 }
      return pow((value + 0.055) / 1.055, 2.4)
    }
    func luminance(_ colour: RGB) -> Double {
      0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
    }
    let (a, b) = (luminance(one), luminance(other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  @Test func contrastIsThatOfTheDefinition() {
    #expect(abs(Self.contrast(RGB(16), RGB(231)) - 21) < 0.01)
    #expect(abs(Self.contrast(RGB(245), RGB(16)) - 6.08) < 0.05)
  }

  @Test(arguments: [
    (Theme.dark, [Colour(16)], 4.5), (.light, [231], 4.5), (.highContrast, [16], 7),
    (.colourBlind, [16, 231], 3.5),
  ])
  func everyRoleIsReadable(theme: Theme, backdrops: [Colour], least: Double) {
    for role in Role.allCases {
      let look = theme.look(of: Style(role), at: .full)
      guard let foreground = look.foreground else { continue }
      for backdrop in look.background.map({ [$0] }) ?? backdrops {
        let contrast = Self.contrast(RGB(foreground), RGB(backdrop))
        #expect(contrast >= least, "\(theme) \(role) on \(backdrop): \(contrast)")
      }
    }
  }

  @Test func highContrastPaintsEveryBackground() {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        let look = Theme.highContrast.look(of: Style(role), at: depth)
        #expect(look.foreground != nil && look.background != nil)
      }
    }
  }

  @Test func plainTextHasTheColoursOfTheTerminal() {
    for theme in [Theme.dark, .light, .colourBlind] {
      for depth in [ColourDepth.mono, .eight, .sixteen, .full] {
        #expect(theme.look(of: .plain, at: depth) == .plain)
      }
    }
  }

  @Test(arguments: Theme.allCases)
  func coloursAreOfTheirDepth(theme: Theme) {
    for role in Role.allCases {
      let mono = theme.look(of: Style(role), at: .mono)
      #expect(mono.foreground == nil && mono.background == nil)
      #expect(mono == Theme.dark.look(of: Style(role), at: .mono))
      let eight = theme.look(of: Style(role), at: .eight)
      #expect((eight.foreground ?? 0) < 8 && (eight.background ?? 0) < 8)
      let sixteen = theme.look(of: Style(role), at: .sixteen)
      #expect((sixteen.foreground ?? 0) < 16 && (sixteen.background ?? 0) < 16)
    }
  }

  @Test(arguments: Theme.allCases)
  func nothingIsDrawnInItsOwnBackground(theme: Theme) {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        let look = theme.look(of: Style(role), at: depth)
        #expect(look.foreground == nil || look.foreground != look.background)
        #expect(look.background == nil || look.foreground != nil)
      }
    }
  }

  @Test(arguments: Theme.allCases)
  func noColourIsGreen(theme: Theme) {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        guard let colour = theme.look(of: Style(role), at: depth).foreground else { continue }
        let rgb = RGB(colour)
        #expect(rgb.green <= max(rgb.red, rgb.blue), "\(theme) \(role) \(colour)")
      }
    }
  }

  @Test func everyStateHasAMarkOfItsOwn() {
    let states: [Role] = [
      .valid, .table, .block, .invalid, .changed, .stale, .unknown, .mismatch,
    ]
    #expect(Set(states.compactMap(\.mark?.ascii)).count == states.count)
    #expect(states.allSatisfy { $0.mark?.ascii == $0.mark?.scalar })
  }

  @Test func attributesOfAStyleAddToThoseOfItsRole() {
    let look = Theme.dark.look(of: Style(.title, .underline), at: .mono)
    #expect(look.attributes == [.bold, .underline])
  }

  @Test func reverseWithinReverseIsUpright() {
    #expect(Theme.dark.look(of: Style(.match), at: .mono).attributes == .reverse)
    #expect(Theme.dark.look(of: Style(.match, .reverse), at: .mono).attributes == [])
    #expect(Theme.dark.look(of: Style(.match, .reverse), at: .full).attributes == .reverse)
  }

  @Test func themesAreNamed() {
    #expect(Theme.allCases.map(\.rawValue) == ["dark", "light", "high-contrast", "colour-blind"])
  }

  @Test func paletteIsXterms() {
    #expect(RGB(196).hex == "#ff0000" && RGB(232).hex == "#080808" && RGB(255).hex == "#eeeeee")
    #expect(RGB(75).hex == "#5fafff" && RGB(9).hex == "#ff0000")
  }
}
