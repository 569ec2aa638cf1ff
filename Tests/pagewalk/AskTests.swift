import Foundation
import Inquiry
import Language
import TestSupport
import Testing

/// `pagewalk ask`: the program gives each answer, as text and as JSON.
@Suite struct AskTests {
  /// A scenario and a moment at which every question has an answer.
  private static let subjects: [(file: String, at: String)] = [
    ("nested/three-tables.pw", "14"), ("iommu/discard.pw", "end"), ("rmp/firmware.pw", "end"),
  ]

  /// What a question is asked with.
  private static func operands(of question: Question) -> [String] {
    switch question.facts.operand {
    case .nothing: []
    case .address: ["0x80000000"]
    case .filter: ["w"]
    case .other: ["start"]
    case .word: ["stale"]
    }
  }

  @Test(arguments: Question.allCases)
  func `each answer is text, the same as the library's, and JSON`(question: Question) throws {
    for (file, at) in Self.subjects {
      var session = Session(try shippedScenario(file))
      try session.finish()
      let moment = try #require(session.moment(named: at))
      session.seek(to: moment)
      var subject = Subject()
      let operands = Self.operands(of: question)
      subject.address = operands.first.flatMap { Number.value(of: $0) }
      subject.text = operands.joined(separator: " ")
      guard let answer = try? question.answer(about: subject, in: &session) else { continue }
      let path = "assets/scenarios/" + file
      let arguments = ["ask", path, "--at", at, question.name] + operands
      let text = try Program.run(arguments)
      #expect(text.text == answer.report(.engineer).text)
      #expect(text.code == (answer.isNo ? 1 : 0))
      #expect(text.errors.isEmpty)
      let json = try Program.run(arguments + ["--json"])
      #expect(json.code == text.code)
      let value = try JSONSerialization.jsonObject(with: Data(json.output))
      #expect(value is [String: Any])
    }
  }

  @Test func `every question has an answer in one of the scenarios`() throws {
    for question in Question.allCases {
      let code = try Self.subjects.map { file, at in
        try Program.run(
          ["ask", "assets/scenarios/" + file, "--at", at, question.name]
            + Self.operands(of: question)
        ).code
      }
      #expect(code.contains { $0 < 2 }, "\(question)")
    }
  }

  @Test func `a wrong question is answered with the nearest one, and all`() throws {
    let result = try Program.run(["ask", "assets/scenarios/nested/three-tables.pw", "shadow"])
    #expect(result.code == 2)
    #expect(result.errors.contains("did you mean 'shadows'?"))
    for question in Question.allCases { #expect(result.errors.contains(question.name)) }
  }

  @Test(arguments: [
    ["entry"], ["entry", "x"], ["tlb", "5"], ["glossary"], ["list", "writable"], ["diff", "0x5"],
    ["owners"], ["entry", "0x0", "--table", "x"], ["entry", "0x0", "--table", "shadow9"],
    ["entry", "0xffffffffffffffff"], ["tlb", "--at", "x"],
  ])
  func `what cannot be asked is said, with exit code 2`(arguments: [String]) throws {
    let result = try Program.run(["ask", "assets/scenarios/nested/three-tables.pw"] + arguments)
    #expect(result.code == 2)
    #expect(!result.errors.isEmpty && result.output.isEmpty)
  }

  @Test(arguments: [
    (["list", "size=1G"], 1), (["count", "size=1G"], 1), (["count", "w"], 0),
    (["glossary", "no-such-word"], 1), (["rules"], 0), (["diff", "start"], 1),
    (["diff", "end"], 0),
  ])
  func `no is an exit code`(arguments: [String], code: Int) throws {
    let result = try Program.run(["ask", "assets/scenarios/nested/three-tables.pw"] + arguments)
    #expect(result.code == Int32(code))
    #expect(!result.output.isEmpty && result.errors.isEmpty)
  }

  @Test func `help lists the questions from their table`() throws {
    let help = try Program.run(["ask", "--help"]).text
    for question in Question.allCases { #expect(help.contains("  " + question.name)) }
  }
}
