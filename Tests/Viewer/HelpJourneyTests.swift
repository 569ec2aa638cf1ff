import Canvas
import Engine
import Testing

@testable import Viewer

/// Finding something in the help.
@Suite struct HelpJourneyTests {
  private func help(_ query: String) throws -> [String] {
    let screen = try Screen()
    return screen.model.help(query).text.map(\.string).filter { !$0.isEmpty }
  }

  @Test(arguments: [
    ("^T", ":jump-forward"), ("ctrl-t", ":jump-forward"), ("PgUp", ":page-up"),
    ("→", ":right"), ("S-→", ":next-event"), ("S-Tab", ":previous-pane"), ("~", "stale"),
    ("Space", ":play"), ("shift-tab", ":previous-pane"),
  ])
  func `a key is found as it is printed and as it is spelled`(query: String, wanted: String) throws
  {
    #expect(try help(query).contains { $0.contains(wanted) }, "\(query)")
  }

  @Test func `a key with another held down finds that key alone`() throws {
    #expect(try !help("S-Tab").contains { $0.contains(":previous-table") })
    #expect(try help("S-Tab").filter { $0.contains("  :") }.count == 1)
  }

  @Test func `signs and letters are found, too`() throws {
    #expect(try help("stale").contains { $0.hasPrefix("~") })
    #expect(try help("paused").contains { $0.hasPrefix("‖") })
    #expect(try help("chapter ends").contains { $0.hasPrefix("│") })
    #expect(try help("power of two").count == 2)
    #expect(try help("invalidates").contains { $0.hasPrefix("i ") })
    #expect(try help("xyzzy") == ["Nothing in the help has this text or key."])
  }

  @Test func `what cannot be done now is one word, and says why when it is chosen`() throws {
    var screen = try Screen()
    screen.press("?")
    #expect(
      screen.text.contains("(unavailable)") && !screen.text.contains("There is no earlier place"))
    let item = try #require(
      screen.model.sheet?.document.text.firstIndex { $0.string.contains(":jump-back") })
    let choices = try #require(screen.model.sheet?.document.choices)
    let index = try #require(choices.firstIndex(of: item))
    for _ in 0..<index { screen.press("j") }
    #expect(screen.lastLine.contains("Enter carry out"))
    screen.press("enter")
    #expect(screen.text.contains("There is no earlier place to go back to."))
  }

  @Test func `space scrolls by a page`() throws {
    var screen = try Screen()
    screen.press("?")
    let before = screen.text
    screen.press("space")
    #expect(screen.text != before && screen.model.tickInterval == nil)
  }

  @Test func `help takes a text`() throws {
    var screen = try Screen()
    screen.press(": ‹help stale› enter")
    #expect(screen.model.sheet?.query == "stale")
    #expect(screen.text.contains("~ "))
  }
}
