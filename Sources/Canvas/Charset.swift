/// The characters that an output can show.
public enum Charset: Sendable {
  /// All of Unicode, as UTF-8.
  case unicode
  /// Printable ASCII only.
  case ascii

  /// Decides by the codeset of the locale, as `nl_langinfo(CODESET)` names it, unless the user
  /// wants ASCII (`--ascii`).
  public init(codeset: String, asciiOnly: Bool = false) {
    let name = codeset.lowercased()
    self = !asciiOnly && (name == "utf-8" || name == "utf8") ? .unicode : .ascii
  }
}

extension Unicode.Scalar {
  /// The ASCII replacement of this scalar: one column wide, `?` if there is nothing better.
  var ascii: Unicode.Scalar {
    isASCII ? self : Self.asciiForms[self] ?? "?"
  }

  private static let asciiForms: [Unicode.Scalar: Unicode.Scalar] = {
    var forms: [Unicode.Scalar: Unicode.Scalar] = [
      "\u{A0}": " ", "‘": "'", "’": "'", "“": "\"", "”": "\"", "–": "-", "—": "-", "−": "-",
      "×": "x", "µ": "u", "μ": "u",
    ]
    for glyph in Glyph.allCases { forms[glyph.scalar] = glyph.ascii }
    return forms
  }()
}

extension SafeText {
  /// The text as an output can show it, column by column.
  public func shown(in characters: Charset) -> SafeText {
    guard characters == .ascii, !string.utf8.allSatisfy({ $0 < 0x80 }) else { return self }
    var text = SafeText()
    for scalar in string.unicodeScalars {
      for _ in 0..<scalar.columns { text.append(scalar.ascii) }
    }
    return text
  }
}

extension Surface {
  /// The frame as an output can show it, cell by cell.
  public func shown(in characters: Charset) -> Surface {
    guard characters == .ascii else { return self }
    var surface = self
    surface.updateCells(in: bounds) { cell in
      cell.scalar = cell.isContinuation ? "?" : cell.scalar.ascii
    }
    return surface
  }
}
