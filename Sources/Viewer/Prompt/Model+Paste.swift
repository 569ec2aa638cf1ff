import Canvas
import Engine
import Inquiry
import Language

/// Text that is pasted.
extension Model {
  /// Takes a pasted text. One line goes into the line being typed; several lines at the prompt are
  /// statements, of which all are carried out, or none. None of it acts as a key.
  mutating func paste(_ text: String) {
    guard let prompt, run == nil else {
      return refuse("Text can be pasted at the prompt only. \(press(.command)) first.")
    }
    var whole = prompt
    whole.insert(text)
    let lines = whole.text.split(separator: "\n").map { String($0.trimmed) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard lines.count > 1 else {
      var line = prompt
      line.insert(String(text.replacing("\n", with: " ").trimmed))
      return edit(to: line)
    }
    guard prompt.kind == .command else {
      return refuse("Expected one line, not \(lines.count). Nothing was pasted.")
    }
    completeHistory()
    do throws(LineError) {
      try carryOut(lines)
      self.prompt = nil
    } catch {
      refuse(
        "Nothing was carried out. Line \(error.line) of \(lines.count), column \(error.error.column): "
          + "\(SafeText(error.error.message)).")
    }
  }

  /// Takes a line changed by more than a key, if it is not too long.
  private mutating func edit(to line: Prompt) {
    guard line.characters.count <= Prompt.charactersAtMost else {
      return refuse("A line has \(Prompt.charactersAtMost) characters at most. Nothing was pasted.")
    }
    prompt = line
    if line.kind == .narrow { narrowSheet(line.text) }
  }
}

/// An error in one of several lines.
struct LineError: Error {
  /// Its number, from 1, among the nonempty lines.
  let line: Int
  let error: ScenarioError
}
