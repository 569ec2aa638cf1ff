import Pseudoterminal

extension Job {
  /// The program of these tests.
  static let probe = product("TerminalProbe")

  /// Starts the probe with some arguments, or another program if the first names it by its path.
  convenience init(
    _ arguments: [String] = [], type: String = "xterm-256color",
    environment: [String: String] = [:], width: Int = 80, height: Int = 24, foreground: Bool = true
  ) throws {
    let isProgram = arguments.first.map { $0.hasPrefix("/") } ?? false
    try self.init(
      program: isProgram ? arguments[0] : Self.probe,
      isProgram ? Array(arguments.dropFirst()) : arguments, type: type, environment: environment,
      width: width, height: height, foreground: foreground)
  }
}
