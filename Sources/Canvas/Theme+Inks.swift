// The colours of the themes: of the palette of 256, of the bright 16, of the basic 8.
//
// Users choose their terminal's basic colours and their bright forms. Those that are unreadable on the
// theme's background with xterm's defaults are not used as text there: the terminal's own colour is, with
// the role's attributes. Plain blue (4) and bright black (8) are unreadable in many other palettes.
extension Theme {
  static func darkInk(_ hue: Hue) -> Ink {
    switch hue {
    case .plain, .ground: .terminal
    case .faint: Ink(245, nil, nil)
    case .blue: Ink(75, 12, 6)
    case .cyan: Ink(80, 14, 6)
    case .violet: Ink(177, 13, 5)
    case .yellow: Ink(221, 11, 3)
    case .orange: Ink(209, 3, 3)
    case .red: Ink(203, 9, 1)
    case .linked: Ink(231, 15, 7)
    case .linkedGround: Ink(24, 4, 4)
    case .match: Ink(16, 0, 0)
    case .matchGround: Ink(221, 11, 3)
    }
  }

  static func lightInk(_ hue: Hue) -> Ink {
    switch hue {
    case .plain, .ground: .terminal
    case .faint: Ink(242, nil, nil)
    case .blue: Ink(26, 4, 4)
    case .cyan: Ink(23, 4, 4)
    case .violet: Ink(91, 5, 5)
    case .yellow: Ink(94, nil, nil)
    case .orange: Ink(130, 1, 1)
    case .red: Ink(160, 1, 1)
    case .linked: Ink(16, 0, 0)
    case .linkedGround: Ink(153, 14, 6)
    case .match: Ink(16, 0, 0)
    case .matchGround: Ink(221, 11, 3)
    }
  }

  static func highContrastInk(_ hue: Hue) -> Ink {
    switch hue {
    case .plain: Ink(231, 15, 7)
    case .ground: Ink(16, 0, 0)
    case .faint: Ink(250, 7, 6)
    case .blue: Ink(117, 14, 6)
    case .cyan: Ink(123, 14, 6)
    case .violet: Ink(219, 13, 7)
    case .yellow: Ink(226, 11, 3)
    case .orange: Ink(214, 11, 3)
    case .red: Ink(210, 9, 7)
    case .linked: Ink(16, 0, 0)
    case .linkedGround: Ink(123, 14, 6)
    case .match: Ink(16, 0, 0)
    case .matchGround: Ink(226, 11, 3)
    }
  }

  static func colourBlindInk(_ hue: Hue) -> Ink {
    switch hue {
    case .plain, .ground: .terminal
    case .faint: Ink(243, nil, nil)
    case .blue: Ink(32, 12, nil)
    case .cyan: Ink(31, 12, nil)
    case .violet: Ink(98, 5, 5)
    case .yellow: Ink(130, nil, nil)
    case .orange: Ink(166, 9, nil)
    case .red: Ink(166, 9, nil)
    case .linked: Ink(231, 15, 7)
    case .linkedGround: Ink(25, 4, 4)
    case .match: Ink(16, 0, 0)
    case .matchGround: Ink(214, 3, 3)
    }
  }
}
