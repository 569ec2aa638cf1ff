import Canvas
import Engine
import Foundation
import Inquiry
import Language
import Testing

@testable import Viewer

/// The glossary and the reference cards know every word of the interface.
@Suite struct WordsTests {
  @Test func `there are enough words, each explained once`() {
    #expect(Glossary.entries.count >= 60)
    let words = Glossary.entries.flatMap { [$0.name] + $0.also }.map { $0.lowercased() }
    let doubled = Dictionary(grouping: words) { $0 }.filter { $1.count > 1 }.keys.sorted()
    #expect(doubled.isEmpty)
  }

  @Test(arguments: Glossary.entries.map(\.name))
  func `a word is explained in sentences, and with others`(name: String) throws {
    let entry = try #require(Glossary.entry(name))
    #expect(entry.name == name)
    #expect(entry.definition.hasSuffix(".") && entry.definition.count <= 330)
    #expect(!entry.shows.isEmpty && !entry.shows.hasSuffix("."))
    #expect(!entry.see.isEmpty && !entry.see.contains(name))
    for other in entry.see {
      #expect(Glossary.entry(other)?.name == other, "see \(other)")
    }
  }

  @Test func `panes, answers and names of rules have entries`() {
    var words = Pane.allCases.map(\.operations.term)
    words += Topic.allCases.map(\.title.string)
    words += Invariant.allCases.map(\.rawValue)
    words += ReverseMapVersion.allCases.map(\.rawValue)
    words += DetailLevel.allCases.map(\.rawValue)
    words += Filter.Effect.allCases.map(\.rawValue).filter { $0 != "nothing" }
    words += ["R", "W", "X", "PX", "UX", "AF", "XN"]
    words += ["IPA", "PA", "VMID", "TLB", "LOCKED", "stale", "alias", "level", "block", "page"]
    #expect(words.filter { Glossary.entry($0) == nil } == [])
  }

  /// Every kind of step that is met in any scenario of the project.
  static let steps: [Step] = {
    let folder = Screen.assets
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var seen: [String: Step] = [:]
    for case let file as URL in files! where file.pathExtension == "pw" {
      guard let bytes = try? [UInt8](Data(contentsOf: file)),
        let scenario = try? Scenario(parsing: bytes, file: file.path)
      else { continue }
      var session = Session(scenario)
      guard (try? session.finish()) != nil else { continue }
      for event in 1...max(1, session.timeline.events.count) {
        session.seek(to: Moment(events: event))
        for step in session.timeline.steps { seen[step.action.caseName] = step }
      }
    }
    return seen.sorted { $0.key < $1.key }.map(\.value)
  }()

  @Test func `labels of steps have entries`() {
    #expect(Self.steps.count > 70)
    let labels = Set(Self.steps.map(\.explanation.label))
    #expect(!labels.contains("step"), "a kind of step without words")
    #expect(labels.filter { Glossary.entry($0) == nil } == [])
  }

  @Test func `a step's card says what it did, the rule, and where it comes from`() {
    for step in Self.steps {
      let card = step.facts.convention.card
      let text = Document(step.facts.convention, for: step).text.map(\.string)
      #expect(text.first == card.title)
      #expect(text.contains("This step: " + SafeText(step.explanation.what).string))
      #expect(text.contains { $0.hasPrefix("Source: ") })
    }
  }

  @Test(arguments: Convention.allCases)
  func `a card is short, has a source, and its words have entries`(rule: Convention) {
    let card = rule.card
    #expect(Convention.allCases.filter { $0.card.title == card.title } == [rule])
    #expect(!card.sources.isEmpty && (1...3).contains(card.text.count))
    for paragraph in card.text { #expect(paragraph.hasSuffix(".") && paragraph.count <= 400) }
    for word in card.see { #expect(Glossary.entry(word)?.name == word, "see \(word)") }
  }

  @Test func `searching finds names first, then meanings`() {
    #expect(Glossary.search("").count == Glossary.entries.count)
    #expect(Glossary.search("TLBI").first?.name == "TLBI")
    let found = Glossary.search("polluted")
    #expect(found.map(\.name) == ["unknown"])
    #expect(Glossary.search("no such word").isEmpty)
    #expect(Glossary.entry("hva")?.name == "VMM address")
    #expect(ReferenceCard.search("").count == Convention.allCases.count)
    #expect(ReferenceCard.search("kvm_age_gfn") == [.ageing])
    #expect(ReferenceCard.search("break before").first == .breakBeforeMake)
  }

  @Test func `related words lead on`() throws {
    let document = Document(GlossaryAnswer("reverse map").report(.plain))
    let targets = document.choices.compactMap { document.items[$0].target }
    #expect(targets.contains(.term("direct map")))
  }
}
