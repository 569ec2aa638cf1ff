import Engine
import Inquiry
import Language

/// Proves a lesson: each of its scenes, exercises and misconceptions, and the readability of its texts.
package struct LessonCheck {
  /// A test: something proved, or not.
  package struct Test: Encodable, Sendable {
    package enum Status: String, Encodable, Sendable {
      case pass, fail
    }

    package let name: String
    package let status: Status
    /// `file:line:column: what is wrong`; nil if nothing is wrong.
    package let message: String?
    /// The number of its screen, from 1; nil if it has none.
    package let task: Int?
  }

  /// Maximum number of words and of new terms on a screen.
  package static let wordsAtMost = 90
  package static let termsAtMost = 1
  /// Columns inside a text pane on a 40x12 screen, and maximum lines of a text there: two pages.
  package static let columns = 38
  package static let linesAtMost = 16
  /// Maximum minutes of a lesson.
  package static let minutesAtMost = 15
  /// Maximum number of statement sequences tried to find a shorter answer.
  private static let triesAtMost = 5_000

  package private(set) var tests: [Test] = []
  private let lesson: Lesson
  private let library: Library
  private var task: Int?

  /// Checks a lesson, or a collection, together with what it shares with others.
  package init(_ lesson: Lesson, in library: Library) {
    self.lesson = lesson
    self.library = library
    if !lesson.isCollection { checkLesson() }
    for belief in lesson.beliefs.values.sorted(by: { $0.id.line < $1.id.line }) { check(belief) }
  }

  /// The first failed test, or nil.
  package var failure: Test? { tests.first { $0.status == .fail } }

  private var file: String { lesson.file }

  // MARK: Noting

  private mutating func note(_ name: String, _ message: String? = nil) {
    tests.append(
      Test(name: name, status: message == nil ? .pass : .fail, message: message, task: task))
  }

  private mutating func test(
    _ name: String, _ body: (inout LessonCheck) throws(ScenarioError) -> Void
  ) {
    let count = tests.count
    do throws(ScenarioError) {
      try body(&self)
      // A failing check may note itself, several times.
      if !tests[count...].contains(where: { $0.status == .fail }) { note(name) }
    } catch {
      note(name, error.description)
    }
  }

  private mutating func fail(_ name: String, _ source: SourceLine, _ message: String) {
    note(name, source.error(message, in: file).description)
  }

  // MARK: A lesson

  private mutating func checkLesson() {
    test("needs") { check throws(ScenarioError) in
      for need in check.lesson.needs where check.library.lesson(need.text) == nil {
        throw need.error("there is no lesson '\(need.text)'", in: check.file)
      }
    }
    if lesson.minutes > Self.minutesAtMost {
      fail(
        "minutes", SourceLine(""),
        "it takes \(lesson.minutes) minutes; expected \(Self.minutesAtMost) at most")
    } else {
      note("minutes")
    }
    var stage: Stage?
    var screen = 0
    for item in lesson.items {
      switch item {
      case .text(let text):
        screen += 1
        task = screen
        check(text)
      case .scene(let scene):
        test("scene") { check throws(ScenarioError) in
          try scene.play(on: &stage, in: check.library, file: check.file)
        }
      case .exercise(let exercise):
        screen += 1
        task = screen
        check(exercise, &stage)
      }
    }
    task = nil
    for (id, notes) in lesson.notes.sorted(by: { $0.value.source.line < $1.value.source.line }) {
      check(notes, of: id)
    }
  }

  private mutating func check(_ notes: TeacherNotes, of id: String) {
    let name = "notes \(id)"
    if notes.prose.isEmpty { fail(name, notes.source, "expected a text in the block") }
    checkLength(name, notes.source, words: notes.wordCount, notes.prose.map(\.string))
    note(name)
  }

  private mutating func check(_ text: TextScreen) {
    let name = "text \(text.id)"
    if text.prose.isEmpty { fail(name, text.source, "expected a text below the heading") }
    checkLength(name, text.source, words: text.wordCount, text.prose.map(\.string))
    if text.terms.count > Self.termsAtMost {
      fail(
        name, text.source,
        "\(text.terms.count) terms are new: \(text.terms.joined(separator: ", ")); expected one")
    }
    for term in text.terms where Glossary.entry(term) == nil {
      fail(name, text.source, "the glossary has no '\(term)'")
    }
    note(name)
  }

  private mutating func checkLength(
    _ name: String, _ source: SourceLine, words: Int, _ texts: [String]
  ) {
    if words > Self.wordsAtMost {
      fail(name, source, "\(words) words; expected \(Self.wordsAtMost) at most")
    }
    let lines = texts.reduce(0) { $0 + Self.lines(of: $1) }
    if lines > Self.linesAtMost {
      fail(
        name, source,
        "\(lines) lines on a screen of 40x12; expected \(Self.linesAtMost) at most: two pages")
    }
    for text in texts {
      if let long = text.split(separator: " ").first(where: { $0.count > Self.columns }) {
        fail(name, source, "'\(long)' is wider than \(Self.columns) columns")
      }
    }
  }

  /// Number of lines of a text in a pane on a 40x12 screen.
  static func lines(of text: String) -> Int {
    var lines = 1
    var column = 0
    for word in text.split(separator: " ") {
      if column > 0, column + 1 + word.count > columns {
        lines += 1
        column = word.count
      } else {
        column += (column > 0 ? 1 : 0) + word.count
      }
    }
    return lines
  }

  // MARK: An exercise

  private mutating func check(_ exercise: Exercise, _ stage: inout Stage?) {
    let name = "\(exercise.kind.rawValue) \(exercise.id)"
    test(name) { check throws(ScenarioError) in
      check.checkWords(of: exercise, name)
      guard let found = stage else {
        throw exercise.source.error("no world has begun before it", in: check.file)
      }
      let marker = try Marker(exercise, on: found, file: check.file)
      if exercise.runStays { stage = marker.after }
      try check.checkKey(marker, name)
      try check.checkWrongs(marker, name)
      if marker.steps.isEmpty {
        check.fail(name, exercise.source, "nothing happens that the third hint could show")
      }
    }
  }

  private mutating func checkWords(of exercise: Exercise, _ name: String) {
    let source = exercise.source
    if exercise.question.isEmpty { fail(name, source, "expected a question") }
    if exercise.after.isEmpty {
      fail(name, source, "expected 'after: TEXT', said with the outcome")
    }
    if exercise.hints.count != 2 {
      fail(
        name, source,
        "\(exercise.hints.count) hints; expected two: the third is what the engine does")
    }
    // For a question with choices, as much as fits on a screen; the rest scrolls with the choice.
    let extra = exercise.options.reduce(0) { $0 + Self.lines(of: "a " + $1) }
    checkLength(name, source, words: exercise.wordCount, [exercise.question])
    if Self.lines(of: exercise.question) + extra > Self.linesAtMost {
      fail(
        name, source,
        "question and choices take \(Self.lines(of: exercise.question) + extra) lines on a screen of "
          + "40x12; expected \(Self.linesAtMost) at most: two pages")
    }
  }

  private mutating func checkBelief(_ belief: SourceLine?, _ name: String, _ source: SourceLine) {
    guard let belief else {
      return fail(name, source, "expected 'belief: ID' for who answers wrongly")
    }
    if library.beliefs[belief.text] == nil {
      fail(name, belief, "there is no misconception '\(belief.text)'")
    }
  }

  /// Checks that exactly the keyed answer is right.
  private mutating func checkKey(_ marker: Marker, _ name: String) throws(ScenarioError) {
    let exercise = marker.exercise
    let key = try marker.key()
    switch exercise.task {
    case .choose(let choices), .tick(let choices):
      guard case .choices(let right) = key else { return }
      for choice in choices where choice.truths.isEmpty {
        fail(name, choice.source, "expected 'true: TRUTH': when does the engine find it right?")
      }
      let isOne = exercise.kind == .choose
      if isOne ? right.count != 1 : right.isEmpty || right.count == choices.count {
        fail(
          name, exercise.source,
          "\(right.count) choices are right: \(right.sorted().map { choices[$0].text }); expected "
            + (isOne ? "one" : "some, and not all"))
      }
      for (index, choice) in choices.enumerated() where !isOne || !right.contains(index) {
        checkBelief(choice.belief, name, choice.source)
      }
    case .number: break
    case .point(let table, let filter):
      let all = try marker.rows(of: table, SourceLine("", line: filter.line))
      let right = try marker.rows(of: table, filter)
      if right.reduce(0, { $0 + $1.entries }) >= all.reduce(0, { $0 + $1.entries }) {
        fail(name, filter, "every entry of the table is right")
      }
    case .order(let items):
      if Set(try marker.positions(of: items)).count < items.count {
        fail(name, exercise.source, "two items are the same micro-step")
      }
    case .write:
      try checkSolution(key, marker, name)
      if try marker.mark(.statements([])).isRight {
        fail(name, exercise.source, "the goal is reached before anything is written")
      }
    case .repair:
      try checkSolution(key, marker, name)
      if try marker.mark(.edits([:])).isRight {
        fail(name, exercise.source, "the goal is reached without a repair")
      }
    case .find(let goal, let from):
      try checkSolution(key, marker, name)
      try checkShortest(goal, from, marker, name)
    }
    switch exercise.task {
    case .choose, .tick: break
    case .number, .point, .order, .write, .repair, .find:
      checkBelief(exercise.belief, name, exercise.source)
    }
  }

  private mutating func checkSolution(
    _ key: Guess, _ marker: Marker, _ name: String
  ) throws(ScenarioError) {
    let mark = try marker.mark(key)
    if !mark.isRight {
      fail(
        name, marker.exercise.source,
        "the solution does not reach the goal: " + mark.notes.joined(separator: " "))
    }
  }

  /// Checks that no shorter sequence of the given statements reaches the goal.
  private mutating func checkShortest(
    _ goal: Exercise.Goal, _ from: [SourceLine], _ marker: Marker, _ name: String
  ) throws(ScenarioError) {
    for statement in goal.solution where !from.contains(where: { $0.text == statement.text }) {
      fail(name, statement, "the solution uses a statement that is not given")
    }
    var tries = 0
    var level: [[String]] = [[]]
    for _ in 0..<goal.solution.count {
      for sequence in level {
        tries += 1
        if tries > Self.triesAtMost {
          return fail(
            name, marker.exercise.source,
            "more than \(Self.triesAtMost) sequences may be shorter; give fewer statements")
        }
        if try marker.mark(.statements(sequence)).isRight {
          return fail(
            name, marker.exercise.source,
            "a shorter answer reaches the goal: " + sequence.joined(separator: "; "))
        }
      }
      level = level.flatMap { sequence in from.map { sequence + [$0.text] } }
    }
  }

  /// Checks that every foreseen wrong answer is wrong, and that each misconception exists.
  private mutating func checkWrongs(_ marker: Marker, _ name: String) throws(ScenarioError) {
    for wrong in marker.exercise.wrongs {
      checkBelief(wrong.belief, name, wrong.belief)
      if case .point = marker.exercise.task {
        guard let (table, filter) = try marker.place(of: wrong) else { continue }
        let rows = try marker.rows(of: table, filter)
        if rows.isEmpty { fail(name, wrong.answer, "no entry meets this condition") }
        for row in rows
        where try marker.mark(.place(table, row.range.lowerBound)).isRight {
          fail(name, wrong.answer, "it is right")
        }
        continue
      }
      let guess: Guess
      do throws(GuessError) {
        guess = try Guess(parsing: wrong.answer.text, for: marker.exercise)
      } catch {
        fail(name, wrong.answer, error.message)
        continue
      }
      let mark = try marker.mark(guess)
      if mark.isRight, !mark.isTooMuch { fail(name, wrong.answer, "it is right") }
    }
  }

  // MARK: A misconception

  private mutating func check(_ belief: Belief) {
    let name = "belief \(belief.id.text)"
    test(name) { check throws(ScenarioError) in
      if belief.belief.isEmpty || belief.right.isEmpty {
        check.fail(name, belief.id, "expected what is believed, and 'right: TEXT'")
      }
      if !(1...4).contains(belief.run.count) {
        check.fail(
          name, belief.id,
          "\(belief.run.count) statements refute it; expected one to four: '> STATEMENT'")
      }
      if belief.actual.isEmpty { check.fail(name, belief.id, "expected 'true: TRUTH': what is so") }
      let scene = try CounterScene(belief, in: check.library)
      if scene.refutation == nil, let believed = belief.believed {
        check.fail(name, believed.source, "what is believed holds, so the scene does not refute it")
      }
      for truth in belief.actual {
        if let failure = try truth.failure(on: scene.after, file: belief.file) {
          check.fail(name, truth.source, "it is not so: \(failure)")
        }
      }
    }
  }
}
