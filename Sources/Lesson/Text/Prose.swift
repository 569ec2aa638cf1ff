/// Text of a lesson in parts: plain words, a term of the field, and literal text to type or show.
package struct Prose: Equatable, Sendable {
  /// What a part is.
  package enum Style: Equatable, Sendable {
    case plain
    /// A term explained here: `**term**`.
    case term
    /// A statement, an address or a name: `` `code` ``.
    case code
  }

  /// A part.
  package struct Part: Equatable, Sendable {
    package let text: String
    package let style: Style
  }

  package private(set) var parts: [Part] = []
  /// Whether it is an item of a list.
  package let isItem: Bool

  /// The text of a paragraph, with its marks.
  package init(_ text: some StringProtocol, isItem: Bool = false) {
    self.isItem = isItem
    var rest = Substring(text)
    while !rest.isEmpty {
      let plain = rest.prefix { $0 != "*" && $0 != "`" }
      add(plain, .plain)
      rest = rest.dropFirst(plain.count)
      if rest.isEmpty { break }
      let (mark, style): (String, Style) = rest.hasPrefix("**") ? ("**", .term) : ("`", .code)
      // An unclosed or unknown mark is text.
      let inside = rest.dropFirst(mark.count)
      if rest.hasPrefix(mark), let end = inside.firstRange(of: mark),
        end.lowerBound > inside.startIndex
      {
        add(inside[..<end.lowerBound], style)
        rest = inside[end.upperBound...]
      } else {
        add(rest.prefix(1), .plain)
        rest = rest.dropFirst()
      }
    }
  }

  private mutating func add(_ text: Substring, _ style: Style) {
    if text.isEmpty { return }
    if let last = parts.last, last.style == .plain, style == .plain {
      parts[parts.count - 1] = Part(text: last.text + text, style: .plain)
    } else {
      parts.append(Part(text: String(text), style: style))
    }
  }

  /// The text without its marks.
  package var string: String { parts.map(\.text).joined() }
  /// The terms in it.
  package var terms: [String] { parts.filter { $0.style == .term }.map(\.text) }
  /// Number of its words.
  package var wordCount: Int { string.split(separator: " ").count }
}
