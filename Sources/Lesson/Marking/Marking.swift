import Engine
import Inquiry
import Language

/// The engine's mark for an answer.
package struct Mark: Sendable {
  /// Whether the answer is right; a written one, if it reaches its goal.
  package internal(set) var isRight = false
  /// Whether a right one does more than necessary.
  package internal(set) var isTooMuch = false
  /// The right answer.
  package internal(set) var key: Guess
  /// The misconceptions behind a wrong one, by id.
  package internal(set) var beliefs: [String] = []
  /// What a written answer fails to reach, or why it was refused.
  package internal(set) var notes: [String] = []
  /// The events of the run, or of the written answer.
  package internal(set) var happenings: [Stage.Happening] = []
}

/// Marks the answers to one exercise, on its stage.
package struct Marker {
  package let exercise: Exercise
  /// The stage before the run.
  private let before: Stage
  private let file: String
  /// The stage after the run, or after the solution.
  package private(set) var after: Stage

  /// Carries out the exercise's run, or its solution.
  ///
  /// - Throws: the first mistake in a statement of the lesson.
  package init(_ exercise: Exercise, on stage: Stage, file: String) throws(ScenarioError) {
    self.exercise = exercise
    self.file = file
    before = stage
    after = stage
    switch exercise.task {
    case .choose, .tick, .number, .point, .order: try after.run(exercise, file: file)
    case .write(let goal, _, _), .find(let goal, _):
      after.beginRun()
      for statement in goal.solution + exercise.run { try after.carryOut(statement, file: file) }
    case .repair(_, let solution):
      after.beginRun()
      for statement in exercise.run(with: solution) { try after.carryOut(statement, file: file) }
    }
  }

  // MARK: The right answer

  /// The right answer.
  ///
  /// - Throws: the mistake that leaves the exercise without one.
  package func key() throws(ScenarioError) -> Guess {
    switch exercise.task {
    case .choose(let choices), .tick(let choices): return .choices(try holding(choices))
    case .number(let measure, _): return .number(try measure.value(on: after, file: file))
    case .point(let table, let filter):
      let rows = try rows(of: table, filter)
      guard let first = rows.first else {
        throw filter.error("no entry of \(table.phrase) meets this condition", in: file)
      }
      return .place(table, first.range.lowerBound)
    case .order(let items): return .order(try order(of: items))
    case .write(let goal, _, _), .find(let goal, _): return .statements(goal.solution.map(\.text))
    case .repair(_, let solution): return .edits(solution)
    }
  }

  /// The choices that hold after the run.
  private func holding(_ choices: [Exercise.Choice]) throws(ScenarioError) -> Set<Int> {
    var found: Set<Int> = []
    for (index, choice) in choices.enumerated()
    where try choice.truths.hold(on: after, file: file) { found.insert(index) }
    return found
  }

  /// The entries of a table that meet a condition.
  func rows(of table: TableID, _ filter: SourceLine) throws(ScenarioError) -> [ListAnswer.Row] {
    do throws(Measure.Unmeasurable) {
      return try after.entries(of: table, filter.text)
    } catch {
      throw filter.error(error.message, in: file)
    }
  }

  /// The first position of each item among the micro-steps of the run.
  func positions(of items: [Exercise.OrderItem]) throws(ScenarioError) -> [Int] {
    let steps = after.run.flatMap(\.steps)
    var found: [Int] = []
    for item in items {
      guard let pattern = item.step else {
        throw item.source.error("expected 'step: CLASS [TABLE]' after it", in: file)
      }
      guard let place = steps.firstIndex(where: pattern.matches) else {
        throw item.source.error("the run has no such micro-step", in: file)
      }
      found.append(place)
    }
    return found
  }

  private func order(of items: [Exercise.OrderItem]) throws(ScenarioError) -> [Int] {
    let places = try positions(of: items)
    return places.indices.sorted { places[$0] < places[$1] }
  }

  // MARK: Marking

  /// Marks an answer.
  ///
  /// - Throws: the mistake that leaves the exercise without a right answer.
  package func mark(_ guess: Guess) throws(ScenarioError) -> Mark {
    var mark = Mark(key: try key())
    mark.happenings = Array(after.run)
    switch (exercise.task, guess) {
    case (.choose(let choices), .choices(let chosen)), (.tick(let choices), .choices(let chosen)):
      mark.isRight = mark.key == guess
      guard case .choices(let right) = mark.key else { break }
      let isOne = exercise.kind == .choose
      mark.beliefs = chosen.symmetricDifference(right).sorted()
        .filter { !isOne || chosen.contains($0) }.compactMap { choices[$0].belief?.text }
    case (.number, .number): mark.isRight = mark.key == guess
    case (.point(let table, let filter), .place(let chosen, let address)):
      let rows = try rows(of: table, filter)
      mark.isRight = chosen == table && rows.contains { $0.range.contains(address) }
    case (.order, .order): mark.isRight = mark.key == guess
    case (.write(let goal, let only, let least), .statements(let statements)):
      try markWritten(statements, goal, only: only, &mark) { trial throws(ScenarioError) in
        guard let least else { return false }
        return try least.value(on: trial, file: file) > least.value(on: after, file: file)
      }
    case (.find(let goal, let from), .statements(let statements)):
      try markWritten(statements, goal, only: from.map(\.text), &mark) { _ throws(ScenarioError) in
        statements.count > goal.solution.count
      }
    case (.repair(let goal, _), .edits(let edits)):
      var trial = before
      trial.beginRun()
      carryOut(exercise.run(with: edits), on: &trial, &mark)
      try judge(trial, goal, &mark)
    default: mark.notes.append("Expected \(exercise.answerForm).")
    }
    if !mark.isRight { try addBeliefs(of: guess, &mark) }
    return mark
  }

  private func markWritten(
    _ statements: [String], _ goal: Exercise.Goal, only: [String], _ mark: inout Mark,
    isTooMuch: (Stage) throws(ScenarioError) -> Bool
  ) throws(ScenarioError) {
    if let other = statements.first(where: { statement in
      !only.isEmpty && !only.contains { statement.hasWords($0) }
    }) {
      mark.notes.append(
        "\"\(other)\" is not one of the statements that are asked for: "
          + only.joined(separator: ", ") + ".")
      return
    }
    var trial = before
    trial.beginRun()
    carryOut(statements.map { SourceLine($0) } + exercise.run, on: &trial, &mark)
    try judge(trial, goal, &mark)
    if mark.isRight { mark.isTooMuch = try isTooMuch(trial) }
  }

  private func carryOut(_ statements: [SourceLine], on trial: inout Stage, _ mark: inout Mark) {
    for statement in statements {
      do throws(ScenarioError) {
        try trial.carryOut(statement, file: "")
      } catch {
        mark.notes.append("\"\(statement.text)\": \(error.message).")
        break
      }
    }
    mark.happenings = Array(trial.run)
  }

  /// Whether a trial reaches a goal; adds what it does not reach.
  private func judge(
    _ trial: Stage, _ goal: Exercise.Goal, _ mark: inout Mark
  ) throws(ScenarioError) {
    for truth in goal.truths {
      if let failure = try truth.failure(on: trial, file: file) {
        mark.notes.append("\(truth.source.text): \(failure).")
      }
    }
    switch goal.tolerance {
    case .leaf: break
    case .rule:
      let holds = try Truth(SourceLine("expect violation none"), file: file)
      if !goal.truths.contains(where: \.concernsRules),
        let failure = try holds.failure(on: trial, file: file)
      {
        mark.notes.append("\(failure).")
      }
    case .tables:
      if !trial.hasTables(of: after) { mark.notes.append("The tables hold something else.") }
    case .exact:
      if trial.session.timeline.machine.fingerprint != after.session.timeline.machine.fingerprint {
        mark.notes.append("The machine is in another state.")
      }
    }
    mark.isRight = mark.notes.isEmpty
  }

  // MARK: Misconceptions

  /// Adds the misconceptions of a wrong answer.
  private func addBeliefs(of guess: Guess, _ mark: inout Mark) throws(ScenarioError) {
    for wrong in exercise.wrongs where try matches(wrong, guess) {
      mark.beliefs.append(wrong.belief.text)
    }
    if mark.beliefs.isEmpty, let belief = exercise.belief { mark.beliefs.append(belief.text) }
  }

  /// Whether an answer is one of the lesson's foreseen wrong ones.
  func matches(_ wrong: Exercise.Wrong, _ guess: Guess) throws(ScenarioError) -> Bool {
    if case .place(let table, let address) = guess {
      guard let (id, filter) = try place(of: wrong), id == table else { return false }
      return try rows(of: id, filter).contains { $0.range.contains(address) }
    }
    return (try? Guess(parsing: wrong.answer.text, for: exercise)) == guess
  }

  /// The table and the condition of a wrong answer that points at entries.
  func place(
    of wrong: Exercise.Wrong
  ) throws(ScenarioError) -> (table: TableID, filter: SourceLine)? {
    guard let name = wrong.answer.words.first, let table = TableID(name: name.text) else {
      throw wrong.answer.error("expected TABLE FILTER", in: file)
    }
    return (table, wrong.answer.dropping(name.text.count))
  }

  // MARK: The third hint

  /// The micro-steps of the run, or of the last event, as sentences, for the third hint.
  package var steps: [String] {
    after.run.flatMap { happening in
      happening.steps.map {
        let words = $0.explanation
        return "\(words.label): \(words.what)"
      }
    }
  }
}

extension Exercise {
  /// The run with some of its statements replaced or removed.
  func run(with edits: [Int: String]) -> [SourceLine] {
    run.enumerated().compactMap { index, line in
      guard let edit = edits[index + 1] else { return line }
      return edit.isEmpty ? nil : SourceLine(edit, line: line.line, column: line.column)
    }
  }
}

extension Truth {
  /// Whether it concerns rules.
  fileprivate var concernsRules: Bool {
    switch self {
    case .expect(let expectation, _): expectation.concernsRules
    case .count: false
    case .not(let truth, _): truth.concernsRules
    }
  }
}

extension Stage {
  /// Whether all tables are the same as on another stage.
  fileprivate func hasTables(of other: Stage) -> Bool {
    let tables = session.timeline.machine.tableIDs
    guard tables == other.session.timeline.machine.tableIDs else { return false }
    return tables.allSatisfy { table in
      guard let mine = try? entries(of: table, ""), let others = try? other.entries(of: table, "")
      else { return false }
      return mine.elementsEqual(others) {
        ($0.range, $0.level, $0.entry) == ($1.range, $1.level, $1.entry)
      }
    }
  }
}
