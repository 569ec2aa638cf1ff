import Canvas
import Engine
import Foundation
import Language
import Recording
import TestSupport
import Testing

@testable import Viewer

/// A session that is kept and opened again is the one that was kept.
///
/// With `PAGEWALK_SESSIONS` in the environment there are so many sessions, of 1,000 keys each, and so many
/// recordings, of 300.
@Suite struct KeepingTests {
  private static let sessions = ProcessInfo.processInfo.environment["PAGEWALK_SESSIONS"].flatMap(
    UInt64.init)
  private static let keysOfSession = sessions == nil ? 120 : 1_000
  private static let keysOfRecording = sessions == nil ? 80 : 300

  /// The text in which a session is kept, and a model of what is read from it.
  static func reopened(_ model: inout Model) throws -> (Model, [UInt8]) {
    var text = RecordingText(RecordingVersion(program: "0.0"))
    text.add(model.savedWithChecks())
    text.end()
    let bytes = text.take()
    let recording = try Recording(bytes, file: "kept.pw")
    #expect(recording.condition.isWhole)
    var main = Session(try Scenario(parsing: bytes, of: recording, file: "kept.pw"))
    try main.finish()
    var problems: [ScenarioError] = []
    let saved = SavedSession(recording, main: main, problems: &problems)
    #expect(problems.isEmpty, "\(problems)")
    return (Model(saved, width: model.size.width, height: model.size.height), bytes)
  }

  private static let keys = [
    ".", ".", ",", "s", "S", "}", "{", "0", "$", "j", "k", "h", "l", "g", "G", "enter", "tab",
    "shift-tab", "1", "2", "3", "4", "5", "6", "z", "Z", "r", "o", "u", "w", "v", "t", "a", "L",
    "T",
    "#", "!", "B", "\"", "ctrl-w", "i", "e", "m a", "m b", "' a", "ctrl-o", "ctrl-t", ">", "<", "W",
    "pagedown", "ctrl-d", "]", "[", "d", "c", "C", "n",
    ": ‹l2 read 0x30000› enter", ": ‹host discard 0x80005000 4K› enter",
    ": ‹policy revmap=v2› enter", ": ‹policy revmap=none› enter", ": ‹branch main› enter",
    ": ‹branch 2› enter", ": ‹note \"here\"› enter", ": ‹chapter x \"a text\"› enter",
    ": ‹watch unmap› enter", ": ‹name mine› enter", "f ‹leaf› enter", "F", "/ ‹table› enter",
    ": ‹goto 50%› enter", ": ‹mute› enter", ": ‹mute 3› enter", "=", ": ‹compare 2› enter",
  ]

  @Test(arguments: 0..<(sessions ?? 12))
  func `a session opens as it was kept, whatever was done`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    var screen = try Screen("scenarios/nested/three-tables.pw", 120, 40)
    var pressed: [String] = []
    for _ in 0..<Self.keysOfSession {
      let keys = Self.keys[random.below(Self.keys.count)]
      pressed.append(keys)
      screen.press(keys)
      screen.model.finishWork()
    }
    // What is being typed, or lies over the panes, is not kept.
    screen.press("escape")
    (screen.model.prompt, screen.model.sheet, screen.model.pending) = (nil, nil, nil)
    screen.model.difference = nil
    screen.model.finishWork()
    var (other, bytes) = try Self.reopened(&screen.model)
    screen.model.noteSaved()
    other.finishWork()
    screen.model.message = nil
    other.message = nil
    screen.model.settle()
    other.settle()
    screen.model.finishWork()
    other.finishWork()
    let wanted = screen.model.frame().text
    let found = other.frame().text
    let isSame = wanted == found
    #expect(isSame, "seed \(seed), after \(pressed.joined(separator: " "))\n\(wanted)\n\(found)")
    #expect(other.branches.map(\.name) == screen.model.branches.map(\.name))
    #expect(other.branches.map(\.origin) == screen.model.branches.map(\.origin))
    for (one, two) in zip(other.branches, screen.model.branches) {
      #expect(one.session.timeline.events == two.session.timeline.events)
      #expect(one.session.timeline.stateChecks == two.session.timeline.stateChecks)
    }
    #expect(other.marks == screen.model.marks && other.notes == screen.model.notes)
    #expect(other.watches == screen.model.watches && other.jumps == screen.model.jumps)
    // And it stays so.
    let again = try Self.reopened(&other).1
    let third = try Self.reopened(&other).1
    #expect(again == third && !bytes.isEmpty)
  }

  @Test func `a watch for a text is kept, whatever the text`() throws {
    var screen = try Screen()
    screen.press(": ‹watch \"a;b\" or \" ; off \"› enter : ‹watch unmap› enter")
    let (other, _) = try Self.reopened(&screen.model)
    #expect(other.watches.count == 2 && other.watches == screen.model.watches)
  }

  @Test func `what a file says of tables that the VM cannot have is left out`() throws {
    var screen = try Screen()
    screen.press("$")
    var text = String(decoding: try Self.reopened(&screen.model).1, as: UTF8.self)
    let end = try #require(text.range(of: "#@end"))
    text.replaceSubrange(
      end.lowerBound..<end.lowerBound,
      with: """
        #@set shadow 999999 00000000
        #@set selected shadow999999 00000000
        #@set pane-shadow shadow999999 0x0:0 0x0:0 tree 00000000
        #@set pace 99 00000000
        #@mark a 1@3 shadow999999 0x0:0 00000000

        """)
    let recording = try Recording(Array(text.utf8), file: "kept.pw")
    var problems: [ScenarioError] = []
    let saved = SavedSession(recording, main: screen.model.session, problems: &problems)
    var model = Model(saved, width: 80, height: 24)
    model.finishWork()
    #expect(model.recentShadow == 0 && model.selected == nil)
    #expect(model.views[.shadow]?.pinned == nil && model.playback == screen.model.playback)
    #expect(model.marks["a"] == Place(branch: 0, moment: Moment(events: 3)))
    #expect(!model.frame().text.isEmpty)
  }

  @Test func `a recording with times and ticks beyond all measure is played`() throws {
    var screen = try Screen()
    var text = RecordingText(RecordingVersion(program: "0.0"))
    text.add(screen.model.savedWithChoices)
    text.begin(width: 120, height: 40)
    for ticks in [0, Int.max, 1 << 20, 1 << 40] {
      text.add(input: "do next-event", milliseconds: .max, ticks: ticks)
    }
    text.end()
    screen.model.play(try Recording(text.take(), file: "r.pw"))
    var done = 0
    while screen.model.replayOn() { done += 1 }
    // A line with ticks that nobody waited for is a damaged one.
    #expect(done == 2 && screen.model.timeline.moment == Moment(events: 2))
    screen.press("0 5")
    #expect(screen.model.replayTime == Int(Int32.max))
  }

  @Test func `q saves, drops or stays`() throws {
    var screen = try Screen()
    screen.press("$ : ‹l2 write 0x30000› enter q")
    #expect(screen.lastLine.contains("Press \"s\" to save, \"d\" to drop, another key to stay."))
    screen.press("x")
    #expect(!screen.model.isFinished && screen.model.hasUnsaved)
    screen.press("q s")
    let wish = FileWish(.write(nil), thenQuits: true)
    #expect(screen.effects.last == .file(wish) && !screen.model.isFinished)
    // The program has no name for it, and asks for one.
    var nameless = screen
    nameless.model.answer(wish, with: .nameless)
    #expect(nameless.model.prompt?.text == "write ")
    screen.model.answer(wish, with: .refused("disk: full."))
    #expect(!screen.model.isFinished && screen.lastLine.contains("disk: full."))
    screen.model.answer(wish, with: .done("Kept."))
    #expect(screen.model.isFinished)
  }

  @Test func `a file that is there is replaced only if one says so`() throws {
    var screen = try Screen()
    screen.press(": ‹write x.pw› enter")
    let wish = FileWish(.write("x.pw"))
    #expect(screen.effects.last == .file(wish))
    screen.model.answer(wish, with: .exists("x.pw exists."))
    #expect(screen.lastLine.contains("x.pw exists. Press \"y\" to replace it"))
    var other = screen
    other.press("n")
    #expect(other.effects.count == 1 && other.lastLine.contains("Nothing was written."))
    screen.press("y")
    #expect(screen.effects.last == .file(FileWish(.write("x.pw"), replaces: true)))
    // The next key is a key again.
    screen.press("y")
    #expect(screen.effects.count == 2)
  }

  @Test func `notes are listed, stand at their moment and can be gone to`() throws {
    var screen = try Screen()
    screen.press(". . . : ‹note \"watch this\"› enter i")
    #expect(screen.text.contains("note  watch this"))
    screen.press(". .")
    #expect(!screen.text.contains("watch this"))
    screen.press("{ {")
    screen.press("\"")
    #expect(screen.text.contains("note       watch this"))
  }

  /// What was done, in a recording, and the model in which it was done.
  private static func recorded(seed: UInt64) throws -> (screen: Screen, bytes: [UInt8], [String]) {
    var random = Generator(seed: seed)
    var screen = try Screen("scenarios/nested/three-tables.pw", 100, 30)
    var text = RecordingText(RecordingVersion(program: "0.0"))
    text.add(screen.model.savedWithChoices)
    text.begin(width: 100, height: 30)
    var bytes = text.take()
    var frames: [String] = []
    var ticks = 0
    for _ in 0..<keysOfRecording {
      for input in Screen.inputs(keys[random.below(keys.count)]) {
        text.add(
          input: try #require(screen.model.recorded(input)), milliseconds: 7, ticks: ticks)
        ticks = 0
        _ = screen.model.update(input)
        frames.append(screen.model.frame().text)
        text.add(screen.model.saved)
        // A person is not slower than the program each time.
        for _ in 0..<random.below(4) where screen.model.usesTick {
          _ = screen.model.update(.tick)
          ticks += 1
        }
      }
      bytes += text.take()
    }
    text.add(screen.model.savedWithChoices)
    text.end()
    return (screen, bytes + text.take(), frames)
  }

  @Test(arguments: 0..<(sessions ?? 6))
  func `a recording plays what was done, and is proved`(seed: UInt64) throws {
    let (screen, bytes, frames) = try Self.recorded(seed: seed)
    let recording = try Recording(bytes, file: "r.pw")
    #expect(try Verification(recording, bytes, file: "r.pw").isGood)
    let base = Array(bytes[..<(try #require(recording.begin(in: bytes)))])
    let start = try Recording(base, file: "r.pw")
    var main = Session(try Scenario(parsing: base, of: start, file: "r.pw"))
    try main.finish()
    var problems: [ScenarioError] = []
    var model = Model(
      SavedSession(start, main: main, problems: &problems), width: 100, height: 30)
    model.play(recording, showsBar: false)
    for (index, frame) in frames.enumerated() {
      let isThere = model.replayOn()
      #expect(isThere)
      let found = model.frame().text
      let isSame = found == frame
      #expect(isSame, "seed \(seed), input \(index)\n\(frame)\n\(found)")
      if !isSame { return }
    }
    #expect(model.branches.map(\.name) == screen.model.branches.map(\.name))
    #expect(model.session.timeline.moment == screen.model.session.timeline.moment)
  }

  @Test func `a person takes over a recording, and it goes on`() throws {
    let (_, bytes, _) = try Self.recorded(seed: 1)
    let recording = try Recording(bytes, file: "r.pw")
    var screen = try Screen("scenarios/nested/three-tables.pw", 100, 30)
    screen.model.play(recording)
    #expect(screen.lastLine.contains("Space pause") && screen.lastLine.contains("take over"))
    screen.press(". . .")
    // Not in the middle of a line, nor where two histories are compared.
    while screen.model.isTyping || screen.model.pending != nil || screen.model.difference != nil {
      screen.press(".")
    }
    let moment = screen.model.session.timeline.moment
    screen.press("j")
    #expect(screen.lastLine.contains("You are in the session."))
    screen.press(": ‹l2 read 0x30000› enter")
    #expect(screen.model.hasUnsaved)
    screen.press(": ‹resume-play› enter")
    #expect(screen.lastLine.contains("The typed event is in no file."))
    screen.press("j")
    #expect(screen.model.hasUnsaved)
    screen.press(": ‹resume-play› enter d")
    #expect(screen.model.session.timeline.moment == moment && !screen.model.hasUnsaved)
    #expect(screen.lastLine.contains("Space pause"))
  }

  @Test func `playing goes by tenths, landmarks and steps, forward and back`() throws {
    let (_, bytes, _) = try Self.recorded(seed: 2)
    let recording = try Recording(bytes, file: "r.pw")
    var screen = try Screen("scenarios/nested/three-tables.pw", 100, 30)
    screen.model.play(recording)
    var seen: [String] = []
    for _ in 0..<40 {
      screen.press(".")
      seen.append(screen.model.frame().text)
    }
    for expected in seen.dropLast().reversed() {
      screen.press(",")
      #expect(screen.model.frame().text == expected)
    }
    screen.press("9 0")
    #expect(screen.lastLine.contains(" 0:00/"))
  }
}
