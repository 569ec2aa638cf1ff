import Foundation
import Inquiry
import Language
import TestSupport
import Testing

@testable import pagewalk

/// What other people's files and programs depend on is one text, `formats.txt`: its diff is what
/// `assets/changes.md` has to tell. `.ci/changes` asks for that.
@Suite struct FormatTests {
  @Test func `what others read and write is what it was`() throws {
    let versions = Versions()
    let sections = [
      section("language \(versions.language)", Self.statements),
      section("recording \(versions.recording)", try Self.recordingLines()),
      section("json \(versions.json)", try Self.jsonKeys()),
    ]
    let difference = try GoldenFiles(".").difference(
      "formats.txt", sections.joined(separator: "\n"))
    #expect(difference == nil, "\(difference ?? "")")
  }

  private func section(_ title: String, _ lines: [String]) -> String {
    title + "\n" + lines.sorted().map { "  \($0)\n" }.joined()
  }

  private static let statements = StatementForm.all.map(\.pattern)

  /// The lines of recordings, as their description has them.
  private static func recordingLines() throws -> [String] {
    let lines = try Program.contents("assets/recording.md").split(separator: "\n")
      .filter { $0.hasPrefix("| `#@") }
      .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    try #require(lines.count > 10)
    return lines
  }

  /// The names of values that `--json` prints, of every command that has it: `COMMAND: NAME.NAME`.
  private static func jsonKeys() throws -> [String] {
    let scenarios = ["built-in", "rmp/firmware"]
    var found: Set<String> = []
    func add(_ name: String, _ arguments: [String]) throws {
      let result = try Program.run(arguments + ["--json"])
      // A scenario without a device has no answer about one.
      #expect(result.code < 2 || arguments[0] == "ask" || arguments[0] == "windows", "\(arguments)")
      for line in result.text.split(separator: "\n") {
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        found.formUnion(names(in: value, of: name))
      }
    }
    for scenario in scenarios {
      try add("run", ["run", scenario])
      try add("compare", ["compare", scenario])
      try add("windows", ["windows", scenario])
      for question in Question.allCases {
        try add("ask \(question.name)", ["ask", scenario, question.name] + operands(of: question))
      }
    }
    try add("ask rules", ["ask", "bugs/lost-write", "rules"])
    try add("ask disagreement", ["ask", "pkvm/donation", "disagreement"])
    try add("diff", ["diff", "nested/three-tables", "--second-policy", "revmap=v2"])
    // What differs has names only where something does.
    let recording = try Program.contents("assets/recordings/first-look.pw")
    try Program.withFolder { folder in
      let file = folder.appending(path: "edited.pw")
      try Data(recording.replacing("value=0x11", with: "value=0x12").utf8).write(to: file)
      try add("verify", ["verify", file.path])
    }
    try add("lesson check", ["lesson", "check", "assets/lessons/01-one-walk.md"])
    try add("--version", ["--version"])
    return Array(found)
  }

  private static func operands(of question: Question) -> [String] {
    switch question.facts.operand {
    case .nothing: []
    case .address: ["0x80005000"]
    case .filter: ["w"]
    case .other: ["start"]
    case .word: ["stale"]
    }
  }

  /// The names of all values in a value.
  private static func names(in value: Any, of path: String) -> Set<String> {
    var names: Set<String> = []
    if let object = value as? [String: Any] {
      for (key, value) in object {
        let name = path + (path.contains(": ") ? "." : ": ") + key
        names.insert(name)
        names.formUnion(Self.names(in: value, of: name))
      }
    } else if let list = value as? [Any] {
      for value in list { names.formUnion(Self.names(in: value, of: path)) }
    }
    return names
  }
}
