import Glibc
import Synchronization

/// The line on the standard error that says how far long work is, where that is a terminal. What else the
/// program writes goes through the same lock: it removes the line first, and is not cut by it.
struct StatusLine: ~Copyable {
  static let shared = Mutex(StatusLine())

  private(set) var isShown = false

  /// Whether the standard error is a terminal on which a line can be written over.
  ///
  /// - Parameter besideOutput: whether the output comes at the same time; on the same terminal it would
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

  /// Shows a line in the place of the last one. In the background the terminal is another program's.
  mutating func show(_ line: String) {
    guard tcgetpgrp(2) == getpgrp() else { return }
    write("\r" + line + "\u{1B}[K")
    isShown = true
  }

  /// Removes the line, and what the terminal wrote behind it: it shows Ctrl-C as `^C`.
  mutating func remove() {
    write("\r\u{1B}[K")
    isShown = false
  }

  /// Writes to the standard error; if that fails there is nobody to tell.
  func write(_ text: String) {
    _ = FileDescriptor.error.attempt([UInt8](text.utf8))
  }
}
