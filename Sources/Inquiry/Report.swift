import Engine

/// An answer as text: lines whose parts carry their meaning, so that each reader can show them its own way.
///
/// The texts may contain text from a file: make them safe before a terminal sees them.
package struct Report: Equatable, Sendable {
  /// What a part of a line means.
  package enum Emphasis: CaseIterable, Sendable {
    case plain, dim, title, heading, key
    /// Parts of an entry.
    case address, permission, linked, hardware, software
    /// States of an entry.
    case valid, invalid, changed, stale, unknown, mismatch
    /// What deserves attention, and what went wrong.
    case warning, error
  }

  /// What a line leads to.
  package enum Target: Equatable, Sendable {
    case moment(Moment)
    /// An input address of a table.
    case place(TableID, UInt64)
    /// A word of the glossary.
    case term(String)
  }

  /// Text in parts.
  package struct Text: Equatable, Sendable {
    /// A piece of text with one meaning.
    package struct Part: Equatable, Sendable {
      package let text: String
      package let emphasis: Emphasis
    }

    package private(set) var parts: [Part] = []

    package init() {}
    package init(_ text: String, _ emphasis: Emphasis = .plain) { add(text, emphasis) }

    package mutating func add(_ text: String, _ emphasis: Emphasis = .plain) {
      if !text.isEmpty { parts.append(Part(text: text, emphasis: emphasis)) }
    }

    package func adding(_ text: String, _ emphasis: Emphasis = .plain) -> Text {
      var longer = self
      longer.add(text, emphasis)
      return longer
    }

    /// The text alone.
    package var string: String { parts.map(\.text).joined() }
  }

  /// A line, or a row of a table.
  package struct Line: Equatable, Sendable {
    package let text: Text
    package let target: Target?
    /// Indent of continuation lines when the line is wrapped, in columns.
    package let indent: Int
    /// The cells of a table row, which is never wrapped, each as wide as its column.
    package let cells: [Text]
  }

  package private(set) var lines: [Line] = []
  /// Number of lines at the start that stay in sight while the others scroll.
  package private(set) var heads = 0
  /// Index of the line about the present moment, or nil.
  package private(set) var current: Int?

  package init() {}
  package init(_ text: String, _ emphasis: Emphasis = .plain) { add(text, emphasis) }

  package mutating func add(_ text: Text, to target: Target? = nil, indent: Int = 2) {
    lines.append(Line(text: text, target: target, indent: indent, cells: []))
  }

  package mutating func add(_ text: String, _ emphasis: Emphasis = .plain) {
    add(Text(text, emphasis))
  }

  /// Adds a row of a table; its beginning always stays visible.
  package mutating func add(row: Text, cells: [Text], to target: Target? = nil) {
    lines.append(Line(text: row, target: target, indent: 2, cells: cells))
  }

  /// Adds an empty line between two parts.
  package mutating func addBlank() { add(Text()) }

  /// Lets all lines so far stay in sight.
  package mutating func endHeads() { heads = lines.count }

  /// Marks the last line as being about the present moment.
  package mutating func markCurrent() { current = lines.count - 1 }

  /// Maximum number of lines in one answer.
  package static let linesAtMost = 500

  /// Adds a line with the number of items left out of `count`.
  package mutating func addRest(of count: Int) {
    if count > Self.linesAtMost { add("\(count - Self.linesAtMost) more", .dim) }
  }

  /// All lines without their emphasis, without trailing blanks.
  package var text: String {
    lines.map { line in
      let whole = line.cells.reduce(line.text.string) { $0 + $1.string }
      return whole.trimmedAtEnd + "\n"
    }.joined()
  }
}

extension Report {
  /// The same without abbreviations, rights as words.
  var inPlainWords: Report {
    var plain = self
    plain.lines = lines.map { line in
      Line(
        text: line.text.inPlainWords, target: line.target, indent: line.indent,
        cells: line.cells.map(\.inPlainWords))
    }
    return plain
  }
}

extension Report.Text {
  fileprivate var inPlainWords: Report.Text {
    parts.reduce(into: Report.Text()) { $0.add(PlainWords.column($1.text), $1.emphasis) }
  }
}
