import Engine
import TestSupport
import Testing

@testable import Language

@Suite struct SessionTests {
  @Test func `numbers may be decimal or hexadecimal, with underscores and units`() throws {
    let session = try session(
      "memslot 0 0x4000_0000 4M backing=4K\nmemslot 1 2G 0x10K backing=thp\n")
    #expect(
      Array(session.timeline.events) == [
        .addMemslot(id: 0, 0x4000_0000..<0x4040_0000, .pages),
        .addMemslot(id: 1, 0x8000_0000..<0x8000_4000, .transparentHuge),
      ])
  }

  @Test func `a slot may be as large as the IPA space, however many vCPUs there are`() throws {
    let text = """
      pagewalk 1
      vm ipa=48 vcpus=64 nested=on
      memslot 0 0x100000000 128G backing=thp
      l1 write 0x1ffffff000 value=5
      l1 read 0x1ffffff000
      expect value 5

      """
    var session = Session(try Scenario(parsing: [UInt8](text.utf8), file: "f.pw"))
    try session.finish()
    #expect(session.failures.isEmpty)
  }

  @Test func `an expectation that does not hold is kept with its line`() throws {
    let session = try session(
      """
      memslot 0 0x40000000 4M backing=4K
      l1 write 0x40000000 value=5
      l1 read 0x40000000
      expect value 5
      expect value 6
      l1 read 0x0a000000
      expect mmio read 0xa000000 8
      expect error efault
      """)
    #expect(session.failures.map(\.origin.line) == [7, 10])
    #expect(session.failures[0].message == "the value is 0x5")
    #expect(session.failures[1].message == "MMIO read at 0xa000000")
  }

  @Test func `moments have names`() throws {
    let session = try session(
      """
      memslot 0 0x40000000 4M backing=4K
      step 00 "first"
      l1 write 0x40000000
      l1 write 0x40001000
      step end-of-all "second"
      """)
    #expect(session.moment(named: "0") == Moment(events: 0))
    #expect(session.moment(named: "2") == Moment(events: 2))
    #expect(session.moment(named: "1.3") == Moment(events: 1, steps: 3))
    #expect(session.moment(named: "step:00") == Moment(events: 1))
    #expect(session.moment(named: "chapter:00") == Moment(events: 1))
    #expect(session.moment(named: "step:end-of-all") == Moment(events: 3))
    #expect(session.moment(named: "50%") == Moment(events: 1))
    #expect(session.moment(named: "start") == Moment(events: 0))
    #expect(session.moment(named: "end") == Moment(events: 3))
    for wrong in ["4", "-1", "3.1", "step:x", "101%", "", "1.2.3", "one"] {
      #expect(session.moment(named: wrong) == nil, "\(wrong)")
    }
  }

  @Test func `a refusal of a typed event points at the operand`() throws {
    var session = try session("memslot 0 0x40000000 4M backing=4K\n")
    let wrong: [(String, Int)] = [
      ("host discard 0x40000000 8M # too much", 25), ("host discard 0x80000000 4K", 14),
      ("  l1@1 read 0x40000000", 3), ("other-vm 9999999 run", 10), ("memslot 0 0 4K backing=4K", 9),
      ("l1 raed 0", 4),
    ]
    for (line, column) in wrong {
      let error = #expect(throws: ScenarioError.self) { try session.carryOut(line) }
      #expect(error?.column == column, "\(line): \(error?.description ?? "")")
    }
    #expect(session.timeline.events.count == 1 && session.isComplete)
  }

  @Test func `a refusal of an event without a text names the operand`() throws {
    var session = try session("memslot 0 0x40000000 4M backing=4K\n")
    let error = #expect(throws: ScenarioError.self) {
      try session.carryOut(.host(.discard(0x4000_0000..<0x4080_0000)), from: .found)
    }
    #expect(
      error?.message
        == "host discard 0x40000000 8M: the size: expected addresses of one memory slot: "
        + "0x40400000 is outside")
    #expect(session.timeline.events.count == 1 && session.isComplete)
  }

  @Test func `an event has the text that it was given, or that it is printed as`() throws {
    var session = try session(
      "memslot 0 0x40000000 4M backing=4K\n  l1 write 0x4000_0000 \t # first\r\nhost fork#last")
    try session.carryOut("l1  read 1G # typed")
    try session.carryOut(.access(.l1, vcpu: 0, .write, 0x4000_0000, value: 5), from: .found)
    try session.carryOut(.host(.fork), from: .found)
    #expect(
      (1..<6).map { session.text(ofEvent: $0) } == [
        "l1 write 0x4000_0000", "host fork", "l1  read 1G", "l1 write 0x40000000 value=5",
        "host fork",
      ])
    #expect((1..<6).map { session.line(ofEvent: $0) } == [4, 5, nil, nil, nil])
    // A branch keeps the texts of the past that it shares.
    var branch = session.branch(at: 4)
    try branch.carryOut("host read 1G 4K")
    #expect(branch.text(ofEvent: 3) == "l1  read 1G")
    #expect(branch.text(ofEvent: 4) == "host read 1G 4K")
    #expect(session.text(ofEvent: 4) == "l1 write 0x40000000 value=5")
  }

  @Test func `every micro-step of a long session can be put into words`() throws {
    var session = try session(
      """
      host eager-split 2M
      memslot 0 0x40000000 4M backing=4K
      memslot 1 0x80000000 4M backing=4K
      memslot 2 0xc0000000 4M backing=thp
      memslot 3 0x100000000 1G backing=hugetlb-1G
      l1 store 0x40100000 0x40103003
      l1 store 0x40103000 0x40104003
      l1 store 0x40104080 0x400000800057ff
      l1 store 0x40103008 0x400000c00007fd
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 write 0x10000 value=1
      l2 read 0x200000
      l2 write 0x200000
      l2 read 0x300000000
      l1 exec 0x9000000
      l1 read 0x9000000
      l1 read 0xfffffffffff
      host dirty-log on 0xc0000000
      l1 write 0xc0000000
      host dirty-log get 0xc0000000
      host dirty-log off 0xc0000000
      host write 0x80000000 64K
      host merge 0x80000000 64K
      host fork
      host discard 0x80005000 4K
      host protect 0x80000000 32K r
      host idle 0x80000000
      host test-idle 0x80000000
      l1 read 0x100000000
      host collapse 0xc0000000 2M
      host unmap 0x80100000 4K
      host read 0x80100000 4K
      l1 tlbi ipas2e1is 0x10000
      l2 tlbi vmalle1is
      host no-thp 0xc0200000 2M
      host delete-memslot 0x80000000
      """, nested: true)
    for event in 1...session.timeline.events.count {
      session.seek(to: Moment(events: event))
      #expect(!session.timeline.steps.isEmpty || event == 0, "event \(event)")
      for step in session.timeline.steps {
        let words = step.explanation
        #expect(words.label.count <= 10 && !words.label.isEmpty, "\(step.action)")
        #expect(words.label != "step" && !words.why.isEmpty, "\(step.action)")
      }
    }
  }

  @Test(arguments: ["nested/three-tables.pw", "bugs/relax.pw", "iommu/pin-paused.pw"])
  func `the steps that are recorded at once are those that carrying the event out again gives`(
    file: String
  ) throws {
    let scenario = try shippedScenario(file)
    var recording = Session(scenario, recordsSteps: true)
    var other = Session(scenario)
    while let statement = try recording.advance() {
      try other.advance()
      guard case .event = statement.kind else { continue }
      #expect(other.timeline.steps.isEmpty)
      other.seek(to: other.timeline.moment)
      #expect(
        recording.timeline.steps == other.timeline.steps,
        "\(recording.scenario.place(of: statement.origin))")
      for step in recording.timeline.steps.indices {
        #expect(recording.timeline.stores(ofStep: step) == other.timeline.stores(ofStep: step))
      }
    }
  }

  @Test func `a session that keeps no past needs no more memory for more events, and ends as any`()
    throws
  {
    var text = "pagewalk 1\nvm ipa=40 vcpus=1 nested=on\nmemslot 0 0x40000000 4M backing=4K\n"
    for number in 0..<40_000 { text += "l1 write 0x4000\(number % 10)000 value=\(number)\n" }
    text += "step end \"All is written.\"\nl1 read 0x40009000\nexpect value 39999\n"
    let scenario = try Scenario(parsing: [UInt8](text.utf8), file: "f.pw")
    var whole = Session(scenario)
    try whole.finish()
    var session = Session(scenario, keepsPast: false)
    var most = (events: 0, words: 0)
    while try session.advance() != nil {
      most.events = max(most.events, session.timeline.events.count)
      most.words = max(most.words, session.timeline.machine.memory.journalCount)
    }
    #expect(most.events <= 1 << 14 && most.words < 1 << 18)
    #expect(session.eventsDone == 40_002 && session.eventsDone == whole.timeline.events.count)
    #expect(session.chapters == whole.chapters && session.failures == whole.failures)
    #expect(session.timeline.machine.memory.hasSameWords(as: whole.timeline.machine.memory))
    #expect(session.text(ofEvent: session.timeline.events.count - 1) == "l1 read 0x40009000")
  }
}
