import Glibc

/// Another program, run for its output.
enum Subprocess {
  /// The path of a program found in `PATH`; nil if there is none.
  static func find(_ name: String) -> String? {
    guard let path = ConfigurationFile.environment("PATH") else { return nil }
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// A program's standard output; nil if it cannot be run, or fails. It inherits standard error.
  static func output(of program: String, _ arguments: [String]) -> [UInt8]? {
    let (bytes, isWhole) = outputSoFar(of: program, arguments)
    return isWhole ? bytes : nil
  }

  /// A program's standard output, and whether it is all: false if it fails. Nil if it cannot be run, or writes too
  /// much.
  static func outputSoFar(
    of program: String, _ arguments: [String]
  ) -> (bytes: [UInt8]?, isWhole: Bool) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return (nil, false) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    let words: [UnsafeMutablePointer<CChar>?] =
      ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    // Its output must not depend on the user's language.
    let path = ConfigurationFile.environment("PATH") ?? ""
    let environment: [UnsafeMutablePointer<CChar>?] =
      (["PATH=\(path)", "LC_ALL=C"] as [String]).map { strdup($0) } + [nil]
    defer { for word in environment { free(word) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, program, &actions, nil, words, environment)
    close(ends[1])
    let bytes = failure == 0 ? FileDescriptor(number: ends[0]).contents() : nil
    // What writes more than is read must not wait for a reader.
    close(ends[0])
    if failure != 0 { return (nil, false) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return (bytes, status == 0)
  }
}
