import Canvas
import Engine
import Testing

@testable import Viewer

/// What can be pointed at, once the mouse was asked for.
@Suite struct MouseTests {
  private func point(_ text: String, in screen: Screen, after start: Int = 0) throws -> Point {
    let y = try #require(
      screen.lines.indices.first { $0 >= start && screen.lines[$0].contains(text) })
    let line = screen.lines[y]
    let range = try #require(line.range(of: text))
    return Point(line.distance(from: line.startIndex, to: range.lowerBound), y)
  }

  @Test func `nothing happens before it is asked for`() throws {
    var screen = try Screen()
    screen.press("} } } }")
    let before = screen.text
    screen.input(.mouse(Mouse(.click, at: try point("L3 00030000", in: screen))))
    screen.input(.mouse(Mouse(.click, at: Point(12, 37))))
    #expect(screen.text == before)
    screen.press("M")
    #expect(screen.effects == [.mouse(true)])
  }

  @Test func `in a table a click selects, a double click opens, the wheel moves`() throws {
    var screen = try Screen()
    screen.press("} } } } M")
    screen.input(.mouse(Mouse(.click, at: try point("L3 00030000 → 800401000", in: screen))))
    #expect(screen.model.selected == .shadow(0))
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x30000)
    screen.input(.mouse(Mouse(.wheelUp, at: Point(90, 10))))
    #expect(screen.model.views[.shadow]?.cursor?.level == 1)
    let table = try point("L0 00000000 table", in: screen)
    screen.input(.mouse(Mouse(.click, at: table)))
    screen.input(.mouse(Mouse(.doubleClick, at: table)))
    #expect(!screen.text.contains("L3 00030000 → 800401000"))
    // Where no row is there is nothing to open.
    screen.input(.mouse(Mouse(.doubleClick, at: Point(table.x, table.y + 9))))
    #expect(!screen.text.contains("L3 00030000 → 800401000"))
  }

  @Test func `a double click on a title shows the pane alone, and all again`() throws {
    var screen = try Screen()
    screen.press("} } } } M")
    let title = try point("3 Shadow", in: screen)
    screen.input(.mouse(Mouse(.click, at: title)))
    screen.input(.mouse(Mouse(.doubleClick, at: title)))
    #expect(screen.model.isMaximised && screen.model.focus == .shadow)
    screen.input(.mouse(Mouse(.doubleClick, at: Point(5, title.y))))
    #expect(!screen.model.isMaximised)
  }

  @Test func `in the steps a click selects, and a double click goes there`() throws {
    var screen = try Screen()
    screen.press("} } } } M")
    let step = try point(" slot  ", in: screen)
    screen.input(.mouse(Mouse(.click, at: step)))
    #expect(screen.model.steps.cursor == 10)
    screen.input(.mouse(Mouse(.doubleClick, at: step)))
    #expect(screen.model.timeline.moment == Moment(events: 10, steps: 11))
  }

  @Test func `in an answer a double click goes where a line leads`() throws {
    var screen = try Screen()
    screen.press("} } } } } M a")
    let line = try point("shadow0    0x20000", in: screen)
    screen.input(.mouse(Mouse(.click, at: line)))
    #expect(screen.model.focus == .answer)
    screen.input(.mouse(Mouse(.doubleClick, at: line)))
    #expect(screen.model.focus == .shadow)
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x20000)
    // What leads nowhere stays.
    screen.input(.mouse(Mouse(.doubleClick, at: try point("One page with", in: screen))))
    #expect(screen.model.focus == .answer)
  }

  @Test func `in the reverse map ranges are selected, in the list and in the line`() throws {
    var screen = try Screen(FrameTests.alias, 120, 40)
    screen.press(FrameTests.repaired + "} } } } } M")
    let list = try point("0x80006000+4K    → 0x30000", in: screen)
    screen.input(.mouse(Mouse(.click, at: list)))
    #expect(screen.model.focus == .reverseMap)
    #expect(screen.model.mappedEntry?.nested == 0x30000)
    // The list stays where it is, so that the second click meets the same entry.
    #expect(try point("0x80006000+4K    → 0x30000", in: screen) == list)
    screen.input(.mouse(Mouse(.click, at: try point("0x80005000 ?unknown", in: screen))))
    let entry = try #require(screen.model.mappedEntry)
    #expect(entry.canonical.lowerBound == 0x8000_5000 && entry.nested == nil)
    screen.input(.mouse(Mouse(.wheelDown, at: list)))
    #expect(screen.model.mappedEntry?.canonical.lowerBound == 0x8004_0000)
    screen.input(.mouse(Mouse(.wheelUp, at: list)))
    screen.input(.mouse(Mouse(.doubleClick, at: try point("0x80006000+4K", in: screen))))
    #expect(screen.model.focus == .canonical)
    #expect(screen.model.views[.canonical]?.cursor?.address == 0x8000_6000)
  }

  @Test func `on the timeline a click goes to the event, the wheel to the next`() throws {
    var screen = try Screen()
    screen.press("M")
    screen.input(.mouse(Mouse(.click, at: Point(12, 37))))
    #expect(screen.model.timeline.moment == Moment(events: 12))
    screen.input(.mouse(Mouse(.wheelDown, at: Point(40, 37))))
    #expect(screen.model.timeline.moment == Moment(events: 13))
    screen.input(.mouse(Mouse(.wheelUp, at: Point(40, 38))))
    screen.input(.mouse(Mouse(.wheelUp, at: Point(40, 38))))
    #expect(screen.model.timeline.moment == Moment(events: 11))
  }

  @Test func `what is open above the panes leads on, scrolls, and closes`() throws {
    var screen = try Screen()
    screen.press("M ?")
    let line = try point("to the end  :end", in: screen)
    screen.input(.mouse(Mouse(.click, at: line)))
    #expect(screen.model.sheet != nil)
    screen.input(.mouse(Mouse(.doubleClick, at: line)))
    #expect(screen.model.sheet == nil && screen.model.timeline.moment == Moment(events: 21))
    screen.press("?")
    let top = screen.lines[1]
    for _ in 0..<20 { screen.input(.mouse(Mouse(.wheelDown, at: line))) }
    #expect(screen.lines[1] != top)
    screen.input(.mouse(Mouse(.click, at: Point(2, 20))))
    #expect(screen.model.sheet == nil)
  }
}
