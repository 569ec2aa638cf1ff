import Engine
import Foundation
import Language
import Scenarios
import Testing

@testable import Recording

/// What is written is read back as it was, and whatever else is found in a file is named.
@Suite struct RecordingTests {
  /// A session of a scenario with a history that begins in it, one under another policy, marks and notes.
  static func session(_ name: String = "bugs/two-unmappers") throws -> SavedSession {
    let bytes = try #require(ShippedScenario.named(name)).bytes
    var main = Session(try Scenario(parsing: bytes, file: name))
    try main.finish()
    let statements = main.scenario.statements.count
    let events = main.timeline.events.count
    var saved = SavedSession([.init(name: "main", origin: nil, session: main)])
    var fork = main.branch(at: events / 2)
    let origin = SavedSession.Origin(
      parent: 0, events: events / 2, statements: fork.scenario.statements.count)
    try fork.carryOut("host discard 0x40000000 4K")
    try fork.carryOut("chapter own \"what \\\"I\\\" typed\"")
    saved.histories.append(.init(name: "mine", origin: origin, session: fork))
    var other = Session(try main.scenario.under(policy: "revmap=none"))
    try other.finish()
    saved.histories.append(
      .init(
        name: "no map",
        origin: .init(
          parent: 0, events: events, statements: statements,
          kept: other.scenario.statements.count, policy: "revmap=none"), session: other))
    try saved.histories[0].session.carryOut("l1 read 0x40000000")
    saved.marks = [
      .init(
        letter: "a", place: .init(history: 1, moment: Moment(events: 2, steps: 1)),
        selection: "canonical 0x40000000:3")
    ]
    saved.notes = [
      .init(
        place: .init(history: 0, moment: Moment(events: 3)), text: "a \"quoted\"\nnote \u{1b}[31m")
    ]
    saved.choices = [.init(name: "layout", value: "tables")]
    for index in saved.histories.indices {
      saved.histories[index].tableChecks = TableCheck.atChapters(
        of: &saved.histories[index].session)
    }
    return saved
  }

  static func text(_ session: SavedSession) -> [UInt8] {
    var text = RecordingText(RecordingVersion(program: "0.0"))
    text.add(session)
    text.end()
    return text.take()
  }

  private static func read(_ bytes: [UInt8]) throws -> SavedSession {
    let recording = try Recording(bytes, file: "r")
    var main = Session(try Scenario(parsing: bytes, of: recording, file: "r"))
    try main.finish()
    var problems: [ScenarioError] = []
    let saved = SavedSession(recording, main: main, problems: &problems)
    #expect(problems.isEmpty)
    return saved
  }

  @Test func `what the engine refuses of a trace is a comment of the recording`() throws {
    var maker = try ScenarioMaker(
      head: ["pagewalk 1", "vm ipa=40 vcpus=1 recorded=on"], file: "trace.txt", writesText: false)
    for page: UInt64 in [0x8000_0000, 1 << 44, 0x8000_1000] {
      maker.add(
        .event(
          .recorded(
            .map(
              .canonical, page..<page + 4096, to: 0x4000_0000, canonical: nil,
              Permissions(read: true, write: true, executeNever: 0), guestLevel: 0))),
        maker.origin("trace.txt", line: Int(page >> 12 & 0xff) + 2))
    }
    maker.addPlain(.chapter(label: "end", text: ""), maker.origin("trace.txt"))
    var main = Session(maker.scenario)
    try main.finish()
    #expect(main.leftOut.map(\.place) == ["trace.txt:2"] && main.timeline.events.count == 2)
    let bytes = Self.text(SavedSession([.init(name: "main", origin: nil, session: main)]))
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("# refused, expected an address below 2^40") } == 1)
    #expect(
      lines.contains {
        $0.hasPrefix("kernel map canonical 0x80001000") && $0.contains("# trace.txt:3 #@")
      })
    var read = try Self.read(bytes).histories[0].session
    #expect(read.timeline.events == main.timeline.events)
    #expect(read.chapters.map(\.end) == [2])
    #expect(read.source(ofEvent: 1) == "trace.txt:3" && main.source(ofEvent: 1) == "trace.txt:3")
    read.seek(to: Moment(events: 2))
    #expect(read.timeline.machine.fingerprint == main.timeline.machine.fingerprint)
    // Under another policy everything is tried again, and the plain text has the same.
    var other = Session(try main.scenario.under(policy: "revmap=v2"))
    try other.finish()
    #expect(other.leftOut.count == 1)
    let plain = String(decoding: main.scenario.plainText, as: UTF8.self)
    #expect(plain.contains("\n# refused, ") && plain.hasSuffix("# trace.txt:3\nchapter end\n"))
  }

  @Test func `session is read as it was written`() throws {
    let saved = try Self.session()
    let bytes = Self.text(saved)
    let read = try Self.read(bytes)
    #expect(read.histories.map(\.name) == ["main", "mine", "no map"])
    #expect(read.histories.map(\.origin) == saved.histories.map(\.origin))
    for (one, other) in zip(read.histories, saved.histories) {
      #expect(one.session.timeline.events == other.session.timeline.events)
      #expect(one.session.timeline.stateChecks == other.session.timeline.stateChecks)
      #expect(one.session.chapters == other.session.chapters)
    }
    #expect(read.marks == saved.marks && read.notes == saved.notes && read.choices == saved.choices)
    // What was typed is now in the file; from then on the text stays the same.
    func written(_ session: SavedSession) -> [UInt8] {
      var session = session
      for (index, history) in saved.histories.enumerated() {
        session.histories[index].tableChecks = history.tableChecks
      }
      return Self.text(session)
    }
    let again = written(read)
    let isStable = written(try Self.read(again)) == again
    #expect(isStable)
  }

  @Test func `recording is a scenario for whoever does not know it`() throws {
    let saved = try Self.session()
    let plain = try Scenario(parsing: Self.text(saved), file: "r")
    #expect(plain.eventCount == saved.histories[0].session.timeline.events.count)
    #expect(plain.title == saved.histories[0].session.scenario.title)
  }

  @Test func `what is written step by step is whole and reads alike`() throws {
    let saved = try Self.session()
    var text = RecordingText(RecordingVersion(program: "0.0"))
    var growing = SavedSession([saved.histories[0]])
    growing.histories[0].session = try Self.prefix(of: saved.histories[0].session)
    text.add(growing)
    text.begin(width: 80, height: 24)
    var bytes = text.take()
    text.add(input: "do next-event", milliseconds: 12, ticks: 3)
    growing = saved
    text.add(growing, milliseconds: 12)
    bytes += text.take()
    text.end()
    bytes += text.take()
    let recording = try Recording(bytes, file: "r")
    #expect(recording.condition.isWhole)
    #expect(try Verification(recording, bytes, file: "r").isGood)
    let read = try Self.read(bytes)
    #expect(
      read.histories.map { $0.session.timeline.events }
        == saved.histories.map { $0.session.timeline.events })
    let begin = try #require(recording.begin(in: bytes))
    #expect(try Self.read(Array(bytes[..<begin])).histories.count == 1)
  }

  /// The session without what was typed at its end.
  private static func prefix(of session: Session) throws -> Session {
    var prefix = Session(try Scenario(parsing: session.scenario.source, file: "r"))
    try prefix.finish()
    return prefix
  }

  /// A recording to be cut; with as many events as the environment's `PAGEWALK_EVENTS` says, if it does. All cuts of
  /// 10,000 events take half an hour.
  private static func textToCut() throws -> [UInt8] {
    guard let events = ProcessInfo.processInfo.environment["PAGEWALK_EVENTS"].flatMap({ Int($0) })
    else { return text(try session()) }
    let head = "pagewalk 1\nvm ipa=40 vcpus=1\nmemslot 0 0x40000000 1G backing=4K\n"
    let lines = (1..<max(2, events)).map {
      "l1 \($0 % 3 == 0 ? "read" : "write") 0x\(String(0x4000_0000 + $0 * 7 % 4_096 << 12, radix: 16))\n"
    }
    var main = Session(try Scenario(parsing: Array((head + lines.joined()).utf8), file: "long"))
    try main.finish()
    return text(SavedSession([.init(name: "main", origin: nil, session: main)]))
  }

  @Test func `every cut is found and loses only what is behind it`() throws {
    let bytes = try Self.textToCut()
    let whole = try Recording(bytes, file: "r")
    #expect(whole.condition.isWhole)
    let head = try #require(bytes.firstRange(of: Array("#@sum ".utf8))).upperBound + 9
    var lines = bytes[..<head].count { $0 == UInt8(ascii: "\n") }
    for end in head..<bytes.count {
      let recording = try Recording(Array(bytes[..<end]), file: "r")
      let endsLine = bytes[end - 1] == UInt8(ascii: "\n")
      if end > head, endsLine { lines += 1 }
      let isFound = !recording.condition.isWhole && recording.condition.edits.isEmpty
      let stamped = whole.stamps.indices.partitioningIndex { whole.stamps[$0].number > lines }
      if !isFound || (recording.condition.torn == nil) != endsLine
        || recording.stamps.count != stamped
      {
        Issue.record("cut after \(end) bytes, in line \(lines + 1): \(recording.condition)")
      }
    }
  }

  @Test func `every flipped bit is found`() throws {
    let bytes = Self.text(try Self.session("bugs/relax"))
    let line = { (place: Int) in bytes[..<place].count { $0 == UInt8(ascii: "\n") } + 1 }
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << bit
        guard Recording.isRecording(changed) else {
          Issue.record("byte \(place), bit \(bit): no recording any more")
          continue
        }
        // A version that is too new is refused, at its line.
        guard let recording = try? Recording(changed, file: "r") else { continue }
        let number = line(place)
        let isNamed =
          recording.condition.edits.contains { $0.contains(number) || $0.contains(number + 1) }
          || recording.condition.torn != nil
          // What was the end is a comment now, and the end is missing.
          || !recording.condition.hasEnd && number == recording.condition.lines
        #expect(isNamed, "byte \(place), bit \(bit), line \(number)")
      }
    }
  }

  @Test func `lines that are swapped deleted or doubled are named`() throws {
    let bytes = Self.text(try Self.session())
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .dropLast().map(Array.init)
    func check(_ changed: [[UInt8]], near number: Int, _ what: String) throws {
      let joined = changed.flatMap { $0 + [UInt8(ascii: "\n")] }
      guard joined != bytes else { return }
      guard let recording = try? Recording(joined, file: "r") else { return }
      let isFound =
        !recording.condition.edits.isEmpty || recording.condition.torn != nil
        || !recording.condition.hasEnd
      #expect(isFound, "\(what) line \(number)")
    }
    for index in lines.indices {
      var deleted = lines
      deleted.remove(at: index)
      try check(deleted, near: index + 1, "deleted")
      var doubled = lines
      doubled.insert(lines[index], at: index)
      try check(doubled, near: index + 1, "doubled")
      for other in lines.indices.dropFirst(index + 1) {
        var swapped = lines
        swapped.swapAt(index, other)
        try check(swapped, near: index + 1, "swapped \(other + 1) and")
      }
    }
  }

  @Test func `another state is named with its event`() throws {
    let saved = try Self.session()
    var text = RecordingText(RecordingVersion(program: "0.0"))
    text.add(saved)
    text.end()
    let bytes = text.take()
    // The same events where a write is another one: what follows from it differs, and not what is before.
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let recording = try Recording(bytes, file: "r")
    let stamp = recording.stamps[recording.stamps.count / 2]
    var states = recording
    states.stamps[recording.stamps.count / 2].stamp.state = 0xdead_beef
    let found = try Verification(states, bytes, file: "r")
    let place = try #require(found.divergences.first)
    #expect(place.line == stamp.number && place.history == 0)
    #expect(lines[stamp.number - 1].hasPrefix(try #require(place.statement)))
  }

  @Test func `newer format is refused in a sentence`() throws {
    var text = String(decoding: Self.text(try Self.session()), as: UTF8.self)
    text = text.replacing("#@rec 1.0 by=0.0", with: "#@rec 2.7 by=9.9")
    #expect {
      _ = try Recording([UInt8](text.utf8), file: "r")
    } throws: { error in
      let message = "\(error)"
      return message.contains("2.7") && message.contains("9.9") && message.hasPrefix("r:2:1: ")
    }
  }

  @Test func `repair keeps what is good`() throws {
    let bytes = Self.text(try Self.session())
    let recording = try Recording(bytes, file: "r")
    let number = recording.stamps[recording.stamps.count / 2].number
    var changed = bytes
    let start = recording.start(ofLine: number, in: bytes)
    changed[start] ^= 1
    let damaged = try Recording(changed, file: "r")
    let good = Array(damaged.goodPrefix(of: changed))
    // A checksum covers the comments above its line, so that these are not known to be good either.
    let first = try #require(damaged.condition.edits.first).lowerBound
    #expect(good.count <= start && good.count == damaged.start(ofLine: first, in: bytes))
    #expect(bytes[good.count..<start].allSatisfy { $0 == UInt8(ascii: "\n") })
    let read = try Recording(good, file: "r")
    #expect(read.condition.edits.isEmpty && read.condition.torn == nil)
  }

  @Test func `plain scenario has what a person wrote`() throws {
    let saved = try Self.session()
    let source = saved.histories[0].session.scenario.source
    let text = saved.histories[0].session.scenario.plainText
    #expect(text == source + Array("l1 read 0x40000000\n".utf8))
    // A history that began earlier ends with what was typed there, and is carried out alike.
    var fork = Session(
      try Scenario(parsing: saved.histories[1].session.scenario.plainText, file: "f"))
    try fork.finish()
    #expect(fork.timeline.events == saved.histories[1].session.timeline.events)
    #expect(fork.chapters == saved.histories[1].session.chapters)
    var other = Session(
      try Scenario(parsing: saved.histories[2].session.scenario.plainText, file: "p"))
    try other.finish()
    #expect(other.timeline.stateChecks == saved.histories[2].session.timeline.stateChecks)
  }

  @Test func `token names a moment of the same events only`() throws {
    var session = try Self.session().histories[1].session
    session.seek(to: Moment(events: session.timeline.events.count - 1, steps: 1))
    let token = try #require(MomentToken(session.token.text))
    #expect(token == session.token && session.has(token))
    let other = try Self.session("bugs/relax").histories[0].session
    #expect(!other.has(token))
  }

  @Test(arguments: [
    "9223372036854775807.1", "9223372036854775807", "2.9223372036854775807", "3.-1",
  ])
  func `a token of no moment is none`(moment: String) throws {
    let session = try Self.session().histories[0].session
    let token = MomentToken("00000000@" + moment)
    #expect(token.map { session.has($0) } != true)
  }
}
