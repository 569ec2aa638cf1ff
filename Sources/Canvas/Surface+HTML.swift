extension Surface {
  /// The frame as a self-contained HTML page in the colours of a theme: text in a `pre`.
  public func html(theme: Theme) -> String {
    let rows = (0..<height).map { htmlRow($0) + "\n" }.joined()
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>pagewalk</title><style>
      \(theme.css)</style></head><body><pre>\(rows)</pre></body></html>

      """
  }

  /// A row in HTML, without invisible trailing blanks: runs of text, each in an element whose
  /// class names its style, see `Theme.css`.
  public func htmlRow(_ y: Int) -> String {
    styledRuns(inRow: y).map { style, text in
      let text = Self.escaped(text)
      return style == .plain ? text : "<i class=\"\(style.cssClasses)\">\(text)</i>"
    }.joined()
  }

  /// The runs of one style in a row, from left to right, without invisible trailing blanks.
  public func styledRuns(inRow y: Int) -> [(style: Style, text: String)] {
    let row = row(y)
    guard let end = row.lastIndex(where: { $0.scalar != " " || !$0.style.isBlankInvisible }) else {
      return []
    }
    return Self.runs(in: row[...end]).map { ($0.style, $0.text) }
  }

  /// A text escaped for use in an element.
  public static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension Theme {
  /// The style sheet for rows of HTML: the colours of all roles.
  public var css: String {
    let page = look(of: .plain, at: .full)
    let ink = (page.foreground.map(RGB.init) ?? textColour).hex
    var rules = [
      "body{margin:0;background:\(backdrop.hex);color:\(ink)}",
      "pre{margin:0;font-family:monospace;line-height:1.2}", "i{font-style:normal}",
      ".b{font-weight:bold}", ".d{opacity:.6}", ".l{font-style:italic}",
      ".u{text-decoration:underline}",
      ".v{color:\(backdrop.hex);background:\(ink)}",
    ]
    for role in Role.allCases {
      let look = look(of: Style(role), at: .full)
      var rule = look.foreground.map { "color:\(RGB($0).hex);" } ?? ""
      if let background = look.background, RGB(background) != backdrop {
        rule += "background:\(RGB(background).hex);"
      }
      if look.attributes.contains(.bold) { rule += "font-weight:bold;" }
      if !rule.isEmpty { rules.append(".r\(role.rawValue){\(rule)}") }
      // The cursor swaps the two colours.
      if let foreground = look.foreground {
        rules.append(
          ".r\(role.rawValue).v{background:\(RGB(foreground).hex);color:\(backdrop.hex)}")
      }
    }
    return rules.joined(separator: "\n") + "\n"
  }
}

extension Style {
  /// Whether a blank of this style looks as one that was never drawn.
  fileprivate var isBlankInvisible: Bool {
    role.paint.ground == nil && attributes.isDisjoint(with: [.reverse, .underline])
  }

  /// The classes by which `Theme.css` knows the style; empty for the plain one.
  public var cssClasses: String {
    let names: [(Attributes, String)] = [
      (.bold, "b"), (.dim, "d"), (.italic, "l"), (.underline, "u"), (.reverse, "v"),
    ]
    let own = names.filter { attributes.contains($0.0) }.map(\.1)
    return (role == .text ? own : ["r\(role.rawValue)"] + own).joined(separator: " ")
  }
}
