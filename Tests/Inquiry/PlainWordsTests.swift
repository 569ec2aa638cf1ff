import Engine
import Language
import Scenarios
import TestSupport
import Testing

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
}
