import Engine

/// Makes a scenario of other files, statement by statement; and its text, if somebody wants to read it.
///
/// The scenario keeps of each statement where it is from, so that a message names a line that there is. Its own
/// text is nobody's: comments, and what is remarked of a statement, stand only there.
package struct ScenarioMaker: Sendable {
  /// The scenario so far.
  package private(set) var scenario: Scenario
  /// Its text so far; nil if it is not wanted.
  package private(set) var text: String?
  private var numbers: [String: UInt32] = [:]
  /// The file that was asked for last, as nearly all are.
  private var last: (name: String, number: UInt32)?
  /// Number of sources that were taken with statements.
  private var sourcesTaken = 0

  /// A scenario without statements.
  ///
  /// - Parameters:
  ///   - head: the lines about the world.
  ///   - file: what the scenario is called in messages.
  /// - Throws: what is wrong with the head.
  package init(head: [String], file: String, writesText: Bool) throws(ScenarioError) {
    let lines = head.map { $0 + "\n" }.joined()
    scenario = try Scenario(parsing: [UInt8](lines.utf8), file: file)
    text = writesText ? lines : nil
  }

  /// The origin of a statement: a line, from 1, of a file; or without one, what it is known from.
  package mutating func origin(_ source: String, line: Int = 0) -> Origin {
    .imported(line: UInt32(clamping: line), source: number(of: source))
  }

  private mutating func number(of source: String) -> UInt32 {
    if let last, last.name == source { return last.number }
    let number = numbers[source] ?? UInt32(scenario.importedSources.count)
    if numbers.updateValue(number, forKey: source) == nil {
      scenario.importedSources.append(StatementText.safe(source))
    }
    last = (source, number)
    return number
  }

  /// Adds a statement.
  ///
  /// - Parameter remark: what else its line says of it.
  package mutating func add(_ kind: Statement.Kind, _ origin: Origin, remark: String = "") {
    scenario.statements.append(Statement(kind: kind, origin: origin))
    if text == nil { return }
    let place = scenario.place(of: origin)
    write(kind.text + Scenario.comment(place + StatementText.safe(remark)))
  }

  /// Adds a chapter or an expectation, whose line does not say where it is from.
  package mutating func addPlain(_ kind: Statement.Kind, _ origin: Origin) {
    scenario.statements.append(Statement(kind: kind, origin: origin))
    if text != nil { write(kind.text) }
  }

  /// Adds a comment.
  package mutating func comment(_ origin: Origin, _ words: @autoclosure () -> String) {
    if text != nil { write("# \(scenario.place(of: origin)) \(StatementText.safe(words()))") }
  }

  /// Adds a comment, or without words an empty line.
  package mutating func comment(_ words: String = "") {
    if text != nil { write(words.isEmpty ? "" : "# \(StatementText.safe(words))") }
  }

  private mutating func write(_ line: String) {
    text? += line
    text? += "\n"
  }
}

extension ScenarioMaker {
  /// What came to a scenario that is carried out already.
  package struct Addition: Sendable {
    let statements: [Statement]
    let sources: ArraySlice<String>
  }

  /// Takes the statements away that came since the last time, so that they are held only once. The scenario is then
  /// without any.
  package mutating func take() -> Addition {
    defer {
      scenario.statements.keep(0)
      sourcesTaken = scenario.importedSources.count
    }
    return Addition(
      statements: Array(scenario.statements), sources: scenario.importedSources[sourcesTaken...])
  }

  /// Takes the scenario, to be carried out.
  package mutating func takeScenario() -> Scenario {
    defer { _ = take() }
    return scenario
  }

  /// The text, in which the statements that a session has left out are comments, with the reason. O(n) in the text.
  package func text(of session: Session) -> String {
    guard let text else { return "" }
    let reasons = session.scenario.statements.refused
    if reasons.isEmpty { return text }
    var result = ""
    var (line, statement) = (0, 0)
    for part in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      defer { line += 1 }
      let isStatement = line >= scenario.lineCount && !part.isEmpty && !part.hasPrefix("#")
      let reason = isStatement ? reasons[statement] : nil
      if isStatement { statement += 1 }
      result += reason.map { Scenario.refused(String(part), $0) } ?? String(part)
      result += "\n"
    }
    return result
  }
}

extension Session {
  /// Carries out what came to the scenario, at the end of the history: O(n) in that, if nobody else holds the
  /// session.
  package mutating func extend(by addition: ScenarioMaker.Addition) throws(ScenarioError) {
    scenario.importedSources += addition.sources
    for statement in addition.statements { scenario.statements.append(statement) }
    try finish()
  }
}

extension Scenario {
  /// A text behind a statement.
  static func comment(_ text: String) -> String { "  # \(text)" }

  /// A line that the engine refuses, as a comment.
  static func refused(_ line: String, _ reason: String) -> String {
    "# refused, \(reason): \(line)"
  }
}
