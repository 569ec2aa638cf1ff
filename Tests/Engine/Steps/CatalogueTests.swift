import Foundation
import TestSupport
import Testing

@testable import Engine
@testable import Inquiry
@testable import Language

/// All sentences of the program as one file, `catalogue.txt`, that a person can read through in one go:
/// statements, events, refusals, micro-steps, rules, questions, words.
///
/// With `PAGEWALK_UPDATE_FRAMES=1` in the environment it is written anew; its difference is then to be read.
@Suite struct CatalogueTests {
  @Test func `all sentences are those that were read`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let text = Self.chapters.map { title, lines in
      ([title, String(repeating: "=", count: title.count)] + lines).joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
    #expect(try GoldenFiles(folder: folder).difference("catalogue.txt", text) == nil)
  }

  @Test func `every form of a statement has an event that is told of in a sentence`() {
    for form in StatementForm.atMoment {
      guard case .event = form.make else { continue }
      #expect(Self.event(form) != nil, "\(form.pattern)")
    }
  }

  @Test func `there is a refusal of every reason`() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Sources/Engine/Events/Refusal.swift")
    var declared: Set<String> = []
    for line in try String(contentsOf: source, encoding: .utf8).split(separator: "\n") {
      if line.contains("enum Operand") { break }
      guard line.hasPrefix("    case ") else { continue }
      // A second operand begins with the name of its type.
      for part in line.dropFirst(9).split(separator: ", ") where part.first?.isLowercase ?? false {
        declared.insert(String(part.prefix { $0.isLetter || $0.isNumber }))
      }
    }
    // Of a case without operands the sentence stands for the name.
    let sampled = Set(
      Self.reasons.map { Mirror(reflecting: $0).children.first?.label ?? $0.description })
    #expect(sampled.count == declared.count)
  }

  private static var chapters: [(String, [String])] {
    [
      ("Statements", StatementForm.all.map { "\($0.pattern)\n    \($0.meaning)" }),
      ("Events", StatementForm.atMoment.compactMap { form in event(form) }),
      ("Refusals", reasons.map(\.description)),
      ("Micro-steps", steps),
      ("Micro-steps in tables that KVM does not keep", keptSteps),
      ("Rules", Invariant.allCases.map { "\($0.rawValue): \($0.title)" }),
      ("Questions", Question.allCases.map { "\($0.facts.title): \($0.facts.summary)" }),
      (
        "Words",
        Glossary.entries.map { "\($0.name)\n    \($0.definition)\n    \($0.shows)" }
      ),
    ]
  }

  @Test func `labels of steps in tables that KVM does not keep are explained`() {
    let labels = Set(
      StepSamples.kept.flatMap { keeper, table, actions in
        actions.map {
          Step(
            action: $0, table: table, address: 0x8000_0000, size: 4096, level: 3, start: 0,
            keeper: keeper
          ).explanation.label
        }
      })
    #expect(labels.filter { Glossary.entry($0) == nil } == [])
  }

  // MARK: Events

  /// An operand of each kind that patterns name.
  private static let operands: [(String, String)] = [
    ("\"TEXT\"", "\"text\""), ("G:L", "4K:3"), ("LABEL", "label"), ("TABLE", "canonical"),
    ("ADDRESS", "0x80000000"), ("IOVA", "0x80000000"), ("NIPA", "0x80000000"),
    ("IPA", "0x80000000"), ("PA", "0x80000000"), ("HANDLE", "0x1000"), ("GFN", "0x10"),
    ("SIZE", "4K"), ("PAGE", "0x10"), ("LEN", "4"), ("ID", "0"), ("C", "0"), ("V", "0x1"),
    ("N", "1"), ("M", "1"), ("L", "2"), ("B", "40"),
  ]

  /// An example of a form, and what happens; nil if it makes no event.
  private static func event(_ form: StatementForm) -> String? {
    guard case .event = form.make else { return nil }
    let words = form.pattern.split(separator: " ").filter { !$0.hasPrefix("[") }.map { word in
      let first = word.split(separator: "|")[0]
      let key = first.firstIndex(of: "=").map { first[...$0] } ?? ""
      let value = first.dropFirst(key.count)
      return key + (operands.first { $0.0 == value }?.1 ?? String(value))
    }
    let line = words.joined(separator: " ")
    guard case .event(let event)? = try? StatementReader.statement(of: line).0 else { return nil }
    return "\(line)\n    \(event.sentence)"
  }

  // MARK: Refusals

  private static let reasons: [Refusal.Reason] = [
    .unaligned(0x1001, 4096), .beyondIPASpace(bits: 40), .slotExists(1), .slotsOverlap(1),
    .tooManySlots(32), .addressSpaceFull, .outsideSlots(0x1000), .noSuchCPU(2), .notRunning,
    .noSuchVM(7), .tooLarge(64 << 30), .noSuchVCPU(1), .noSuchVCPU(2), .notNested, .nothingPaused,
    .alreadyPaused, .vcpuPaused(0), .lockHeld, .invalidationActive, .noReverseMap,
    .noSuchProcess(7), .noSharedAddresses, .sharedTable, .oneTableOfVMID, .noRMP, .noRealm,
    .realmMemory, .beyondRegion, .noSuchDevice, .notProtected, .onlyProtected,
    .outsidePhysicalMemory(0x8000_0000..<0x1_0000_0000), .memoryOverlaps(0x8000_0000),
    .tooManyRegions(8), .memoryTooLate, .beyondPhysicalSpace(bits: 48), .hypervisorTable,
    .notRecorded, .onlyRecorded, .notSeen, .onlySeen, .noSuchLevel(1), .recordedIsolation,
    .noSuchShadow(2), .otherTable, .notShadow,
    .beyondInput(bits: 40), .leafSize(8192), .notLogging, .splitAfterSlots, .splitSize(8192),
  ]

  // MARK: Micro-steps

  /// A step of each kind, with a table that steps of its family are about.
  private static var steps: [String] {
    StepSamples.actions.map { action in
      let table: TableID? =
        switch action {
        case .reverseMap: .shadow(0)
        case .guest: .guest(1)
        case .host: .vmmStage1
        case .dma, .domain: .iommu(0)
        case .pkvm: .pkvmHost
        case .access, .fault, .table, .tlb, .slot, .identifier, .pause, .rmp, .realm, .sight,
          .end:
          .canonical
        }
      return words(action, table, table?.kind.keeper)
    }
  }

  /// The same in tables whose keeper tells them in words of its own.
  private static var keptSteps: [String] {
    StepSamples.kept.flatMap { keeper, table, actions in
      ["\(keeper)"] + actions.map { words($0, table, keeper) }
    }
  }

  private static func words(
    _ action: Step.Action, _ table: TableID?, _ keeper: TableKind.Keeper?
  ) -> String {
    let step = Step(
      action: action, table: table, address: 0x8000_0000, size: 4096, level: 3, start: 0,
      keeper: keeper)
    let words = step.explanation
    return "\(words.label.padding(toLength: 12, withPad: " ", startingAt: 0))\(words.what)\n"
      + "    \(words.why)\n    \(words.source.place): \(words.source.detail)"
  }
}
