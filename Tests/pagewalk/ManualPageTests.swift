import Foundation
import Language
import Testing

@testable import pagewalk

/// The manual pages, as `.ci/manual` makes them for the package, say all that the program and the descriptions
/// of its formats say.
@Suite struct ManualPageTests {
  /// Runs a program of the system; its output.
  private static func output(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(program) \(arguments): \(text)")
    return text
  }

  /// The text of a page, a blank between words, as a terminal with room for its longest words shows it.
  private static func text(_ page: URL) throws -> String {
    var text = String.UnicodeScalarView()
    for scalar in try output("mandoc", ["-Tutf8", "-Owidth=500", page.path]).unicodeScalars {
      // A letter that is printed twice is bold, one over a line underlined.
      if scalar == "\u{8}" { text.removeLast() } else { text.append(scalar) }
    }
    return text.split { $0 == " " || $0 == "\n" }.map { String($0) }.joined(separator: " ")
  }

  /// A command as `--experimental-dump-help` describes it.
  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
      }

      let names: [Name]?
      let valueName: String?
      let abstract: String?
    }

    let commandName: String
    let abstract: String?
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// All commands with what stands before them.
    func all(below above: [String] = []) -> [(words: [String], command: Command)] {
      let words = above + [commandName]
      return [(words, self)]
        + (subcommands ?? []).filter { $0.commandName != "help" }.flatMap { $0.all(below: words) }
    }
  }

  private struct Description: Decodable { let command: Command }

  /// The first cells of the rows of a table in a description.
  private static func firstCells(_ file: String) throws -> [String] {
    try Program.contents(file).split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      // A bar within a cell has a backslash.
      let cell = line.replacing("\\|", with: "\u{1}").dropFirst(2).prefix { $0 != "|" }
      return cell.replacing("\u{1}", with: "|").replacing("`", with: "")
        .split(separator: " ").joined(separator: " ")
    }
  }

  /// The variables that the sources ask for.
  private static func variables() throws -> Set<String> {
    var found: Set<String> = []
    let sources = FileManager.default.enumerator(atPath: Program.path("Sources"))
    while let name = sources?.nextObject() as? String {
      guard name.hasSuffix(".swift") || name.hasSuffix(".c"), !name.hasPrefix("Benchmarks") else {
        continue
      }
      let text = try Program.contents("Sources/" + name)
      for match in text.matches(of: /(?:environment|getenv)\("([A-Z_]+)"\)/) {
        found.insert(String(match.1))
      }
    }
    return found
  }

  @Test func `every command, option, variable, statement and line of a file is in its page`() throws
  {
    let needed = ["lowdown", "jq", "mandoc"]
    guard needed.allSatisfy({ FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0) })
    else {
      // CI installs them.
      #expect(ProcessInfo.processInfo.environment["CI"] == nil)
      return
    }
    let help = try Program.run(["--experimental-dump-help"])
    let commands = try JSONDecoder().decode(Description.self, from: Data(help.output)).command.all()
    #expect(commands.count > 25)
    try Program.withFolder { folder in
      _ = try Self.output(Program.path(".ci/manual"), [Program.binary.path, folder.path])
      let pages = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
      let paths = (pages?.compactMap { ($0 as? URL)?.path } ?? []).filter {
        !$0.hasSuffix("/man1") && URL(filePath: $0).pathExtension.count == 1
      }
      #expect(try Self.output("mandoc", ["-Tlint", "-Wwarning"] + paths) == "")
      for (words, command) in commands {
        let page = folder.appending(path: "man1/\(words.joined(separator: "-")).1")
        let text = try Self.text(page)
        #expect(text.contains("SYNOPSIS " + words.joined(separator: " ") + " "))
        for argument in command.arguments ?? [] {
          for name in argument.names ?? [] {
            let spelled = (name.kind == "long" ? "--" : "-") + name.name
            #expect(
              text.contains(spelled + " ") || text.contains(spelled + ","), "\(page): \(spelled)")
          }
          let abstract = (argument.abstract ?? "").replacing("`", with: "").split {
            " \n".contains($0)
          }
          #expect(text.contains(abstract.joined(separator: " ")), "\(page): \(abstract)")
        }
      }
      let main = try Self.text(folder.appending(path: "man1/pagewalk.1"))
      for variable in try Self.variables() { #expect(main.contains(variable), "\(variable)") }
      for (file, page) in [
        ("event-language", "man5/pagewalk-language.5"), ("recording", "man5/pagewalk-recording.5"),
        ("lessons", "man5/pagewalk-lesson.5"), ("using", "man7/pagewalk-using.7"),
      ] {
        let text = try Self.text(folder.appending(path: page))
        let cells = try Self.firstCells("assets/\(file).md")
        #expect(cells.count > 10)
        for cell in cells { #expect(text.contains(cell), "\(page): \(cell)") }
      }
    }
  }
}
