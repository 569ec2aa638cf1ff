import Foundation
import TestSupport
import Testing

@testable import Engine

/// What is known of micro-steps, kind by kind: not through scenarios, which may not meet them all.
struct StepTableTests {
  /// The families' files.
  private static let files: [URL] = {
    let root = URL(fileURLWithPath: #filePath).appending(path: "../../../../Sources/Engine/Steps")
      .standardizedFileURL
    let files = try? FileManager.default.contentsOfDirectory(
      at: root, includingPropertiesForKeys: nil)
    return (files ?? []).filter {
      $0.lastPathComponent.hasSuffix("Step.swift") && $0.lastPathComponent != "Step.swift"
    }
  }()

  @Test func `there is a sample of every kind of step`() throws {
    #expect(Self.files.count == 17)
    var declared: Set<String> = []
    for file in Self.files {
      let family = file.deletingPathExtension().lastPathComponent
      // Cases of the family itself stand two columns in; those of enums inside it further.
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      where line.hasPrefix("  case ") {
        let name = line.dropFirst(7).prefix { $0.isLetter || $0.isNumber }
        declared.insert("\(family).\(name)")
      }
    }
    let sampled = Set(StepSamples.actions.map { "\($0.familyName).\($0.caseName)" })
    #expect(sampled == declared)
    #expect(declared.count > 190)
  }

  @Test func `every step has a label, a sentence, a reason and a source`() {
    let tables: [TableID?] = [
      nil, .canonical, .shadow(0), .guest(1), .vmmStage1, .iommu(0), .iommu(1), .pkvmHost,
      .protectedGuest(1),
    ]
    for action in StepSamples.actions {
      for table in tables {
        for (address, size, level): (UInt64, UInt64, Int) in [
          (0, 0, -1), (0x8000_0000, 4096, 3), (0x4000_0000, 2 << 20, 2), (0, 1 << 48, 0),
        ] {
          let step = Step(
            action: action, table: table, address: address, size: size, level: level, start: 0,
            keeper: table?.kind.keeper)
          let words = step.explanation
          #expect((1...10).contains(words.label.count), "\(action)")
          #expect(!words.what.isEmpty && !words.what.hasSuffix("."), "\(action)")
          #expect(words.why.hasSuffix(".") || words.why.hasSuffix("?"), "\(action)")
          #expect(!words.source.place.isEmpty && !words.source.detail.isEmpty, "\(action)")
        }
      }
      #expect((0...4).contains(action.facts.weight))
    }
  }

  @Test func `a page of a device's table or a realm's is not freed as one of KVM's is`() {
    let free: [TableStep] = [
      .freeTable(page: 0x8_0000_0000, leaves: 0), .freeReplaced(page: 0x8_0000_0000, leaves: 0),
    ]
    for keeper: TableKind.Keeper in [.iommu, .amdDriver, .pkvmDriver, .realmManager] {
      for step in free {
        let words = Step(
          action: .table(step), table: .iommu(0), address: 0x8000_0000, size: 4096, level: 3,
          start: 0, keeper: keeper
        ).explanation
        #expect(!words.source.place.contains("kvm"), "\(keeper): \(words.source)")
        #expect(!words.why.contains("RCU") && !words.why.contains("fault"))
      }
    }
  }

  @Test func `only an entry that was valid is broken before make (stage2_try_break_pte)`() {
    func reason(_ old: Descriptor) -> String {
      Step(
        action: .table(.breakEntry(old)), table: .canonical, address: 0x8000_0000, size: 4096,
        level: 3, start: 0, keeper: .kvm
      ).explanation.why
    }
    #expect(reason(Descriptor(0x8_0000_0003)).hasPrefix("Break before make"))
    #expect(!reason(Descriptor(0)).contains("Break before make"))
  }

  @Test func `no word for a machine with an RMP is of Arm's machines`() {
    let arms = [
      "arm64", "Arm ", "arm-smmu", "io-pgtable", "SMMU", "stage 2", "Stage 1", "VMID", "TLBI",
      "IPA",
      "FEAT_", "EL2", "VTCR", "STE ", "stream",
    ]
    let kept = StepSamples.kept.filter { $0.0 == .amdKVM || $0.0 == .amdDriver }
    #expect(kept.count == 2)
    for (keeper, table, actions) in kept {
      for action in actions {
        let words = Step(
          action: action, table: table, address: 0x8000_0000, size: 4096, level: 3, start: 0,
          keeper: keeper
        ).explanation
        let text = "\(words.label) \(words.what) \(words.why) \(words.source.description)"
        // Where the model does as arm64 and not as x86, it says so.
        let own = text.replacing("as arm64 ", with: "")
        for word in arms { #expect(!own.contains(word), "\(action): \(text)") }
      }
    }
  }

  @Test func `every class and every convention is that of some step`() {
    let facts = StepSamples.actions.map(\.facts)
    #expect(Set(facts.map(\.stepClass)) == Set(Step.Class.allCases))
    #expect(Set(facts.map(\.convention)) == Set(Convention.allCases))
  }

  @Test func `a step that stores an entry is of a class that says so, and no other is`() {
    for action in StepSamples.actions {
      let step = Step(
        action: action, table: .canonical, address: 0, size: 0, level: 3, start: 0, keeper: .kvm)
      switch step.stepClass {
      case .leafMade, .leafRemoved, .leafRelaxed, .leafWeakened, .accessFlag, .entryBroken,
        .entryReplaced, .tableMade, .tableRemoved, .seen:
        #expect(step.result != nil, "\(action)")
      default: #expect(step.result == nil, "\(action)")
      }
    }
  }
}
