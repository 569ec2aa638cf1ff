extension Surface {
  /// The frame as text with the escape sequences that colour it (ECMA-48 SGR), for `--color=always`.
  ///
  /// Each line ends in the terminal's own colours, so that lines can be cut, searched and joined.
  /// Invisible blanks at the end of a line are omitted. Without colours and attributes the result is
  /// ``text``.
  public func ansiText(theme: Theme, depth: ColourDepth) -> String {
    ansiRows(theme: theme, depth: depth).map { $0 + "\n" }.joined()
  }

  /// The same, row by row without line feeds.
  public func ansiRows(theme: Theme, depth: ColourDepth) -> [String] {
    (0..<height).map { ansiLine(of: row($0), theme: theme, depth: depth) }
  }

  private func ansiLine(of row: ArraySlice<Cell>, theme: Theme, depth: ColourDepth) -> String {
    let end = row.lastIndex { cell in
      cell.scalar != " " || theme.look(of: cell.style, at: depth).showsOnBlanks
    }
    guard let end else { return "" }
    var line = ""
    var current = Look.plain
    for run in Self.runs(in: row[...end]) {
      let look = theme.look(of: run.style, at: depth)
      if look != current {
        line += current == .plain ? "" : "\u{1B}[0m"
        line += look.sgr
        current = look
      }
      line += run.text
    }
    return line + (current == .plain ? "" : "\u{1B}[0m")
  }
}

extension Look {
  /// Whether a blank of this look differs from one that was never drawn.
  fileprivate var showsOnBlanks: Bool {
    background != nil || !attributes.isDisjoint(with: [.reverse, .underline])
  }

  /// The sequence that sets the look from plain; empty for plain.
  fileprivate var sgr: String {
    let codes: [(Attributes, String)] = [
      (.bold, "1"), (.dim, "2"), (.italic, "3"), (.underline, "4"), (.reverse, "7"),
    ]
    var parts = codes.filter { attributes.contains($0.0) }.map(\.1)
    if let foreground { parts.append(Self.code(of: foreground, basic: 30, bright: 90)) }
    if let background { parts.append(Self.code(of: background, basic: 40, bright: 100)) }
    return parts.isEmpty ? "" : "\u{1B}[" + parts.joined(separator: ";") + "m"
  }

  private static func code(of colour: Colour, basic: Int, bright: Int) -> String {
    switch Int(colour) {
    case 0..<8: String(basic + Int(colour))
    case 8..<16: String(bright + Int(colour) - 8)
    default: "\(basic + 8);5;\(colour)"
    }
  }
}
