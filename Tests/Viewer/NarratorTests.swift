import Canvas
import Engine
import Foundation
import Language
import Testing

@testable import Viewer

/// Lines in, lines out: all that a screen can do without one.
@Suite struct NarratorTests {
  private func narrator(_ path: String = "scenarios/nested/three-tables.pw") throws -> Narrator {
    try narrator(bytes: [UInt8](Data(contentsOf: Screen.assets.appending(path: path))))
  }

  private func narrator(bytes: [UInt8]) throws -> Narrator {
    var session = Session(try Scenario(parsing: bytes, file: "test.pw"))
    try session.finish()
    session.seek(to: Moment(events: 0))
    return Narrator(session)
  }

  /// What is said to some lines, as one text.
  private func answer(_ narrator: inout Narrator, _ lines: String...) -> String {
    lines.flatMap { narrator.carryOut($0) }.map(\.string).joined(separator: "\n")
  }

  @Test func `empty lines go through all events, each told once`() throws {
    var narrator = try narrator()
    let count = narrator.model.timeline.events.count
    #expect(
      narrator.greeting()[0].string.hasPrefix("The start: nothing has happened yet, \(count)"))
    for event in 1...count {
      let said = narrator.carryOut("")
      #expect(said.contains { $0.string.hasPrefix("Event \(event) of \(count): ") })
    }
    #expect(
      answer(&narrator, "").hasPrefix("End of the history. Type \":previous-event\" to go back"))
  }

  @Test func `an event is told with its steps, a micro-step alone`() throws {
    var narrator = try narrator()
    let short = answer(&narrator, "next-event")
    for step in narrator.model.timeline.steps { #expect(short.contains(step.explanation.what)) }
    // Of a long event what came of it, and how the rest is read.
    var event = short
    while narrator.model.timeline.steps.count < 20 { event = answer(&narrator, "next-event") }
    let steps = narrator.model.timeline.steps
    let told = steps.filter { $0.facts.weight > 0 }
    #expect(told.count >= 2 && told.count < steps.count)
    for step in told { #expect(event.contains(step.explanation.what)) }
    #expect(event.contains("\(steps.count - told.count) other steps"))
    let all = answer(&narrator, "pane 5", "look")
    for step in steps { #expect(all.contains(step.explanation.what)) }
    let step = answer(&narrator, "previous-step")
    #expect(step.contains(", step \(narrator.model.timeline.stepsDone) of "))
    #expect(!step.contains("Step 1, "))
  }

  @Test func `less detail is fewer words`() throws {
    var narrator = try narrator()
    let usual = answer(&narrator, "12")
    let plain = answer(&narrator, "detail plain", "start", "12")
    #expect(plain.count < usual.count && !plain.contains("Step 1, "))
  }

  @Test func `answers have numbers, and the numbers lead on`() throws {
    var narrator = try narrator("captures/nested/nested-alias/scenario.pw")
    let why = answer(&narrator, "end", "pane 1", "top", "why")
    #expect(why.contains("(1) "))
    let asked = narrator
    let end = narrator.model.timeline.moment
    #expect(answer(&narrator, "choose 1").contains("Event "))
    #expect(narrator.model.timeline.moment != end)
    for wrong in ["choose 99", "choose 0", "choose x"] {
      var narrator = asked
      #expect(
        answer(&narrator, wrong).hasPrefix("Expected the number of a line of the answer: 1 to "))
    }
  }

  @Test func `tables are read row by row, or all at once`() throws {
    var narrator = try narrator()
    let row = answer(&narrator, "end", "pane 1", "top").split(separator: "\n").last ?? ""
    #expect(row.hasPrefix("Pane 1, Canonical: level 1, 0x40000000: a table"))
    #expect(answer(&narrator, "down").hasPrefix("Pane 1, Canonical: level 2, 0x40000000"))
    let all = answer(&narrator, "look")
    #expect(all.contains("level 3, 0x80005000 maps to 0x800400000, RWX"))
  }

  @Test func `an event that is typed makes a branch`() throws {
    var narrator = try narrator()
    let said = answer(&narrator, "step:canonical", "host discard 0x80005000 4K")
    #expect(said.contains("History: ") && said.contains("host discard 0x80005000 4K"))
    #expect(answer(&narrator, "branch main").contains("History: main"))
  }

  @Test func `texts name actions as they can be typed, and no keys`() throws {
    var narrator = try narrator()
    #expect(answer(&narrator, ":next-event").contains("Event 1 of 21"))
    #expect(answer(&narrator, ":").contains("Event 2 of 21"))
    let marked = answer(&narrator, "mark a")
    #expect(
      marked.contains("Type \":go-to-mark a\" to come back")
        && marked.contains("\":diff\" to compare"))
    #expect(answer(&narrator, "watch fault").contains("\":run\" and \":run-back\" stop at"))
    #expect(narrator.carryOut("help").allSatisfy { !$0.string.hasPrefix(" ") })
  }

  @Test func `an answer that stays as it was is not repeated`() throws {
    var narrator = try narrator()
    let first = answer(&narrator, "branches")
    #expect(first.components(separatedBy: "Histories").count == 2)
    let next = answer(&narrator, "next-event")
    #expect(next.contains("Event 1 of 21") && !next.contains("Histories"))
  }

  @Test func `? is help, and help finds`() throws {
    var narrator = try narrator()
    #expect(answer(&narrator, "?").contains(":next-event"))
    #expect(!answer(&narrator, "?").contains("Typed after"))
    let found = answer(&narrator, "help stale")
    #expect(found.contains("stale") && !found.contains(":next-event"))
  }

  @Test func `an event is told though an answer that stays is open`() throws {
    var narrator = try narrator()
    _ = answer(&narrator, "10", "pane 3", "top", "diff start")
    let said = answer(&narrator, "next-event")
    let sentence = try #require(narrator.model.answer.text.first)
    #expect(said.contains("Event 11 of 21") && said.contains(sentence.string))
  }

  @Test func `quit says nothing, and the greeting tells how to choose`() throws {
    var narrator = try narrator()
    #expect(narrator.greeting().contains { $0.string.contains("choose 2 goes where") })
    _ = answer(&narrator, "expect value 1")
    #expect(narrator.carryOut("quit").isEmpty)
  }

  @Test func `a paused event is told with its locks`() throws {
    var narrator = try narrator("scenarios/bugs/two-unmappers.pw")
    let said = answer(&narrator, "15")
    #expect(said.contains("Event 14 is paused and holds the VMA lock for reading."))
    #expect(said.contains("Broken rule: leaf-outlives-page"))
  }

  @Test func `words and rules are read out`() throws {
    var narrator = try narrator()
    #expect(answer(&narrator, "glossary alias").contains("several nested IPAs"))
    #expect(answer(&narrator, "end", "reference").contains("Source: "))
    #expect(answer(&narrator, "help").contains(":next-event"))
  }

  @Test func `what is wrong is said, and nothing happens`() throws {
    var narrator = try narrator()
    _ = narrator.greeting()
    for line in ["nope", "goto", "mark", "l1 write", "l1 write 0x", "pane 77", "goto 1000"] {
      #expect(!answer(&narrator, line).isEmpty)
      #expect(narrator.model.timeline.moment == Moment(events: 0))
      #expect(narrator.model.branches.count == 1)
    }
  }

  @Test func `every action answers, alone and with an argument`() throws {
    var start = try narrator()
    _ = start.carryOut("10")
    for action in Action.allCases where action != .quit && action != .quitNow {
      for argument in ["", " 1", " a", " \u{1B}[31m"] {
        var narrator = start
        let said = narrator.carryOut(action.rawValue + argument)
        #expect(!narrator.isFinished, "\(action)")
        #expect(Self.isClean(said), "\(action)")
        #expect(
          !said.isEmpty || [.follow, .unlink, .back, .left, .right, .open].contains(action)
            || action.facts.group == .moving || action.facts.group == .panes
            || action.facts.group == .answers,
          "\(action)\(argument)")
      }
    }
    var narrator = try narrator()
    _ = narrator.carryOut("quit")
    #expect(narrator.isFinished)
  }

  @Test func `texts of a file never act on a terminal`() throws {
    let hostile = "\u{1B}[2J\u{7}\u{9B}31m\u{202E}\u{200B}\u{7F}"
    let text =
      "pagewalk 1\ntitle \"\(hostile)\"\nvm ipa=40 vcpus=1 nested=on\n"
      + "memslot 0 0x80000000 1M backing=4K # \(hostile)\nl1 write 0x80000000\n"
      + "step \"a\(hostile)\" \"\(hostile)\"\nexpect value 1\n"
    var narrator = try narrator(bytes: [UInt8](text.utf8))
    var said = narrator.greeting()
    for line in ["", "", "marks", "start", "\(hostile)", "look", "help"] {
      said += narrator.carryOut(line)
    }
    #expect(Self.isClean(said))
    #expect(said.contains { $0.string.contains("\\x1b[2J") })
  }

  private static func isClean(_ lines: [SafeText]) -> Bool {
    lines.allSatisfy { line in
      line.string.unicodeScalars.allSatisfy {
        $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
      }
    }
  }

  @Test func `a replay tells each event with its own explanation`() throws {
    var session = try Screen(statements: "memslot 0 0x80000000 4M backing=4K\nl1 write 0x80000000")
      .model.session
    session.seek(to: Moment(events: 0))
    var narrator = Narrator(session)
    var said: [String] = []
    narrator.play(nil) { lines in said.append(lines.map(\.string).joined(separator: "\n")) }
    #expect(said.count == 3)
    #expect(said[1].contains("Event 1 of 2") && said[1].contains("The VMM adds memory slot 0"))
    #expect(said[2].contains("L1 writes canonical IPA 0x80000000."))
    #expect(!said[2].contains("lie ahead"))
  }

  @Test func `a chapter's text after a typed event is told as the file's`() throws {
    var narrator = try narrator()
    _ = answer(&narrator, "1")
    let said = answer(&narrator, "l1 read 0x80000000")
    #expect(said.contains("written for the file's own events"), "\(said)")
    #expect(!answer(&narrator, "branch main").contains("written for"))
  }
}
