import Engine
import Inquiry
import KernelText
import Language
import Observation
import TestSupport
import Testing

@testable import Import

/// Tables of which no event is known, as a history of moments.
@Suite struct SeenScenarioTests {
  private static let runs = RecordedCaptureTests.Run.all([
    "nested", "nested2", "plain", "patched", "l1linux",
  ])

  /// Carries a scenario out, and calls `visit` at each moment.
  private func carryOut(
    _ seen: SeenScenario, at visit: (String, Session) throws -> Void
  ) throws {
    try seen.made.requireSameText()
    var session = Session(seen.made.scenario)
    while let statement = try session.advance() {
      if case .chapter(let label, _) = statement.kind { try visit(label, session) }
    }
    #expect(session.failures.isEmpty)
  }

  @Test(arguments: runs)
  func `dumps without a trace are shown as the kernel wrote them, moment by moment`(
    run: RecordedCaptureTests.Run
  ) throws {
    let chapters = run.chapters.map { chapter in
      var chapter = chapter
      chapter.traces = []
      return chapter
    }
    var labels: [String] = []
    try carryOut(SeenScenario(chapters, title: "a run", writesText: true)) { label, session in
      labels.append(label)
      let machine = session.timeline.machine
      let place = "\(run.testDescription) \(label)"
      #expect(
        KernelDump.text(of: .canonical, in: machine) == run.text(label, "stage2_page_tables"),
        "\(place)")
      for number in 0..<machine.configuration.shadows {
        #expect(
          KernelDump.text(of: .shadow(number), in: machine)
            == run.text(label, "nested/nested_mmu\(number)"), "\(place)")
      }
    }
    #expect(labels == chapters.map(\.label))
  }

  @Test(arguments: runs)
  func `a moment that is added says what it says among all`(run: RecordedCaptureTests.Run) throws {
    let chapters = run.chapters
    var seen = try SeenScenario([chapters[0]], title: "a run")
    var session = Session(seen.takeScenario())
    try session.finish()
    // What is seen at first decides how large the machine is.
    let isEnough = chapters.allSatisfy { $0.shadows.count == chapters[0].shadows.count }
    for chapter in chapters.dropFirst() {
      #expect(isEnough == (try seen.extend(by: chapter)), "\(run.testDescription)")
      try session.extend(by: seen.take())
    }
    if !isEnough { return }
    let whole = try SeenScenario(chapters, title: "a run", writesText: true).made
    let lines = session.scenario.statements.indices.map { session.scenario.line(ofStatement: $0) }
    #expect(
      lines.filter { !$0.hasPrefix("chapter") }
        == whole.text?.split(separator: "\n").dropFirst(3).filter {
          !$0.hasPrefix("#") && !$0.hasPrefix("policy") && !$0.hasPrefix("chapter")
        }.map(String.init))
    #expect(
      session.scenario.statements.map(\.kind.text) == whole.scenario.statements.map(\.kind.text))
  }

  /// Dumps of the model's own maps, at each chapter, read and shown again.
  @Test(arguments: [ReverseMapVersion.v1, .v2, .v3, .repaired, .ideal])
  func `reverse maps are shown as their dumps say, moment by moment`(version: ReverseMapVersion)
    throws
  {
    for seed in UInt64(1)...3 {
      var source = RandomEvents(seed: seed, policy: version)
      var timeline = Timeline(source.configuration)
      for event in source.setUp() { _ = try? timeline.append(event) }
      var chapters: [RecordedChapter] = []
      var dumps: [String] = []
      for number in 0..<12 {
        for _ in 0..<40 { _ = try? timeline.append(source.next()) }
        var chapter = RecordedChapter(label: "\(number)")
        for shadow in 0..<2 {
          let dump = ReverseMapDump.text(ofShadow: shadow, in: timeline.machine)
          chapter.add(reverseMap: [UInt8](dump.utf8), shadow, "revmap\(shadow)")
          dumps.append(dump)
        }
        #expect(chapter.unread.isEmpty)
        chapters.append(chapter)
      }
      #expect(Set(dumps).count > 3, "seed \(seed)")
      var next = 0
      try carryOut(SeenScenario(chapters, title: "maps")) { _, session in
        for shadow in 0..<2 {
          #expect(
            ReverseMapDump.text(ofShadow: shadow, in: session.timeline.machine) == dumps[next],
            "seed \(seed) dump \(next)")
          next += 1
        }
      }
      #expect(next == dumps.count)
    }
  }

  @Test func `raw tables are seen with where entries lead, not with where tables lie`() throws {
    let raw = """
      pagewalk-table 1
      table canonical ipa=40 granule=4K start=1 roots=2 vmid=0x5 root=0x43608000
      """
    // By hand: a block of 1G, a page by two tables, and an entry that is not valid but not zero.
    func page(_ address: String, _ level: Int, _ lines: [String]) -> String {
      let text = "page 0x\(address) \(level)\n" + lines.map { $0 + "\n" }.joined()
      var sum = CRC32C()
      for byte in text.utf8 { sum.add(byte) }
      return text + "end 0x\(address) \(hex(UInt64(sum.value), 8))\n"
    }
    let pages =
      page("43608000", 1, ["+001 00000008800007fd", "+002 0000000043700003"])
      + page("43609000", 1, [])
      + page("43700000", 2, ["+000 0000000043701003", "+001 7800000000000000"])
      + page("43701000", 3, ["+005 0000000040a0b7ff", "+006 0000000040a0c7ff"])
    var chapter = RecordedChapter(label: "raw")
    chapter.add(rawTables: [UInt8]((raw + "\n" + pages).utf8), "tables.txt")
    #expect(chapter.unread == [])
    let seen = try SeenScenario([chapter], title: "raw", writesText: true)
    #expect(seen.made.text?.contains("seen=descriptors\n") == true)
    try carryOut(seen) { _, session in
      let machine = session.timeline.machine
      let table = try #require(machine.table(.canonical))
      for (address, bits): (UInt64, UInt64) in [
        (0x4000_0000, 0x8_8000_07fd), (0x8000_5000, 0x40a0_b7ff), (0x8000_6000, 0x40a0_c7ff),
        (0x8000_7000, 0), (0x8020_0000, 0x7800_0000_0000_0000), (0xc000_0000, 0),
      ] {
        #expect(machine.walk(address, in: table).descriptor.bits == bits, "\(hex(address))")
      }
      var copy = session
      var subject = Subject()
      subject.table = .canonical
      subject.address = 0x8000_6000
      let entry = try #require(
        try Question.entry.answer(about: subject, in: &copy) as? EntryAnswer)
      #expect(
        entry.walk.allSatisfy { $0.place == nil } && entry.walk.last?.what == "page 0x40a0c000 RWX")
      #expect(entry.walk.first?.what == "table")
      #expect(entry.fields.first { $0.name == "MemAttr" }?.value == 0xf)
      #expect(!UnknownsAnswer(of: machine).unknowns.map(\.name).contains("output addresses"))
    }
  }

  @Test func `each row is told with the line of the dump that it stands in`() throws {
    let run = try #require(Self.runs.first { $0.testDescription == "nested/nested-alias" })
    var told = 0
    try carryOut(SeenScenario(run.chapters, title: "a run", writesText: true)) { label, session in
      guard let sight = session.sight, let before = sight.before else { return }
      for event in sight.rows {
        let source = try #require(session.source(ofEvent: event))
        guard
          case .event(.recorded(.seen(_, let range, let level, let first))) =
            session.scenario.statements[session.statementOfEvent[event]].kind
        else { continue }
        let words = source.split(separator: ":")
        let file = try #require(
          run.text(label, words[0].split(separator: "/").dropFirst().joined(separator: "/")))
        let number = try #require(words.last.flatMap { Int($0) })
        let row = file.split(separator: "\n", omittingEmptySubsequences: false)[number - 1]
        // The row has what the statement says, or the statement is a part of it.
        let bounds = row.prefix(37).split(separator: "-").map { UInt64($0.dropFirst(2), radix: 16) }
        let start = try #require(bounds[0]), end = try #require(bounds[1])
        #expect(start <= range.lowerBound && range.upperBound <= end, "\(source) \(row)")
        #expect(row.contains(" \(level)"))
        #expect(row.contains(" R ") == first.permissions.read, "\(source) \(row)")
        told += 1
      }
      #expect(before.end == sight.rows.lowerBound)
    }
    #expect(told > 20)
  }

  /// A table of 4 regions of 2M, each mapped or empty as a whole or in pages. The last may be missing.
  private func table(_ random: inout Generator) -> ObservedTable {
    let leaves: [UInt64] = [0, 0x4c1, 0xc1, 0x441 | 1 << 54]
    var runs: [ObservedTable.Run] = []
    func add(_ range: Range<UInt64>, _ level: Int, _ bits: UInt64) {
      let bits = bits & 1 != 0 && level == 3 ? bits | 2 : bits
      if let last = runs.last, last.level == level, last.descriptor.bits == bits {
        runs[runs.count - 1] = ObservedTable.Run(
          last.start..<range.upperBound, level: level, descriptor: Descriptor(bits), line: 1)
      } else {
        runs.append(ObservedTable.Run(range, level: level, descriptor: Descriptor(bits), line: 1))
      }
    }
    let regions = UInt64(random.below(4) == 0 ? 3 : 4)
    for region in 0..<regions {
      let start = region << 21
      if random.below(2) == 0 {
        add(start..<start + 1 << 21, 2, leaves[random.below(4)])
        continue
      }
      var page: UInt64 = 0
      while page < 512 {
        let end = min(512, page + UInt64(random.below(300) + 1))
        add(start + page << 12..<start + end << 12, 3, leaves[random.below(4)])
        page = end
      }
    }
    if regions == 4 { add(4 << 21..<1 << 30, 2, 0) }
    if regions == 4 { add(1 << 30..<1 << 40, 1, 0) }
    return ObservedTable(
      runs: runs, known: Descriptor.Format.dump(.words).known,
      coverage: regions == 4 ? .whole : .lastRunMissing)
  }

  @Test(arguments: 0..<40)
  func `whatever was seen before, a table is what it was seen to be last`(seed: Int) throws {
    var random = Generator(seed: UInt64(seed))
    var chapters: [RecordedChapter] = []
    for number in 0..<4 {
      var chapter = RecordedChapter(label: "m\(number)")
      chapter.inputBits = 40
      // A dump may be missing, or refused.
      if number == 0 || random.below(5) > 0 { chapter.canonical = table(&random) }
      chapters.append(chapter)
    }
    try carryOut(SeenScenario(chapters, title: "random")) { label, session in
      let machine = session.timeline.machine
      let chapter = try #require(chapters.first { $0.label == label })
      let table = try #require(machine.table(.canonical))
      for page in UInt64(0)..<5 * 512 {
        let end = machine.walk(page << 12, in: table)
        guard let run = chapter.canonical?.run(at: page << 12) else {
          #expect(end.descriptor.isUnseen, "\(label) page \(page)")
          continue
        }
        #expect(
          end.level == run.level && end.descriptor.bits == run.descriptor.bits,
          "\(label) page \(page)")
      }
      let last = machine.walk(1 << 40 - 1, in: table)
      #expect(last.descriptor.isUnseen == (chapter.canonical?.coverage != .whole))
      let unknown = UnknownsAnswer(of: machine).unknowns.map(\.name)
      #expect(unknown.contains("last run") == last.descriptor.isUnseen)
      #expect(unknown.contains("output addresses") && unknown.contains("order"))
      // Nothing that is counted or broken can be known.
      #expect(session.timeline.machine.violations(after: 0..<0).isEmpty)
    }
  }

  @Test func `going back and forth through moments shows each as it was`() throws {
    var random = Generator(seed: 7)
    var chapters: [RecordedChapter] = []
    for number in 0..<3 {
      var chapter = RecordedChapter(label: "m\(number)")
      chapter.canonical = table(&random)
      chapters.append(chapter)
    }
    var seen: [(Moment, Fingerprint)] = []
    var session = Session(try SeenScenario(chapters, title: "r").made.scenario)
    while let statement = try session.advance() {
      guard case .chapter = statement.kind else { continue }
      seen.append((session.timeline.moment, session.timeline.machine.fingerprint))
    }
    for (moment, fingerprint) in seen.reversed() + seen {
      session.seek(to: moment)
      #expect(session.timeline.machine.fingerprint == fingerprint)
    }
  }

  @Test func `a shadow that is not in use, vanishes or cannot be read is told apart`() throws {
    let context = ObservedTable.Context(vtcr: 0x8002_3559, vttbr: 1 << 48, stage2Enabled: true)
    let table = ObservedTable(
      context: context,
      runs: [ObservedTable.Run(0..<1 << 48, level: 0, descriptor: Descriptor(0), line: 3)],
      known: Descriptor.Format.dump(.words).known)
    func chapter(_ label: String, _ shadow: ObservedTable??) -> RecordedChapter {
      var chapter = RecordedChapter(label: label)
      if let shadow { chapter.shadows[0] = .some(shadow) }
      return chapter
    }
    var refused = chapter("refused", nil)
    refused.unreadTables = [.shadow(0)]
    let chapters = [
      chapter("empty", .some(nil)), chapter("used", .some(table)), refused,
      chapter("again", .some(table)), chapter("gone", nil),
    ]
    var found: [String] = []
    try carryOut(SeenScenario(chapters, title: "a shadow")) { label, session in
      let machine = session.timeline.machine
      let isUsed = machine.shadowContext(0).isValid
      let end = machine.table(.shadow(0)).map { machine.walk(0, in: $0).descriptor }
      var copy = session
      let shadows = try ShadowsAnswer(about: Subject(), in: &copy).shadows
      #expect(shadows.map(\.isInUse) == [isUsed, nil], "no dump of shadow 1 was read")
      found.append("\(label) \(isUsed) \(end?.isUnseen == true)")
    }
    #expect(
      found == [
        "empty false false", "used true false", "refused true true", "again true false",
        "gone false false",
      ])
  }

  @Test func `a dump that cannot be read, or is not there, says nothing of its moment`() throws {
    func chapter(_ label: String, _ files: [(String, String)]) -> RecordedChapter {
      RecordedChapter(
        label: label, folder: label, files: files.map { (path: $0.0, bytes: [UInt8]($0.1.utf8)) })
    }
    let session = try session(
      """
      memslot 0 0x40000000 4M backing=4K
      l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=0
      l2 read 0x40001000
      """, nested: true)
    let dump = KernelDump.text(of: .shadow(0), in: session.timeline.machine)
    let shadow = ("nested/nested_mmu0", try #require(dump))
    let map = ("revmap0", "0x40000000-0x40001000 known 0x0\n")
    let chapters = [
      chapter("a", [shadow, map]),
      chapter("garbage", [("nested/nested_mmu0", "garbage\n"), map]),
      chapter("none", [shadow]), chapter("c", [shadow, map]),
    ]
    #expect(chapters[1].unreadTables == [.shadow(0)] && chapters[1].unread.count == 1)
    let text = try #require(SeenScenario(chapters, title: "unread", writesText: true).made.text)
    // A map that was not read is not told, and after that anew.
    #expect(text.split(separator: "\n").count { $0.contains("kernel seen-revmap") } == 2)
    #expect(
      text.contains("kernel unseen-revmap shadow0  # no dump of its reverse map in none\n"))
    let garbage = try #require(text.split(separator: "chapter a").last)
      .split(separator: "chapter garbage")[0]
    #expect(garbage.contains("kernel unseen shadow0") && !garbage.contains("kernel unused shadow0"))
  }

  /// Each dump whole, cut within a row, or not there; against the rows that are then known.
  @Test func `a reverse map is known as far as its dump goes`() throws {
    let page: UInt64 = 4096
    var random = Generator(seed: 11)
    for _ in 0..<40 {
      var chapters: [RecordedChapter] = []
      // Rows, and the address before which they are all; nil for all.
      var expected: [(rows: [String], end: UInt64?)] = []
      for number in 0..<6 {
        var chapter = RecordedChapter(label: "\(number)")
        var (rows, next): ([String], UInt64) = ([], 0x8000_0000)
        var ends: [UInt64] = []
        for _ in 0..<Int(random.next() % 5) {
          let start = next + (random.next() % 3) * page
          next = start + (random.next() % 2 + 1) * page
          rows.append(
            "0x\(hex(start))-0x\(hex(next)) "
              + (random.next() % 3 == 0 ? "unknown" : "known 0x\(hex(random.next() % 8 * page))"))
          ends.append(next)
        }
        let text = rows.map { $0 + "\n" }.joined()
        switch random.next() % 4 {
        case 0: expected.append(([], 0))
        case 1 where rows.count > 1:
          // Neither word of a row is left.
          let cut = text.utf8.dropLast(rows[rows.count - 1].utf8.count - 5)
          chapter.add(reverseMap: [UInt8](cut), 0, "revmap0")
          #expect(chapter.unread.count == 1 && chapter.unread[0].contains("breaks off"))
          expected.append((rows.dropLast(), ends[rows.count - 2]))
        default:
          chapter.add(reverseMap: [UInt8](text.utf8), 0, "revmap0")
          expected.append((rows, nil))
        }
        chapters.append(chapter)
      }
      guard chapters.contains(where: { !($0.reverseMaps[0]?.rows ?? []).isEmpty }) else { continue }
      var found = 0
      try carryOut(SeenScenario(chapters, title: "cut", writesText: true)) { label, session in
        let (machine, known) = (session.timeline.machine, expected[Int(label) ?? 0])
        found += 1
        #expect(ReverseMapDump.rows(ofShadow: 0, in: machine).map(\.text) == known.rows)
        #expect(machine.reverseMapUnseen(ofShadow: 0) == known.end)
        #expect(
          UnknownsAnswer(of: machine).unknowns.contains {
            $0.name == "reverse maps" && $0.meaning.contains("shadow 0") == (known.end != nil)
          })
        // What is not told differs from nothing.
        for (chapter, other) in zip(chapters, expected) {
          let limit = min(known.end ?? .max, other.end ?? .max)
          func below(_ rows: [String]) -> [String] {
            rows.filter { UInt64($0.dropFirst(2).prefix { $0 != "-" }, radix: 16) ?? 0 < limit }
          }
          let judgement = Judgement(chapter, with: machine)
          #expect(
            judgement.differences.isEmpty
              == (chapter.reverseMaps.isEmpty || below(known.rows) == below(other.rows)))
        }
      }
      #expect(found == chapters.count)
    }
  }

  @Test func `rows that stand for more tables than fit, or lie beyond the VM, are refused`() {
    func refusal(_ range: Range<UInt64>, bits: Int?) -> String? {
      var chapter = RecordedChapter(label: "0")
      chapter.inputBits = bits
      chapter.canonical = ObservedTable(
        runs: [ObservedTable.Run(range, level: 3, descriptor: Descriptor(0), line: 1)], known: 0xff)
      do {
        _ = try SeenScenario([chapter], title: "hostile")
        return nil
      } catch {
        return error.message
      }
    }
    #expect(refusal(0..<1 << 48, bits: 48)?.contains("GiB of tables") == true)
    #expect(refusal(0..<1 << 33, bits: 32)?.contains("beyond the 32 bits") == true)
    #expect(refusal(0..<1 << 33, bits: nil) == nil)
  }

  @Test func `tables that fit one by one, and not together, are refused`() throws {
    // Pages of 4K behind 8 bytes each: 640 MiB of tables.
    let runs = [
      ObservedTable.Run(0..<5 << 36, level: 3, descriptor: Descriptor(0), line: 1)
    ]
    func chapter(_ label: String, _ shadows: [Int]) -> RecordedChapter {
      var chapter = RecordedChapter(label: label)
      chapter.inputBits = 40
      for number in shadows {
        chapter.shadows[number] = .some(
          ObservedTable(
            context: ObservedTable.Context(
              vtcr: 0x8002_3559, vttbr: UInt64(number + 1) << 48, stage2Enabled: true),
            runs: runs, known: 0xff))
      }
      return chapter
    }
    // The same table again is no second one.
    var seen = try SeenScenario([chapter("0", [1]), chapter("1", [1])], title: "large")
    let error = #expect(throws: SeenScenario.Unshowable.self) {
      try seen.extend(by: chapter("2", [0]))
    }
    #expect(error?.message.hasPrefix("shadow0: its rows, with those of the other") == true)
    #expect(throws: SeenScenario.Unshowable.self) {
      try SeenScenario([chapter("0", [0, 1])], title: "large")
    }
  }

  @Test func `what only events would tell is refused as not known`() throws {
    let run = try #require(Self.runs.first { $0.testDescription == "nested/nested-alias" })
    var session = Session(try SeenScenario(run.chapters, title: "a run").made.scenario)
    try session.finish()
    var subject = Subject()
    subject.table = .canonical
    subject.address = 0x4000_0000
    for question in [Question.tlb, .counters, .costs, .aliases] {
      #expect(throws: Unanswerable.self) { try question.answer(about: subject, in: &session) }
    }
    subject.text = "to=0x40000000"
    #expect(throws: Unanswerable.self) { try Question.list.answer(about: subject, in: &session) }
    let rules = try #require(
      try Question.rules.answer(about: Subject(), in: &session) as? RulesAnswer)
    #expect(rules.rules.allSatisfy { !$0.isKnown } && !rules.isNo)
    let entry = try #require(
      try Question.entry.answer(about: subject, in: &session) as? EntryAnswer)
    #expect(entry.fields.first { $0.name == "output" }?.value == nil)
    #expect(entry.fields.first { $0.name == "S2AP" }?.value == 3)
    #expect(entry.walk.allSatisfy { $0.place == nil })
    let state = session.timeline.machine.fingerprint
    for line in [
      "l1 read 0x40000000", "kernel map canonical 0x80000000 4K 0x1000 rw x", "iommu attach",
    ] {
      #expect(throws: ScenarioError.self) { try session.carryOut(line) }
    }
    #expect(session.timeline.machine.fingerprint == state)
  }

  @Test(arguments: [
    ("kernel seen canonical 0 4K L0 rw x", "expected level 1 to 3"),
    ("kernel seen canonical 0x1000 2M L2 rw x", "2M"),
    ("kernel seen canonical 0 1025G L1 rw x", "2^40"),
    ("kernel seen shadow0 0 512G L0 rw x", "expected a leaf's size"),
    ("kernel seen shadow2 0 4K L3 rw x", "expected shadow 0 to 1"),
    ("kernel seen shadow0 0 256T L3 rw x", "at most 512G"),
    ("kernel unused canonical", "expected shadow<N>"),
    ("kernel seen-revmap shadow0 0 4K", "expected a policy with a reverse map"),
    ("kernel seen-no-revmap canonical 0 4K", "expected shadow<N>"),
  ])
  func `a row that a table cannot have is refused`(line: String, message: String) throws {
    let text = "pagewalk 1\nvm ipa=40 nested=on seen=words\n\(line)\n"
    var session = Session(try Scenario(parsing: Array(text.utf8), file: "seen.pw"))
    do {
      try session.finish()
      Issue.record("\(line) is carried out")
    } catch {
      #expect(error.message.contains(message), "\(error.message)")
    }
  }
}
