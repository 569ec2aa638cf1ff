import Canvas
import Engine
import Testing

@testable import Viewer

/// Text that is pasted: all of its lines, or none.
@Suite struct PasteJourneyTests {
  @Test func `lines that are pasted at the prompt are all carried out`() throws {
    var screen = try Screen()
    screen.press("$ :")
    let count = screen.model.timeline.events.count
    screen.input(.paste("l2 read 0x10000\n# a remark\n\nl1 write 0x80006000\nl2 read 0x30000\n"))
    #expect(screen.model.timeline.events.count == count + 3)
    #expect(screen.lastLine.contains("3 events added to main."))
    #expect(!screen.model.isTyping)
    screen.press(",")
    #expect(screen.lines[0].contains("l1 write 0x80006000"))
  }

  @Test func `what was typed before a paste is a part of its first line`() throws {
    var screen = try Screen()
    screen.press("$ : ‹l2 ›")
    let count = screen.model.timeline.events.count
    screen.input(.paste("read 0x10000\nl2 read 0x30000"))
    #expect(screen.model.timeline.events.count == count + 2)
  }

  @Test func `in the middle the lines begin one history`() throws {
    var screen = try Screen()
    screen.press(": ‹9› enter :")
    screen.input(.paste("l2 read 0x10000\nl2 read 0x20000\n"))
    #expect(screen.model.branches.count == 2)
    #expect(screen.model.timeline.moment == Moment(events: 11))
    #expect(screen.model.timeline.events.count == 23)
  }

  @Test(arguments: [
    "l2 read 0x10000\nl2 raed 0x10000\nl2 read 0x30000\n", "l2 read 0x10000\nresume\n",
    "l2 read 0x10000\ngoto 3\n", "l2 read 0x10000\nq\n",
  ])
  func `with a line that is none, nothing happens, and the line is named`(text: String) throws {
    for keys in ["$ :", ": ‹9› enter :"] {
      var screen = try Screen()
      screen.press(keys)
      let before = screen.model
      screen.input(.paste(text))
      #expect(screen.text.contains("Nothing was carried out. Line 2 of"))
      #expect(screen.model.branches.count == before.branches.count)
      #expect(screen.model.timeline.events == before.timeline.events)
      #expect(screen.model.timeline.moment == before.timeline.moment)
      #expect(screen.model.machine.fingerprint == before.machine.fingerprint)
      #expect(screen.model.typedEvents == 0)
    }
  }

  @Test func `one line that is pasted waits for Enter`() throws {
    var screen = try Screen()
    screen.press(":")
    screen.input(.paste("goto 7\n"))
    #expect(screen.model.timeline.moment == Moment(events: 0))
    screen.press("enter")
    #expect(screen.model.timeline.moment == Moment(events: 7))
  }

  @Test func `what is pasted elsewhere acts as no key`() throws {
    for keys in ["", "3", "?", "$ c"] {
      var screen = try Screen()
      screen.press(keys)
      let moment = screen.model.timeline.moment
      screen.input(.paste("q.,cQ\n5 G x\n"))
      #expect(!screen.model.isFinished && screen.model.timeline.moment == moment)
      #expect(screen.lastLine.contains("Text can be pasted at the prompt only."))
    }
  }

  @Test func `a filter and a search take one line`() throws {
    for keys in ["f", "/"] {
      var screen = try Screen()
      screen.press("} } 1 \(keys)")
      screen.input(.paste("w\nx\n"))
      #expect(screen.text.contains("Expected one line, not 2."))
      screen.input(.paste("w"))
      #expect(screen.model.prompt?.text == "w")
    }
  }

  @Test func `a line that would be too long is not pasted`() throws {
    var screen = try Screen()
    screen.press(":")
    screen.input(.paste(String(repeating: "x", count: Prompt.charactersAtMost + 1)))
    #expect(screen.model.prompt?.text.isEmpty == true)
    #expect(screen.text.contains("4096 characters at most"))
  }

  @Test func `a typed expectation tells its result, and makes nothing`() throws {
    var screen = try Screen()
    screen.press("$")
    for (moment, text, answer) in [
      (21, "expect violation none", "Holds."),
      (9, "expect violation none", "Holds."),
      (9, "expect leaf shadow=0 0x10000 2M", "Does not hold: it is not mapped."),
      (21, "expect leaf shadow=0 0x5000 4K", "Does not hold: it is not mapped."),
      (
        9, "expect under=v1 revmap shadow=0 0x80006000 unknown",
        "Not checked: it is only meant for revmap=v1."
      ),
    ] {
      screen.press(": ‹\(moment)› enter : ‹\(text)› enter")
      #expect(screen.lastLine.contains(answer), "\(text): \(screen.lastLine)")
      #expect(!screen.model.isTyping && screen.model.branches.count == 1)
      #expect(screen.model.session.failures.isEmpty && screen.model.typedEvents == 0)
    }
    screen.press(": ‹expect leaf shadow=0› enter")
    #expect(screen.text.contains("Column"))
  }
}
