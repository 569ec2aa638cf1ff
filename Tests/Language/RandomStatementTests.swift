import Engine
import Foundation
import KernelText
import TestSupport
import Testing

@testable import Language

/// Statements of every form that is described, with operands that make little sense, in machines of many
/// kinds: each is carried out, or refused without a trace. `RandomRun.length` says how many there are.
@Suite struct RandomStatementTests {
  private static let statementsOfRun = 250
  private static let runs = RandomRun.runs(of: statementsOfRun, default: 4_000)

  /// Words that one statement may change: it goes through no more than 64G page by page.
  private static let wordsOfStatement = 400_000_000

  @Test(arguments: 0..<8)
  func `a statement is carried out, or refused without a trace`(part: Int) throws {
    for seed in stride(from: part, to: Self.runs, by: 8) {
      var source = RandomStatements(seed: UInt64(seed))
      var session = Session(try source.world())
      try session.finish()
      let start = session.timeline.machine.memory
      let began = session.timeline.events.count
      for _ in 0..<Self.statementsOfRun {
        let line = source.next()
        let before = session.timeline.machine.memory
        let events = session.timeline.events.count
        do {
          try session.carryOut(line)
          let words = session.timeline.machine.memory.journalCount - before.journalCount
          #expect(words < Self.wordsOfStatement, "seed \(seed): \(line)")
        } catch {
          let isUntouched =
            session.timeline.machine.memory.hasSameWords(as: before)
            && session.timeline.machine.memory.journalCount == before.journalCount
            && session.timeline.events.count == events && session.isComplete
          #expect(isUntouched, "seed \(seed): \(line)")
        }
        if source.random.below(16) == 0 { look(at: session) }
      }
      session.seek(to: Moment(events: began))
      #expect(session.timeline.machine.memory.hasSameWords(as: start), "seed \(seed)")
    }
  }

  /// What is asked of a machine whatever state it is in.
  private func look(at session: Session) {
    let machine = session.timeline.machine
    _ = machine.violations(after: 0..<0)
    for id in [TableID.canonical, .shadow(0), .shadow(1), .iommu(0)] {
      _ = KernelDump.text(of: id, in: machine)
    }
  }
}

/// Statements with random operands, and worlds for them.
private struct RandomStatements {
  var random: Generator
  private let seed: UInt64

  init(seed: UInt64) {
    random = Generator(seed: seed)
    self.seed = seed
  }

  private static let forms = StatementForm.atMoment.map(\.pattern)
  private static let policies = LanguageDescription.patterns.filter { $0.hasPrefix("policy ") }

  /// A VM with any policies that go together, slots, and L1 tables that make some sense.
  mutating func world() throws -> Scenario {
    while true {
      var lines = [
        "pagewalk 1",
        "vm ipa=\([32, 36, 40, 48][random.below(4)]) vcpus=\([1, 2][random.below(2)]) "
          + "nested=\(["on", "on", "off"][random.below(3)]) vmid-bits=\([3, 8, 16][random.below(3)])",
      ]
      for policy in Self.policies where random.below(3) == 0 {
        let choices = StatementPattern.statements(of: policy)
        lines.append(choices[random.below(choices.count)])
      }
      lines.append("memslot 0 0x40000000 4M backing=4K")
      lines.append("memslot 1 0x80000000 4M backing=thp")
      if random.below(3) == 0 { lines.append("memslot 2 0xc0000000 1G backing=hugetlb-1G") }
      let hasL2 = lines[1].contains("nested=on")
      lines += [
        "l1 store 0x40100000 0x40101003", "l1 store 0x40101000 0x40102003",
        "l1 store 0x40102080 0x400000800057ff", "l1 store 0x40101008 0x800007fd",
      ]
      if hasL2 {
        lines += [
          "l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1", "l2 write 0x10000",
          "l2 write 0x200000",
        ]
      }
      // Policies that contradict each other, or the VM, are not for this test.
      let text = Array((lines.joined(separator: "\n") + "\n").utf8)
      guard let scenario = try? Scenario(parsing: text, file: "seed \(seed)") else { continue }
      var session = Session(scenario)
      if (try? session.finish()) != nil { return scenario }
    }
  }

  mutating func next() -> String {
    let form = Self.forms[random.below(Self.forms.count)]
    let choices = StatementPattern.statements(of: form)
    var line = StatementPattern.filled(choices[random.below(choices.count)]) { name in
      operand(name)
    }
    line = StatementPattern.numbered(
      line, [("l1", 3), ("l2", 3), ("iommu", 5), ("dev", 5)], oneIn: 3, using: &random)
    // A word too many, or too few.
    switch random.below(40) {
    case 0: line += " 7"
    case 1: line = line.split(separator: " ").dropLast().joined(separator: " ")
    default: break
    }
    return line
  }

  private mutating func operand(_ name: String) -> String? {
    switch name {
    case "SIZE": size()
    case "IPA", "NIPA", "IOVA", "PA", "ADDRESS", "V", "PAGE", "F": address()
    case "N", "ID", "C", "LEN": "\([0, 1, 2, 3, 63, 64, 4096, 1 << 40][random.below(8)])"
    case "G:L": "\(["4K", "16K", "64K", "none"][random.below(4)]):\(random.below(5))"
    case "LABEL": "label"
    case "\"TEXT\"": "\"text\""
    case "RULE": Invariant.allCases[random.below(Invariant.allCases.count)].rawValue
    case "POLICIES": "none,v1,ideal"
    case "TABLE": ["canonical", "shadow0", "shadow9", "guest1", "iommu", "iommu3"][random.below(6)]
    case "EXPECTATION": "value 1"
    default: nil
    }
  }

  /// What is small, or so large that it is no use to go through it page by page.
  private mutating func size() -> String {
    let sizes: [UInt64] = [
      1, 4096, 4096, 4096, 8192, 65536, 2 << 20, 2 << 20, 4 << 20, 4095, 1 << 40, 1 << 47, 1 << 48,
    ]
    return "\(sizes[random.below(sizes.count)])"
  }

  private mutating func address() -> String {
    let bases: [UInt64] = [
      0, 0x1000, 0x10000, 0x20_0000, 0x4000_0000, 0x4010_0000, 0x4010_2080, 0x4040_0000,
      0x8000_0000,
      0x8020_0000, 0xc000_0000, 1 << 32, 1 << 39, 1 << 40, 1 << 47, 1 << 48, 1 << 52, 1 << 63, .max,
    ]
    let offsets: [UInt64] = [0, 0, 0, 8, 0x1000, 0x5000, .max, 0x1ff000]
    let base = bases[random.below(bases.count)] &+ offsets[random.below(offsets.count)]
    return "0x" + String(random.below(12) == 0 ? random.next() : base, radix: 16)
  }
}
