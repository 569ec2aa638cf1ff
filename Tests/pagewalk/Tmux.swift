import Foundation
import Glibc
import Pseudoterminal

/// A terminal emulator that somebody else wrote: a server of tmux of its own, with one window.
final class Tmux {
  private static let program = ["/usr/bin/tmux", "/usr/local/bin/tmux"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  static var isInstalled: Bool { program != nil }

  private let folder: URL

  /// Starts a command of a shell in a window of some size.
  init(_ command: String, type: String, width: Int = 120, height: Int = 40) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "pw-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let settings = """
      set -g status off
      set -s escape-time 0
      set -g remain-on-exit on
      set -g default-shell /bin/sh
      """
    try Data(settings.utf8).write(to: folder.appending(path: "settings"))
    var variables = Program.environment.merging(["TERM": type, "LC_ALL": "C.UTF-8"]) { $1 }
    variables["SWIFT_BACKTRACE"] = "enable=no"
    let environment = variables.map { "\($0)=\($1)" }.sorted().joined(separator: " ")
    try run([
      "-f", folder.appending(path: "settings").path, "new-session", "-d", "-x", "\(width)", "-y",
      "\(height)", "exec env \(environment) \(command)",
    ])
  }

  deinit {
    _ = try? run(["kill-server"])
    try? FileManager.default.removeItem(at: folder)
  }

  /// Sends keys as a terminal does.
  func send(_ keys: String) throws {
    try run(["send-keys", "-H"] + keys.utf8.map { String($0, radix: 16) })
  }

  func resize(width: Int, height: Int) throws {
    try run(["resize-window", "-x", "\(width)", "-y", "\(height)"])
  }

  /// What the window shows. Blanks at the end of a row may be missing.
  func screen() throws -> [[ScreenCell]] {
    try ScreenCell.rows(of: run(["capture-pane", "-e", "-N", "-p"]))
  }

  /// The title that the program in the window has given it.
  func title() throws -> String { try run(["display-message", "-p", "#{pane_title}"]) }

  /// Runs a command of tmux and returns what it prints.
  ///
  /// Foundation's `Process` would wait for the server, too, which stays.
  @discardableResult
  private func run(_ arguments: [String]) throws -> String {
    let output = folder.appending(path: "output").path
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // Test runners block signals.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let socket = folder.appending(path: "socket").path
    let words = ["tmux", "-u", "-S", socket] + arguments
    let variables = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=xterm-256color"]
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { (argv + environment).forEach { free($0) } }
    var process = pid_t()
    let error = posix_spawn(
      &process, Self.program ?? "", &actions, &attributes, &argv, &environment)
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
    guard error == 0 else { throw Failure(error: error) }
    waitpid(process, nil, 0)
    return try String(decoding: Data(contentsOf: URL(filePath: output)), as: UTF8.self)
  }

  struct Failure: Error { let error: Int32 }
}

/// A cell as a terminal shows it.
struct ScreenCell: Equatable, CustomStringConvertible {
  /// Attributes of SGR: bit n for number n, 1 to 7.
  typealias Attributes = UInt8

  var scalar: Unicode.Scalar = " "
  /// Colours of the palette; -1 for the terminal's own.
  var foreground: Int16 = -1
  var background: Int16 = -1
  var attributes: Attributes = 0

  var description: String {
    "\(scalar) \(foreground)/\(background) \(String(attributes, radix: 2))"
  }

  /// Whether nothing is seen but what is behind the cell.
  var isBlank: Bool { scalar == " " && attributes & (1 << 4 | 1 << 7) == 0 }

  /// What a person sees of the cell on a terminal that lacks some attributes: of a blank no strokes.
  func seen(without lacking: Attributes) -> ScreenCell {
    var cell = self
    cell.attributes &= ~lacking
    if scalar == " " {
      cell.attributes &= 1 << 4 | 1 << 7
      if cell.attributes == 0 { cell.foreground = -1 }
    }
    return cell
  }

  /// The rows of a text with the escape sequences of ECMA-48's SGR, and no others.
  static func rows(of text: String) -> [[ScreenCell]] {
    var rows: [[ScreenCell]] = []
    var row: [ScreenCell] = []
    var look = ScreenCell()
    var sequence: String?
    for scalar in text.unicodeScalars {
      if let parameters = sequence {
        switch scalar {
        case "[": break
        case "m":
          look.apply(parameters.split(separator: ";").map { Int($0) ?? 0 })
          sequence = nil
        default: sequence?.unicodeScalars.append(scalar)
        }
      } else if scalar == "\u{1B}" {
        sequence = ""
      } else if scalar == "\n" {
        rows.append(row)
        row.removeAll(keepingCapacity: true)
      } else {
        look.scalar = scalar
        row.append(look)
      }
    }
    return rows
  }

  private mutating func apply(_ codes: [Int]) {
    var codes = (codes.isEmpty ? [0] : codes)[...]
    while let code = codes.popFirst() {
      switch code {
      case 0: self = ScreenCell()
      case 1...4, 7: attributes |= 1 << code
      case 22: attributes &= ~(1 << 1 | 1 << 2)
      case 23, 24, 27: attributes &= ~(1 << (code - 20))
      case 30...37: foreground = Int16(code - 30)
      case 39: foreground = -1
      case 40...47: background = Int16(code - 40)
      case 49: background = -1
      case 90...97: foreground = Int16(code - 90 + 8)
      case 100...107: background = Int16(code - 100 + 8)
      case 38, 48:
        guard codes.popFirst() == 5, let colour = codes.popFirst() else { return }
        if code == 38 { foreground = Int16(colour) } else { background = Int16(colour) }
      default: break
      }
    }
  }
}
