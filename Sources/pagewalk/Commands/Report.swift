import ArgumentParser
import Canvas
import Glibc
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk report`.
  struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "report",
      abstract: "Print what a report of a fault needs.",
      discussion: """
        The versions, the system, the terminal, what is configured, and the note of the last fault. Your home \
        folder is written as ~, and what a terminal would act on is spelled out.
        """)

    /// The variables that affect the look of the screen.
    private static let variables = [
      "COLORTERM", "TERM_PROGRAM", "TMUX", "STY", "NO_COLOR", "CLICOLOR_FORCE", "PAGEWALK_THEME",
      "LC_ALL", "LC_CTYPE", "LANG", "ESCDELAY",
    ]
    /// Maximum size of a note in bytes; a larger file is not one.
    private static let noteAtMost = 8_192

    func run() {
      let parts = [
        Versions().text(asJSON: false), "system: " + Self.system,
        "terminal: " + Terminal.summary.string, Self.setVariables, Self.chosen,
        Self.lastFault,
      ]
      var text = parts.joined(separator: "\n")
      if let home = ConfigurationFile.environment("HOME"), home.utf8.count > 1 {
        text = text.replacing(home + "/", with: "~/")
      }
      FileDescriptor.output.write(lines: text)
    }

    /// The distribution, the kernel and the processor.
    private static var system: String {
      let release = (try? FileDescriptor.contents(of: "/etc/os-release")).map {
        String(decoding: $0, as: UTF8.self)
      }
      let name = release?.split(separator: "\n").lazy.filter { $0.hasPrefix("PRETTY_NAME=") }
        .map { $0.split(separator: "\"").dropFirst().first ?? "" }.first
      var host = utsname()
      uname(&host)
      return [
        name.map(String.init), "\(string(host.sysname)) \(string(host.release))",
        string(host.machine),
      ].compactMap { $0 }.joined(separator: ", ")
    }

    /// The text of a C array.
    private static func string<Characters>(_ array: Characters) -> String {
      withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static var setVariables: String {
      "variables:"
        + variables.compactMap { name in
          ConfigurationFile.environment(name).map { " \(name)=\($0)" }
        }.joined()
    }

    private static var chosen: String {
      let lines: String
      do {
        lines = try ConfigurationFile.read().chosenText
      } catch {
        lines = Failure(error).message
      }
      return "configuration:" + (lines.isEmpty ? " nothing is chosen" : indented(lines))
    }

    private static var lastFault: String {
      guard let (path, _) = ConfigurationFile.stateFile("fault"),
        let bytes = try? FileDescriptor.contents(of: path, atMost: noteAtMost)
      else { return "last fault: none" }
      return "last fault, \(path):" + indented(String(decoding: bytes, as: UTF8.self))
    }

    private static func indented(_ text: String) -> String {
      text.split(separator: "\n").map { "\n  " + $0 }.joined()
    }
  }
}
