import Testing

@testable import Canvas

@Suite struct ThemeTests {
  @Test func `high contrast paints every background`() {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        let look = Theme.highContrast.look(of: Style(role), at: depth)
        #expect(look.foreground != nil && look.background != nil)
      }
    }
  }

  @Test func `plain text has the colours of the terminal`() {
    for theme in [Theme.dark, .light, .colourBlind] {
      for depth in [ColourDepth.mono, .eight, .sixteen, .full] {
        #expect(theme.look(of: .plain, at: depth) == .plain)
      }
    }
  }

  @Test(arguments: Theme.allCases)
  func `colours are of their depth`(theme: Theme) {
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
  func `nothing is drawn in its own background`(theme: Theme) {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        let look = theme.look(of: Style(role), at: depth)
        #expect(look.foreground == nil || look.foreground != look.background)
        #expect(look.background == nil || look.foreground != nil)
      }
    }
  }

  @Test(arguments: Theme.allCases)
  func `no colour is green`(theme: Theme) {
    for role in Role.allCases {
      for depth in [ColourDepth.eight, .sixteen, .full] {
        guard let colour = theme.look(of: Style(role), at: depth).foreground else { continue }
        let rgb = RGB(colour)
        #expect(rgb.green <= max(rgb.red, rgb.blue), "\(theme) \(role) \(colour)")
      }
    }
  }

  @Test func `attributes of a style add to those of its role`() {
    let look = Theme.dark.look(of: Style(.title, .underline), at: .mono)
    #expect(look.attributes == [.bold, .underline])
  }

  @Test func `reverse within reverse is upright`() {
    #expect(Theme.dark.look(of: Style(.match), at: .mono).attributes == [.reverse, .underline])
    #expect(Theme.dark.look(of: Style(.match, .reverse), at: .mono).attributes == .underline)
    #expect(Theme.dark.look(of: Style(.match, .reverse), at: .full).attributes == .reverse)
  }

  @Test func `themes are named`() {
    #expect(Theme.allCases.map(\.rawValue) == ["dark", "light", "high-contrast", "colour-blind"])
  }

  @Test func `palette is xterms`() {
    #expect(RGB(196).hex == "#ff0000" && RGB(232).hex == "#080808" && RGB(255).hex == "#eeeeee")
    #expect(RGB(75).hex == "#5fafff" && RGB(9).hex == "#ff0000")
  }
}
