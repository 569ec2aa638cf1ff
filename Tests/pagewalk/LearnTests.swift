import Foundation
import Lesson
import Testing

/// The commands for lessons, as a learner uses them in a pipe.
@Suite struct LearnTests {
  /// Runs a command with a folder of its own for what is kept.
  private static func withState(
    _ body: (URL, ([String], String) throws -> Program.Result) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "learn-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "pagewalk/progress.jsonl")) { arguments, input in
      try Program.run(
        arguments, input: Array(input.utf8), environment: ["XDG_STATE_HOME": folder.path])
    }
  }

  @Test func `a lesson goes on where it was left, and the list says how far one is`() throws {
    try Self.withState { file, run in
      let lesson = try #require(Library.shipped.lessons.first)
      let list = try run(["learn"], "")
      #expect(list.text.split(separator: "\n").count == Library.shipped.lessons.count)
      // The fourth needs the first and the third.
      let fourth = try #require(
        list.text.split(separator: "\n").first { $0.contains("two-stages") })
      #expect(fourth.contains(" minutes, after 1, 3"))
      let first = try run(["learn", "1", "--plain"], "\nhint\nzzz\na\n")
      #expect(first.code == 0)
      #expect(first.text.contains("Hint: "))
      #expect(first.text.contains("Expected one letter"))
      #expect(first.text.contains("Guess: a"))
      #expect(first.output.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
      let second = try run(["learn", lesson.id, "--plain", "--ascii"], "")
      #expect(second.text.hasPrefix("--- \(lesson.title) 2/"))
      #expect(second.output.allSatisfy { $0 < 0x7F })
      #expect(try run(["learn", "1", "--again"], "").text.hasPrefix("--- \(lesson.title) 1/"))
      #expect(try run(["learn"], "").text.contains(" of \(lesson.exercises.count) right"))

      // A line that was cut, and others that are none, harm nobody.
      let kept = try Data(contentsOf: file)
      try (kept.dropLast(7) + Data("\nno json\n{\"question\":7}\n{\"at\"".utf8)).write(to: file)
      #expect(try run(["learn", "1"], "hint\n").code == 0)
      try FileManager.default.removeItem(at: file)
      #expect(try run(["learn", "1"], "").text.contains(" 1/"))
    }
  }

  @Test func `what is due is asked again, five questions at a time`() throws {
    try Self.withState { file, run in
      let lesson = try #require(Library.shipped.lessons.first)
      #expect(try run(["review"], "").text.contains("Nothing is due"))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      let lines = lesson.exercises.prefix(7).map {
        "{\"question\":\"\(lesson.name(of: $0))\",\"right\":true,\"hints\":0,\"day\":100}\n"
      }
      try Data((lines.joined() + "{\"question\":\"gone/gone\",\"right\":true,\"day\":1}\n").utf8)
        .write(to: file, options: .atomic)
      let asked = try run(["review"], String(repeating: "skip\n", count: 9))
      #expect(asked.text.contains(" 5/5\n"))
      #expect(asked.text.hasSuffix("Done.\n"))
    }
  }

  @Test func `a drill has the same questions for a seed, and keeps nothing`() throws {
    try Self.withState { file, run in
      let input = String(repeating: "1\n\n\n", count: 3)
      let drill = try run(["drill", "ranges", "--seed", "7", "--count", "2"], input)
      #expect(drill.code == 0)
      #expect(drill.text.contains("Outcome: "))
      #expect(
        try run(["drill", "ranges", "--seed", "7", "--count", "2"], input).text == drill.text)
      #expect(!FileManager.default.fileExists(atPath: file.path))
      #expect(try run(["drill", "ranges", "--count", "0"], "").code == 2)
      #expect(try run(["drill", "rages"], "").code == 2)
    }
  }

  @Test func `lessons are checked, and begun`() throws {
    let all = try Program.run(["lesson", "check"])
    #expect(all.code == 0)
    #expect(all.text.split(separator: "\n").allSatisfy { $0.contains(": proved: ") })
    let json = try Program.run(["lesson", "check", "--json", "assets/lessons/shared.md"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
    #expect(object["status"] as? String == "pass")
    #expect((object["tests"] as? [[String: Any]])?.count == Library.shipped.beliefs.count)
    #expect(try Program.run(["learn", "one-wolk"]).errors.contains("did you mean one-walk?"))
    #expect(try Program.run(["lesson", "new", "../x"]).code == 2)
    let page = try Program.run(["lesson", "export", "1", "--to", "html"])
    #expect(page.code == 0 && page.text.hasPrefix("<!DOCTYPE html>"))
    #expect(try Program.run(["lesson", "export", "one-walk"]).text.hasPrefix("# One walk\n"))
    #expect(try Program.run(["lesson", "export", "one-walk", "--to", "pdf"]).code == 2)
  }

  @Test func `no text of a lesson reaches the terminal as it is`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "hostile-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "evil.md")
    let evil = "\u{1B}[2J\u{9B}31m\u{07}\u{202E}"
    let text = try #require(Lesson.skeleton(named: "evil"))
      .replacing("What happens?", with: "What\(evil) happens?")
      .replacing("KVM maps the page", with: "KVM \(evil) maps the page")
      .replacing("A few sentences", with: "A \(evil) few sentences")
      .replacing("What is said", with: "\(evil)What is said")
    try Data(text.utf8).write(to: file)
    let played = try Program.run(
      ["learn", file.path], input: Array("\nhint\na\n\n\n1\n".utf8),
      environment: ["XDG_STATE_HOME": folder.path])
    #expect(played.code == 0)
    for output in [played, try Program.run(["lesson", "check", file.path])] {
      #expect(output.output.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A })
      #expect(!output.text.unicodeScalars.contains { $0.value == 0x9B || $0.value == 0x202E })
    }
  }
}
