import Engine
import Foundation
import Inquiry
import KernelText
import TestSupport
import Testing
import Viewer

@testable import Language

/// Statements whose numbers lie at the borders of what there is, under all policies: whatever a person can type
/// or a file can hold, nothing that is carried out with it, or asked about it, traps.
///
/// `RandomRun.length` says how many statements there are, and `PAGEWALK_SEED` in the environment the first seed. A trap
/// ends the process: the last line says which seed it was.
@Suite struct ExtremeOperandTests {
  private static let statementsOfRun = 20
  private static let runs = RandomRun.runs(of: statementsOfRun, default: 160)
  private static let firstSeed =
    ProcessInfo.processInfo.environment["PAGEWALK_SEED"].flatMap { UInt64($0) } ?? 0

  @Test func `nothing traps, whatever the numbers are`() throws {
    for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.runs) {
      FileHandle.standardError.write(Data("extreme operands, seed \(seed)\n".utf8))
      try run(seed)
    }
  }

  private func run(_ seed: UInt64) throws {
    var source = ExtremeStatements(seed: seed)
    var (text, session) = try source.world()
    for number in 0..<Self.statementsOfRun {
      let line = source.next()
      guard (try? session.carryOut(line)) != nil else { continue }
      text += line + "\n"
      // What `run --check` does.
      _ = session.violations()
      if number % 4 == 3 { ask(&session, &source) }
    }
    let scenario = try Scenario(parsing: Array(text.utf8), file: "seed \(seed)")
    for cost in scenario.costs(under: ReverseMapVersion.allCases) { _ = try json(cost) }
    for (width, height) in [(80, 24), (200, 60)] {
      var model = Model(session, width: width, height: height)
      model.finishWork()
      let frame = model.frame()
      #expect(frame.width == width && frame.height == height, "seed \(seed)")
    }
  }

  /// What `dump`, `windows` and `ask` do.
  private func ask(_ session: inout Session, _ source: inout ExtremeStatements) {
    let machine = session.timeline.machine
    var tables: [TableID] = [.canonical, .vmmStage1, .guest(0), .guest(1), .pkvmHost]
    for number in 0..<4 {
      tables += [.shadow(number), .iommu(number), .protectedGuest(number)]
    }
    for table in tables { _ = KernelDump.text(of: table, in: machine) }
    for number in 0..<machine.configuration.shadows {
      _ = ReverseMapDump.text(ofShadow: number, in: machine)
    }
    for question in Question.allCases where question != .costs {
      var subject = Subject()
      subject.table = tables[source.random.below(tables.count)]
      subject.address = source.address()
      subject.text = ["", "w", "1", "canonical", "0xffffffffffffffff"][source.random.below(5)]
      guard let answer = try? question.answer(about: subject, in: &session) else { continue }
      for detail in DetailLevel.allCases { _ = answer.report(detail).text }
      _ = try? json(answer)
    }
    if let event = session.timeline.currentEvent {
      _ = WindowChart(ofEvent: event, in: &session).map { $0.lines.reduce(0) { $0 + $1.count } }
    }
  }

  private func json(_ value: some Encodable) throws -> Data { try JSONEncoder().encode(value) }
}

/// Statements of every form that can stand in the middle, with operands at the borders.
private struct ExtremeStatements {
  var random: Generator
  private let seed: UInt64

  private static let forms = StatementForm.atMoment.map(\.pattern)
  private static let policies = StatementForm.all.map(\.pattern).filter {
    $0.hasPrefix("policy ")
  }

  init(seed: UInt64) {
    random = Generator(seed: seed)
    self.seed = seed
  }

  /// A VM under some policies with slots at the borders, tables of L1 and devices that work.
  mutating func world() throws -> (text: String, Session) {
    while true {
      var lines = [
        "pagewalk 1",
        "vm ipa=\([32, 40, 48][random.below(3)]) vcpus=\([1, 2, 64][random.below(3)]) "
          + "nested=\(["on", "off"][random.below(2)]) vmid-bits=\([3, 16][random.below(2)])",
      ]
      let isRecorded = random.below(5) == 0
      if isRecorded { lines[1] += " recorded=on" }
      for policy in Self.policies where random.below(4) == 0 {
        let choices = StatementPattern.statements(of: policy)
        lines.append(filled(choices[random.below(choices.count)]))
      }
      if !isRecorded, !lines.contains(where: { $0.hasPrefix("policy pkvm=v") }) {
        lines += ["memslot 0 0x40000000 4M backing=4K", "memslot 1 0x80000000 4M backing=thp"]
        if lines[1].contains("ipa=48") { lines.append("memslot 2 0xffffffc00000 4M backing=thp") }
        if lines[1].contains("ipa=32") { lines.append("memslot 2 0xffc00000 4M backing=4K") }
        if random.below(2) == 0 { lines.append("memslot 3 0 2M backing=4K") }
        lines += [
          "l1 store 0x40100000 0x40101003", "l1 store 0x40101000 0x40102003",
          "l1 store 0x40102000 0x400000800057ff", "l1 store 0x40100ff8 0x800007fd",
        ]
        if lines[1].contains("nested=on") {
          lines += [
            "l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1", "l2 write 0",
            "l2 write 0x7fc0000000",
          ]
        }
      }
      let text = lines.joined(separator: "\n") + "\n"
      guard let scenario = try? Scenario(parsing: Array(text.utf8), file: "seed \(seed)") else {
        continue
      }
      var session = Session(scenario)
      if (try? session.finish()) == nil { continue }
      if random.below(2) == 0 {
        for line in ["iommu attach", "iommu pin 0x80000000 8K", "dev write 0x80000000"] {
          if (try? session.carryOut(line)) != nil { lines.append(line) }
        }
      }
      return (lines.joined(separator: "\n") + "\n", session)
    }
  }

  mutating func next() -> String {
    let form = Self.forms[random.below(Self.forms.count)]
    let choices = StatementPattern.statements(of: form)
    let line = filled(choices[random.below(choices.count)])
    return StatementPattern.numbered(
      line, [("l1", 3), ("l2", 3), ("iommu", 4), ("dev", 4)], oneIn: 4, using: &random)
  }

  private mutating func filled(_ statement: String) -> String {
    StatementPattern.filled(statement) { name in operand(name) }
  }

  private mutating func operand(_ name: String) -> String? {
    switch name {
    case "SIZE": "\(size())"
    case "IPA", "NIPA", "IOVA", "PA", "ADDRESS", "V", "PAGE", "F":
      "0x" + String(address(), radix: 16)
    case "N", "ID", "C", "LEN": "\(random.below(2) == 0 ? UInt64(random.below(4)) : border())"
    case "G:L": "\(["4K", "16K", "64K", "none"][random.below(4)]):\(random.below(5))"
    case "LABEL": "label"
    case "\"TEXT\"": "\"text\""
    case "RULE": Invariant.allCases[random.below(Invariant.allCases.count)].rawValue
    case "POLICIES": "none,v1,ideal"
    case "TABLE": ["canonical", "shadow0", "guest1", "iommu", "pkvm-host"][random.below(5)]
    case "EXPECTATION": "value 0xffffffffffffffff"
    default: nil
    }
  }

  /// A border of a size or of an address space, or a neighbour of one.
  private mutating func border() -> UInt64 {
    let shifts: [UInt64] = [
      0, 3, 6, 12, 14, 16, 20, 21, 25, 29, 30, 31, 32, 36, 39, 40, 42, 44, 47, 48, 49, 52, 55, 56,
      57, 60, 63,
    ]
    let steps: [UInt64] = [0, 1, 8, 4096, 2 << 20]
    let step = steps[random.below(steps.count)]
    let border: UInt64 =
      random.below(5) == 0 ? 0 : 1 << shifts[random.below(shifts.count)]
    return random.below(2) == 0 ? border &+ step : border &- step
  }

  /// An address: at a border, or in one of the slots.
  mutating func address() -> UInt64 {
    let places: [UInt64] = [
      0x4000_0000, 0x4010_0000, 0x403f_f000, 0x4040_0000, 0x8000_0000, 0x8020_0000, 0x803f_fff8,
      0x8040_0000, 0xffff_ffc0_0000, 0xffff_ffff_f000, 0x7f_c000_0000, 0x8_0000_0000,
    ]
    return random.below(2) == 0 ? border() : places[random.below(places.count)]
  }

  /// What is small, or so large that it is no use to go through it page by page.
  private mutating func size() -> UInt64 {
    while true {
      let size = random.below(3) == 0 ? [4096, 8192, 2 << 20, 4 << 20][random.below(4)] : border()
      if size <= 8 << 20 || size > 64 << 30 { return size }
    }
  }
}
