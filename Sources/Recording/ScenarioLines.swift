import Language

/// The lines of a scenario's file, without an older recording's comments.
struct ScenarioLines {
  struct Line {
    enum Kind {
      /// A blank line, or one that is only a comment.
      case comment
      /// A line about the world: `pagewalk`, `title`, `vm` or `policy`.
      case world
      /// A statement at a moment; its index, nil if this history lacks it.
      case statement(Int?)
    }

    let bytes: ArraySlice<UInt8>
    let kind: Kind
    /// Its number in the file, from 1.
    let number: Int
    /// Whether it is the very first statement, which marks the file as a scenario.
    var isVersion = false
  }

  private let source: [UInt8]
  private let statements: StatementList
  private var place = 0
  private var number = 0
  /// Number of statements in the lines so far.
  private(set) var count = 0

  init(_ scenario: Scenario) {
    source = scenario.source
    statements = scenario.statements
  }

  /// The next line; nil at the end of the file.
  mutating func next() -> Line? {
    while place < source.count {
      number += 1
      let end = source[place...].firstIndex(of: UInt8(ascii: "\n")) ?? source.count
      let bytes = source[place..<end]
      place = end + 1
      if bytes.starts(with: RecordingLine.mark) { continue }
      let word = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        .prefix { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: "#") }
      switch String(decoding: word, as: UTF8.self) {
      case "": return Line(bytes: bytes, kind: .comment, number: number)
      case "pagewalk": return Line(bytes: bytes, kind: .world, number: number, isVersion: true)
      case "title", "vm", "policy": return Line(bytes: bytes, kind: .world, number: number)
      default:
        let isPresent = count < statements.count && statements.origin(at: count).line == number
        defer { if isPresent { count += 1 } }
        return Line(
          bytes: Stamp.stripped(bytes), kind: .statement(isPresent ? count : nil), number: number)
      }
    }
    return nil
  }
  /// The number of the last line about the world. O(n) in the file.
  var worldLines: Int {
    var lines = self
    var last = 0
    while let line = lines.next() {
      if case .world = line.kind { last = line.number }
    }
    return last
  }
}
