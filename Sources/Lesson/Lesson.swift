import Language

/// A lesson: screens of text, scenes that run, and exercises, in order; or a collection of worlds and
/// misconceptions that lessons share.
package struct Lesson: Sendable {
  /// Name of the file, for messages.
  package let file: String
  /// The name under which progress is kept; empty in a collection.
  package var id = ""
  package var title = ""
  /// The ids of lessons that should come before.
  package var needs: [SourceLine] = []
  /// The items, in order.
  package var items: [Item] = []
  /// Worlds in which scenes begin, by name.
  package var worlds: [String: World] = [:]
  /// Misconceptions, by id.
  package var beliefs: [String: Belief] = [:]
  /// Notes that only a teacher sees, by the id of their text or exercise.
  package var notes: [String: TeacherNotes] = [:]

  /// An item of a lesson.
  package enum Item: Sendable {
    case text(TextScreen)
    case scene(Scene)
    case exercise(Exercise)
  }

  init(file: String) { self.file = file }

  /// Whether it is not a lesson, but only what lessons share.
  package var isCollection: Bool { id.isEmpty }

  package var exercises: [Exercise] {
    items.compactMap { if case .exercise(let exercise) = $0 { exercise } else { nil } }
  }
  package var texts: [TextScreen] {
    items.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }

  /// Index of the item with an id; nil if there is none.
  package func index(of id: String) -> Int? { items.firstIndex { $0.id == id } }

  /// The name of an exercise among all lessons.
  package func name(of exercise: Exercise) -> String { "\(id)/\(exercise.id)" }

  /// Number of words to read: of texts, questions and choices.
  package var wordCount: Int {
    items.reduce(0) { count, item in
      switch item {
      case .text(let text): count + text.wordCount
      case .scene: count
      case .exercise(let exercise): count + exercise.wordCount
      }
    }
  }

  /// Duration in minutes: 200 words a minute, and 40 seconds for each exercise.
  package var minutes: Int { (wordCount * 60 / 200 + exercises.count * 40 + 59) / 60 }
}

extension Lesson.Item {
  /// The id of the item; nil for a scene.
  package var id: String? {
    switch self {
    case .text(let text): text.id
    case .scene: nil
    case .exercise(let exercise): exercise.id
    }
  }
}

/// A screen of text to read.
package struct TextScreen: Sendable {
  /// Its heading.
  package let heading: String
  package let source: SourceLine
  package var prose: [Prose] = []

  /// Its heading as an id: letters and digits in lower case, hyphens between words.
  package var id: String {
    heading.lowercased().split { !($0.isLetter || $0.isNumber) }.joined(separator: "-")
  }

  package var wordCount: Int { prose.reduce(0) { $0 + $1.wordCount } }
  /// The new terms on it.
  package var terms: [String] { prose.flatMap(\.terms) }
}

/// A lesson's notes for its presenter, about a text or an exercise.
package struct TeacherNotes: Sendable {
  package let source: SourceLine
  package internal(set) var prose: [Prose]

  package var wordCount: Int { prose.reduce(0) { $0 + $1.wordCount } }
}

/// Statements that run, in their own world, or after the previous ones.
package struct Scene: Sendable {
  /// The world in which the scene begins; nil if it continues the previous one.
  package var start: Start?
  /// The statements that follow.
  package var statements: [SourceLine] = []

  /// How a scene begins.
  package enum Start: Sendable {
    /// With the statements of a world, under policies `KEY=VALUE`.
    case world(SourceLine, policies: [SourceLine])
    /// With its own statements.
    case own(World)
  }
}

extension Scene {
  /// All statements of the scene, those of its world first.
  package func lines(in library: Library) -> [String] {
    let first: [String] =
      switch start {
      case .own(let world): world.lines
      case .world(let name, let policies):
        policies.map { "policy \($0.text)" } + (library.worlds[name.text]?.lines ?? [])
      case nil: []
      }
    return first + statements.map(\.text)
  }
}

/// The statements with which a scene begins: a scenario.
package struct World: Sendable {
  /// Name of the file that it is in, for messages.
  package let file: String
  /// Line of its first statement in that file, from 1.
  package let line: Int
  package var text = ""

  /// Its statements.
  var lines: [String] {
    text.split(separator: "\n").map { String($0.trimmed) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }

  /// An empty VM.
  static let empty = World(file: "", line: 1, text: "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\n")
}

/// A misconception, and its refutation.
package struct Belief: Sendable {
  package let id: SourceLine
  /// Name of the file that it is in, for messages.
  package let file: String
  /// The belief, and the truth, as sentences.
  package var belief = ""
  package var right = ""
  /// Where somebody held it, asked about it, or was corrected; empty if no place is known.
  package var seen = ""
  /// The counter-scene: its start, and its one to four statements.
  package var scene = Scene()
  package var run: [SourceLine] = []
  /// What would hold afterwards if it were right, and what actually holds.
  package var believed: Truth?
  package var actual: [Truth] = []
}
