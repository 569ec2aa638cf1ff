import Engine
import KernelText
import Language
import Testing

@testable import Import

/// The architecture's rules for a change of an entry that CPUs walk, against logs that keep them and logs each
/// of which leaves one thing out.
@Suite struct TableWatchTests {
  /// A log: a root at 0x1000 with its lock at 0x9000, a table at 0x2000 behind its first entry, and a second
  /// root at 0x4000. VMID 3 runs on the first.
  private static let start = [
    "mem-init (address 0x1000) (size 0x4000)",
    "hint (kind set_root_lock) (location 0x1000) (value 0x9000)",
    "hint (kind set_root_lock) (location 0x4000) (value 0x9008)",
    "mem-write (mem-order plain) (address 0x1000) (value 0x2003)",
    "mem-write (mem-order plain) (address 0x2000) (value 0x400000fd)",
    "sysreg-write (sysreg vttbr_el2) (value 0x3000000001000)",
    "lock (address 0x9000)",
  ]

  private static let (dsb, broken) = (
    "barrier dsb (kind ish)", "mem-write (mem-order plain) (address 0x1000) (value 0)"
  )
  /// After this an entry of IPA 0 is clean.
  private static let clean = [
    dsb, "tlbi ipas2e1is (value 0)", dsb, "tlbi vmalle1is", dsb,
  ]
  private static let made = "mem-write (mem-order plain) (address 0x1000) (value 0x3003)"

  /// Records as a log, all of thread 0 but where another is named in front.
  private func log(_ records: [String]) -> [UInt8] {
    let lines = records.enumerated().map { number, record in
      let isOther = record.hasPrefix("1 ")
      let words = (isOther ? record.dropFirst(2) : record[...]).split(separator: " ", maxSplits: 1)
      return
        "(\(words[0]) (id \(number)) (tid \(isOther ? 1 : 0)) \(words.dropFirst().first ?? ""))"
    }
    return Array(lines.joined(separator: "\n").utf8)
  }

  private func breach(_ records: [String]) throws -> TableWatch.Breach? {
    let log = try CasemateLog(log(records))
    var watch = TableWatch(log.records)
    return try watch.firstBreach(in: log.records.count)
  }

  /// Of the five instructions, any that is left out is missed.
  @Test func `an entry may be made again after all of what makes it clean, and after no less`()
    throws
  {
    for kept in 0..<1 << 5 {
      let cleaning = Self.clean.enumerated().filter { kept >> $0.offset & 1 != 0 }.map(\.element)
      let records = Self.start + [Self.broken] + cleaning + [Self.made]
      let found = try breach(records)
      guard kept != 1 << 5 - 1 else {
        #expect(found == nil)
        continue
      }
      #expect(
        found?.rule == .unclean && found?.record == records.count - 1
          && found?.location == 0x1000 && found?.level == 0 && found?.input == 0, "\(cleaning)")
    }
  }

  @Test(arguments: [
    // One instruction for both stages needs no other.
    ([dsb, "tlbi vmalls12e1is", dsb], true), ([dsb, "tlbi alle1is", dsb], true),
    (["barrier dsb (kind ishst)", "tlbi vmalls12e1is", dsb], true),
    // A store barrier does not wait for a TLBI.
    ([dsb, "tlbi vmalls12e1is", "barrier dsb (kind ishst)"], false),
    (["tlbi vmalls12e1is", dsb, dsb], false),
    // The address of a leaf below it, of none, and a hint of a level at which no leaf is.
    ([dsb, "tlbi ipas2e1is (value 0x40000)", dsb, "tlbi vmalle1is", dsb], false),
    ([dsb, "tlbi ipas2e1is (value 0x8000000)", dsb, "tlbi vmalle1is", dsb], false),
    ([dsb, "tlbi ipas2e1is (value 0x700000000000)", dsb, "tlbi vmalle1is", dsb], false),
    // Without a granule the field is no hint.
    ([dsb, "tlbi ipas2e1is (value 0x300000000000)", dsb, "tlbi vmalle1is", dsb], true),
    // Under another VMID.
    (
      [
        dsb, "sysreg-write (sysreg vttbr_el2) (value 0x4000000004000)", "tlbi vmalls12e1is", dsb,
        "sysreg-write (sysreg vttbr_el2) (value 0x3000000001000)",
      ], false
    ),
    // What reaches no other CPU suffices where there is none.
    ([dsb, "tlbi vmalls12e1", dsb], true), (["1 barrier isb", dsb, "tlbi vmalls12e1", dsb], false),
    (["barrier dsb (kind nsh)", "tlbi vmalls12e1", "barrier dsb (kind nsh)"], true),
    // Another thread's barrier orders neither the store nor the TLBI; its TLBI is as good.
    (["1 barrier dsb (kind ish)", "tlbi vmalls12e1is", dsb], false),
    (
      [
        dsb, "1 sysreg-write (sysreg vttbr_el2) (value 0x3000000001000)", "1 tlbi vmalls12e1is",
        dsb,
      ], false
    ),
    (
      [
        dsb, "1 sysreg-write (sysreg vttbr_el2) (value 0x3000000001000)", "1 tlbi vmalls12e1is",
        "1 barrier dsb (kind ish)",
      ], true
    ),
  ])
  func `what makes an entry clean is what reaches it`(cleaning: [String], isClean: Bool) throws {
    let found = try breach(Self.start + [Self.broken] + cleaning + [Self.made])
    #expect((found == nil) == isClean, "\(found?.sentence ?? "")")
    if let found { #expect(found.rule == .unclean) }
  }

  /// A leaf below an entry that is broken may be cached by its own address.
  @Test func `leaves below a table that goes are to be invalidated too`() throws {
    let start = Self.start.map { $0.replacing("(address 0x2000)", with: "(address 0x2008)") }
    let one = try breach(start + [Self.broken] + Self.clean + [Self.made])
    #expect(one?.rule == .unclean && one?.sentence.contains("0x40000000 to 0x80000000") == true)
    let both = [Self.dsb, "tlbi ipas2e1is (value 0)", "tlbi ipas2e1is (value 0x40000)"]
    #expect(
      try breach(start + [Self.broken] + both + Self.clean.dropFirst(2) + [Self.made]) == nil)
  }

  @Test(arguments: [
    // An address, a kind, a type of memory; but permissions, the access flag, and what is software's may change.
    (0x8000_00fd, false), (0x4000_00f1, false), (0x4000_03fd, false), (0x10_0000_4000_00fd, false),
    (0x4000_04fd, true), (0x4000_007d, true), (0x40_0000_4000_00fd, true),
    (0x380_0000_4000_00fd, true), (0x4000_00fd, true),
  ])
  func `one store may change what no TLB entry tells apart`(value: Int, isLegal: Bool) throws {
    let store =
      "mem-write (mem-order plain) (address 0x2000) (value 0x\(String(value, radix: 16)))"
    let found = try breach(Self.start + [store])
    #expect((found == nil) == isLegal)
    if let found {
      #expect(found.rule == .replaced && found.location == 0x2000 && found.level == 1)
    }
  }

  @Test(arguments: [
    (["1 mem-write (address 0x1008) (value 0x1)"], TableWatch.Rule.unlocked, 0x1008),
    (["unlock (address 0x9000)", "mem-write (address 0x2008) (value 0)"], .unlocked, 0x2008),
    (
      [
        "sysreg-write (sysreg vttbr_el2) (value 0x5000)", "mem-write (address 0x5000) (value 0)",
      ], .lockless, 0x5000
    ),
    ([broken, "hint (kind release_table) (location 0x2000) (value 0)"], .released, 0x2000),
    ([broken, "mem-free (address 0x2000) (size 0x1000)"], .released, 0x2000),
    ([broken, "mem-write (address 0x2010) (value 0x3003)"], .reused, 0x2000),
    (
      [
        broken, "sysreg-write (sysreg vttbr_el2) (value 0x4000000004000)", "lock (address 0x9008)",
        "mem-write (address 0x4000) (value 0x2003)",
      ], .reused, 0x2000
    ),
    (
      [
        "sysreg-write (sysreg vttbr_el2) (value 0x4000000004000)", "lock (address 0x9008)",
        "mem-write (address 0x4008) (value 0x2003)",
      ], .reused, 0x2000
    ),
  ])
  func `locks are held, and pages that may be walked stay`(
    records: [String], rule: TableWatch.Rule, location: Int
  ) throws {
    let found = try breach(Self.start + records)
    #expect(found?.rule == rule && found?.location == UInt64(location), "\(found?.sentence ?? "")")
    #expect(found?.record == Self.start.count + records.count - 1)
    // After what makes the entry clean, the page is free.
    guard records.first == Self.broken else { return }
    #expect(try breach(Self.start + [Self.broken] + Self.clean + records.dropFirst()) == nil)
  }

  @Test func `a table of EL2 is judged by the instructions for EL2`() throws {
    let start = Self.start.map {
      $0.replacing("vttbr_el2) (value 0x3000000001000)", with: "ttbr0_el2) (value 0x1000)")
    }
    for (instruction, isClean) in [
      ("vae2is (value 0)", true), ("alle2is", true), ("vale2is (value 0)", false),
      ("vmalls12e1is", false), ("vae2is (value 0x8000000)", false),
    ] {
      let found = try breach(
        start + [Self.broken, Self.dsb, "tlbi \(instruction)", Self.dsb, Self.made])
      // The leaf at 0 is as clean as the entry above it.
      #expect((found == nil) == isClean, "\(instruction)")
    }
  }

  /// Where the log has a verdict, and where it has none, pagewalk's own comes from the records alone.
  @Test func `the scenario ends where a rule is broken, and says what casemate says`() throws {
    func scenario(_ records: [String], _ tail: String) throws -> CasemateScenario {
      try CasemateScenario(
        CasemateLog(log(records) + Array(tail.utf8)), file: "t.log", title: "a \"log\"\n",
        writesText: true)
    }
    let bad = Self.start + [Self.broken, Self.dsb, Self.made, "barrier isb"]
    let own = try scenario(bad, "")
    #expect(own.breach?.record == bad.count - 2 && own.verdict == nil)
    #expect(
      own.findings == [
        "t.log:10: record 9: break before make: the entry at 0x1000, level 0, input address 0x0: "
          + "0x3003 makes the entry valid, but record 7 made it invalid, and since then no TLBI has "
          + "reached 0x0 to 0x8000000000 under VMID 3"
      ])
    let agreed = try scenario(bad.dropLast(), "\n! BBM invalid unclean->valid\n")
    #expect(agreed.breach == own.breach)
    #expect(agreed.findings.last == "t.log:11: casemate says 'BBM invalid unclean->valid'")
    let theirs = try scenario(Self.start + [Self.broken], "\n! something else\n")
    #expect(theirs.breach == nil)
    #expect(
      theirs.findings
        == ["t.log:9: casemate says 'something else', which breaks no rule of pagewalk's"])
    for found in [own, agreed, theirs] {
      try found.made.requireSameText()
      var session = Session(found.made.scenario)
      try session.finish()
      // L1's memory is as the records left it, and so is its table.
      let guest = try #require(session.timeline.machine.guestTables.first)
      #expect(guest.vttbr.vmid == 3)
      #expect(session.timeline.events.count { if case .access = $0 { true } else { false } } >= 3)
    }
  }
}
