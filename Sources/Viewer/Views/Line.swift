import Canvas

/// A line of text in differently styled parts.
struct Line: Equatable {
  struct Part: Equatable {
    var text: SafeText
    var style: Style
  }

  private(set) var parts: [Part] = []

  init() {}

  init(_ text: SafeText, _ role: Role = .text) { add(text, role) }

  /// The width in columns.
  var columns: Int { parts.reduce(0) { $0 + $1.text.columns } }

  /// The line without styles.
  var text: SafeText { parts.reduce(SafeText()) { $0 + $1.text } }

  mutating func add(_ text: SafeText, _ role: Role = .text) {
    if !text.isEmpty { parts.append(Part(text: text, style: Style(role))) }
  }

  func adding(_ text: SafeText, _ role: Role = .text) -> Line {
    var line = self
    line.add(text, role)
    return line
  }

  /// Adds another line's parts.
  mutating func add(_ line: Line) { parts += line.parts }

  func adding(_ line: Line) -> Line {
    var both = self
    both.add(line)
    return both
  }

  /// The line in lines of at most `width` columns, broken between words; all but the first are indented,
  /// if that leaves room for a few words. Blanks at a break are dropped.
  func wrapped(to width: Int, indent: Int = 0) -> [Line] {
    if columns <= width { return [self] }
    let indent = width - indent >= Self.readableColumns ? indent : min(indent, 2, max(0, width - 2))
    var lines: [Line] = []
    var line = Line()
    var used = 0
    for (index, word) in words.enumerated() {
      let isBroken = !lines.isEmpty && used == indent
      let needsBlank = index > 0 && !isBroken
      let room = word.parts.reduce(0) { $0 + $1.text.columns }
      if used + (needsBlank ? 1 : 0) + room > width, used > (lines.isEmpty ? 0 : indent) {
        if word.parts.isEmpty { continue }
        lines.append(line)
        line = Line(SafeText(repeating: " ", count: indent))
        used = indent
      } else if needsBlank {
        line.append(" ", word.blank)
        used += 1
      }
      for part in word.parts {
        let text =
          used + part.text.columns > width
          ? part.text.truncated(to: max(0, width - used)) : part.text
        line.append(text, part.style)
        used += text.columns
      }
    }
    return lines + [line]
  }

  /// The words, and the style of the blank before each. A word may consist of differently styled parts,
  /// such as code and a full stop.
  private var words: [(blank: Style, parts: [Part])] {
    var words: [(blank: Style, parts: [Part])] = [(.plain, [])]
    for part in parts {
      let pieces = part.text.string.split(separator: " ", omittingEmptySubsequences: false)
      for (index, piece) in pieces.enumerated() {
        if index > 0 { words.append((part.style, [])) }
        if piece.isEmpty { continue }
        words[words.count - 1].parts.append(Part(text: SafeText(piece), style: part.style))
      }
    }
    return words
  }

  /// Columns in which a sentence can still be read.
  private static let readableColumns = 28

  private mutating func append(_ text: SafeText, _ style: Style) {
    guard !text.isEmpty else { return }
    if parts.last?.style == style {
      parts[parts.count - 1].text += text
    } else {
      parts.append(Part(text: text, style: style))
    }
  }
}

extension SafeText {
  /// Maximum columns of a word that is omitted rather than cut.
  private static let wordColumns = 13

  /// The text in at most `columns` columns; if cut, then between words if possible, with an ellipsis.
  func shortened(to columns: Int) -> SafeText {
    if self.columns <= columns { return self }
    let cut = truncated(to: columns)
    guard let blank = cut.string.lastIndex(of: " "),
      cut.string[blank...].count < max(columns / 2, Self.wordColumns)
    else { return cut }
    return SafeText(cut.string[..<blank]) + SafeText(.ellipsis)
  }
}

extension Surface {
  /// Writes a line from `point` to the right, up to the end of `clip`; if it does not fit, it ends in an
  /// ellipsis.
  mutating func write(_ line: Line, at point: Point, clip: Rect) {
    var point = point
    var left = line.columns
    for part in line.parts {
      let room = clip.right - point.x
      if room <= 0 { return }
      let isCut = left > room && part.text.columns >= room
      let text =
        isCut ? (part.text + (part.text.columns == room ? " " : "")).shortened(to: room) : part.text
      left -= part.text.columns
      point = write(text, at: point, style: part.style, clip: clip)
      if isCut { return }
    }
  }
}
