import Canvas
import Engine
import Foundation
import Inquiry
import Language
import Testing

@testable import Viewer

/// At the moment at which a rule is broken: where, by what, and since when.
@Suite struct ViolationJourneyTests {
  /// The row of a table pane with some text, as it is on the screen.
  private func row(_ text: String, _ screen: Screen) throws -> Substring {
    let line = try #require(screen.lines.first { $0.contains(text) })
    let panes = line.split(separator: "│").filter { $0.contains(text) }
    return try #require(panes.first)
  }

  @Test func `the entry that breaks a rule is marked, in all panes and rows that stand for it`()
    throws
  {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    screen.press(": ‹15› enter")
    #expect(try row("L3 40003000", screen).contains("4K !"))
    screen.press("3 g h")
    #expect(try row("▸L0 00000000", screen).contains("!"))
    // Once the leaf is gone nothing is marked.
    screen.press("l .")
    #expect(!screen.text.contains("4K !"))
  }

  @Test func `a broken rule goes before a state that is legal`() throws {
    var screen = try Screen("scenarios/bugs/relax.pw")
    screen.press(": ‹9› enter")
    let violation = try #require(screen.model.violationsNow?.first)
    #expect(violation.invariant == .writableLeaf)
    let address = String(violation.address, radix: 16)
    let padded = String(repeating: "0", count: 8 - address.count) + address
    let marked = screen.lines.filter { $0.contains("L3 \(padded)") && $0.contains("4K !") }
    #expect(!marked.isEmpty, "\(screen.text)")
  }

  @Test func `Explain and why tell the rule, both sides, and since when`() throws {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    screen.press(": ‹15› enter")
    let wanted = [
      "! leaf-outlives-page  nested IPA 0x40003000 of shadow 0",
      "Rule: no leaf outlives its host page.",
      "Shadow 0 maps nested IPA 0x40003000 to PA 0x800405000 RWX",
      "The VMM has no page at canonical 0x80203000 now.", "since event 15  host discard 0x80203000",
    ]
    for text in wanted {
      #expect(screen.model.answer.text.contains { $0.string.contains(text) }, "\(text)")
    }
    // Where the leaf is selected, its provenance says so, too.
    screen.press("3 G w")
    for text in wanted {
      #expect(screen.model.answer.text.contains { $0.string.contains(text) }, "\(text)")
    }
    screen.press("q !")
    for text in wanted {
      #expect(screen.model.answer.text.contains { $0.string.contains(text) }, "\(text)")
    }
  }

  @Test func `a breach is told since the event that made it, and leads there`() throws {
    // One more event, while the leaf is still there.
    let bytes = try [UInt8](
      String(
        contentsOf: Screen.assets.appending(path: "scenarios/bugs/two-unmappers.pw"),
        encoding: .utf8
      )
      .replacing("\nresume\n", with: "\nrevmap fail 1\nresume\n").utf8)
    var screen = try Screen(bytes: bytes, file: "test.pw", 120, 40)
    screen.press(": ‹16› enter")
    #expect(screen.text.contains("since event 15  host discard"))
    screen.press("6 G")
    let line = try #require(
      screen.model.answer.text.firstIndex { $0.string.contains("since event 15") })
    #expect(screen.model.answer.items[line].target == .moment(Moment(events: 15)))
  }

  @Test(arguments: [
    "bugs/relax.pw", "found/v1-revmap-lock.pw", "found/v1-revmap-sleep.pw",
    "found/revmap-coverage.pw",
    "found/vncr.pw", "btm/collision.pw", "rmp/iommu-first.pw", "sharing/no-forwarding.pw",
    "pkvm/v4-flag.pw", "found/v1-revmap-mirror.pw",
  ])
  func `every breach has sides and a beginning, and is one that the machine finds`(file: String)
    throws
  {
    var screen = try Screen("scenarios/\(file)")
    for event in screen.model.branches[0].audit.events {
      screen.press(": ‹\(event + 1)› enter")
      var subject = Subject()
      subject.audit = screen.model.branches[0].audit
      let answer = try RulesAnswer(about: subject, in: &screen.model.session)
      let found = screen.model.machine.violations(
        after: screen.model.timeline.stores(ofEvent: event))
      let breaches = try #require(answer.violations)
      #expect(Set(breaches.map(\.rule)) == Set(found.map(\.invariant.rawValue)))
      for breach in breaches {
        #expect(!breach.sides.isEmpty && breach.sides.allSatisfy { $0.hasSuffix(".") })
        let since = try #require(breach.since)
        #expect((1...event + 1).contains(since))
        // Before that event it held.
        let before = screen.model.branches[0].audit.violations[since - 2] ?? []
        #expect(
          !before.contains {
            $0.invariant.rawValue == breach.rule && $0.table == breach.table
              && $0.address == breach.address
          })
      }
    }
  }

  @Test func `the corner counts the rules that are broken`() throws {
    var screen = try Screen("scenarios/bugs/two-unmappers.pw")
    for event in screen.model.branches[0].audit.events {
      screen.press(": ‹\(event + 1)› enter")
      let rules = Set((screen.model.violationsNow ?? []).map(\.invariant))
      let more = rules.count > 1 ? " +\(rules.count - 1)" : ""
      let name = try #require(screen.model.violationsNow?.first?.invariant.rawValue)
      #expect(
        screen.lines[0].hasSuffix("! \(name)\(more)")
          || screen.lines[0].contains("! \(name)\(more) "))
    }
  }
}
