import Canvas
import Inquiry

/// The topic of the answer pane: the answer to a question, or a list of the screen's own.
enum Topic: Hashable, CaseIterable {
  case question(Question)
  /// At what does running stop?
  case watches
  /// Which moments have a name, and which places were left?
  case marks
  /// Which histories are there?
  case branches
  /// What does the lesson say or ask?
  case lesson

  static let allCases: [Topic] =
    Question.allCases.map { .question($0) } + [.watches, .marks, .branches, .lesson]

  /// Its name, one word.
  var name: String {
    switch self {
    case .question(let question): question.name
    case .watches: "watches"
    case .marks: "marks"
    case .branches: "histories"
    case .lesson: "lesson"
    }
  }

  /// Its title in the pane.
  var title: SafeText {
    switch self {
    case .question(let question): SafeText(question.facts.title)
    case .watches: "Watches"
    case .marks: "Marks"
    case .branches: "Histories"
    case .lesson: "Lesson"
    }
  }

  /// Whether asking moves the focus to the answer: not if one continues with its subject.
  var takesFocus: Bool { self != .question(.explain) && self != .question(.entry) }

  /// Whether the answer is kept when time moves, instead of being recomputed.
  var isKept: Bool {
    switch self {
    case .question(let question): question.facts.follows == .nothing
    case .lesson: true
    case .watches, .marks, .branches: false
    }
  }
}
