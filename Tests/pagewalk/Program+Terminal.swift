import Pseudoterminal

extension Program {
  /// A person's environment without any configuration.
  static let environment = ["HOME": "/nonexistent", "XDG_CONFIG_DIRS": "/nonexistent"]

  /// What the program is started with where nothing else is asked for.
  static var threeTables: String { path("assets/scenarios/nested/three-tables.pw") }

  /// Starts the program on a pseudoterminal, with a file or without one.
  static func start(
    _ arguments: [String] = [], file: String? = threeTables, type: String = "xterm-256color",
    environment: [String: String] = [:], width: Int = 120, height: Int = 40
  ) throws -> Job {
    try Job(
      program: Job.product("pagewalk"), arguments + [file].compactMap { $0 }, type: type,
      environment: Self.environment.merging(environment) { $1 }, width: width, height: height)
  }
}

extension Job {
  /// Presses keys, has the screen drawn anew and waits until it shows a text, in one style and without
  /// two blanks beside each other.
  func press(_ keys: String, expecting text: String) throws {
    let mark = output.count
    send(keys + "\u{C}")
    try output(containing: text, after: mark)
  }
}
