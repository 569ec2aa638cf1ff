/// What a learner has done, as far as it was kept: where one is in each lesson, and which answers were right.
///
/// It knows lessons and questions by their ids alone. What is no longer there does not matter, and without
/// any of it one begins anew.
package struct LearnerProgress: Sendable {
  /// A line of the file.
  package struct Record: Codable, Equatable, Sendable {
    /// Where one is in a lesson: the id of what was shown last.
    package var lesson: String?
    package var at: String?
    /// A question, `LESSON/ID`, and the answer that was given, as it was typed. It is kept before the outcome
    /// is shown.
    package var question: String?
    package var guess: String?
    /// Whether it was right, and how many hints were taken.
    package var right: Bool?
    package var hints: Int?
    /// Days since 1970-01-01.
    package var day: Int?

    static func place(_ lesson: String, at id: String) -> Record {
      var record = Record()
      (record.lesson, record.at) = (lesson, id)
      return record
    }

    static func guess(_ guess: String, to question: String, day: Int) -> Record {
      var record = Record()
      (record.question, record.guess, record.day) = (question, guess, day)
      return record
    }

    static func result(_ right: Bool, hints: Int, of question: String, day: Int) -> Record {
      var record = Record()
      (record.question, record.right, record.hints, record.day) = (question, right, hints, day)
      return record
    }
  }

  /// What is known of a question that was answered.
  private struct Answered {
    /// Whether the last answer was right.
    var isRight = false
    /// Right answers in a row, of which each was due.
    var streak = 0
    /// The day on which it is due again; nil once it is known for good.
    var due: Int?
  }

  private var places: [String: String] = [:]
  private var answered: [String: Answered] = [:]

  /// Days after a right answer until the question is due again; after the last it is known.
  package static let intervals = [1, 3, 7, 14]
  /// Questions of a sitting, at most.
  package static let questionsAtMost = 5
  /// The hint that shows nearly all: with it, a right answer counts as the first one.
  package static let lastHint = 3

  package init() {}

  /// Takes a line into account.
  package mutating func add(_ record: Record) {
    if let lesson = record.lesson, let id = record.at { places[lesson] = id }
    guard let question = record.question, let right = record.right, let day = record.day else {
      return
    }
    var known = answered[question] ?? Answered()
    // Whoever answers again on the same day has only just seen the outcome.
    let isEarly = known.isRight && day < known.due ?? .max
    known.isRight = right
    if !right {
      known.streak = 0
      known.due = Self.sum(day, 1)
    } else if !isEarly {
      known.streak =
        record.hints ?? 0 >= Self.lastHint ? 1 : min(known.streak + 1, Self.intervals.count + 1)
      known.due =
        known.streak <= Self.intervals.count
        ? Self.sum(day, Self.intervals[known.streak - 1]) : nil
    }
    answered[question] = known
  }

  /// A day of a file may be any number.
  private static func sum(_ day: Int, _ days: Int) -> Int {
    day.addingReportingOverflow(days).overflow ? .max : day + days
  }

  /// The id of what was shown last of a lesson; nil if it was never begun.
  package func place(in lesson: Lesson) -> String? { places[lesson.id] }

  /// Questions of a lesson whose last answer was right, and those that were answered.
  package func count(in lesson: Lesson) -> (right: Int, answered: Int) {
    let known = lesson.exercises.compactMap { answered[lesson.name(of: $0)] }
    return (known.count(where: \.isRight), known.count)
  }

  /// The questions that are due on a day, those that are due longest first.
  package func due(on day: Int) -> [String] {
    answered.filter { $0.value.due ?? .max <= day }
      .sorted { ($0.value.due ?? 0, $0.key) < ($1.value.due ?? 0, $1.key) }.map(\.key)
  }

  /// The next day on which something is due.
  package var nextDay: Int? { answered.values.compactMap(\.due).min() }
}
