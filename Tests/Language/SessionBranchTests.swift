import Engine
import TestSupport
import Testing

@testable import Language

/// Histories that begin in another one, and in which its future follows.
@Suite struct SessionBranchTests {
  private static let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\n"
  private static let lines = [
    "memslot 0 0x40000000 4M backing=4K", "l1 write 0x40000000 value=1",
    "step filled \"A page is there.\"", "l1 write 0x40001000 value=2", "host write 0x40001000 4K",
    "expect value 0x2", "l1 read 0x40001000", "memslot 1 0x80000000 4M backing=4K",
    "l1 write 0x80000000", "host discard 0x80000000 4K", "l1 read 0x40000000",
    "host delete-memslot 0x80000000",
    "l1 read 0x40001000",
  ]

  private func session(_ lines: [String]) throws -> Session {
    let text = Self.head + lines.joined(separator: "\n")
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "test.pw"))
    try session.finish()
    return session
  }

  /// The same by the simplest means: the lines, one after the other, but for those that are refused.
  private func reference(_ lines: [String]) throws -> (session: Session, refused: [String]) {
    var (session, refused) = (try session([]), [String]())
    for line in lines {
      do { try session.carryOut(line) } catch { refused.append(line) }
    }
    return (session, refused)
  }

  private func expectEqual(
    _ branch: Session, _ reference: (session: Session, refused: [String]), _ comment: Comment
  ) {
    let (one, other) = (branch.timeline, reference.session.timeline)
    #expect(one.events == other.events, comment)
    #expect(one.machine.fingerprint == other.machine.fingerprint, comment)
    #expect(one.stateChecks == other.stateChecks, comment)
    #expect(
      branch.chapters.map { "\($0.label) \($0.text) \($0.end)" }
        == reference.session.chapters.map { "\($0.label) \($0.text) \($0.end)" }, comment)
    #expect(
      branch.failures.map(\.position) == reference.session.failures.map(\.position), comment)
    #expect(branch.leftOut.map(\.text) == reference.refused, comment)
  }

  @Test func `after a statement in the middle the future follows as far as it can`() throws {
    let typed = [
      "l1 write 0x40002000", "memslot 1 0xc0000000 4M backing=thp",
      "host delete-memslot 0x40000000",
    ]
    let session = try session(Self.lines)
    for event in session.timeline.events.indices {
      let place = session.statementOfEvent[event]
      for line in typed {
        var branch = session.branch(at: event)
        do { try branch.carryOut(line) } catch { continue }
        branch.follow(session, from: place)
        #expect(!branch.isComplete)
        try branch.finish()
        expectEqual(
          branch, try reference(Array(Self.lines[..<place]) + [line] + Self.lines[place...]),
          "\(line) before event \(event)")
      }
    }
  }

  @Test func `without an event the others follow as far as they can`() throws {
    let session = try session(Self.lines)
    var left = 0
    for event in session.timeline.events.indices {
      let place = session.statementOfEvent[event]
      var branch = session.branch(at: event)
      branch.follow(session, from: place + 1)
      try branch.finish()
      expectEqual(
        branch, try reference(Array(Self.lines[..<place]) + Self.lines[(place + 1)...]),
        "without event \(event)")
      left += branch.leftOut.count
    }
    #expect(left > 0)
  }

  @Test func `what is left out says why, and the rest keeps its lines`() throws {
    let session = try session(Self.lines)
    var branch = session.branch(at: 4)
    try branch.carryOut("memslot 1 0x80000000 8M backing=4K")
    branch.follow(session, from: branch.scenario.statements.count - 1)
    try branch.finish()
    #expect(branch.leftOut.map(\.text) == ["memslot 1 0x80000000 4M backing=4K"])
    #expect(branch.leftOut.first?.reason.contains("slot") ?? false)
    #expect(branch.line(ofEvent: 4) == nil && branch.line(ofEvent: 5) == 9)
    #expect(branch.text(ofEvent: 5) == "l1 read 0x40001000")
  }

  @Test func `what the file says after other events than its own is marked as such`() throws {
    let lines = Self.lines + ["step end \"The slot is away.\"", "expect value 0x9"]
    let session = try session(lines)
    #expect(session.divergence == nil && session.chapters.allSatisfy { !$0.isOfOtherEvents })
    #expect(session.failures.allSatisfy { !$0.isOfOtherEvents })
    // An event more, or one less, before the second chapter.
    var typed = session.branch(at: 3)
    try typed.carryOut("l1 write 0x40002000")
    typed.follow(session, from: session.statementOfEvent[3])
    try typed.finish()
    var muted = session.branch(at: 3)
    muted.follow(session, from: session.statementOfEvent[3] + 1)
    try muted.finish()
    for branch in [typed, muted] {
      #expect(branch.divergence == 3)
      #expect(branch.chapters.map(\.isOfOtherEvents) == [false, true])
      #expect(branch.failures.last?.isOfOtherEvents == true)
      // Back before the difference it is the file's past again.
      #expect(branch.branch(at: 2).divergence == nil)
    }
    // What a person types is told as that.
    try typed.carryOut("chapter mine \"My own.\"")
    #expect(typed.chapters.last?.isOfOtherEvents == false)
  }
}
