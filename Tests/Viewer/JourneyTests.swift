import Canvas
import Engine
import Inquiry
import Language
import Testing

@testable import Viewer

/// Things that people do, key by key.
@Suite struct JourneyTests {
  @Test func `stepping forward and back shows the same frames in reverse`() throws {
    var screen = try Screen()
    var frames = [screen.text]
    for _ in 0..<21 {
      screen.press(".")
      frames.append(screen.text)
    }
    screen.press(".")
    #expect(screen.lastLine.contains("End of the history"))
    for event in (0..<21).reversed() {
      screen.press(",")
      // What scrolled stays scrolled, so the words count, not their place.
      #expect(screen.model.timeline.moment == Moment(events: event))
    }
    screen.press(",")
    #expect(screen.lastLine.contains("Start of the history"))
  }

  @Test func `micro-steps go through an event and end it`() throws {
    var screen = try Screen()
    screen.press(". . s")
    #expect(screen.model.timeline.moment == Moment(events: 2, steps: 1))
    let steps = screen.model.timeline.steps.count
    for _ in 1..<steps { screen.press("s") }
    #expect(screen.model.timeline.moment == Moment(events: 3))
    screen.press("S")
    #expect(screen.model.timeline.moment == Moment(events: 2, steps: steps - 1))
  }

  @Test func `chapters are gone through both ways`() throws {
    var screen = try Screen()
    screen.press("} }")
    #expect(screen.lines[1].hasPrefix(" canonical"))
    screen.press("{")
    #expect(screen.lines[1].hasPrefix(" world"))
    screen.press("{")
    #expect(screen.lastLine.contains("There is no earlier chapter"))
    screen.press("$ }")
    #expect(screen.lastLine.contains("There is no later chapter"))
  }

  @Test func `a notifier leaves marks where entries were`() throws {
    var screen = try Screen()
    screen.press("} } } } } }")
    #expect(screen.text.contains("-   L3 80006000 → 800401000 RWX   4K"))
    #expect(screen.text.contains("-    L3 00010000 → 800400000 RW-   4K"))
  }

  @Test func `an entry that L1 has changed is stale in the shadow`() throws {
    var screen = try Screen()
    screen.press("} } } } } } } }")
    #expect(screen.text.contains("L3 00030000 → 800000000 R--   4K ~"))
    #expect(screen.text.contains("*   L3 00030000 → 80005000 RW-   4K"))
  }

  @Test func `a store of L1 to its table selects the entry that it wrote`() throws {
    var screen = try Screen()
    screen.press("} } . . .")
    #expect(screen.model.selected == .guest(1) || GuestPane().guest(in: screen.model) == nil)
    screen.press("} } } } } }")
    screen.press(",")
    #expect(screen.model.selected != nil)
  }

  @Test func `the cursor stays where a person has put it until it is asked to follow`() throws {
    var screen = try Screen()
    screen.press("} } 1 g")
    let cursor = screen.model.views[.canonical]?.cursor
    screen.press(".")
    #expect(screen.model.views[.canonical]?.cursor == cursor)
    screen.press("o .")
    #expect(screen.model.views[.canonical]?.cursor != cursor)
  }

  @Test func `a table folds and unfolds`() throws {
    var screen = try Screen()
    screen.press("} } 1 g")
    #expect(screen.text.contains("▾L1 80000000 table"))
    screen.press("h")
    #expect(screen.text.contains("▸L1 80000000 table"))
    #expect(!screen.text.contains("L3 80005000"))
    screen.press("l")
    #expect(screen.text.contains("L3 80005000"))
    screen.press("l l")
    #expect(screen.model.views[.canonical]?.cursor?.level == 3)
    screen.press("h")
    #expect(screen.model.views[.canonical]?.cursor == Position(0x8000_0000, level: 2))
  }

  @Test func `a run of entries is one row until it is unfolded`() throws {
    var screen = try Screen()
    screen.press("$ 1 g l l")
    #expect(screen.text.contains("▸L3 40100000 → 800402000 RWX   ×3"))
    screen.press("l")
    #expect(screen.text.contains(" L3 40101000 → 800403000 RWX   4K"))
    screen.press("j h")
    #expect(screen.text.contains("▸L3 40100000 → 800402000 RWX   ×3"))
  }

  @Test func `a key that does nothing says so`() throws {
    var screen = try Screen()
    screen.press("F12")
    #expect(screen.lastLine.contains("\"F12\" does nothing"))
  }

  @Test func `all sizes are survived, and what was there comes back`() throws {
    var screen = try Screen(FrameTests.alias)
    screen.press("} } } 3 G")
    let before = screen.text
    for width in [1, 2, 19, 20, 39, 40, 79, 80, 121, 300] {
      for height in [1, 2, 3, 4, 5, 8, 11, 12, 18, 24, 100] {
        screen.input(.resize(width: width, height: height))
        let frame = screen.frame
        #expect(frame.width == width && frame.height == height)
      }
    }
    screen.input(.resize(width: 120, height: 40))
    #expect(screen.text == before)
  }

  /// A session of which nothing is carried out yet, and the same carried out.
  private func histories() throws -> (fresh: Session, whole: Session) {
    let accesses = (0..<20_000).map { "l1 write 0x\(String(0x8000_0000 + $0 * 4096, radix: 16))\n" }
    let text =
      "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x80000000 1G backing=4K\n"
      + accesses.joined()
    let fresh = Session(try Scenario(parsing: [UInt8](text.utf8), file: "long.pw"))
    var whole = fresh
    try whole.finish()
    whole.seek(to: Moment(events: 0))
    return (fresh, whole)
  }

  @Test func `a long history goes on while its beginning is on the screen`() throws {
    let (fresh, whole) = try histories()
    var model = Model(fresh, width: 80, height: 24)
    #expect(model.isBusy)
    #expect(model.frame().text.hasPrefix(" event 0/20001  "))
    #expect(model.frame().text.contains(" read 0% of 20,001 events"))
    var read: [Int] = []
    while let percent = model.percentRead {
      read.append(percent)
      _ = model.update(.tick)
    }
    #expect(read.count > 2 && read == read.sorted() && read.last ?? 100 < 100)
    model.finishWork()
    var other = Model(whole, width: 80, height: 24)
    other.finishWork()
    #expect(model.frame().text == other.frame().text)
  }

  @Test func `a key that needs the whole history gets it`() throws {
    let (fresh, whole) = try histories()
    var model = Model(fresh, width: 80, height: 24)
    _ = model.update(.tick)
    _ = model.update(.key(Key(.character("$"))))
    #expect(model.timeline.moment == Moment(events: whole.timeline.events.count))
  }

  @Test func `an event that is refused late ends the program with its place`() throws {
    let text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nresume\n"
    let session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "bad.pw"))
    var model = Model(session, width: 80, height: 24)
    model.finishWork()
    #expect(model.isFinished)
    #expect(model.failure?.description.hasPrefix("bad.pw:3:1: expected a paused event") ?? false)
  }

  @Test func `q closes what is open, then quits`() throws {
    for keys in [
      "t", "a", "L", "T", "#", "!", "ctrl-w", "W \"", "B", "m x d", "D", "i t", "?",
    ] {
      var screen = try Screen()
      screen.press("$ 3 g \(keys) q")
      #expect(!screen.model.isFinished && screen.model.question == .question(.explain), "\(keys)")
      screen.press("q")
      #expect(screen.model.isFinished, "\(keys)")
    }
  }

  @Test func `q asks before typed events are lost, Q does not`() throws {
    var screen = try Screen()
    screen.press("$ : ‹l2 write 0x30000› enter q")
    #expect(!screen.model.isFinished)
    #expect(screen.lastLine.contains("The typed event is in no file. Press \"s\" to save"))
    screen.press("n")
    #expect(!screen.model.isFinished)
    var other = screen
    screen.press("q d")
    #expect(screen.model.isFinished)
    other.press("Q")
    #expect(other.model.isFinished)
  }

  @Test func `Ctrl-C leaves the prompt`() throws {
    var screen = try Screen()
    screen.press(": ‹got›")
    #expect(screen.model.isTyping)
    screen.press("ctrl-c")
    #expect(!screen.model.isTyping && !screen.model.isFinished)
  }

  @Test func `a line has an end, and what goes beyond it is refused`() throws {
    var screen = try Screen("scenarios/nested/three-tables.pw", 80, 24)
    screen.press(": ‹\(String(repeating: "x", count: Prompt.charactersAtMost + 10))›")
    #expect(screen.model.prompt?.characters.count == Prompt.charactersAtMost)
    #expect(screen.text.contains("4096 characters at most"))
    screen.press("ctrl-u ‹goto 2› enter")
    #expect(screen.model.timeline.moment == Moment(events: 2))
  }

  @Test func `a size beyond every screen is cut`() throws {
    var screen = try Screen()
    screen.input(.resize(width: 40_000, height: 10))
    #expect(screen.frame.width == Rect.limit && screen.frame.height == 10)
  }
}
