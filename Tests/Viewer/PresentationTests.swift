import Canvas
import Engine
import Language
import Testing

@testable import Viewer

/// The layout for a projector.
@Suite struct PresentationTests {
  @Test func `two panes and a sentence, and back to what was there`() throws {
    for size in [(120, 40), (80, 24), (200, 60)] {
      var screen = try Screen("scenarios/built-in.pw", size.0, size.1)
      screen.press("} } } 3")
      let before = screen.text
      screen.press("*")
      #expect(screen.model.layout.panes.map(\.pane) == [.canonical, .shadow])
      #expect(screen.model.layout.sentence.height >= 3)
      screen.press("*")
      #expect(screen.text == before)
    }
  }

  @Test func `what has the focus is beside the table that had it`() throws {
    var screen = try Screen("scenarios/built-in.pw")
    screen.press("} } } * 4")
    #expect(screen.model.layout.panes.map(\.pane) == [.shadow, .iommu])
    screen.press("5")
    #expect(screen.model.layout.panes.map(\.pane) == [.iommu, .reverseMap])
    screen.press("3 w")
    #expect(screen.model.layout.panes.map(\.pane) == [.shadow, .answer])
  }

  @Test func `between two rows is an empty line, and a row is clicked where it is`() throws {
    var screen = try Screen("scenarios/built-in.pw")
    screen.press("M } } } * 3 g")
    let pane = ShadowPane()
    let inside = try #require(pane.inside(screen.model))
    let rows = screen.rows(of: pane)
    #expect(rows.count > 3)
    for index in rows.indices {
      let line = screen.lines[inside.y + 2 * index]
      #expect(line.contains(String(rows[index].address, radix: 16)))
      let below = screen.lines[inside.y + 2 * index + 1].unicodeScalars.dropFirst(inside.x)
      #expect(below.allSatisfy { $0 == " " })
    }
    screen.input(.mouse(Mouse(.click, at: Point(inside.x + 9, inside.y + 4))))
    #expect(screen.model.views[.shadow]?.cursor == rows[2].position)
    // A page is as many rows as are in sight.
    #expect(pane.rowCount(height: inside.height, in: screen.model) == (inside.height + 1) / 2)
  }

  @Test func `the sentence is that of the micro-step, of the event, or of the chapter that ends`()
    throws
  {
    var screen = try Screen("scenarios/built-in.pw")
    screen.press("*")
    #expect(screen.model.sentence.string.hasPrefix("Nested memory in 25 events"))
    screen.press(".")
    #expect(
      screen.model.sentence.string
        == SafeText(screen.model.timeline.events[0].sentence.capitalized).string)
    screen.press("}")
    #expect(screen.model.sentence.string.hasPrefix("The guest hypervisor L1 writes"))
    let step = try {
      screen.press("s")
      return try #require(screen.model.timeline.steps.first)
    }()
    #expect(screen.model.sentence.string == step.explanation.what.capitalized + ".")
    #expect(screen.text.contains(screen.model.sentence.string))
  }

  @Test func `nothing changes but by a key`() throws {
    let bytes = try Screen.bytes("scenarios/built-in.pw")
    var session = Session(try Scenario(parsing: bytes, file: "a.pw"))
    try session.finish()
    var model = Model(session, width: 120, height: 40, settings: Settings(isPresenting: true))
    var frames: Set<String> = [model.frame().text]
    while model.isBusy {
      _ = model.update(.tick)
      frames.insert(model.frame().text)
    }
    #expect(frames.count == 1)
  }

  @Test func `a rule that does not hold is said there too, and what is typed is seen`() throws {
    var screen = try Screen("scenarios/bugs/relax.pw")
    screen.press("$ , *")
    #expect(screen.lines[0].contains("writable-leaf"))
    screen.press(": ‹goto 1›")
    #expect(screen.lastLine.contains("goto 1"))
  }
}
