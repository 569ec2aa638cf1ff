import Canvas

/// Why there is no screen.
public enum TerminalError: Error, Hashable {
  /// Standard output is not a terminal.
  case notATerminal
  /// Standard input is not a terminal, and no terminal controls the process.
  case noKeyboard
  /// The terminal's type is unknown, or its cursor cannot be moved.
  case unsupported(type: SafeText)
  /// The process is in the background of the terminal and cannot stop to wait.
  case inBackground
  /// There is one screen per process, and it is already open.
  case inUse
}

extension TerminalError: CustomStringConvertible {
  /// One sentence for the user, without a full stop.
  public var description: String {
    let text: SafeText =
      switch self {
      case .notATerminal: "standard output is not a terminal"
      case .noKeyboard: "there is no terminal to read keys from"
      case .unsupported(let type) where type.isEmpty: "the terminal type (TERM) is not set"
      case .unsupported(let type): "no screen can be drawn on a terminal of type '\(type)'"
      case .inBackground: "the program runs in the background of its terminal"
      case .inUse: "the screen is already open"
      }
    return text.string
  }
}
