import Glibc
import Synchronization

/// The progress line of long work on standard error, if that is a terminal. All other output takes the
/// same lock: it removes the line first, and is not cut by it.
struct StatusLine: ~Copyable {
  static let shared = Mutex(StatusLine())

  private(set) var isShown = false

  /// Whether standard error is a terminal on which a line can be overwritten.
  ///
  /// - Parameter besideOutput: whether output comes at the same time, which on the same terminal would
  ///   scroll the line away.
  static func canBeShown(besideOutput: Bool) -> Bool {
    let type = ConfigurationFile.environment("TERM") ?? "dumb"
    return isatty(2) == 1 && type != "dumb" && !(besideOutput && isatty(1) == 1)
  }

  /// Columns that a line can have without reaching the last one, where some terminals wrap.
  static var columns: Int {
    var size = winsize()
    return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) - 1 : 79
  }

  /// Replaces the status line. In the background the terminal belongs to another program.
  mutating func show(_ line: String) {
    guard tcgetpgrp(2) == getpgrp() else { return }
    write("\r" + line + "\u{1B}[K")
    isShown = true
  }

  /// Removes the line, and the terminal's echo after it: Ctrl-C shows as `^C`.
  mutating func remove() {
    write("\r\u{1B}[K")
    isShown = false
  }

  /// Writes to standard error; a failure cannot be reported.
  func write(_ text: String) {
    _ = FileDescriptor.error.attempt([UInt8](text.utf8))
  }
}
