import Foundation
import TestSupport
import Testing

/// Moments that a person names on the command line, and help at the width of a terminal.
@Suite struct MomentOptionTests {
  private static let file = "assets/scenarios/nested/three-tables.pw"

  private func errors(_ moment: String, _ command: [String] = ["ask", file, "counters"]) throws
    -> String
  {
    let result = try Program.run(command + ["--at", moment])
    #expect(result.code == 2, "\(moment)")
    #expect(result.text.isEmpty)
    return result.errors
  }

  @Test func `a micro-step beyond an event's last is refused, with how many there are`() throws {
    let message = try errors("3.999")
    let words = try #require(
      message.firstMatch(
        of: /event 4 has (\d+) micro-steps: expected 3\.1 to 3\.(\d+), not '3\.999'/))
    #expect(words.1 == words.2)
    let last = try Program.run(["ask", Self.file, "counters", "--at", "3.\(words.1)"])
    #expect(last.code == 0)
    #expect(try errors("3.\((Int(words.1) ?? 0) + 1)").contains("event 4 has"))
    #expect(try errors("3.999", ["dump", Self.file]).contains("event 4 has"))
    let diff = try Program.run(["ask", Self.file, "diff", "3.999"])
    #expect(diff.code != 0 && diff.errors.contains("vent 4 has \(words.1) micro-steps"))
  }

  @Test func `a chapter that is not there is answered with the nearest`() throws {
    let message = try errors("chapter:nope")
    #expect(message.contains("there is no 'chapter:nope'; the nearest of "))
    let named = message.matches(of: /chapter:([^ ,'\n]+)/).map { "chapter:\($0.1)" }.dropFirst()
    #expect(named.count > 1)
    for chapter in named {
      #expect(try Program.run(["ask", Self.file, "counters", "--at", chapter]).code == 0)
    }
    #expect(try errors("step:nope").contains("there is no 'step:nope'"))
    #expect(try errors("yesterday").contains("expected 0 to "))
  }

  @Test(arguments: ["", "ask", "learn", "export", "live"], [60, 80, 200])
  func `help is no wider than the terminal, and cuts no word`(command: String, columns: Int) throws
  {
    func help(_ columns: Int) throws -> String {
      try Program.run(["help", command], environment: ["COLUMNS": "\(columns)"]).text
    }
    let text = try help(columns)
    func usage(_ text: String) -> [Substring] {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let start = lines.firstIndex { $0.hasPrefix("USAGE: ") } ?? lines.endIndex
      return Array(lines[start...].prefix { !$0.isEmpty })
    }
    #expect(!usage(text).isEmpty)
    for line in usage(text) { #expect(line.count <= columns, "\(line)") }
    let words = { (text: String) in usage(text).joined(separator: " ").split(separator: " ") }
    #expect(words(text) == words(try help(5_000)))
  }
}
