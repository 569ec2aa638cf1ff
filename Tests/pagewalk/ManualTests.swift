import Foundation
import Testing

@testable import pagewalk

/// Help, completions and the manual page are made from the same description of the commands, by the
/// argument parser.
@Suite struct ManualTests {
  /// A command as `--experimental-dump-help` describes it, which the manual page is made from.
  private struct Description: Decodable {
    struct Command: Decodable {
      let commandName: String
      let abstract: String?
      let subcommands: [Command]?
      let arguments: [Argument]?

      var all: [Command] { [self] + (subcommands ?? []).flatMap(\.all) }
    }

    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
      }

      let kind: String
      let abstract: String?
      let names: [Name]?

      var options: [String] {
        (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }
      }
    }

    let command: Command
  }

  private func description() throws -> Description.Command {
    let result = try Program.run(["--experimental-dump-help"])
    return try JSONDecoder().decode(Description.self, from: Data(result.output)).command
  }

  @Test func `every command and option says what it is for`() throws {
    let root = try description()
    #expect(
      Set((root.subcommands ?? []).map(\.commandName)).isSuperset(
        of: Pagewalk.configuration.subcommands.map { $0._commandName }))
    // What `help` says of itself is the argument parser's.
    for command in root.all where command.commandName != "help" {
      #expect(!(command.abstract ?? "").isEmpty, "\(command.commandName)")
      for argument in command.arguments ?? [] {
        #expect(!(argument.abstract ?? "").isEmpty, "\(command.commandName) \(argument.options)")
      }
    }
  }

  /// The argument parser makes a name from the type's, which costs more than all else it does.
  @Test func `every command says its name`() {
    let commands = Pagewalk.configuration.subcommands
    for command in commands + commands.flatMap({ $0.configuration.subcommands }) {
      #expect(command.configuration.commandName != nil, "\(command)")
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completion knows every command and option`(shell: String) throws {
    let result = try Program.run(["--generate-completion-script", shell])
    #expect(result.code == 0)
    for command in try description().all where command.commandName != "help" {
      #expect(result.text.contains(command.commandName), "\(command.commandName)")
      for option in (command.arguments ?? []).flatMap(\.options) where option.hasPrefix("--") {
        // fish writes names without their hyphens.
        let name = shell == "fish" ? "'\(option.dropFirst(2))'" : option
        #expect(
          result.text.contains(name) || result.text.contains(option.dropFirst(2)), "\(option)")
      }
    }
    for value in ["colour-blind", "engineer", "never"] { #expect(result.text.contains(value)) }
    // Scenarios are completed by the program itself.
    #expect(result.text.contains("---completion"))
  }

  @Test(arguments: [("bash", "/bin/bash"), ("zsh", "/bin/zsh"), ("fish", "/usr/bin/fish")])
  func `the shell can read its completions`(shell: String, path: String) throws {
    guard FileManager.default.isExecutableFile(atPath: path) else { return }
    let script = try Program.run(["--generate-completion-script", shell]).output
    try Program.withFolder { folder in
      let file = folder.appending(path: "completions")
      try Data(script).write(to: file)
      let process = Process()
      process.executableURL = URL(filePath: path)
      process.arguments = ["-n", file.path]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
  }

  @Test func `an error that nobody expects is a fault of pagewalk, and said to be one`() {
    struct Surprise: Error {}
    let end = Failure(Surprise())
    #expect(end.code == 70 && end.message.contains("report") && end.message.contains("Surprise"))
    #expect(Failure(Failure.input("x")).code == 3)
  }
}
