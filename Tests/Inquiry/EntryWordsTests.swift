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

  /// L1 with a table whose last page, of which a test stores entries, lies at 0x40102000.
  private static let world = """
    vm ipa=40 nested=on
    memslot 0 0x40000000 4M backing=4K
    memslot 1 0x80000000 4M backing=4K
    l1 store 0x40100000 0x40101003
    l1 store 0x40101000 0x40102003
    """

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
    #expect(text.contains("A rule does not hold at nested address 0x40003000 of shadow table 0"))
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

  @Test func `an entry of L1's table is told by its own store, not by another of its page`() throws
  {
    // The second store gives the page's contents another place, where the first entry is stored again.
    var session = try Self.session(
      """
      \(Self.world)
      l1 store 0x40102008 0x800057ff
      l1 store 0x40102010 0x800067ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 read 0x1000
      l1 store 0x40102018 0x800077ff
      """)
    for (address, store) in [(0x1000 as UInt64, "0x40102008"), (0x2000, "0x40102010")] {
      let text = try Self.text(.provenance, .guest(1), address, session)
      #expect(text.contains("l1 store \(store) "), "\(text)")
    }
    let other = try Self.text(.provenance, .guest(1), 0x5000, session)
    #expect(other.contains("Nothing was ever stored there."))
    session.seek(to: Moment(events: 8))
    let shadow = try Self.text(.provenance, .shadow(0), 0x1000, session)
    #expect(
      shadow.contains("L1's entry at canonical 0x40102008 had been stored by")
        && shadow.contains("l1 store 0x40102008 ") && !shadow.contains("l1 store 0x40102010 "),
      "\(shadow)")
  }

  @Test func `a leaf is stale when L1 has lowered its rights alone`() throws {
    let world = """
      \(Self.world)
      l1 store 0x40102008 0x800057ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 write 0x1000 value=1
      """
    let fresh = try Self.text(.entry, .shadow(0), 0x1000, Self.session(world))
    #expect(fresh.contains("made from  ") && !fresh.contains("stale"), "\(fresh)")
    let lowered = try Self.session(world + "\nl1 store 0x40102008 0x8000577f")
    let text = try Self.text(.entry, .shadow(0), 0x1000, lowered)
    #expect(text.contains("This leaf is stale") && text.contains("now from   "), "\(text)")
  }

  @Test func `all canonical names of a page that was merged are its aliases`() throws {
    let session = try Self.session(
      """
      vm ipa=40
      memslot 0 0x80000000 4M backing=4K
      l1 write 0x80001000 value=7
      l1 write 0x80002000 value=7
      l1 write 0x80003000 value=7
      l1 write 0x80004000 value=8
      host merge 0x80001000 16K
      l1 read 0x80001000
      l1 read 0x80002000
      l1 read 0x80003000
      l1 read 0x80004000
      """)
    for address in [0x8000_1000, 0x8000_2000, 0x8000_3000] as [UInt64] {
      let text = try Self.text(.aliases, .canonical, address, session)
      #expect(["0x80001000", "0x80002000", "0x80003000"].allSatisfy(text.contains), "\(text)")
      #expect(!text.contains("0x80004000"), "\(text)")
    }
  }

  @Test func `each page of an unmap is told by the map that made it`() throws {
    let session = try Self.session(
      """
      vm ipa=40
      memslot 0 0x80000000 4M backing=4K
      iommu attach
      iommu map 0x1000 28K 0x900001000 rw
      iommu unmap 0x1000 28K
      """)
    for address in stride(from: 0x1000 as UInt64, through: 0x7000, by: 0x1000) {
      let text = try Self.text(.provenance, .iommu(0), address, session)
      #expect(text.contains("Before that it had been made in"), "\(text)")
    }
    let beside = try Self.text(.provenance, .iommu(0), 0x8000, session)
    #expect(beside.contains("Nothing was ever stored there."))
  }

  @Test func `entries of two CPUs' TLBs are told apart`() throws {
    let session = try Self.session(
      """
      vm ipa=40 vcpus=2
      policy cpu-tlb=kept
      memslot 0 0x80000000 4M backing=4K
      l1 write 0x80001000 value=7
      l1@1 read 0x80001000
      """)
    let text = try Self.text(.tlb, .canonical, 0, session)
    #expect(text.contains("CPU 0  0x80001000") && text.contains("CPU 1  0x80001000"), "\(text)")
  }

  @Test func `of leaves of the page of zeros those had to go whose address was taken`() throws {
    var session = try Self.session(
      """
      \(Self.world)
      l1 store 0x40102008 0x800057ff
      l1 store 0x40102010 0x800067ff
      l1 store 0x40102018 0x800077ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l1 read 0x80005000
      l1 read 0x80006000
      l1 read 0x80007000
      l2 read 0x1000
      l2 read 0x2000
      l2 read 0x3000
      host discard 0x80005000 4K
      """)
    session.seek(to: session.timeline.moment)
    #expect(try Self.text(.explain, .canonical, 0, session).contains("1 of them had to go"))
  }

  @Test func `a pinned page is told by the page of its own`() throws {
    let session = try Self.session(
      """
      vm ipa=40
      memslot 0 0x80000000 4M backing=4K
      host write 0x80000000 4K
      iommu attach
      iommu pin 0x80000000 16K
      """)
    let first = try Self.text(.provenance, .iommu(0), 0x8000_0000, session)
    #expect(!first.contains("host page"), "\(first)")
    let other = try Self.text(.provenance, .iommu(0), 0x8000_1000, session)
    #expect(other.contains("host page") && other.contains("a page at PA 0x800401000"), "\(other)")
  }

  @Test func `a range that became unknown in one shadow explains nothing in another`() throws {
    let session = try Self.session(
      """
      \(Self.world.replacing("\n", with: "\npolicy revmap=v2\n", maxReplacements: 1))
      l1 store 0x40102008 0x800057ff
      l1 store 0x40102010 0x800057ff
      l1 store 0x40200000 0x40201003
      l1 store 0x40201000 0x40202003
      l1 store 0x40202008 0x800057ff
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 write 0x1000 value=1
      l2 write 0x2000 value=1
      l1 context vttbr=0x0002000040200000 vtcr=0x80023559 hcr=1
      l2 write 0x1000 value=2
      host discard 0x80005000 4K
      """)
    for shadow in 0...1 {
      let text = try Self.text(.provenance, .shadow(shadow), 0x1000, session)
      #expect(text.contains("The range had become unknown in") == (shadow == 0), "\(text)")
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

  @Test func `whoever stores into L1's table, and by whatever name, a table changes`() throws {
    let world = """
      vm ipa=40 nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 store 0x40100000 0x40101003
      l1 store 0x40101000 0x401007fd
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
      l2 read 0x0
      """
    // The last entry that L2 writes is the one by which it is translated.
    for line in [
      "l2 write 0x100000 value=0x40101003", "l2 write 0x101000 value=0", "host write 0x40101000 4K",
      "host discard 0x40100000 8K",
    ] {
      let text = try Self.text(.explain, .canonical, 0, Self.session(world + "\n" + line))
      #expect(!text.contains("No table changed"), "\(line): \(text)")
    }
    let other = try Self.session(world + "\nhost write 0x40200000 4K")
    #expect(
      try Self.text(.explain, .canonical, 0, other).contains("Only the VMM's own table changed."))
  }

  @Test(arguments: [("cca/unfold", "smc_rtt_"), ("cca/one-owner", "smc_data_")])
  func `a realm's table is told in the RMM's words`(name: String, call: String) throws {
    var session = Session(
      try Scenario(parsing: try #require(ShippedScenario.named(name)).bytes, file: name))
    try session.finish()
    var calls = 0
    for index in session.timeline.events.indices.suffix(40) {
      session.seek(to: Moment(events: index + 1))
      for step in session.timeline.steps {
        let source = step.explanation.source.description
        if step.table == .canonical { #expect(!source.contains("pgtable.c"), "\(source)") }
        if source.contains(call) { calls += 1 }
      }
    }
    #expect(calls > 0)
  }

  @Test
  func `blocks that are split eagerly show their pages to nobody before the table is complete`()
    throws
  {
    var session = try Self.session(
      """
      vm ipa=40 nested=off
      host eager-split 2M
      memslot 0 0x80000000 4M backing=thp
      l1 write 0x80000000
      host dirty-log on 0x80000000
      """)
    session.seek(to: session.timeline.moment)
    let words = session.timeline.steps.map(\.explanation)
    #expect(words.count { $0.label == "fill" } == 1)
    #expect(words.count { $0.label == "make" } == 1)
    #expect(words.contains { $0.source.detail == "kvm_pgtable_stage2_create_unlinked" })
  }

  @Test func `a writable leaf of a page that is read-only tells both sides of that page`() throws {
    var session = Session(
      try Scenario(
        parsing: try #require(ShippedScenario.named("bugs/relax")).bytes, file: "relax"))
    try session.finish()
    session.seek(to: Moment(events: 9))
    let text = try Self.text(.rules, .canonical, 0, session)
    #expect(text.contains("writable-leaf  nested IPA 0x1000 of shadow 0"))
    #expect(text.contains("Shadow 0 maps nested IPA 0x1000 to PA 0x800000000 RWX"))
    #expect(text.contains("The VMM has PA 0x800000000, a page of zeros, read-only."))
    #expect(text.contains("L1's entry now leads to canonical IPA 0x80002000"))
  }

  @Test func `a rule about a number names the number as what it is`() throws {
    for (name, tag) in [("btm/private-mirror", "VMID 1"), ("btm/asid-missed", "ASID 1")] {
      var session = Session(
        try Scenario(parsing: try #require(ShippedScenario.named(name)).bytes, file: name))
      try session.finish()
      let text = try Self.text(.rules, .canonical, 0, session)
      #expect(text.contains("mirror-vmid  \(tag) of the IOMMU table"), "\(text)")
    }
  }

  @Test func `entries that differ alike and follow each other are one line`() throws {
    var session = try Self.session(
      """
      vm ipa=40 nested=off
      memslot 0 0x80000000 4M backing=4K
      iommu attach
      iommu pin 0x80000000 2M
      l1 read 0x80100000
      """)
    let answer = try #require(
      try Question.disagreement.answer(about: Subject(), in: &session) as? DisagreementAnswer)
    // 512 pages of which the CPUs have one, with a memory type of its own; those around it are two runs.
    #expect(answer.items.map(\.entries) == [256, 1, 255])
    #expect(answer.report(.engineer).text.contains("0x80000000 to 0x800fffff: 256 pages"))
  }
}
