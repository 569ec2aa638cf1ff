import Glibc

/// What the argument parser writes, at the width of the terminal: it wraps all but the lines of usage.
enum HelpText {
  /// Columns of the terminal, or what `COLUMNS` says; 80 without both.
  static var columns: Int {
    if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 {
      return columns
    }
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// The text with lines of usage that are no longer than the terminal is wide, as far as their words allow: an option
  /// in brackets stays whole.
  static func wrapped(_ text: String, to columns: Int = columns) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in
        let head = ["USAGE: ", "Usage: "].first { line.hasPrefix($0) }
        guard let head, line.count > columns else { return String(line) }
        return usage(line.dropFirst(head.count), head, columns)
      }
      .joined(separator: "\n")
  }

  private static func usage(_ line: Substring, _ head: String, _ columns: Int) -> String {
    var lines: [String] = []
    var current = head
    for word in words(of: line) {
      let isFirst = current.count == head.count
      if !isFirst, current.count + 1 + word.count > columns {
        lines.append(current)
        current = String(repeating: " ", count: head.count) + word
      } else {
        current += (isFirst ? "" : " ") + word
      }
    }
    return (lines + [current]).joined(separator: "\n")
  }

  /// Words, and whole groups in brackets.
  private static func words(of line: Substring) -> [Substring] {
    var depth = 0
    return line.split { character in
      if character == "[" { depth += 1 }
      if character == "]" { depth -= 1 }
      return character == " " && depth == 0
    }
  }
}
