import Canvas
import Foundation
import TestSupport
import Testing
import Viewer

/// README says what is so.
@Suite struct ReadmeTests {
  private static let readme = "README.md"
  /// Commands and keys.
  private static let using = "assets/using.md"

  /// Blocks of a kind, as they stand in README, each with its line feed.
  private static func blocks(_ kind: String) throws -> [String] {
    var blocks: [String] = []
    var block: String?
    for line in try Program.contents(readme).split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      if line == "```", let found = block {
        blocks.append(found)
        block = nil
      } else if let begun = block {
        block = begun + line + "\n"
      } else if line == "```" + kind {
        block = ""
      }
    }
    return blocks
  }

  /// The cells of the rows of tables whose first cell is code, of commands and keys.
  private static func rows() throws -> [(names: [String], rest: String)] {
    try Program.contents(using).split(separator: "\n").filter { $0.hasPrefix("| `") }.map {
      let cells = $0.split(separator: " | ", maxSplits: 1)
      let names = cells[0].split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }
      return (names.map { String($0.element) }, cells.count > 1 ? String(cells[1]) : "")
    }
  }

  /// With `PAGEWALK_UPDATE_FRAMES=1` in the environment the output in README is written anew.
  @Test func `what README shows of a command is what the command prints`() throws {
    let shown = try Self.blocks("console")
    #expect(!shown.isEmpty)
    for block in shown {
      let lines = block.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      let words = lines[0].split(separator: " ")
      #expect(words.prefix(2) == ["$", "pagewalk"])
      let result = try Program.run(words.dropFirst(2).map(String.init))
      #expect(result.code == 0)
      if ProcessInfo.processInfo.environment["PAGEWALK_UPDATE_FRAMES"] != nil {
        let text = try Program.contents(Self.readme)
          .replacing(block, with: lines[0] + "\n" + result.text)
        try text.write(toFile: Program.path(Self.readme), atomically: true, encoding: .utf8)
      } else {
        #expect(result.text == lines[1])
      }
    }
  }

  @Test func `the two commands are there, and CI calls the second one`() throws {
    let commands = try Self.blocks("sh").joined().split(separator: "\n").map(String.init)
    #expect(commands.count >= 2)
    let parts = commands[0].components(separatedBy: " && ")
    try #require(parts.count == 3)
    #expect(parts[0] == ".ci/install" && parts[2] == ".build/release/pagewalk")
    #expect(parts[1].hasPrefix("swift build -c release --static-swift-stdlib"))
    #expect(try Program.contents(".ci/run").contains("(\(commands[1]))\n"))
  }

  @Test func `every command is described, and there is no other`() throws {
    let help = try Program.run(["help"]).text
    let listed = try #require(help.range(of: "SUBCOMMANDS:\n"))
    let commands = help[listed.upperBound...].split(separator: "\n")
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    let described = try Self.rows().compactMap { row -> String? in
      let words = row.names[0].split(separator: " ")
      return words.first == "pagewalk" && words.count > 1 ? String(words[1]) : nil
    }
    #expect(Set(described) == Set(commands))
  }

  @Test func `every key does something`() throws {
    let keys = KeyMap()
    let rows = try Self.rows().filter { row in row.names.allSatisfy { Key(spelling: $0) != nil } }
    #expect(rows.count > 10)
    for name in rows.flatMap(\.names) {
      #expect(Key(spelling: name).flatMap { keys.command(for: $0) } != nil, "\(name)")
    }
  }

  @Test func `README is short, and its pictures are what their commands make`() throws {
    let lines = try Program.contents(Self.readme).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 200)
    var count = 0
    for (command, picture) in zip(lines, lines.dropFirst())
    where command.hasPrefix("<!-- pagewalk ") {
      let words = command.split(separator: " ").dropFirst(2).dropLast().map(String.init)
      let file = try #require(picture.split(separator: "(").last?.dropLast()).description
      let result = try Program.run(words)
      #expect(result.code == 0 && !result.output.isEmpty)
      let difference = try GoldenFiles(folder: Program.package).difference(file, result.text)
      #expect(difference == nil, "\(file) is not what \(words) makes")
      count += 1
    }
    #expect(count == 2)
  }

  @Test func `figures in README are those of assets/figures.md`() throws {
    let figures = try Self.figures(of: Program.contents("assets/figures.md"))
    let section = try #require(
      Program.contents(Self.readme).components(separatedBy: "\n## ").first {
        $0.hasPrefix("Figures\n")
      })
    let shown = Self.figures(of: section)
    #expect(shown.count > 10)
    #expect(shown.subtracting(figures) == [])
  }

  /// The numbers in the second column of a text's tables.
  private static func figures(of text: String) -> Set<Substring> {
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }
    return Set(
      rows.compactMap { $0.split(separator: " | ").dropFirst().first }
        .flatMap { $0.split { " ,;|".contains($0) } }.filter { $0.first?.isNumber == true })
  }

  @Test func `every path and every link leads somewhere`() throws {
    let texts =
      try [Self.readme]
      + FileManager.default.contentsOfDirectory(atPath: Program.path("assets"))
      .filter { $0.hasSuffix(".md") }.map { "assets/" + $0 }
    var count = 0
    for text in texts {
      let contents = try Program.contents(text)
      let paths = contents.split(separator: "`").map(String.init).filter { path in
        !path.contains { " \n*".contains($0) }
          && ["Sources/", "Tests/", "assets/", ".ci/"].contains { path.hasPrefix($0) }
      }
      let folder = text == Self.readme ? "" : "assets/"
      let links = contents.split(separator: "](").dropFirst().compactMap {
        $0.split(separator: ")").first.map { folder + $0 }
      }
      for path in paths + links {
        #expect(
          FileManager.default.fileExists(atPath: Program.path(path)), "\(text): \(path)")
      }
      count += paths.count + links.count
    }
    #expect(count > 30)
  }
}
