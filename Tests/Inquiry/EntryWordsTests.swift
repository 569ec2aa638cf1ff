import Engine
import Inquiry
import Language
import Scenarios
import Testing

/// What answers say of entries, against what the architecture and the scenario say.
@Suite struct EntryWordsTests {
  private static func session(_ lines: String) throws -> Session {
    var session = Session(
      try Scenario(parsing: Array("pagewalk 1\n\(lines)\n".utf8), file: "words"))
    try session.finish()
    return session
  }

  private static func text(
    _ question: Question, _ table: TableID, _ address: UInt64, _ session: Session,
    _ detail: DetailLevel = .engineer
  ) throws -> String {
    var session = session
    // The micro-steps of the last event are found by going there.
    session.seek(to: session.timeline.moment)
    var subject = Subject()
    subject.table = table
    subject.address = address
    return try question.answer(about: subject, in: &session).report(detail).text
  }

  @Test func `part of a block leads to its own place`() throws {
    let session = try Self.session(
      """
      vm ipa=40 nested=off
      memslot 0 0x80000000 4M backing=thp
      l1 write 0x80000000
      iommu attach
      iommu pin 0x80000000 4M
      host discard 0x80003000 4K
      l1 read 0x80003000
      """)
    var asked = session
    var subject = Subject()
    subject.table = .canonical
    subject.text = "iommu"
    let text = try Question.diff.answer(about: subject, in: &asked).report(.engineer).text
    let block = try #require(session.timeline.machine.reader(of: .iommu(0))?.path(to: 0x8000_0000))
    let output = try #require(block.last).page[try #require(block.last).index].address
    #expect(text.contains("iommu \(Phrase.address(output + 0x3000)) RWX"))
    #expect(text.contains("only in iommu: \(Phrase.address(output + 0x4000)) RWX"))
  }

  @Test func `what L1 keeps in its table is no note of the host's`() throws {
    let session = try Self.session(
      """
      vm ipa=40 nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 store 0x40100000 0x40101003
      l1 store 0x40101000 0x2
      l1 store 0x40101028 0x1000000000000000
      l1 store 0x40101038 0x10
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 read 0x0
      """)
    for (index, bits) in [(0, "0x2"), (5, "0x1000000000000000"), (7, "0x10")] as [(UInt64, String)]
    {
      let text = try Self.text(.entry, .guest(1), index << 21, session)
      #expect(text.contains("invalid, \(bits)"))
      #expect(text.contains("not valid: walks end here"))
      #expect(!text.contains("RIPAS") && !text.contains("LOCKED") && !text.contains("annotation"))
    }
  }

  @Test func `bits below the size of a block have no part in its address`() throws {
    let session = try Self.session(
      """
      vm ipa=40 vcpus=1 nested=on
      memslot 0 0x40000000 8M backing=4K
      l1 store 0x40100018 0x405017fd
      l1 store 0x40000010 0x55
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 read 0xc0000010
      expect value 0x55
      """)
    #expect(session.failures.isEmpty)
    #expect(
      try Self.text(.entry, .guest(1), 0xc000_0000, session).contains("block 0x40000000 RWX"))
    #expect(try Self.text(.aliases, .canonical, 0x4000_0000, session).contains("guest1"))
  }

  @Test func `a stale leaf is told apart from what would be made now`() throws {
    var session = Session(
      try Scenario(
        parsing: try #require(ShippedScenario.named(ShippedScenario.builtIn)).bytes,
        file: "built-in"))
    try session.finish()
    // L1 has pointed 0x30000 to another page, and has not invalidated yet.
    session.seek(to: Moment(events: 14))
    let (entry, aliases) = (
      try Self.text(.entry, .shadow(0), 0x30000, session),
      try Self.text(.aliases, .shadow(0), 0x30000, session)
    )
    #expect(entry.contains("This leaf is stale") && !entry.contains("made from  "))
    #expect(aliases.contains("The entry is stale: canonical IPA 0x80007000 leads to PA"))
    session.seek(to: Moment(events: 12))
    #expect(try Self.text(.entry, .shadow(0), 0x30000, session).contains("made from  L1's 4K"))
  }

  @Test func `a broken rule is told in plain words also`() throws {
    var session = Session(
      try Scenario(
        parsing: try #require(ShippedScenario.named("bugs/two-unmappers")).bytes, file: "two"))
    try session.finish()
    session.seek(to: Moment(events: 15))
    let text = try Self.text(.explain, .canonical, 0, session, .plain)
    #expect(text.contains("A rule does not hold at 0x40003000 of shadow table 0"))
  }

  @Test func `a device that writes L1's table changes a table`() throws {
    let session = try Self.session(
      """
      vm ipa=40 nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 store 0x40100000 0x400007fd
      l1 context vttbr=0x0001000040100000 vtcr=0x80227556 hcr=1
      l2 read 0x0
      iommu attach
      iommu pin 0x40100000 4K
      dev write 0x40100000
      """)
    let text = try Self.text(.explain, .canonical, 0, session)
    #expect(
      text.hasPrefix("The device writes IOVA 0x40100000.") && !text.contains("No table changed"))
  }

  @Test func `a call that fails is not told as done`() throws {
    let session = try Self.session(
      """
      vm ipa=40 vcpus=1 nested=off
      memslot 0 0x80000000 4M backing=4K
      iommu free
      """)
    let text = try Self.text(.explain, .canonical, 0, session)
    #expect(text.contains("It fails with ENOENT.") && text.contains("It does not exist."))
    #expect(!text.contains("arm_lpae_map_pages") && !text.contains("Nothing is mapped"))
  }

  @Test func `the cost of an event counts each leaf, as the counters do`() throws {
    var session = try Self.session(
      """
      vm ipa=40 vcpus=1 nested=off
      memslot 0 0x80000000 4M backing=4K
      iommu attach
      iommu pin 0x80000000 1M
      iommu unmap 0x80000000 1M
      """)
    for (events, text) in [(3, "256 leaves made"), (4, "256 leaves of devices removed")] {
      session.seek(to: Moment(events: events))
      #expect(try Self.text(.explain, .canonical, 0, session).contains(text))
    }
  }

  @Test func `failures are counted as far as a number goes`() throws {
    let session = try Self.session(
      """
      vm nested=on
      policy revmap=v1
      revmap fail 2
      revmap fail 0xffffffffffffffff
      revmap fail-erase 0xffffffffffffffff
      revmap fail-erase 1
      """)
    #expect(session.timeline.events.count == 4)
  }
}
