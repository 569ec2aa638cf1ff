import Language

/// A piece of a lesson's file, and its place.
package struct SourceLine: Equatable, Sendable {
  /// Its text, trimmed.
  package let text: String
  /// Its line, and the column of its first byte, both from 1.
  package let line: Int
  package let column: Int

  package init(_ text: some StringProtocol, line: Int = 1, column: Int = 1) {
    self.text = String(text)
    self.line = line
    self.column = column
  }

  /// The rest after `count` characters, trimmed.
  func dropping(_ count: Int) -> SourceLine {
    let rest = text.dropFirst(count)
    let blanks = rest.prefix { $0 == " " || $0 == "\t" }.utf8.count
    let skipped = text.prefix(count).utf8.count + blanks
    return SourceLine(rest.trimmed, line: line, column: column + skipped)
  }

  /// An error at it.
  func error(_ message: String, in file: String) -> ScenarioError {
    ScenarioError(file: file, line: line, column: column, message: message)
  }

  /// An error in it, found when it was read as a single line.
  func error(_ error: ScenarioError, in file: String) -> ScenarioError {
    ScenarioError(
      file: file, line: line, column: column + error.column - 1, message: error.message)
  }
}

extension StringProtocol {
  /// Whether its first words are those of another text.
  func hasWords(_ words: String) -> Bool {
    split(separator: " ").starts(with: words.split(separator: " "), by: ==)
  }
}
