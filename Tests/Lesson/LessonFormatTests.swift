import FoundationEssentials
import Language
import TestSupport
import Testing

@testable import Lesson

/// How a lesson's file is read, and what is said about one that is wrong.
@Suite struct LessonFormatTests {
  /// A lesson with one block, whose first line is line 6.
  private static func lesson(with block: String) -> [UInt8] {
    Array("# T\n~~~lesson\nid: t\n~~~\n## A heading\n\(block)\n".utf8)
  }

  @Test(arguments: [
    ("~~~pw nowhere", "t.md:6:1: expected '~~~' after the block that begins here"),
    ("~~~what\n~~~", "t.md:6:4: expected a kind of block: lesson pw ask notes world belief"),
    ("~~~ask choose\n~~~", "t.md:6:4: expected '~~~ask KIND ID'"),
    ("~~~ask guess q\n~~~", "t.md:6:4: expected '~~~ask KIND ID'"),
    ("~~~ask choose q\nWhat?\n- one\n~~~", "t.md:6:15: expected two choices"),
    ("~~~ask choose q\nWhat?\n- one\n  true: maybe\n~~~", "t.md:9:9: expected 'expect ...'"),
    (
      "~~~ask number q\nWhat?\nanswer: leafs-made\n~~~",
      "t.md:8:9: expected a measure; did you mean 'leaves-made'?"
    ),
    (
      "~~~ask number q\nWhat?\nanswer: walk canonical\n~~~", "t.md:8:9: expected walk TABLE ADDRESS"
    ),
    (
      "~~~ask number q\nWhat?\nanswer: walk nowhere 0\n~~~",
      "t.md:8:9: expected walk TABLE ADDRESS, with a table"
    ),
    (
      "~~~ask order q\nWhat?\n- one\n  step: nothing\n~~~",
      "t.md:9:9: expected a class of micro-steps"
    ),
    (
      "~~~ask write q\nWhat?\ngoal: about\n~~~",
      "t.md:8:7: expected a tolerance: exact tables leaf rule"
    ),
    ("~~~ask number q\nWhat?\n> l1 run\nand more\n~~~", "t.md:9:1: expected '> STATEMENT'"),
    ("~~~belief b\nSo.\nbelieved: so\n~~~", "t.md:8:11: expected 'expect ...'"),
    ("~~~belief b\nSo.\nsolution: so\n~~~", "t.md:8:11: a misconception has no 'solution'"),
    ("### Too deep", "t.md:6:1: expected text, '# TITLE'"),
    ("## A heading", "t.md:6:4: expected another heading: 'a-heading' is there already"),
  ])
  func `mistake says where and what was expected`(block: String, expected: String) throws {
    let error = #expect(throws: ScenarioError.self) {
      try Lesson(parsing: Self.lesson(with: block), file: "t.md")
    }
    #expect(try #require(error).description.hasPrefix(expected), "\(String(describing: error))")
  }

  @Test func `notes belong to what stands above them`() throws {
    let text =
      "# T\n~~~lesson\nid: t\n~~~\n## One\nText.\n~~~notes\nFirst.\n\n- an item\ngoes on\n~~~\n"
      + "~~~pw vm\n~~~\n~~~notes\nMore.\n~~~\nStill text.\n## Two\nWords.\n"
    let lesson = try Lesson(parsing: Array(text.utf8), file: "t.md")
    #expect(lesson.notes.keys.sorted() == ["one"])
    #expect(lesson.notes["one"]?.prose.map(\.string) == ["First.", "an item goes on", "More."])
    #expect(lesson.notes["one"]?.prose.map(\.isItem) == [false, true, false])
    // They are no part of the text.
    #expect(lesson.texts[0].wordCount == 1)
    for (block, expected) in [
      ("~~~notes\n~~~", "t.md:6:4: expected a text in the block"),
      ("~~~notes\n\(String(repeating: "word ", count: 91))\n~~~", "t.md:6:4: 91 words"),
    ] {
      let lesson = try Lesson(parsing: Self.lesson(with: block), file: "t.md")
      let failures = LessonCheck(lesson, in: .shipped).tests.compactMap(\.message)
      #expect(failures.contains { $0.hasPrefix(expected) }, "\(failures)")
    }
    for (text, expected) in [
      (
        "# T\n~~~lesson\nid: t\n~~~\n~~~notes\nX.\n~~~\n", "t.md:5:4: expected a text or a question"
      ),
      ("# T\n## A\n~~~notes a\nX.\n~~~\n", "t.md:3:10: expected '~~~notes'"),
    ] {
      let error = #expect(throws: ScenarioError.self) {
        try Lesson(parsing: Array(text.utf8), file: "t.md")
      }
      #expect(try #require(error).description.hasPrefix(expected), "\(String(describing: error))")
    }
  }

  @Test func `every lesson of the program has notes for each of its texts`() {
    for lesson in Library.shipped.lessons {
      for text in lesson.texts { #expect(lesson.notes[text.id] != nil, "\(lesson.id) \(text.id)") }
      #expect(lesson.exercises.count { lesson.notes[$0.id] != nil } >= 2, "\(lesson.id)")
    }
  }

  @Test func `statement that is wrong is pointed at in the lessons file`() throws {
    let lesson = try Lesson(
      parsing: Self.lesson(with: "~~~pw vm\nl1 read 0x80000000\n  l1 raed 0x80001000\n~~~"),
      file: "t.md")
    let failures = LessonCheck(lesson, in: .shipped).tests.compactMap(\.message)
    #expect(failures.contains { $0.hasPrefix("t.md:8:6: expected") }, "\(failures)")
  }

  /// A file that ends anywhere, or in which any byte is another, is read or refused, and checked.
  @Test func `no file is read beyond its bounds`() throws {
    let bytes = try #require(ShippedLesson.all.first).bytes
    var random = Generator(seed: 7)
    for end in stride(from: 0, to: bytes.count, by: 97) {
      var mistakes: [ScenarioError] = []
      var cut = Array(bytes[..<end])
      _ = Lesson(reading: cut, file: "cut.md", &mistakes)
      if cut.isEmpty { continue }
      cut[Int.random(in: 0..<cut.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      let lesson = Lesson(reading: cut, file: "cut.md", &mistakes)
      if end % 5 == 0 { _ = LessonCheck(lesson, in: .shipped) }
    }
  }

  @Test func `text keeps its marks apart`() {
    let prose = Prose("A **walk** reads `entries`, 2 * 3 of **them")
    #expect(prose.string == "A walk reads entries, 2 * 3 of **them")
    #expect(prose.terms == ["walk"])
    #expect(prose.wordCount == 9)
  }

  @Test func `choices stand in an order that does not depend on the file`() throws {
    func options(_ choices: [String]) throws -> [String] {
      let block = choices.map { "- \($0)\n  true: expect value 0\n" }.joined()
      let lesson = try Lesson(
        parsing: Self.lesson(with: "~~~ask choose q\nWhat?\n\(block)~~~"), file: "t.md")
      return try #require(lesson.exercises.first).options
    }
    let choices = ["one", "two", "three", "four", "five"]
    let shown = try options(choices)
    #expect(Set(shown) == Set(choices))
    #expect(try options(choices.reversed()) == shown)
  }

  @Test func `description tells of every measure kind and tolerance`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(
      decoding: Data(contentsOf: root.appending(path: "assets/lessons.md")), as: UTF8.self)
    func names(_ part: String) -> [String] {
      let lines = text.split(separator: "\n")
      let start = lines.firstIndex { $0 == "<!-- \(part) -->" } ?? lines.endIndex
      return lines[start...].prefix { $0 != "<!-- end -->" }.filter { $0.hasPrefix("| `") }
        .map { String($0.dropFirst(3).prefix { $0 != "`" }) }
    }
    #expect(names("measures") == Measure.forms.map(\.pattern))
    #expect(names("kinds") == Exercise.Kind.allCases.map(\.rawValue))
    #expect(names("tolerances") == Exercise.Tolerance.allCases.map(\.rawValue))
    for form in Measure.forms { #expect(text.contains("| \(form.meaning) |"), "\(form.pattern)") }
    #expect(text.contains("at most \(LessonCheck.wordsAtMost) words"))
    #expect(text.contains("at most \(LessonCheck.minutesAtMost) minutes"))
  }
}
