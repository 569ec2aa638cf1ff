import Canvas
import Language

/// The file of the configuration: lines `NAME = VALUE`, and `key ACTION = KEY ...` with keys in their
/// spelling, separated by blanks; nothing after `=` removes an action's keys. A line that begins with
/// `#` is a comment.
extension Preferences {
  /// Reads a file of the configuration.
  ///
  /// - Throws: the first mistake, with its place.
  public init(parsing bytes: [UInt8], file: String) throws(ScenarioError) {
    self.init()
    try read(bytes, file: file)
  }

  /// Reads a further file, which overrides what was read so far. A key that it gives to an action is
  /// removed from others.
  ///
  /// - Throws: the first mistake, with its place.
  public mutating func read(_ bytes: [UInt8], file: String) throws(ScenarioError) {
    var lines = Lines(bytes, file: file)
    // The line that gave a name its value, and the action to which a key was given.
    var names: [String: Int] = [:]
    var taken: [Key: (action: Action, line: Int)] = [:]
    while try lines.next() {
      guard let name = lines.word else { continue }
      if name.text.hasPrefix("#") { continue }
      lines.take()
      let isKey = name.text == "key"
      let subject = isKey ? try lines.expect("the name of an action") : name
      if isKey, Action(rawValue: subject.text) == nil {
        throw lines.error(subject, "expected the name of an action, as in `next-event`")
      }
      if let line = names.updateValue(lines.number, forKey: (isKey ? "key " : "") + subject.text) {
        throw lines.error(subject, "expected each name once: line \(line) has it already")
      }
      guard lines.word?.text == "=" else {
        throw lines.error(lines.word, "expected '=' after '\(SafeText(subject.text))'")
      }
      lines.take()
      if isKey {
        try readKeys(of: subject.text, &lines, &taken)
      } else {
        try readValue(of: name, &lines)
      }
    }
    for (action, choice) in keys {
      keys[action]?.amend(choice.value.filter { (taken[$0]?.action ?? action) == action })
    }
  }

  private mutating func readValue(of name: Lines.Word, _ lines: inout Lines) throws(ScenarioError) {
    guard let setting = Setting(rawValue: name.text) else {
      let names = Setting.allCases.map(\.rawValue).joined(separator: ", ")
      throw lines.error(name, "expected \(names) or key")
    }
    choose(
      try lines.value(of: setting.values), for: setting, .file(lines.file, line: lines.number))
  }

  private mutating func readKeys(
    of name: String, _ lines: inout Lines, _ taken: inout [Key: (action: Action, line: Int)]
  ) throws(ScenarioError) {
    guard let action = Action(rawValue: name) else { return }
    var found: [Key] = []
    while let word = lines.word {
      guard let key = Key(spelling: word.text) else {
        throw lines.error(word, "expected a key, as in: j G space ctrl-d shift-right alt-x F1")
      }
      if action == .pane, key.description.count != 1 || !("1"..."9").contains(key.description) {
        throw lines.error(word, "expected digits: the key of a pane is its number")
      }
      if let other = taken.updateValue((action, lines.number), forKey: key) {
        throw lines.error(
          word,
          "expected a key of one action: \(key) is for \(other.action.rawValue) in line "
            + "\(other.line), and here for \(name)")
      }
      found.append(key)
      lines.take()
    }
    keys[action, default: Choice([])].choose(found, .file(lines.file, line: lines.number))
  }
}

/// The lines of a file, word by word.
private struct Lines {
  struct Word {
    let text: String
    /// Its place in its line, in bytes from 1.
    let column: Int
  }

  let file: String
  private(set) var number = 0
  private var rest: [UInt8].SubSequence
  private var words: ArraySlice<Word> = []
  private var end = 1

  init(_ bytes: [UInt8], file: String) {
    self.file = file
    rest = bytes[...]
  }

  /// The next word to read.
  var word: Word? { words.first }

  mutating func take() { words.removeFirst() }

  mutating func expect(_ what: String) throws(ScenarioError) -> Word {
    guard let word else { throw error(nil, "expected " + what) }
    take()
    return word
  }

  /// One of some words, and nothing after it.
  mutating func value(of values: [String]) throws(ScenarioError) -> String {
    let names = values.joined(separator: ", ")
    let word = try expect(names)
    guard values.contains(word.text) else { throw error(word, "expected " + names) }
    if let more = self.word { throw error(more, "expected the end of the line") }
    return word.text
  }

  func error(_ word: Word?, _ message: String) -> ScenarioError {
    ScenarioError(file: file, line: number, column: word?.column ?? end, message: message)
  }

  /// Goes to the next line; false after the last.
  mutating func next() throws(ScenarioError) -> Bool {
    if rest.isEmpty { return false }
    number += 1
    let line = rest.prefix { $0 != UInt8(ascii: "\n") }
    rest = rest[line.endIndex...].dropFirst()
    end = line.count + 1
    words = []
    let blanks = Set(" \t\r".utf8)
    for word in line.split(whereSeparator: { blanks.contains($0) }) {
      let column = word.startIndex - line.startIndex + 1
      guard let text = String(validating: word, as: UTF8.self) else {
        throw ScenarioError(
          file: file, line: number, column: column, message: "expected valid UTF-8")
      }
      words.append(Word(text: text, column: column))
    }
    return true
  }
}
