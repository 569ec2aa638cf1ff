import Canvas
import Inquiry
import Lesson

/// A class to which a lesson is presented.
struct Classroom {
  /// The guessed choices, by index, in the order counted.
  var guesses: [Int] = []
  /// Pieces of the page that are shown.
  var pieces = 1
}

extension LessonView {
  /// Whether guesses are counted now, for choices that each have a key.
  var isCounting: Bool {
    guard classroom != nil, case .asking = player.phase, let exercise = player.exercise else {
      return false
    }
    return (exercise.kind == .choose || exercise.kind == .tick) && exercise.options.count <= 9
  }

  /// The number of guesses for each choice.
  var tally: [Int] {
    var tally = [Int](repeating: 0, count: player.exercise?.options.count ?? 0)
    for guess in classroom?.guesses ?? [] where tally.indices.contains(guess) { tally[guess] += 1 }
    return tally
  }

  /// Whether the page has a piece that is still hidden from the class.
  var hasMore: Bool {
    guard let classroom else { return false }
    if case .asking = player.phase { return false }
    return classroom.pieces < player.pieces.count
  }
}

extension Model {
  /// Adds a question's choices, with the number of guesses for each; with the outcome, which of them hold.
  func addTally(of lesson: LessonView, to document: inout Document) {
    guard let exercise = lesson.player.exercise, lesson.classroom != nil,
      exercise.kind == .choose || exercise.kind == .tick
    else { return }
    var right: Set<Int> = []
    if case .marked(_, let mark) = lesson.player.phase, case .choices(let chosen) = mark.key {
      right = chosen
    }
    let tally = lesson.tally
    document.addBlank()
    for (index, option) in exercise.options.enumerated() {
      let sign: SafeText = right.contains(index) ? SafeText(.check) : "\(index + 1)"
      var line = Line(sign + "  ", right.contains(index) ? .valid : .key)
      line.add(SafeText(Exercise.letter(index)) + "  ", .key)
      line = line.adding(Line(Prose(option).line))
      if tally[index] > 0 { line.add("  \(tally[index])", .heading) }
      document.add(line, indent: 6)
    }
  }

  /// Counts a guess of a class. Returns whether a number is a guess now.
  mutating func countGuess(_ number: String) -> Bool {
    guard let lesson, lesson.isCounting, focus == .answer, let number = Int(number) else {
      return false
    }
    if number <= lesson.tally.count {
      self.lesson?.classroom?.guesses.append(number - 1)
    } else {
      refuse("There are choices 1 to \(lesson.tally.count).")
    }
    return true
  }

  /// Takes back the last counted guess. Returns whether guesses are counted now.
  mutating func takeBackGuess() -> Bool {
    guard let lesson, lesson.isCounting, focus == .answer else { return false }
    if lesson.classroom?.guesses.isEmpty ?? true {
      refuse("No guess was counted.")
    } else {
      self.lesson?.classroom?.guesses.removeLast()
    }
    return true
  }

  /// Goes forward or back in a presented lesson: a presenter's remote control sends the page keys.
  /// Returns whether they do that now.
  mutating func turnPage(forward: Bool) -> Bool {
    guard let lesson, lesson.classroom != nil, focus == .answer, question == .lesson else {
      return false
    }
    if forward, detail.linesToChoice == 0 {
      if case .asking = lesson.player.phase {
        perform(.reveal)
      } else {
        perform(.next)
      }
      return true
    }
    if !forward, detail.top == 0 {
      perform(.previous)
      return true
    }
    return false
  }

  /// The teacher's notes, and the counts of guesses in a line, empty if there are none; nil if no lesson
  /// is presented.
  package var teacherNotes: (title: String, notes: Report, guesses: String)? {
    guard let lesson, lesson.classroom != nil else { return nil }
    let tally = lesson.tally
    let counts = tally.indices.map { "\(Exercise.letter($0)) \(tally[$0])" }
    return (
      lesson.player.title, lesson.player.notes,
      tally.contains { $0 > 0 } ? "guesses: " + counts.joined(separator: ", ") : ""
    )
  }
}
