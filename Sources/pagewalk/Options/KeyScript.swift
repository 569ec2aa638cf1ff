import Canvas
import Language
import Viewer

/// User input in lines, for use without a terminal, with expectations about the frames.
///
/// A line that begins with `#` is a comment.
struct KeyScript {
  /// The words with which lines begin.
  enum Word: String, CaseIterable {
    /// Presses keys, in their spelling.
    case press
    /// Presses the keys of a text, or pastes a text.
    case type, paste
    /// The screen has another size.
    case size
    /// Lets all work be done that needs no input, and what is played be played to its end.
    case wait
    /// The frame has the text, or has not.
    case expect, reject
    /// Prints the frame.
    case frame

    /// The line that begins so.
    var usage: String {
      switch self {
      case .press: "press KEY ..."
      case .type, .paste, .expect, .reject: "\(rawValue) TEXT"
      case .size: "size WIDTHxHEIGHT"
      case .wait, .frame: rawValue
      }
    }

    /// What follows the word.
    var expectation: String {
      switch self {
      case .press: "keys as \"pagewalk config --default\" writes them, as: press x Enter Ctrl-R"
      case .type, .paste, .expect, .reject: "a text: \(usage)"
      case .size: "columns and rows: \(usage)"
      case .wait, .frame: "nothing after \"\(rawValue)\""
      }
    }

    /// The lines that there are, with commas.
    static let usage = allCases.map(\.usage).joined(separator: ", ")
  }

  enum Step {
    case input([Input])
    case wait
    case expect(String, isThere: Bool)
    case frame
  }

  let steps: [(line: Int, step: Step)]

  /// Reads a script.
  ///
  /// - Throws: the first mistake, with its place.
  init(_ bytes: [UInt8], file: String) throws(ScenarioError) {
    var steps: [(line: Int, step: Step)] = []
    let text = String(decoding: bytes, as: UTF8.self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let line = line.hasSuffix("\r") ? line.dropLast() : line
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      func mistake(at column: Int, _ message: String) -> ScenarioError {
        ScenarioError(file: file, line: index + 1, column: column, message: message)
      }
      let start = line.prefix { $0 == " " }.utf8.count + 1
      guard let word = Word(rawValue: first) else {
        throw mistake(at: start, "expected one of: \(Word.usage)")
      }
      guard let step = Self.step(word, words.count > 1 ? words[1] : "") else {
        throw mistake(at: start + first.utf8.count + 1, "expected \(word.expectation)")
      }
      steps.append((index + 1, step))
    }
    self.steps = steps
  }

  private static func step(_ word: Word, _ text: String) -> Step? {
    switch word {
    case .press:
      let keys = text.split(separator: " ").map { Key(spelling: $0) }
      let found = keys.compactMap { $0 }
      return found.isEmpty || found.count < keys.count ? nil : .input(found.map { .key($0) })
    case .type where text.isEmpty, .paste where text.isEmpty: return nil
    case .type: return .input(text.unicodeScalars.map { .key(Key(typed: $0)) })
    case .paste: return .input([.paste(text)])
    case .size:
      return Size(argument: text).map {
        .input([.resize(width: $0.width, height: $0.height)])
      }
    case .wait: return text.isEmpty ? .wait : nil
    case .expect: return text.isEmpty ? nil : .expect(text, isThere: true)
    case .reject: return text.isEmpty ? nil : .expect(text, isThere: false)
    case .frame: return text.isEmpty ? .frame : nil
    }
  }
}
