import Foundation
import Testing

@testable import pagewalk

/// `pagewalk --version` and `pagewalk report`: what others say of a fault stands on it.
@Suite struct ReportTests {
  private static func git(_ arguments: [String]) throws -> (code: Int32, text: String) {
    let git = Process()
    let output = Pipe()
    git.executableURL = URL(filePath: "/usr/bin/env")
    git.arguments = ["git", "-C", Program.package.path] + arguments
    git.standardOutput = output
    git.standardError = FileHandle.nullDevice
    try git.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    git.waitUntilExit()
    return (git.terminationStatus, text)
  }

  @Test func `the versions are the same for people and programs, and those of the files`() throws {
    let lines = try Program.run(["--version"]).text.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 1).map(String.init)
    }
    let forPeople = Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0[1]) })
    let json = try Program.run(["--version", "--json"])
    #expect(json.code == 0)
    let forPrograms = try JSONDecoder().decode([String: String].self, from: Data(json.output))
    #expect(forPeople["kernel"] == forPrograms["kernel"].map { "Linux " + $0 })
    for name in ["pagewalk", "language", "recording", "json"] {
      #expect(forPeople[name] == forPrograms[name] && forPrograms[name] != nil, "\(name)")
    }

    #expect(
      try Program.contents("assets/scenarios/built-in.pw").split(separator: "\n")
        .contains("pagewalk \(forPrograms["language"] ?? "")"))
    #expect(
      try Program.contents("assets/recording.md").contains(
        "#@rec \(forPrograms["recording"] ?? "") by=\(forPrograms["pagewalk"] ?? "") "
          + "kernel=\(forPrograms["kernel"] ?? "") "))
    #expect(
      try Program.contents("assets/captures/README.md").contains(forPeople["kernel"] ?? "?"))
  }

  @Test func `the commit is one of the checkout's`() throws {
    guard try Self.git(["rev-parse", "--verify", "HEAD"]).code == 0 else { return }
    let commit = try #require(Versions().commit)
    #expect(try Self.git(["cat-file", "-t", commit]).text == "commit\n")
    #expect(try Program.run(["--version"]).text.contains("\ncommit \(commit)\n"))
  }

  /// Runs it in a home whose files are these.
  private static func report(
    _ files: [String: String], environment: [String: String] = [:]
  ) throws -> (lines: [String], home: String) {
    try Program.withFolder { home in
      for (name, text) in files {
        let file = home.appending(path: name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
      }
      let result = try Program.run(
        ["report"], environment: ["HOME": home.path, "TERM": "xterm"].merging(environment) { $1 })
      #expect(result.code == 0 && result.errors.isEmpty)
      #expect(result.output.allSatisfy { $0 == 0x0A || $0 >= 0x20 && $0 != 0x7F })
      return (result.text.split(separator: "\n").map(String.init), home.path)
    }
  }

  @Test func `a report has the versions, the system, what is chosen, and the last fault`() throws {
    let (lines, home) = try Self.report(
      [
        ".config/pagewalk/config": "theme = high-contrast\n",
        ".local/state/pagewalk/fault": "keys: . \u{1B}[2J\nsignal: SEGV\n",
      ], environment: ["NO_COLOR": "1", "COLORTERM": "a\u{1B}]0;b"])
    let versions = try Program.run(["--version"]).text.split(separator: "\n").map(String.init)
    #expect(Array(lines.prefix(versions.count)) == versions)
    #expect(lines.contains { $0.hasPrefix("system: ") && $0.contains("Linux ") })
    #expect(lines.contains { $0.hasPrefix("terminal: xterm, 8 colours, UTF-8, ncurses ") })
    #expect(
      lines.contains { $0.contains(" COLORTERM=a\\x1b]0;b") && $0.contains(" NO_COLOR=1") })
    #expect(
      lines.contains { $0.contains("theme = high-contrast") && $0.contains(" ~/.config/") })
    #expect(!lines.contains { $0.contains("mouse = ") || $0.contains("key ") })
    #expect(lines.suffix(3).first == "last fault, ~/.local/state/pagewalk/fault:")
    #expect(Array(lines.suffix(2)) == ["  keys: . \\x1b[2J", "  signal: SEGV"])
    #expect(!lines.contains { $0.contains(home) })
  }

  @Test func `a configuration that is wrong is part of the report`() throws {
    let (lines, _) = try Self.report([".config/pagewalk/config": "theme = pink\n"])
    #expect(lines.contains { $0.hasPrefix("  ~/.config/pagewalk/config:1:9: ") })
    #expect(lines.last == "last fault: none")
  }
}
