import Foundation
import Testing

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
    #expect(html.components(separatedBy: "<details>").count == 2 * lesson.exercises.count + 1)
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
