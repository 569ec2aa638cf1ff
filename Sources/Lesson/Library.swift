import Inquiry
import Language

/// Lessons, and the worlds and misconceptions that they share.
package struct Library: Sendable {
  /// The lessons, in their order.
  package private(set) var lessons: [Lesson] = []
  /// Worlds by name, and misconceptions by id, of all files.
  package private(set) var worlds: [String: World] = [:]
  package private(set) var beliefs: [String: Belief] = [:]

  package init() {}

  /// The lessons of the program.
  package static let shipped: Library = {
    var library = Library()
    for shipped in ShippedLesson.all {
      var mistakes: [ScenarioError] = []
      library.add(Lesson(reading: shipped.bytes, file: shipped.name + ".md", &mistakes))
    }
    return library
  }()

  /// Adds a file: its lesson, and what it shares. Replaces items with the same name.
  package mutating func add(_ lesson: Lesson) {
    worlds.merge(lesson.worlds) { $1 }
    beliefs.merge(lesson.beliefs) { $1 }
    if lesson.isCollection { return }
    if let index = lessons.firstIndex(where: { $0.id == lesson.id }) {
      lessons[index] = lesson
    } else {
      lessons.append(lesson)
    }
  }

  /// The lesson with an id, or with a number from 1 on; nil if there is none.
  package func lesson(_ name: String) -> Lesson? {
    if let number = Int(name), lessons.indices.contains(number - 1) { return lessons[number - 1] }
    return lessons.first { $0.id == name }
  }

  /// The duration of a lesson, and the numbers of those that should come before, as a phrase.
  package func effort(of lesson: Lesson) -> String {
    let needs = lesson.needs.compactMap { need in lessons.firstIndex { $0.id == need.text } }
    let numbers = needs.sorted().map { "\($0 + 1)" }.joined(separator: ", ")
    return "\(lesson.minutes) minutes" + (needs.isEmpty ? "" : ", after \(numbers)")
  }

  /// The id that a name may mean, or nil.
  package func nearest(to name: String) -> String? {
    Spelling.nearest(to: name, in: lessons.map(\.id))
  }

  /// The lesson and the exercise with a name as in progress records, `LESSON/EXERCISE`; nil if there is none.
  package func exercise(_ name: String) -> (lesson: Lesson, index: Int)? {
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let lesson = lessons.first(where: { $0.id == parts[0] }),
      let index = lesson.index(of: String(parts[1])), case .exercise = lesson.items[index]
    else { return nil }
    return (lesson, index)
  }
}

/// A lesson that is a part of the program.
package struct ShippedLesson: Sendable {
  /// Its path below `assets/lessons`, without the extension.
  package let name: String
  private let text: StaticString

  /// The file's text.
  package var bytes: [UInt8] {
    Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// All of them, and what they share, ordered by name.
  package static let all = embedded.map {
    ShippedLesson(name: String($0.name.description.dropLast(".md".count)), text: $0.text)
  }
}
