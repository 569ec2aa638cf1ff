import Engine
import Inquiry
import Language

/// A lesson in lines: words are typed, and answered. It works in a pipe, and with a screen reader.
package struct Recital: Sendable {
  package private(set) var player: Player
  package private(set) var isFinished = false

  package init(_ player: Player) { self.player = player }

  /// Words that are not answers, and what each does.
  package static let words: [(word: String, meaning: String)] = [
    ("next", "go on; an empty line does the same"),
    ("hint", "another hint; the third shows what the engine does"),
    ("skip", "leave the question out"),
    ("back", "what was shown before"),
    ("scene", "the statements that have run"),
    ("ask QUESTION", "a question about the scene, as `pagewalk ask` takes it"),
    ("help", "these words"),
    ("quit", "stop; next time it goes on here"),
  ]

  /// The first output.
  package func greeting() -> [String] { shown() }

  /// The current item, with what may be typed.
  private func shown() -> [String] {
    var lines: [String] = []
    if !player.isOver { lines.append("--- \(player.title)") }
    if case .reading = player.phase { lines += scene(player.sceneBefore) }
    if case .asking = player.phase { lines += scene(player.sceneBefore) }
    lines += Self.lines(player.page)
    switch player.phase {
    case .asking:
      lines += ["", "Answer with \(player.exercise?.answerForm ?? ""); or hint, skip, back, help."]
    case .reading, .marked, .refuting: lines += ["", "Enter to go on."]
    case .over: break
    }
    return lines
  }

  private func scene(_ statements: [String]) -> [String] {
    statements.isEmpty ? [] : ["This has run:"] + statements.map { "  " + $0 } + [""]
  }

  private static func lines(_ report: Report) -> [String] {
    report.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  /// Carries out a typed line; returns the output.
  ///
  /// - Throws: a mistake of the lesson.
  package mutating func take(_ line: String) throws(ScenarioError) -> [String] {
    let typed = String(line.trimmed)
    let words = typed.split(separator: " ")
    switch words.first.map({ $0.lowercased() }) ?? "next" {
    case "next" where words.count < 2:
      if case .asking = player.phase { return ["An answer comes first; \"skip\" leaves it out."] }
      try player.goOn()
    case "hint" where words.count == 1:
      guard case .asking = player.phase else { return ["There is no question now."] }
      player.takeHint()
    case "skip" where words.count == 1: try player.move(by: 1)
    case "back" where words.count == 1: try player.move(by: -1)
    case "scene" where words.count == 1:
      let session = player.stage.session
      let statements = session.timeline.events.indices.map { session.text(ofEvent: $0) }
      return statements.isEmpty ? ["Nothing has run yet."] : statements
    case "help" where words.count == 1:
      return Self.words.map { word, meaning in
        word + String(repeating: " ", count: 14 - word.count) + meaning
      }
    case "quit" where words.count == 1:
      isFinished = true
      return []
    case "ask": return ask(words.dropFirst().map(String.init))
    default:
      guard case .asking = player.phase, let exercise = player.exercise else {
        return ["There is no question now. Enter goes on; \"help\" lists the words."]
      }
      do throws(GuessError) {
        let guess = try Guess(parsing: typed, for: exercise)
        try answer(guess)
      } catch {
        return [error.message]
      }
    }
    isFinished = player.isOver
    return shown()
  }

  private mutating func answer(_ guess: Guess) throws(GuessError) {
    do throws(ScenarioError) {
      try player.answer(guess)
    } catch {
      throw GuessError(message: "The lesson has a mistake: \(error.description)")
    }
  }

  /// The records to keep, each returned once.
  package mutating func takeRecords() -> [LearnerProgress.Record] { player.takeRecords() }

  /// The answer to a question about the scene.
  private func ask(_ words: [String]) -> [String] {
    guard let name = words.first, let question = Question(name: name) else {
      return ["Expected ask and one of: " + Question.allCases.map(\.name).joined(separator: ", ")]
    }
    var subject = Subject()
    var operands = Array(words.dropFirst())
    if let table = operands.first.flatMap({ TableID(name: $0) }) {
      subject.table = table
      operands.removeFirst()
    }
    subject.text = operands.joined(separator: " ")
    subject.address = operands.first.flatMap { Number.value(of: $0) }
    var session = player.stage.session
    do throws(Unanswerable) {
      return Self.lines(try question.answer(about: subject, in: &session).report(.engineer))
    } catch {
      return [error.message]
    }
  }
}
