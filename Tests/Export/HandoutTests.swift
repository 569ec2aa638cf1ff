import Engine
import Foundation
import Testing

@testable import Export
@testable import Lesson

/// Lessons that are printed.
@Suite struct HandoutTests {
  @Test(arguments: Library.shipped.lessons.map(\.id))
  func `a handout has every text, question and answer`(id: String) throws {
    let lesson = try #require(Library.shipped.lesson(id))
    let handout = try Handout(lesson, in: .shipped)
    let (markdown, html) = (handout.text(as: .markdown), handout.text(as: .html))
    let answers = try #require(markdown.range(of: "\n## Hints and answers\n"))
    for text in lesson.texts { #expect(html.contains("<h2>\(text.heading)</h2>")) }
    for (index, exercise) in lesson.exercises.enumerated() {
      #expect(markdown[..<answers.lowerBound].contains("\n## Question \(index + 1)\n"))
      let place = try #require(lesson.index(of: exercise.id))
      let stage = try #require(try lesson.stage(before: place, in: .shipped))
      let key = try Marker(exercise, on: stage, file: "").key().text(for: exercise)
      let part =
        markdown[answers.upperBound...]
        .components(separatedBy: "### Question \(index + 1): answer\n").last ?? ""
      #expect(part.hasPrefix("\nAnswer: \(key)\n"), "\(exercise.id)")
    }
    let hints = html.components(separatedBy: "<summary>Hints</summary>").count - 1
    #expect(hints == lesson.exercises.count)
    // A class gets no notes; a teacher gets each of them.
    #expect(!html.contains("<summary>Notes</summary>"))
    let own = try Handout(lesson, in: .shipped, hasNotes: true).text(as: .html)
    #expect(own.components(separatedBy: "<summary>Notes</summary>").count == lesson.notes.count + 1)
  }

  /// What a page says of the tables is what the engine's walk finds there.
  @Test func `a page has the tables after each scene and run`() throws {
    let lesson = try #require(Library.shipped.lesson("one-walk"))
    let html = try Handout(lesson, in: .shipped).text(as: .html)
    let place = try #require(lesson.index(of: "again"))
    let machine = try #require(try lesson.stage(before: place, in: .shipped)).session.timeline
      .machine
    let table = try #require(machine.table(.canonical))
    for address: UInt64 in [0x8000_5000, 0x80a0_5000] {
      let output = machine.walk(address, in: table).descriptor.address
      let start = "0x\(String(address, radix: 16)) "
      let line = try #require(
        html.split(separator: "\n").first { $0.contains(start) && $0.contains("→") })
      #expect(line.contains(String(output, radix: 16)), "\(line)")
    }
    #expect(html.contains("Then the tables hold:"))
    #expect(!html.contains("<summary>Tables</summary>\n<pre></pre>"))
  }

  /// Every tag is closed in its order, by the few rules that this page needs.
  @Test func `a page is well formed, whatever the texts say`() throws {
    let evil = "</p><script>alert(1)</script>&\u{1B}[2J\u{9B}\""
    let text = try #require(Lesson.skeleton(named: "evil"))
      .replacing("What happens?", with: "What\(evil) happens?")
      .replacing("KVM maps the page", with: "KVM \(evil) maps")
      .replacing("# Lesson evil", with: "# \(evil)")
    let lesson = try Lesson(parsing: Array(text.utf8), file: "evil.md")
    let html = try Handout(lesson, in: .shipped).text(as: .html)
    #expect(!html.contains("<script"))
    #expect(
      html.unicodeScalars.allSatisfy {
        $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value)
      })
    var open: [Substring] = []
    for piece in html.split(separator: "<").dropFirst() {
      let tag = piece.prefix { $0 != ">" }
      let name = tag.prefix { $0 != " " }
      if name == "!DOCTYPE" || name == "meta" { continue }
      if name.hasPrefix("/") {
        #expect(open.popLast() == name.dropFirst())
      } else {
        open.append(name)
      }
    }
    #expect(open.isEmpty)
  }
}
