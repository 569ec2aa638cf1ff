import Engine
import Inquiry
import Language

/// A lesson in lines: words are typed, and answered. It works in a pipe, and with a screen reader.
package struct Recital: Sendable {
  package private(set) var player: Player
  package private(set) var isFinished = false

  package init(_ player: Player) { self.player = player }

  /// A word that is no answer.
  package enum Word: String, CaseIterable {
    case next, hint, skip, back, scene, ask, help, quit

    /// What it does.
    package var meaning: String {
      switch self {
      case .next: "go on; an empty line does the same"
      case .hint: "another hint; the third shows what the engine does"
      case .skip: "leave the question out"
      case .back: "what was shown before"
      case .scene: "the statements that have run"
      case .ask: "a question about the scene, as `pagewalk ask` takes it"
      case .help: "these words"
      case .quit: "stop; the next start resumes here"
      }
    }

    /// How it is typed.
    package var usage: String { self == .ask ? "ask QUESTION" : rawValue }
  }

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
    let word = words.first.map { Word(rawValue: $0.lowercased()) } ?? .next
    // Only a question has more words.
    switch words.count > 1 && word != .ask ? nil : word {
    case .next:
      if case .asking = player.phase { return ["An answer comes first; \"skip\" leaves it out."] }
      try player.goOn()
    case .hint:
      guard case .asking = player.phase else { return ["There is no question now."] }
      player.takeHint()
    case .skip: try player.move(by: 1)
    case .back: try player.move(by: -1)
    case .scene:
      let session = player.stage.session
      let statements = session.timeline.events.indices.map { session.text(ofEvent: $0) }
      return statements.isEmpty ? ["Nothing has run yet."] : statements
    case .help:
      let width = 2 + (Word.allCases.map(\.usage.count).max() ?? 0)
      return Word.allCases.map { word in
        word.usage + String(repeating: " ", count: width - word.usage.count) + word.meaning
      }
    case .quit:
      isFinished = true
      return []
    case .ask: return ask(words.dropFirst().map(String.init))
    case nil:
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
    var operands = Array(words.dropFirst())
    var table: String?
    if let option = operands.firstIndex(of: "--table"), option + 1 < operands.count {
      table = operands[option + 1]
      operands.removeSubrange(option...option + 1)
    }
    guard let name = words.first, let question = Question(asked: name, with: operands) else {
      return ["Expected ask and one of: " + Question.allCases.map(\.name).joined(separator: ", ")]
    }
    if table == nil, question.facts.operand != .other, let first = operands.first,
      TableID(name: first) != nil
    {
      // Here the option may be left out.
      table = operands.removeFirst()
    }
    var session = player.stage.session
    do throws(Unanswerable) {
      let subject = try Subject(asking: question, operands, table: table)
      return Self.lines(try question.answer(about: subject, in: &session).report(.engineer))
    } catch {
      return [error.message]
    }
  }
}
