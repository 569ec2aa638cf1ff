import Engine

/// Something that a learner answers, and the engine marks.
package struct Exercise: Sendable {
  /// Its name in the lesson. Progress is kept under it, so it must stay when the words change.
  package let id: String
  package let source: SourceLine
  /// The question.
  package var question = ""
  /// The statements carried out after a guess.
  package var run: [SourceLine] = []
  package var task: Task
  /// Wrong answers from a misconception, each with its id; for tasks without choices.
  package var wrongs: [Wrong] = []
  /// The misconception of all other wrong answers.
  package var belief: SourceLine?
  /// Two hints; the third is the engine's micro-steps.
  package var hints: [String] = []
  /// The text after the outcome.
  package var after = ""

  /// The kinds of exercises, as a lesson names them.
  package enum Kind: String, CaseIterable, Sendable {
    case choose, tick, number, count, point, order, write, repair, find
  }

  /// The task.
  package enum Task: Sendable {
    /// One choice, or all choices that hold.
    case choose([Choice])
    case tick([Choice])
    /// A number or an address; or a cost.
    case number(Measure, isCost: Bool)
    /// An entry of a table: any that meets a condition is right.
    case point(TableID, filter: SourceLine)
    /// Micro-steps of the run in their order.
    case order([OrderItem])
    /// Statements that each begin with one of `only`, after which the goal holds; and the measure by
    /// which an answer can be excessive.
    case write(Goal, only: [String], least: Measure?)
    /// The run with some statements replaced or removed: by their numbers, from 1.
    case repair(Goal, solution: [Int: String])
    /// As few of the given statements as break a rule, or reach another goal.
    case find(Goal, from: [SourceLine])
  }

  /// A choice.
  package struct Choice: Sendable {
    package let source: SourceLine
    package var text: String
    /// It is right if all of these hold after the run.
    package var truths: [Truth] = []
    /// The misconception behind wrongly taking it, or not taking it.
    package var belief: SourceLine?
  }

  /// An item to put in order: the first micro-step of a class, in a table if one is named.
  package struct OrderItem: Sendable {
    package let source: SourceLine
    package var text: String
    package var step: StepPattern?
  }

  /// A wrong answer in its typed form, and its misconception.
  package struct Wrong: Sendable {
    package let belief: SourceLine
    package let answer: SourceLine
  }

  /// The goal of a written answer.
  package struct Goal: Sendable {
    package var tolerance = Tolerance.leaf
    package var truths: [Truth] = []
    /// Statements that reach it: an answer of this length is the shortest possible.
    package var solution: [SourceLine] = []
  }

  /// How much a written answer may differ from the solution.
  package enum Tolerance: String, CaseIterable, Sendable {
    /// In nothing: the machine must be in the same state.
    case exact
    /// In counters, VMIDs and maps, but in no entry of a table.
    case tables
    /// In everything that the goal does not name.
    case leaf
    /// In everything, as long as no rule is broken.
    case rule
  }

  package var kind: Kind {
    switch task {
    case .choose: .choose
    case .tick: .tick
    case .number(_, let isCost): isCost ? .count : .number
    case .point: .point
    case .order: .order
    case .write: .write
    case .repair: .repair
    case .find: .find
    }
  }

  /// The texts to choose or put in order, in the order shown.
  package var options: [String] {
    switch task {
    case .choose(let choices), .tick(let choices): choices.map(\.text)
    case .order(let items): items.map(\.text)
    case .find(_, let from): from.map(\.text)
    case .repair: run.map(\.text)
    case .number, .point, .write: []
    }
  }

  /// The misconception behind wrongly taking a choice, or nil.
  func belief(ofChoice index: Int) -> String? {
    switch task {
    case .choose(let choices), .tick(let choices):
      choices.indices.contains(index) ? choices[index].belief?.text : nil
    case .number, .point, .order, .write, .repair, .find: nil
    }
  }

  package var wordCount: Int {
    options.reduce(question.split(separator: " ").count) { $0 + $1.split(separator: " ").count }
  }

  /// The typed form of an answer, as a phrase.
  package var answerForm: String {
    switch task {
    case .choose: "one letter"
    case .tick: "the letters of all that are right, or none"
    case .number(let measure, _): measure.form.unit.answerForm
    case .point: "a table and an address, as \"canonical 0x1000\""
    case .order: "the letters in order"
    case .write: "statements, with ; between them"
    case .repair:
      "a line's number and what shall stand there, as \"2: l1 run\", or \"2: -\" to leave it out"
    case .find: "the letters of statements, in order"
    }
  }

  /// The letter of an option.
  package static func letter(_ index: Int) -> String {
    String(UnicodeScalar(UInt8(ascii: "a") + UInt8(min(index, 25))))
  }
}

/// The first micro-step of a class, in a table if one is named.
package struct StepPattern: Equatable, Sendable {
  let stepClass: Step.Class
  let table: TableID?

  /// Reads `CLASS [TABLE]`.
  init?(_ text: String) {
    let words = text.split(separator: " ")
    guard let name = words.first, words.count <= 2,
      let found = Step.Class.allCases.first(where: { "\($0)" == name })
    else { return nil }
    stepClass = found
    if words.count == 2 {
      guard let id = TableID(name: words[1]) else { return nil }
      table = id
    } else {
      table = nil
    }
  }

  static var help: String {
    "expected a class of micro-steps and a table, or none: "
      + Step.Class.allCases.map { "\($0)" }.joined(separator: " ")
  }

  func matches(_ step: Step) -> Bool {
    step.stepClass == stepClass && (table == nil || table == step.table)
  }
}
