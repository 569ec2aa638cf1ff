import Engine
import Inquiry
import Language

/// Plays a lesson, due questions, or a drill: what is shown, and what a learner may do.
///
/// It is independent of the screen. The caller shows `page` and `stage`, and keeps `records`.
package struct Player: Sendable {
  /// Something shown: an item of a lesson.
  package struct Shown: Sendable {
    package let lesson: Lesson
    package let index: Int

    package var item: Lesson.Item { lesson.items[index] }
  }

  /// The learner's next task.
  package enum Phase: Sendable {
    /// To read, and continue.
    case reading
    /// To answer.
    case asking
    /// To compare the guess with the outcome, and continue. A class may see the outcome without a guess.
    case marked(Guess?, Mark)
    /// To see a misconception refuted; and those left to refute.
    case refuting(CounterScene, left: [String])
    /// Nothing: all is done.
    case over
  }

  /// The items played, in order.
  package let shown: [Shown]
  /// Index of the current item.
  package private(set) var position = 0
  package private(set) var phase = Phase.reading
  /// Number of hints taken for the question.
  package private(set) var hints = 0
  /// The last hint, once it was taken: the engine's micro-steps.
  private var stepHints: [Hint] = []
  /// The answer to the question, for a teacher.
  private(set) var key: Guess?
  /// Number of right answers, and of all answers, since the start.
  package private(set) var score = (right: 0, all: 0)
  /// Records to keep that were not taken yet.
  private var records: [LearnerProgress.Record] = []
  /// The current scene; before a world begins, an empty VM.
  package private(set) var stage: Stage

  let library: Library
  private let day: Int
  /// Whether places are kept: for a single learner's lessons, not for reviews.
  let keepsPlace: Bool
  /// Whether answers are kept: for a learner, not for a class.
  private let keepsAnswers: Bool

  /// Plays a lesson, from where it was left.
  ///
  /// - Parameter isForClass: whether it is presented to a class, so that nothing is kept.
  /// - Throws: a mistake of the lesson.
  package init(
    _ lesson: Lesson, in library: Library, from id: String? = nil, day: Int,
    isForClass: Bool = false
  ) throws(ScenarioError) {
    shown = lesson.items.indices.filter { lesson.items[$0].id != nil }
      .map { Shown(lesson: lesson, index: $0) }
    self.library = library
    self.day = day
    keepsPlace = !isForClass
    keepsAnswers = !isForClass
    stage = try Stage(.empty, file: lesson.file)
    position = shown.firstIndex { $0.item.id == id } ?? 0
    try arrive()
  }

  /// Asks single questions, each on its stage in its lesson.
  ///
  /// - Throws: a mistake of a lesson.
  package init(
    asking questions: [(lesson: Lesson, index: Int)], in library: Library, day: Int
  ) throws(ScenarioError) {
    shown = questions.map { Shown(lesson: $0.lesson, index: $0.index) }
    self.library = library
    self.day = day
    keepsPlace = false
    keepsAnswers = true
    stage = try Stage(.empty, file: "")
    try arrive()
  }

  /// The current item; nil when all is done.
  package var current: Shown? { shown.indices.contains(position) ? shown[position] : nil }

  /// The current question, or nil.
  package var exercise: Exercise? {
    if case .exercise(let exercise)? = current?.item { exercise } else { nil }
  }

  package var isOver: Bool { if case .over = phase { true } else { false } }

  /// The records to keep, each returned once.
  package mutating func takeRecords() -> [LearnerProgress.Record] {
    defer { records = [] }
    return keepsAnswers ? records : []
  }

  // MARK: Going on

  private mutating func arrive() throws(ScenarioError) {
    (hints, stepHints, key) = (0, [], nil)
    guard let current else {
      phase = .over
      return
    }
    if let found = try current.lesson.stage(before: current.index, in: library) { stage = found }
    phase = exercise == nil ? .reading : .asking
    if !keepsAnswers, let marker { key = try? marker.key() }
    if keepsPlace, let id = current.item.id {
      records.append(.place(current.lesson.id, at: id))
    }
  }

  /// Continues: to the refutation of a wrong answer, else to the next item. An unanswered question stays.
  ///
  /// - Throws: a mistake of the lesson.
  package mutating func goOn() throws(ScenarioError) {
    switch phase {
    case .asking, .over: break
    case .reading: try move(by: 1)
    case .marked(_, let mark): try refute(mark.beliefs)
    case .refuting(_, let left): try refute(left)
    }
  }

  private mutating func refute(_ beliefs: [String]) throws(ScenarioError) {
    guard let first = beliefs.first, let belief = library.beliefs[first] else {
      return try move(by: 1)
    }
    let scene = try CounterScene(belief, in: library)
    stage = scene.after
    phase = .refuting(scene, left: Array(beliefs.dropFirst()))
  }

  /// Skips a question, or goes back to the previous item.
  ///
  /// - Throws: a mistake of the lesson.
  package mutating func move(by distance: Int) throws(ScenarioError) {
    let next = position + distance
    position = max(0, min(next, shown.count))
    if position == shown.count, keepsPlace, let first = shown.first, let id = first.item.id {
      // After the end, the next time starts from the beginning.
      records.append(.place(first.lesson.id, at: id))
    }
    try arrive()
  }

  // MARK: Answering

  /// Takes the next hint, if there is another.
  ///
  /// - Complexity: carries out the question's scene for the last one.
  package mutating func takeHint() {
    guard case .asking = phase, hints < LearnerProgress.lastHint else { return }
    hints += 1
    if hints == LearnerProgress.lastHint, let marker { stepHints = Self.hints(of: marker.steps) }
  }

  /// Carries out the question on its stage; nil if the lesson has a mistake there, or there is no question.
  private var marker: Marker? {
    exercise.flatMap { try? Marker($0, on: stage, file: current?.lesson.file ?? "") }
  }

  /// Takes an answer, and has the engine mark it.
  ///
  /// - Throws: a mistake of the lesson.
  package mutating func answer(_ guess: Guess) throws(ScenarioError) {
    guard case .asking = phase, let exercise, let current else { return }
    let name = current.lesson.name(of: exercise)
    records.append(.guess(guess.text(for: exercise), to: name, day: day))
    let marker = try Marker(exercise, on: stage, file: current.lesson.file)
    let mark = try marker.mark(guess)
    records.append(.result(mark.isRight, hints: hints, of: name, day: day))
    score = (score.right + (mark.isRight ? 1 : 0), score.all + 1)
    if exercise.runStays { self.stage = marker.after }
    phase = .marked(guess, mark)
  }

  /// Has the engine carry out the question asked of a class, and keeps nothing.
  ///
  /// - Parameter tally: the number of guesses for each choice, by index. The wrong ones are refuted next,
  ///   the most frequent first.
  /// - Throws: a mistake of the lesson.
  package mutating func reveal(_ tally: [Int] = []) throws(ScenarioError) {
    guard case .asking = phase, let exercise, let current else { return }
    let marker = try Marker(exercise, on: stage, file: current.lesson.file)
    let key = try marker.key()
    var mark = try marker.mark(key)
    let taken = tally.indices.filter { tally[$0] > 0 }
      .sorted { (-tally[$0], $0) < (-tally[$1], $1) }
    for index in taken {
      guard case .choices(let right) = key, !right.contains(index),
        let belief = exercise.belief(ofChoice: index), !mark.beliefs.contains(belief)
      else { continue }
      mark.beliefs.append(belief)
    }
    if exercise.runStays { stage = marker.after }
    phase = .marked(nil, mark)
  }

  /// A hint, or a micro-step of the third one.
  package struct Hint: Sendable {
    package let text: String
    /// Whether it is one of the micro-steps.
    package let isStep: Bool
  }

  /// The hints taken; the third is the engine's micro-steps.
  package var hintLines: [Hint] {
    guard let exercise else { return [] }
    return exercise.hints.prefix(hints).map { Hint(text: $0, isStep: false) } + stepHints
  }

  private static func hints(of steps: [String]) -> [Hint] {
    var lines = [Hint(text: "the engine does this, step by step.", isStep: false)]
    lines += steps.prefix(stepsAtMost).enumerated().map { index, step in
      Hint(text: "\(index + 1). \(step)", isStep: true)
    }
    if steps.count > stepsAtMost {
      lines.append(Hint(text: "and \(steps.count - stepsAtMost) more", isStep: true))
    }
    return lines
  }

  /// Maximum number of micro-steps in the third hint.
  private static let stepsAtMost = 24
}
