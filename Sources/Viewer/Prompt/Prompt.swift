import Canvas
import Inquiry

/// A line that is being typed.
struct Prompt {
  enum Kind: Equatable {
    /// An action by name, or a statement.
    case command
    /// Text to search.
    case search
    /// A filter for the entries of the tables.
    case filter
    /// A text that narrows a list.
    case narrow
    /// The answer to a question of a lesson.
    case answer
  }

  let kind: Kind
  /// Maximum number of characters in a line, so that a key costs little however much is pasted.
  static let charactersAtMost = 4_096
  private(set) var characters: [Unicode.Scalar] = []
  /// Characters before the caret.
  private(set) var caret = 0
  /// Distance back in the lines typed before; 0 for the line itself.
  private var age = 0
  private var own: [Unicode.Scalar] = []
  /// Candidates that Tab cycles through: the current one's index, its start, and the resulting line.
  private(set) var cycle: (candidates: [String], index: Int, start: Int, text: String)?

  init(_ kind: Kind, text: String = "") {
    self.kind = kind
    set(text)
  }

  var text: String { String(String.UnicodeScalarView(characters)) }

  /// The label before the text.
  var label: SafeText {
    switch kind {
    case .command: ":"
    case .search: "/"
    case .filter: "filter: "
    case .narrow: "/"
    case .answer: "answer: "
    }
  }

  mutating func set(_ text: String) {
    characters = Array(text.unicodeScalars)
    caret = characters.count
  }

  /// Puts the caret after `caret` characters, or at the end.
  mutating func put(caret: Int) { self.caret = min(caret, characters.count) }

  /// Replaces the text between `start` and the caret by a candidate.
  mutating func take(_ candidate: String, from start: Int, cycling: [String], _ index: Int) {
    characters.replaceSubrange(start..<caret, with: candidate.unicodeScalars)
    caret = start + candidate.unicodeScalars.count
    cycle = cycling.isEmpty ? nil : (cycling, index, start, text)
  }

  /// Edits the text by a key. False if the key is not an editing key.
  mutating func edit(_ key: Key, history: [String]) -> Bool {
    switch (key.base, key.modifiers) {
    case (.character(let scalar), []):
      characters.insert(scalar, at: caret)
      caret += 1
    case (.backspace, []):
      guard caret > 0 else { return true }
      caret -= 1
      characters.remove(at: caret)
    case (.delete, []), (.character("d"), .control):
      if caret < characters.count { characters.remove(at: caret) }
    case (.left, []), (.character("b"), .control): caret = max(0, caret - 1)
    case (.right, []), (.character("f"), .control): caret = min(characters.count, caret + 1)
    case (.home, []), (.character("a"), .control): caret = 0
    case (.end, []), (.character("e"), .control): caret = characters.count
    case (.character("u"), .control):
      characters.removeSubrange(..<caret)
      caret = 0
    case (.character("k"), .control): characters.removeSubrange(caret...)
    case (.character("w"), .control): deleteWord()
    case (.up, []), (.character("p"), .control): recall(1, history)
    case (.down, []), (.character("n"), .control): recall(-1, history)
    default: return false
    }
    return true
  }

  /// Puts a text before the caret.
  mutating func insert(_ text: String) {
    let scalars = text.unicodeScalars
    characters.insert(contentsOf: scalars, at: caret)
    caret += scalars.count
  }

  private mutating func deleteWord() {
    var start = caret
    while start > 0, characters[start - 1] == " " { start -= 1 }
    while start > 0, characters[start - 1] != " " { start -= 1 }
    characters.removeSubrange(start..<caret)
    caret = start
  }

  /// Goes to an older or newer line; the line itself is the newest.
  private mutating func recall(_ step: Int, _ history: [String]) {
    let target = min(max(0, age + step), history.count)
    if target == age { return }
    if age == 0 { own = characters }
    age = target
    characters = age == 0 ? own : Array(history[history.count - age].unicodeScalars)
    caret = characters.count
  }
}
