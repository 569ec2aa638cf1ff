import Engine

/// An answer as text: lines whose parts say what they mean, so that each reader can show them its own way.
///
/// The texts may hold what came from a file: make them safe before a terminal sees them.
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
    /// Columns before what does not fit into the first line when it is wrapped.
    package let indent: Int
    /// Of a row of a table, which is never wrapped: its cells, each of the width of its column.
    package let cells: [Text]
  }

  package private(set) var lines: [Line] = []
  /// Number of lines at the start that stay in sight while the others scroll.
  package private(set) var heads = 0
  /// Index of the line that is about the present moment, if one is.
  package private(set) var current: Int?

  package init() {}
  package init(_ text: String, _ emphasis: Emphasis = .plain) { add(text, emphasis) }

  package mutating func add(_ text: Text, to target: Target? = nil, indent: Int = 2) {
    lines.append(Line(text: text, target: target, indent: indent, cells: []))
  }

  package mutating func add(_ text: String, _ emphasis: Emphasis = .plain) {
    add(Text(text, emphasis))
  }

  /// Adds a row of a table; its beginning is always seen.
  package mutating func add(row: Text, cells: [Text], to target: Target? = nil) {
    lines.append(Line(text: row, target: target, indent: 2, cells: cells))
  }

  /// Adds an empty line between two parts.
  package mutating func addBlank() { add(Text()) }

  /// Lets all lines so far stay in sight.
  package mutating func endHeads() { heads = lines.count }

  /// Marks the last line as being about the present moment.
  package mutating func markCurrent() { current = lines.count - 1 }

  /// Lines that one answer lists at most.
  package static let linesAtMost = 500

  /// Says how many of `count` items were left out.
  package mutating func addRest(of count: Int) {
    if count > Self.linesAtMost { add("\(count - Self.linesAtMost) more", .dim) }
  }

  /// All lines without their emphasis, none with blanks at its end.
  package var text: String {
    lines.map { line in
      let whole = line.cells.reduce(line.text.string) { $0 + $1.string }
      return whole.trimmedAtEnd + "\n"
    }.joined()
  }
}
