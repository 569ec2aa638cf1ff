import TestSupport
import Testing

@testable import Canvas

/// What the roles look like in each theme at each depth: as a person last saw it, readable, and told apart by
/// whoever sees colours in another way, or none.
@Suite struct InkTests {
  static let depths: [ColourDepth] = [.mono, .eight, .sixteen, .full]
  private static let files = GoldenFiles("Inks")

  // MARK: As they were

  @Test(arguments: Theme.allCases)
  func `the inks of a theme are as they were`(theme: Theme) throws {
    let table =
      [["role"] + Self.depths.map { "\($0)" }]
      + Role.allCases.map { role in
        ["\(role)"] + Self.depths.map { Self.text(of: theme.look(of: Style(role), at: $0)) }
      }
    let widths = table[0].indices.map { column in table.map(\.[column].count).max() ?? 0 }
    let text = table.map { row in
      var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }
        .joined()
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
    let difference = try Self.files.difference("\(theme.rawValue).txt", text)
    #expect(difference == nil)
  }

  @Test func `every file of inks is of a theme`() throws {
    #expect(try Self.files.strangers(beside: Theme.allCases.map { "\($0.rawValue).txt" }).isEmpty)
  }

  /// A look in words, and its colour as parts of red, green and blue where that is not the user's choice.
  private static func text(of look: Look) -> String {
    let colours = [look.foreground, look.background].compactMap { $0 }.filter { $0 >= 16 }
    return ([look.description] + colours.map { RGB($0).hex }).joined(separator: " ")
  }

  // MARK: Readable

  @Test func `contrast and distance are those of their definitions`() {
    let (black, white, red) = (Light(RGB(16)), Light(RGB(231)), Light(RGB(196)))
    #expect(abs(black.contrast(with: white) - 21) < 0.01)
    #expect(abs(Light(RGB(245)).contrast(with: black) - 6.08) < 0.05)
    #expect(abs(black.distance(to: white) - 100) < 0.1)
    // L*a*b* of sRGB's red is 53.24, 80.09, 67.20.
    #expect(abs(red.distance(to: black) - 117.34) < 0.1)
    for vision in Vision.allCases {
      #expect(white.seen(by: vision).distance(to: white) < 0.1)
      #expect(black.seen(by: vision).distance(to: black) < 0.1)
    }
    // What is told apart by all but some: red and green of like luminance.
    let green = Light(RGB(28))
    #expect(red.distance(to: green) > 130)
    #expect(
      red.seen(by: .deuteranopia).distance(to: green.seen(by: .deuteranopia)) < 40)
  }

  /// The least contrast of text with each background that a theme is made for: WCAG's 7:1 and 4.5:1 for
  /// text, in the themes that promise them. No colour has 4.5:1 on black and on white at once but those close
  /// to 4.58:1. Of the basic colours, which are the user's own choice, xterm's have WCAG's 3:1 for signs.
  @Test(arguments: [
    (Theme.dark, [Colour(16)], 4.5, 3.0), (.light, [231], 4.5, 3), (.highContrast, [16], 7, 4.5),
    (.colourBlind, [16, 231], 3.5, 3),
  ])
  func `every role is readable`(
    theme: Theme, backdrops: [Colour], least: Double, leastBasic: Double
  ) {
    for role in Role.allCases {
      for depth in Self.depths {
        let look = theme.look(of: Style(role), at: depth)
        guard let foreground = look.foreground else { continue }
        for backdrop in look.background.map({ [$0] }) ?? backdrops {
          let contrast = Light(RGB(foreground)).contrast(with: Light(RGB(backdrop)))
          #expect(
            contrast >= (depth == .full ? least : leastBasic),
            "\(theme) \(role) \(depth) on \(backdrop): \(contrast)")
        }
      }
    }
  }

  // MARK: Told apart

  /// Styles that nothing but their looks tells apart where they stand beside each other.
  private static let groups: [[Style]] = [
    // Rows: the cursor's, and those with the same page; text that was searched for.
    [Style(.text), Style(.text, .reverse), Style(.linked), Style(.match)],
    [Style(.linked), Style(.linked, .reverse)],
    // Which pane has the focus.
    [Style(.paneTitle), Style(.paneTitleFocused)],
    [Style(.paneBorder), Style(.paneBorderFocused)],
    // Keys and what they do; keys that do nothing now.
    [Style(.text), Style(.key), Style(.dim)],
    // What is typed, and what is said about it.
    [Style(.prompt), Style(.text)],
    [Style(.dim), Style(.linked)],
    // Titles among text.
    [Style(.text), Style(.title)],
    [Style(.text), Style(.heading)],
    // Steps that are done, and those that are not.
    [Style(.text), Style(.dim)],
    // A refusal among answers, and what is broken.
    [Style(.text), Style(.warning), Style(.error)],
  ]

  @Test(arguments: Theme.allCases)
  func `what only looks tell apart looks different at every depth`(theme: Theme) {
    for group in Self.groups {
      for depth in Self.depths {
        let looks = group.map { theme.look(of: $0, at: depth) }
        #expect(Set(looks).count == looks.count, "\(theme) \(depth): \(group) \(looks)")
      }
    }
  }

  /// Colours that a person may go on with, and those that ask for attention.
  private static let calm: [Role] = [.dim, .key, .block, .unknown]
  private static let alarming: [Role] = [.changed, .stale, .mismatch]

  /// Where colours oppose each other they do for everyone. The other themes rely on it less: 20 is ten times
  /// what is just noticeable.
  @Test(arguments: [(Theme.colourBlind, 50.0), (.dark, 20), (.light, 20), (.highContrast, 15)])
  func `calm and alarming colours differ for everyone`(theme: Theme, least: Double) {
    for depth in theme == .colourBlind ? Self.depths : [.full] {
      for (one, two) in Self.calm.flatMap({ calm in Self.alarming.map { (calm, $0) } }) {
        guard let calm = theme.look(of: Style(one), at: depth).foreground,
          let alarming = theme.look(of: Style(two), at: depth).foreground
        else { continue }
        for vision in Vision.allCases {
          let distance = Light(RGB(calm)).seen(by: vision)
            .distance(to: Light(RGB(alarming)).seen(by: vision))
          #expect(distance >= least, "\(theme) \(depth) \(one) \(two) \(vision): \(distance)")
        }
      }
    }
  }

  /// In the theme that is made for them text stays readable for people who see colours in another way.
  @Test(arguments: Vision.allCases)
  func `the colour-blind theme is readable for everyone`(vision: Vision) {
    for role in Role.allCases {
      for depth in Self.depths {
        let look = Theme.colourBlind.look(of: Style(role), at: depth)
        guard let foreground = look.foreground else { continue }
        for backdrop in look.background.map({ [$0] }) ?? [16, 231] {
          let contrast = Light(RGB(foreground)).seen(by: vision)
            .contrast(with: Light(RGB(backdrop)).seen(by: vision))
          #expect(contrast >= 3, "\(role) \(depth) on \(backdrop): \(contrast)")
        }
      }
    }
  }
}
