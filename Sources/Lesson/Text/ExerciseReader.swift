import Engine
import Inquiry
import Language

/// Reads the block of a question.
struct ExerciseReader {
  let file: String

  /// The lines of a block, before checking that they fit the kind.
  private struct Parts {
    var choices: [(text: SourceLine, truths: [Truth], belief: SourceLine?, step: StepPattern?)] = []
    var answer: SourceLine?
    var goal = Exercise.Goal()
    var solution: [SourceLine] = []
    var only: [String] = []
    var least: Measure?
    var from: [SourceLine] = []
  }

  func exercise(
    _ kind: Exercise.Kind, _ id: SourceLine, _ keyed: Keyed, lesson: String
  ) throws(ScenarioError) -> Exercise {
    var exercise = Exercise(id: id.text, source: id, task: .choose([]))
    exercise.question = keyed.text
    var parts = Parts()
    for (key, value) in keyed.entries { try read(key, value, keyed, &exercise, &parts) }
    exercise.task = try task(kind, id, parts, seed: "\(lesson)/\(id.text)")
    return exercise
  }

  private func read(
    _ key: Keyed.Key, _ value: SourceLine, _ keyed: Keyed, _ exercise: inout Exercise,
    _ parts: inout Parts
  ) throws(ScenarioError) {
    let last = parts.choices.count - 1
    switch key {
    case .run: exercise.run.append(value)
    case .choice: parts.choices.append((value, [], nil, nil))
    case .true:
      let truth = try Truth(value, file: file)
      if last >= 0 {
        parts.choices[last].truths.append(truth)
      } else {
        parts.goal.truths.append(truth)
      }
    case .belief:
      if last >= 0, parts.choices[last].belief == nil, parts.choices[last].step == nil {
        parts.choices[last].belief = value
      } else {
        exercise.belief = value
      }
    case .step:
      guard last >= 0 else { throw value.error("expected '- TEXT' before its step", in: file) }
      guard let step = StepPattern(value.text) else {
        throw value.error(StepPattern.help, in: file)
      }
      parts.choices[last].step = step
    case .hint: exercise.hints.append(value.text)
    case .after: exercise.after = value.text
    case .answer: parts.answer = value
    case .wrong:
      let words = value.words
      guard let belief = words.first, words.count > 1 else {
        throw value.error("expected 'wrong: BELIEF ANSWER'", in: file)
      }
      exercise.wrongs.append(
        Exercise.Wrong(belief: belief, answer: value.dropping(belief.text.count)))
    case .goal:
      guard let tolerance = Exercise.Tolerance(rawValue: value.text) else {
        throw value.error(
          "expected a tolerance: "
            + Exercise.Tolerance.allCases.map(\.rawValue).joined(separator: " "), in: file)
      }
      parts.goal.tolerance = tolerance
    case .solution: parts.solution.append(value)
    case .only: parts.only.append(value.text)
    case .least: parts.least = try Measure(value, file: file)
    case .from: parts.from.append(value)
    case .right, .seen, .world, .given, .believed:
      throw value.error(keyed.unexpected(key, "a question"), in: file)
    }
  }

  private func task(
    _ kind: Exercise.Kind, _ id: SourceLine, _ parts: Parts, seed: String
  ) throws(ScenarioError) -> Exercise.Task {
    func missing(_ what: String) -> ScenarioError {
      id.error("expected \(what) in a question of kind \(kind.rawValue)", in: file)
    }
    switch kind {
    case .choose, .tick:
      if parts.choices.count < 2 { throw missing("two choices, '- TEXT', or more") }
      let choices = parts.choices.map { choice in
        Exercise.Choice(
          source: choice.text, text: choice.text.text, truths: choice.truths, belief: choice.belief)
      }.shuffled(by: seed, \.text)
      return kind == .choose ? .choose(choices) : .tick(choices)
    case .number, .count:
      guard let answer = parts.answer else { throw missing("'answer: MEASURE'") }
      return .number(try Measure(answer, file: file), isCost: kind == .count)
    case .point:
      guard let answer = parts.answer, let name = answer.words.first,
        let table = TableID(name: name.text)
      else { throw missing("'answer: TABLE FILTER'") }
      return .point(table, filter: answer.dropping(name.text.count))
    case .order:
      if parts.choices.count < 2 { throw missing("two items, '- TEXT', or more") }
      return .order(
        parts.choices.map {
          Exercise.OrderItem(source: $0.text, text: $0.text.text, step: $0.step)
        }.shuffled(by: seed, \.text))
    case .write:
      if parts.solution.isEmpty { throw missing("'solution: STATEMENT'") }
      return .write(goal(parts), only: parts.only, least: parts.least)
    case .repair:
      var solution: [Int: String] = [:]
      for line in parts.solution {
        guard let edit = Edit(line.text) else {
          throw line.error("expected 'solution: NUMBER: STATEMENT', or - for none", in: file)
        }
        solution[edit.number] = edit.statement
      }
      if solution.isEmpty { throw missing("'solution: NUMBER: STATEMENT'") }
      return .repair(goal(parts), solution: solution)
    case .find:
      if parts.from.isEmpty { throw missing("'from: STATEMENT'") }
      if parts.solution.isEmpty { throw missing("'solution: STATEMENT'") }
      return .find(goal(parts), from: parts.from)
    }
  }

  private func goal(_ parts: Parts) -> Exercise.Goal {
    var goal = parts.goal
    goal.solution = parts.solution
    return goal
  }
}

/// A line of a scenario replaced, or left out.
struct Edit {
  /// The line, from 1.
  let number: Int
  /// The replacement; empty to remove the line.
  let statement: String

  /// Reads `NUMBER: STATEMENT`, or `NUMBER: -`.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[0].trimmed), number > 0 else { return nil }
    self.number = number
    let statement = parts[1].trimmed
    self.statement = statement == "-" ? "" : String(statement)
  }
}

extension Array {
  /// The elements in an order determined by a text and their own texts: always the same, and independent
  /// of the file's order.
  fileprivate func shuffled(by seed: String, _ text: (Element) -> String) -> [Element] {
    map { ($0, Self.hash(seed + text($0))) }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  /// FNV-1a, with a final mix, since texts that differ in their last letters have close hashes.
  private static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
    return hash ^ hash >> 33
  }
}
