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

  @Test func `marks and jumps lead nowhere that is gone`() throws {
    var screen = try screen(". m a $ m b")
    screen.model.reload(try session(Array(Self.events.prefix(2))))
    #expect(screen.model.marks.count == 1)
    screen.press("ctrl-o")
    #expect(screen.model.timeline.moment.events <= 2)
  }
}
