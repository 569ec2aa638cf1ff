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
    ["kernel unseen canonical 0 1T", "kernel seen-empty canonical 0 1T L1", "chapter a"],
    ["kernel seen canonical 0x80000000 8K L3 rw x", "chapter b \"new\""],
    ["kernel seen canonical 0x80001000 4K L3 r x", "chapter c"],
  ]

  /// What was made of some moments, each row of a line of its own.
  private func seen(_ moments: some Collection<[String]>) throws -> ScenarioMaker {
    var maker = try ScenarioMaker(
      head: ["pagewalk 1", "vm ipa=40 seen=words"], file: "live", writesText: false)
    for moment in moments { try add(moment, to: &maker) }
    return maker
  }

  private func add(_ moment: [String], to maker: inout ScenarioMaker) throws {
    let text = "pagewalk 1\nvm ipa=40\n" + moment.joined(separator: "\n")
    for (number, statement) in try Scenario(parsing: [UInt8](text.utf8), file: "moment").statements
      .enumerated()
    {
      maker.add(statement.kind, maker.origin("dump of \(moment.last ?? "")", line: number + 1))
    }
  }

  private func screen(_ maker: inout ScenarioMaker) throws -> Screen {
    var session = Session(maker.takeScenario())
    try session.finish()
    session.seek(to: Moment(events: 0))
    return Screen(session, 100, 30)
  }

  @Test func `moments that come to the end are shown as if they had been there`() throws {
    var maker = try seen(Self.moments.prefix(1))
    var grown = try screen(&maker)
    grown.press("$")
    for (index, moment) in Self.moments.enumerated().dropFirst() {
      try add(moment, to: &maker)
      #expect(try grown.model.extend(by: maker.take(), telling: "New."))
      #expect(grown.lastLine.contains("New."))
      var all = try seen(Self.moments.prefix(index + 1))
      var whole = try screen(&all)
      whole.press("$")
      grown.press("1")
      whole.press("1")
      // But for the step that a key has chosen.
      #expect(grown.text.replacing("►", with: " ") == whole.text.replacing("►", with: " "))
      #expect(
        grown.model.timeline.machine.fingerprint == whole.model.timeline.machine.fingerprint)
    }
    // A row's line is told, wherever it came from.
    let session = grown.model.session
    #expect(session.source(ofEvent: 2) == "dump of chapter b \"new\":1")
    #expect(session.line(ofEvent: 2) == 1 && grown.lines[0].contains("dump of chapter c:1"))
  }

  @Test func `who stands before the end stays there while moments come`() throws {
    var maker = try seen(Self.moments.prefix(2))
    var screen = try screen(&maker)
    screen.press(". .")
    let (moment, state) = (
      screen.model.timeline.moment, screen.model.timeline.machine.fingerprint
    )
    try add(Self.moments[2], to: &maker)
    #expect(try screen.model.extend(by: maker.take(), telling: "New."))
    #expect(screen.model.timeline.moment == moment)
    #expect(screen.model.timeline.machine.fingerprint == state)
    #expect(screen.model.timeline.events.count == 4)
  }

  @Test func `what the engine refuses of a moment is left out and listed`() throws {
    var maker = try seen(Self.moments.prefix(1))
    var screen = try screen(&maker)
    screen.press("$")
    try add(
      ["kernel unused shadow9", "kernel seen canonical 0 4K L3 r x", "chapter d"], to: &maker)
    #expect(try screen.model.extend(by: maker.take(), telling: "New."))
    #expect(screen.model.timeline.events.count == 3)
    screen.press(": ‹unknowns› enter")
    let text = screen.model.answer.text.map(\.string).joined()
    #expect(
      text.contains("kernel unused shadow9") && text.contains("dump of chapter d:1"), "\(text)")
  }

  @Test func `where something was typed at the end, moments do not come behind it`() throws {
    var maker = try seen(Self.moments.prefix(2))
    var screen = try screen(&maker)
    screen.press("$ : ‹kernel unseen canonical 0 4K› enter")
    try add(Self.moments[2], to: &maker)
    #expect(try !screen.model.extend(by: maker.take(), telling: "New."))
  }

  @Test func `marks and jumps lead nowhere that is gone`() throws {
    var screen = try screen(". m a $ m b")
    screen.model.reload(try session(Array(Self.events.prefix(2))))
    #expect(screen.model.marks.count == 1)
    screen.press("ctrl-o")
    #expect(screen.model.timeline.moment.events <= 2)
  }
}
