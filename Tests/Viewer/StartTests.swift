import Canvas
import Engine
import Language
import Scenarios
import Testing

@testable import Viewer

/// The list of what can be opened: it greets whoever asks for nothing, and is there at a key.
@Suite struct StartTests {
  /// A screen as it is when the program is started without a file.
  private func greeting(lastPlace: LastTime.Place? = nil) throws -> Screen {
    let builtIn = try #require(ShippedScenario.named("built-in"))
    var session = Session(try Scenario(parsing: builtIn.bytes, file: "built-in.pw"))
    try session.finish()
    session.seek(to: Moment(events: 0))
    var screen = try Screen()
    screen.model = Model(
      session, width: 120, height: 40, settings: Settings(lastPlace: lastPlace, showsStart: true))
    screen.model.finishWork()
    return screen
  }

  /// What the lines of the list open.
  private func offers(_ screen: Screen) -> [String] {
    (screen.model.sheet?.document.items ?? []).compactMap {
      if case .open(let name, _) = $0.target { name } else { nil }
    }
  }

  @Test func `every scenario of the program is offered once, with its title`() throws {
    let screen = try greeting()
    #expect(offers(screen).sorted() == ShippedScenario.all.map(\.name).sorted())
    #expect(offers(screen).first == "built-in")
    #expect(ShippedScenario.all.allSatisfy { !$0.title.isEmpty })
    #expect(ShippedScenario.all.allSatisfy { ($0.system == nil) == ($0.name == "built-in") })
  }

  @Test func `one key away is the built-in scenario`() throws {
    for key in ["enter", "escape", "q"] {
      var screen = try greeting()
      screen.press(key)
      #expect(screen.model.sheet == nil && !screen.model.isFinished)
      #expect(screen.text.contains("Nested memory in 25 events"))
      #expect(screen.effects == (key == "enter" ? [.open("built-in", at: nil)] : []))
    }
  }

  @Test func `who knows the keys need not close it first`() throws {
    var screen = try greeting()
    screen.press(". .")
    #expect(screen.model.sheet == nil)
    #expect(screen.model.timeline.moment == Moment(events: 2))
  }

  @Test func `where one was is offered if it is known`() throws {
    #expect(!(try greeting().text.contains("Go on")))
    var screen = try greeting(lastPlace: LastTime.Place(file: "mine/first.pw", moment: "14.3"))
    #expect(screen.text.contains("Go on  where you were: mine/first.pw, event 14.3"))
    screen.press("down enter")
    #expect(screen.effects == [.open("mine/first.pw", at: "14.3")])
  }

  @Test func `a text narrows it, and a file's name is typed`() throws {
    var screen = try Screen()
    screen.press("E / ‹rmp/iommu›")
    #expect(offers(screen) == ["rmp/iommu-first"])
    screen.press("enter enter")
    #expect(screen.effects == [.open("rmp/iommu-first", at: nil)])
    var other = try Screen()
    other.press("E down enter ‹mine.pw› enter")
    #expect(other.effects == [.open("mine.pw", at: nil)])
  }

  @Test func `typed events are not lost for it`() throws {
    var screen = try Screen()
    screen.press("$ : ‹l2 read 0x10000› enter E")
    #expect(screen.model.sheet == nil)
    #expect(screen.lastLine.contains("in no file"))
  }

  @Test func `what is kept for the next time is read as it was written, or is nothing`() {
    let place = LastTime.Place(file: "/a b/c = d.pw", moment: "14.3")
    for kept in [
      LastTime(), LastTime(place: place), LastTime(detail: .plain),
      LastTime(place: place, detail: .bits),
    ] {
      #expect(LastTime(parsing: kept.text) == kept)
    }
    #expect(LastTime(place: LastTime.Place(file: "a\nb", moment: "1")).text.isEmpty)
    for text in ["", "file = x", "moment = 3\n", "detail = much\n", "\u{0}\u{FFFD}"] {
      #expect(LastTime(parsing: text) == LastTime())
    }
  }
}
