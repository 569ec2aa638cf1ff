import Language
import Scenarios
import TestSupport
import Testing

@testable import Engine
@testable import Inquiry

/// Detail `plain` is for someone in the second year of studies.
@Suite struct PlainWordsTests {
  @Test(arguments: ShippedScenario.all.map(\.name))
  func `no event and no step has an abbreviation or more than two sentences`(name: String) throws {
    let scenario = try #require(ShippedScenario.named(name))
    var session = Session(try Scenario(parsing: scenario.bytes, file: name))
    try session.finish()
    for index in session.timeline.events.indices.prefix(200) {
      session.seek(to: Moment(events: index + 1))
      let sentence = PlainWords.sentence(session.timeline.events[index].sentence)
      #expect(PlainWords.arePlain(sentence), "\(sentence)")
      for step in session.timeline.steps {
        let text = step.plain
        #expect(PlainWords.arePlain(text), "\(text)")
        #expect(text.hasSuffix(".") || text.hasSuffix("?"), "\(text)")
        #expect(text.ranges(of: ". ").count <= 1, "\(text)")
      }
    }
  }

  @Test func `abbreviations become words, whatever stands around them`() {
    for (text, words) in [
      (
        "The host frees 4K at canonical 0x80005000 (MADV_DONTNEED).",
        "The host frees 4K at canonical 0x80005000."
      ),
      ("L2 reads nested IPA 0x10000.", "The nested guest reads nested address 0x10000."),
      ("the VMM's TLBs, and L1's", "The host process's translation caches, and the guest's"),
    ] {
      #expect(PlainWords.sentence(text) == words)
    }
    for text in ["a TLB", "kvm_read", "f()", "VTTBR_EL2 = 0x1"] {
      #expect(!PlainWords.arePlain(text))
    }
    for text in ["The host frees 4K at 0xABC.", "From 0x1000+2M on."] {
      #expect(PlainWords.arePlain(text))
    }
  }

  @Test func `rights are words, and none is left out`() {
    var seen: Set<String> = []
    for bits in 0..<8 {
      let rights = Permissions(
        read: bits & 1 != 0, write: bits & 2 != 0, executeNever: bits & 4 != 0 ? 0 : 2)
      seen.insert(rights.shortWords)
      #expect(rights.shortWords.count <= Permissions.shortColumns)
      for (verb, has) in [
        ("read", rights.read), ("write", rights.write), ("execute", bits & 4 != 0),
      ] {
        #expect(rights.verbs.contains(verb) == has)
      }
    }
    #expect(seen.count == 8)
  }

  @Test(arguments: [
    "built-in", "rmp/iommu-first", "rmp/firmware", "cca/one-owner", "pkvm/donation",
    "iommu/discard", "sharing/vm-stall", "btm/asid-missed", "bugs/relax",
  ])
  func `no answer has an abbreviation, a name from source code, or rights as letters`(
    name: String
  ) throws {
    let scenario = try #require(ShippedScenario.named(name))
    var session = Session(try Scenario(parsing: scenario.bytes, file: name))
    try session.finish()
    let count = session.timeline.events.count
    let questions: [Question] = [
      .windows, .counters, .owners, .diff, .forecast, .tlb, .rules, .explain, .disagreement,
    ]
    for events in Set([1, count / 2, count - 1]).sorted() {
      // The costs are the same at every moment.
      for question in events == 1 ? questions + [.costs] : questions {
        session.seek(to: Moment(events: events))
        var subject = Subject()
        subject.text = "start"
        guard let answer = try? question.answer(about: subject, in: &session) else { continue }
        for line in answer.told(.plain).lines {
          let text = line.cells.reduce(line.text.string) { $0 + $1.string }
          #expect(PlainWords.arePlain(text), "\(question) at \(events): \(text)")
        }
      }
    }
  }

  @Test func `a step that moves data or refuses says what happened to what`() throws {
    let actions: [(Step.Action, String)] = [
      (
        .dma(.loaded(7, from: 0x8_0000_0000)),
        "The device reads the value 0x7 at physical address 0x800000000."
      ),
      (
        .dma(.stored(7, to: 0x8_0000_0000)),
        "The device's data is written at physical address 0x800000000."
      ),
      (
        .end(.failed(.ebusy)), "The request fails at device address 0x1000: it is in use."
      ),
    ]
    for (action, text) in actions {
      let step = Step(
        action: action, table: .iommu(0), address: 0x1000, size: 4096, level: -1, start: 0,
        keeper: .iommu)
      #expect(step.plainFact == text)
    }
  }
}
