import Language

/// The lines of a scenario's file as they stand there, without what an older recording put into comments.
struct ScenarioLines {
  struct Line {
    enum Kind {
      /// A blank line, or one that is all comment.
      case comment
      /// What the world is: `pagewalk`, `title`, `vm` or `policy`.
      case world
      /// A statement that stands at a moment; its index, unless this history does not have it.
      case statement(Int?)
    }

    let bytes: ArraySlice<UInt8>
    let kind: Kind
    /// Its number in the file, from 1.
    let number: Int
    /// Whether it is the first statement of all, which says that this is a scenario.
    var isVersion = false
  }

  private let source: [UInt8]
  private let statements: [Statement]
  private var place = 0
  private var number = 0
  /// Statements that the lines so far have.
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
        let isPresent = count < statements.count && statements[count].origin.line == number
        defer { if isPresent { count += 1 } }
        return Line(
          bytes: Stamp.stripped(bytes), kind: .statement(isPresent ? count : nil), number: number)
      }
    }
    return nil
  }
  /// The number of the last line that says what the world is. O(n) in the file.
  var worldLines: Int {
    var lines = self
    var last = 0
    while let line = lines.next() {
      if case .world = line.kind { last = line.number }
    }
    return last
  }
}
