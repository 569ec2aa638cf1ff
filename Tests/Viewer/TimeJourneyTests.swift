import Canvas
import Engine
import Testing

@testable import Viewer

/// Ways through time.
@Suite struct TimeJourneyTests {
  @Test func `histories under different policies look different in their list`() throws {
    var screen = try Screen("scenarios/iommu/discard.pw", 120, 40)
    screen.press("P ctrl-u ‹policy iommu-sync=off› enter")
    let lines = screen.model.branchesAnswer.text.map(\.string)
    #expect(screen.model.branches.count == 2)
    #expect(lines.count { $0.contains("iommu-sync=off") } == 1)
  }

  @Test func `to an event, a chapter, a part of the whole, a micro-step`() throws {
    var screen = try Screen()
    for (text, moment) in [
      ("7", Moment(events: 7)), ("goto 12", Moment(events: 12)), ("100%", Moment(events: 21)),
      ("goto step:alias", Moment(events: 14)), ("9.4", Moment(events: 9, steps: 4)),
      ("start", Moment(events: 0)),
    ] {
      screen.press(": ‹\(text)› enter")
      #expect(screen.model.timeline.moment == moment, "\(text)")
    }
  }

  @Test func `to an address`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 : ‹0x10000› enter")
    #expect(screen.model.views[.shadow]?.cursor?.address == 0x10000)
    #expect(screen.text.contains("walk L0[0] L1[0] L2[0] L3[16] → RW-"))
  }

  @Test func `to an event that there is not`() throws {
    var screen = try Screen()
    screen.press(": ‹goto 22› enter")
    #expect(screen.text.contains("Expected 0 to 21"))
    // The line stays, to be corrected.
    screen.press("backspace backspace ‹21› enter")
    #expect(screen.model.timeline.moment == Moment(events: 21), "\(screen.text)")
  }

  @Test func `it plays, faster, and stops at what is watched`() throws {
    var screen = try Screen()
    screen.press("W")
    #expect(screen.lastLine.contains("Nothing is selected"))
    screen.press(": ‹watch inject› enter space")
    #expect(screen.model.tickInterval == .milliseconds(500))
    screen.press("+")
    #expect(screen.model.tickInterval == .milliseconds(250))
    screen.input(.tick)
    #expect(screen.model.timeline.moment == Moment(events: 1))
    for _ in 0..<30 where screen.model.timeline.moment.events < 12 {
      if screen.model.tickInterval == nil { screen.press("space") }
      screen.input(.tick)
    }
    #expect(screen.model.timeline.moment == Moment(events: 12))
    #expect(screen.text.contains("Stopped at event 12: inject."))
  }

  @Test func `playing ends at the end, and there it cannot begin`() throws {
    var screen = try Screen()
    screen.press(": ‹20› enter space")
    for _ in 0..<5 { screen.input(.tick) }
    #expect(screen.model.tickInterval == nil)
    screen.press("space")
    #expect(
      screen.lastLine.contains(
        "End of the history. Press \",\" to go back, \":\" to type an event."))
  }

  @Test func `from one event that touches the page to the next`() throws {
    var screen = try Screen()
    screen.press("} } } } 3")
    screen.press("]")
    let event = screen.model.timeline.moment.events
    #expect(event > 11)
    screen.press("[")
    #expect(screen.model.timeline.moment.events < event)
  }

  @Test func `to where the selected entry changes`() throws {
    var screen = try Screen()
    screen.press("} } } } 3 W")
    #expect(screen.text.contains("changes=shadow0:0x30000"))
    // What is watched from the start stops it before.
    screen.press("c")
    #expect(screen.lastLine.contains("Stopped at event 12: inject."))
    screen.press("c")
    #expect(screen.lastLine.contains("changes=shadow0:0x30000"))
    #expect(screen.model.timeline.moment == Moment(events: 15))
    screen.press("C C")
    #expect(screen.model.timeline.moment == Moment(events: 11))
  }

  @Test func `to any condition`() throws {
    var screen = try Screen()
    for (condition, event) in [
      ("touches=0x80006000", 2), ("kind", 0), ("l2 fault", 10), ("host or tlbi", 15),
      ("table=shadow0 not l2", 15), ("context", 9), ("nothing", 0),
    ] where event > 0 {
      screen.press("0 : ‹run \(condition)› enter")
      let stopped = screen.model.timeline.moment.events
      #expect(stopped >= event && stopped <= event + 2, "\(condition): \(stopped)")
    }
    screen.press("0 : ‹run touches=› enter")
    #expect(screen.text.contains("Expected a number"))
  }

  @Test func `watches are a list, on and off`() throws {
    var screen = try Screen()
    screen.press(": ‹watch host› enter : ‹watch tlbi› enter ctrl-w")
    #expect(screen.text.contains("1 ✓ host") && screen.text.contains("2 ✓ tlbi"))
    screen.press("enter")
    #expect(screen.text.contains("1   host"))
    #expect(screen.model.stops.first?.text == "tlbi")
    screen.press(": ‹15› enter c")
    #expect(screen.lastLine.contains("Stopped at event 20: tlbi."))
    screen.press(": ‹unwatch all› enter")
    #expect(screen.model.watches.isEmpty)
  }

  @Test func `marks, and back from where they led`() throws {
    var screen = try Screen()
    screen.press("} } m x $ ' x")
    #expect(screen.model.timeline.moment == Moment(events: 4))
    screen.press("ctrl-o")
    #expect(screen.model.timeline.moment == Moment(events: 21))
    screen.press("ctrl-t")
    #expect(screen.model.timeline.moment == Moment(events: 4))
    screen.press("\"")
    #expect(screen.text.contains("mark x"))
    screen.press("' y")
    #expect(screen.lastLine.contains("There is no mark y."))
  }

  @Test func `the timeline has kinds, chapters, marks, violations and the moment`() throws {
    var screen = try Screen("scenarios/bugs/relax.pw")
    screen.press(". m k .")
    let lines = screen.lines.suffix(4)
    #expect(lines.first?.hasPrefix(" mm111c212i") ?? false)
    let marks = Array(lines.dropFirst().first ?? "")
    #expect(marks[1] == "k" && marks[2] == "▲" && marks.contains("!") && marks.contains("│"))
  }

  @Test func `an event that is typed in the past begins a history, and the old one stays`() throws {
    var screen = try Screen()
    screen.press("} } } } : ‹host discard 0x80006000 4K› enter")
    #expect(screen.lastLine.contains("New history branch-1, from event 11"))
    #expect(screen.lines[0].contains("event 12/22") && screen.lines[0].contains("in branch-1"))
    screen.press(": ‹name taken› enter B")
    #expect(screen.text.contains("taken") && screen.text.contains("from main at 11"))
    screen.press("3 : ‹diff main› enter")
    #expect(screen.model.answer.text.contains { $0.string.contains("- 0x10000") })
    screen.press(": ‹branch main› enter $")
    #expect(screen.lines[0].contains("event 21/21") && screen.lines[0].contains("in main"))
  }

  @Test func `after an event that is typed in the past the old future follows`() throws {
    var screen = try Screen()
    screen.press("} } } }")
    let later = screen.model.timeline.events[11...]
    screen.press(": ‹l2 read 0x10000› enter")
    #expect(screen.lines[0].contains("event 12/22") && screen.lines[0].contains("in branch-1"))
    #expect(Array(screen.model.timeline.events[12...]) == Array(later))
    #expect(screen.model.sheet == nil)
    screen.press("$ : ‹diff main› enter")
    #expect(screen.text.contains("branch-1"))
  }

  @Test func `an event that is muted does not happen, and what it made possible is left out`()
    throws
  {
    var screen = try Screen(
      statements: """
        memslot 0 0x40000000 4M backing=4K
        l1 write 0x40000000
        memslot 1 0x80000000 4M backing=4K
        host write 0x80000000 4K
        l1 read 0x40000000
        """)
    screen.press("$ : ‹mute 3› enter")
    #expect(screen.text.contains("Left out of the new history"))
    #expect(screen.text.contains("host write 0x80000000 4K"))
    screen.press("q")
    #expect(screen.lines[0].contains("event 2/3") && screen.lines[0].contains("in branch-1"))
    let session = screen.model.session
    #expect(
      session.timeline.events.indices.map { session.text(ofEvent: $0) }
        == ["memslot 0 0x40000000 4M backing=4K", "l1 write 0x40000000", "l1 read 0x40000000"])
    // The event of the moment, where none is named.
    screen.press(": ‹branch main› enter $ : ‹mute› enter")
    #expect(screen.lines[0].contains("event 4/4") && screen.model.sheet == nil)
    for wrong in ["0", "6", "x", "-1"] {
      screen.press(": ‹branch main› enter : ‹mute " + wrong + "› enter")
      #expect(screen.text.contains("Expected the number of an event, 1 to 5."))
      screen.press("escape")
    }
  }

  @Test func `marks and notes of the past that is shared are those of both histories`() throws {
    var screen = try Screen()
    screen.press(": ‹3› enter m a : ‹note \"early\"› enter : ‹9› enter m b : ‹note \"late\"› enter")
    screen.press(": ‹5› enter : ‹l2 read 0x10000› enter \"")
    #expect(screen.text.contains("early") && screen.text.contains("mark a"))
    #expect(!screen.text.contains("late") && !screen.text.contains("mark b"))
    screen.press("escape { {")
    #expect(screen.model.timeline.moment <= Moment(events: 3) && screen.model.branch == 1)
    // What comes after the beginning of a history is its own.
    screen.press(": ‹6› enter : ‹note \"mine\"› enter : ‹branch main› enter \"")
    #expect(screen.text.contains("late") && !screen.text.contains("mine"))
  }

  @Test func `histories are a tree`() throws {
    var screen = try Screen()
    screen.press("2 . : ‹5› enter : ‹l2 read 0x10000› enter : ‹mute 3› enter")
    screen.press(": ‹branch main› enter : ‹mute 7› enter B")
    let lines = screen.model.answer.text.map(\.string)
    let names = lines.compactMap { line in
      ["main", "branch-1", "branch-2", "branch-3"].first {
        line.dropFirst().drop { $0 == " " }.hasPrefix($0)
      }
      .map { (line.dropFirst().prefix { $0 == " " }.count, $0) }
    }
    #expect(names.map(\.1) == ["main", "branch-1", "branch-2", "branch-3"])
    #expect(names.map(\.0) == [0, 2, 4, 2])
  }

  @Test func `an event that is typed at the end goes on`() throws {
    var screen = try Screen()
    screen.press("$ : ‹l2 read 0x10000› enter")
    #expect(screen.lines[0].contains("event 22/22"))
    #expect(screen.lastLine.contains("Event added to main"))
    #expect(screen.lines[0].contains("in main +1 typed"))
    screen.press("B")
    #expect(screen.text.contains("1 typed"))
  }

  @Test func `an event that the engine refuses changes nothing`() throws {
    var screen = try Screen()
    screen.press("$")
    let before = screen.lines.dropLast(3)
    screen.press(": ‹resume› enter")
    #expect(screen.text.contains("paused event"))
    screen.press("escape")
    #expect(Array(screen.lines.dropLast(3)) == Array(before))
    #expect(screen.model.timeline.events.count == 21)
  }

  @Test func `the same moment under another policy, and back`() throws {
    var screen = try Screen()
    screen.press("} } } } } P ‹ideal› enter")
    #expect(screen.lines[0].contains("revmap=ideal") && screen.lines[0].contains("event 14/21"))
    screen.press("P ‹none› enter")
    #expect(screen.lines[0].contains("revmap=none") && screen.lines[0].contains("in main"))
    screen.press("P ‹v9› enter")
    #expect(screen.text.contains("v9"), "\(screen.text)")
  }
}
