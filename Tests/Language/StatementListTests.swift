import Testing

@testable import Engine
@testable import Language

@Suite struct StatementListTests {
  /// A scenario of more statements than are released together, with chapters and expectations in it.
  private static func text(events: Int) -> String {
    var text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\nmemslot 0 0x80000000 1G backing=4K\n"
    for event in 0..<events {
      text += "  l1 write 0x\(String(0x8000_0000 + event % 64 * 4096, radix: 16)) # \(event)\n"
      if event % 100 == 99 {
        text += "chapter c\(event) \"after \(event)\"\nexpect violation none\n"
      }
    }
    return text
  }

  @Test func `released statements are read as they were held`() throws {
    let text = Self.text(events: 9_000)
    let held = try Scenario(parsing: [UInt8](text.utf8), file: "x").statements
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "x"))
    try session.finish()
    let released = session.scenario.statements
    try #require(released.count == held.count)
    for index in held.indices {
      #expect(released[index].kind.text == held[index].kind.text)
      #expect(released[index].origin == held[index].origin)
      #expect(released.origin(at: index) == held.origin(at: index))
      #expect(released.isEvent(at: index) == held.isEvent(at: index))
    }
    #expect(released.besidesEvents.map(\.kind.text) == held.besidesEvents.map(\.kind.text))
    #expect(session.scenario.eventCount == 9_001)
    // An event's text is that of its line, without blanks and comment.
    #expect(session.text(ofEvent: 5_001) == "l1 write 0x80008000")
  }

  @Test func `what is carried out is released, and what is typed is held`() throws {
    var session = Session(
      try Scenario(parsing: [UInt8](Self.text(events: 9_000).utf8), file: "x"))
    let count = session.scenario.statements.count
    #expect(session.scenario.statements.heldCount == count)
    try session.finish()
    #expect(session.scenario.statements.heldCount == count % 4096)
    for _ in 0..<5_000 { try session.carryOut("l1 read 0x80000000") }
    // The chunk in which the file ends, and what follows.
    #expect(session.scenario.statements.heldCount == count % 4096 + 5_000)
    #expect(session.text(ofEvent: 13_000) == "l1 read 0x80000000")
  }

  @Test func `a branch from the middle of a released chunk goes on with what is typed`() throws {
    var session = Session(
      try Scenario(parsing: [UInt8](Self.text(events: 9_000).utf8), file: "x"))
    try session.finish()
    for count in [0, 1, 4_000, 4_015, 4_096, 8_999] {
      var branch = session.branch(at: count)
      let kept = branch.scenario.statements.count
      try branch.carryOut("l1 read 0x80000000")
      #expect(branch.timeline.events.count == count + 1)
      #expect(branch.scenario.statements.count == kept + 1)
      #expect(branch.text(ofEvent: count) == "l1 read 0x80000000")
      if count > 0 { #expect(branch.text(ofEvent: count - 1) == session.text(ofEvent: count - 1)) }
      // A refused statement leaves the list as it was.
      #expect(throws: ScenarioError.self) { try branch.carryOut("l2 read 0x80000000") }
      #expect(branch.scenario.statements.count == kept + 1)
    }
  }

  @Test func `imported events are packed, and are as they were written`() throws {
    var maker = try ScenarioMaker(
      head: ["pagewalk 1", "vm ipa=40 vcpus=1 recorded=on"], file: "trace.txt", writesText: false)
    var written: [String] = []
    for index in 0..<10_000 as Range<UInt64> {
      let page = (index % 700) << 12
      let line = Int(index) + 1
      if index % 1_000 == 999 {
        maker.addPlain(
          .chapter(label: "c\(index)", text: ""), maker.origin("trace.txt", line: line))
        written.append("chapter c\(index)")
      }
      let event = Event.recorded(
        index % 2 == 0
          ? .map(
            .canonical, page..<page + 4096, to: page + 1 << 32, canonical: nil,
            Permissions(read: true, write: index % 4 == 0, executeNever: 2), guestLevel: 0)
          : .unmap(.canonical, page..<page + 4096))
      maker.add(.event(event), maker.origin("trace.txt", line: line))
      written.append("\(event.statement) \(line)")
    }
    func lines(_ list: StatementList) -> [String] {
      list.map { $0.isEvent ? "\($0.kind.text) \($0.origin.line ?? 0)" : $0.kind.text }
    }
    #expect(maker.scenario.statements.heldCount < 4096)
    #expect(lines(maker.scenario.statements) == written)
    var session = Session(maker.scenario)
    try session.finish()
    #expect(session.timeline.events.count == 10_000)
    for count in [0, 1, 4_000, 4_096, 9_999] {
      var branch = session.branch(at: count)
      let kept = branch.scenario.statements.count
      #expect(lines(branch.scenario.statements) == Array(written[..<kept]))
      try branch.carryOut("kernel unmap canonical 0 4K")
      #expect(lines(branch.scenario.statements).dropLast() == written[..<kept])
    }
  }
}
