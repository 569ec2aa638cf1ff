import Canvas
import Engine
import Inquiry
import Language
import Testing

@testable import Viewer

/// The file is read again while a person looks at it.
@Suite struct ReloadTests {
  private static let events = [
    "memslot 0 0x80000000 4M backing=4K", "l1 write 0x80000000", "l1 write 0x80001000",
    "l1 write 0x80002000",
  ]

  private func session(_ statements: [String]) throws -> Session {
    let text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\n" + statements.joined(separator: "\n")
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "test.pw"))
    try session.finish()
    return session
  }

  /// A screen on which three of four events are done.
  private func screen(_ keys: String = ". . .") throws -> Screen {
    var screen = try Screen(statements: Self.events.joined(separator: "\n"))
    screen.press(keys)
    return screen
  }

  @Test func `the moment stays while the same events lead there`() throws {
    var screen = try screen(". . . s s")
    screen.model.reload(try session(Self.events + ["l1 read 0x80003000"]))
    #expect(screen.model.timeline.moment == Moment(events: 3, steps: 2))
    #expect(screen.model.timeline.events.count == 5)
    screen.press(". .")
    #expect(screen.text.contains("l1 read 0x80003000"))
  }

  @Test func `else it is where the difference begins`() throws {
    var screen = try screen()
    var events = Self.events
    events[2] = "l1 write 0x80003000"
    screen.model.reload(try session(events))
    #expect(screen.model.timeline.moment == Moment(events: 2))
    #expect(screen.lastLine.contains("differ from event 3 on"))
    screen.model.reload(try session([Self.events[0]]))
    #expect(screen.model.timeline.moment == Moment(events: 1))
  }

  @Test func `answers are those of the new history, though the moment is the same`() throws {
    var screen = try screen("$ 1 a")
    screen.model.reload(
      try session(Self.events.map { $0.replacing("backing=4K", with: "backing=thp") }))
    screen.press("$")
    let fresh = try {
      var screen = try Screen(
        statements: Self.events.map { $0.replacing("backing=4K", with: "backing=thp") }
          .joined(separator: "\n"))
      screen.press("$ 1 a")
      return screen
    }()
    #expect(screen.model.answer.text == fresh.model.answer.text)
  }

  @Test func `another policy makes every event another one`() throws {
    var screen = try screen()
    screen.model.reload(try session(["policy revmap=v2"] + Self.events))
    #expect(screen.model.timeline.moment == Moment(events: 0))
  }

  @Test func `mistakes are listed until they are mended, and nothing is lost`() throws {
    var screen = try screen()
    let text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nfirst\nsecond\n"
    screen.model.show(Scenario.mistakes(in: [UInt8](text.utf8), file: "test.pw"))
    #expect(screen.text.contains("3:1") && screen.text.contains("4:1"))
    screen.press("escape")
    #expect(screen.lines[0].contains("the file has mistakes"))
    #expect(screen.model.timeline.moment == Moment(events: 3))
    screen.model.reload(try session(Self.events))
    #expect(screen.model.sheet == nil && !screen.text.contains("mistakes"))
  }

  @Test func `what was typed stays as a history of its own`() throws {
    var screen = try screen("$ : ‹l1 write 0x80004000› enter")
    screen.model.reload(try session(Self.events))
    #expect(screen.model.branches.count == 2)
    #expect(screen.text.contains("l1 write 0x80004000"))
    #expect(screen.model.branches[0].session.timeline.events.count == 4)
  }

  /// As a VM is looked at while it runs: rows of dumps come to the end.
  private static let moments = [
    "kernel unseen canonical 0 1T\nkernel seen-empty canonical 0 1T L1\nchapter a\n",
    "kernel seen canonical 0x80000000 8K L3 rw x  # dump:2\nchapter b \"new\"\n",
    "kernel seen canonical 0x80001000 4K L3 r x\nchapter c\n",
  ]

  private func seen(_ moments: some Sequence<String>) throws -> Screen {
    let text = "pagewalk 1\nvm ipa=40 seen=words\n" + moments.joined()
    return try Screen(bytes: [UInt8](text.utf8), file: "live", 100, 30)
  }

  @Test func `lines that come to the end are shown as if they had been there`() throws {
    var grown = try seen(Self.moments.prefix(1))
    grown.press("$")
    for (index, lines) in Self.moments.enumerated().dropFirst() {
      #expect(try grown.model.extend(with: Array(lines.utf8), telling: "New."))
      #expect(grown.lastLine.contains("New."))
      var whole = try seen(Self.moments.prefix(index + 1))
      whole.press("$")
      grown.press("1")
      whole.press("1")
      // But for the step that a key has chosen.
      #expect(grown.text.replacing("►", with: " ") == whole.text.replacing("►", with: " "))
      #expect(
        grown.model.timeline.machine.fingerprint == whole.model.timeline.machine.fingerprint)
    }
    // A row's line is told, wherever its lines came from.
    let session = grown.model.session
    #expect(session.source(ofEvent: 2) == "dump:2" && session.line(ofEvent: 2) == 6)
  }

  @Test func `who stands before the end stays there while lines come`() throws {
    var screen = try seen(Self.moments.prefix(2))
    screen.press(". .")
    let (moment, state) = (
      screen.model.timeline.moment, screen.model.timeline.machine.fingerprint
    )
    #expect(try screen.model.extend(with: Array(Self.moments[2].utf8), telling: "New."))
    #expect(screen.model.timeline.moment == moment)
    #expect(screen.model.timeline.machine.fingerprint == state)
    #expect(screen.model.timeline.events.count == 4)
  }

  @Test func `lines that make no sense leave the history as it is`() throws {
    var screen = try seen(Self.moments.prefix(2))
    screen.press("$")
    let before = screen.model.session
    for wrong in ["kernel seen\n", "chapter d\nkernel unused shadow9 x\n", "vm ipa=40\n"] {
      #expect(throws: ScenarioError.self) {
        try screen.model.extend(with: Array(wrong.utf8), telling: "New.")
      }
      #expect(screen.model.session.scenario.statements.count == before.scenario.statements.count)
      #expect(screen.model.session.scenario.source == before.scenario.source)
    }
    #expect(try screen.model.extend(with: Array(Self.moments[2].utf8), telling: "New."))
    #expect(screen.model.session.line(ofEvent: 3) == 8)
  }

  @Test func `where something was typed at the end, lines do not come behind it`() throws {
    var screen = try seen(Self.moments.prefix(2))
    screen.press("$ : ‹kernel unseen canonical 0 4K› enter")
    #expect(try !screen.model.extend(with: Array(Self.moments[2].utf8), telling: "New."))
  }

  @Test func `marks and jumps lead nowhere that is gone`() throws {
    var screen = try screen(". m a $ m b")
    screen.model.reload(try session(Array(Self.events.prefix(2))))
    #expect(screen.model.marks.count == 1)
    screen.press("ctrl-o")
    #expect(screen.model.timeline.moment.events <= 2)
  }
}
