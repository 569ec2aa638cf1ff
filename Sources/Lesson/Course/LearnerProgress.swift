/// A learner's progress, as far as kept: the place in each lesson, and the right answers.
///
/// It refers to lessons and questions only by id. Ids that no longer exist do not matter, and without a
/// file one starts over.
package struct LearnerProgress: Sendable {
  /// A line of the file.
  package struct Record: Codable, Equatable, Sendable {
    /// The place in a lesson: the id of the last item shown.
    package var lesson: String?
    package var at: String?
    /// A question, `LESSON/ID`, and the answer given, as typed. It is kept before the outcome is shown.
    package var question: String?
    package var guess: String?
    /// Whether it was right, and the number of hints taken.
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

  /// The record of an answered question.
  private struct Answered {
    /// Whether the last answer was right.
    var isRight = false
    /// Number of consecutive right answers, each given when due.
    var streak = 0
    /// The day on which it is due again; nil once it is mastered.
    var due: Int?
  }

  private var places: [String: String] = [:]
  private var answered: [String: Answered] = [:]

  /// Days after a right answer until the question is due again; after the last it is mastered.
  package static let intervals = [1, 3, 7, 14]
  /// Maximum number of questions in a sitting.
  package static let questionsAtMost = 5
  /// The hint that shows nearly everything: with it, a right answer counts as the first one.
  package static let lastHint = 3

  package init() {}

  /// Takes a line into account.
  package mutating func add(_ record: Record) {
    if let lesson = record.lesson, let id = record.at { places[lesson] = id }
    guard let question = record.question, let right = record.right, let day = record.day else {
      return
    }
    var known = answered[question] ?? Answered()
    // An answer before the due day may just repeat the outcome shown.
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

  /// A day in a file may be any number, so avoid overflow.
  private static func sum(_ day: Int, _ days: Int) -> Int {
    day.addingReportingOverflow(days).overflow ? .max : day + days
  }

  /// The id of the last item shown of a lesson; nil if it was never begun.
  package func place(in lesson: Lesson) -> String? { places[lesson.id] }

  /// Number of a lesson's questions whose last answer was right, and of those answered.
  package func count(in lesson: Lesson) -> (right: Int, answered: Int) {
    let known = lesson.exercises.compactMap { answered[lesson.name(of: $0)] }
    return (known.count(where: \.isRight), known.count)
  }

  /// The questions that are due on a day, the longest overdue first.
  package func due(on day: Int) -> [String] {
    answered.filter { $0.value.due ?? .max <= day }
      .sorted { ($0.value.due ?? 0, $0.key) < ($1.value.due ?? 0, $1.key) }.map(\.key)
  }

  /// The next day on which something is due.
  package var nextDay: Int? { answered.values.compactMap(\.due).min() }
}
