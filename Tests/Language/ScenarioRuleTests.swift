import TestSupport
import Testing

@testable import Engine
@testable import Language

/// Rules of scenarios: found by what events store as by a look at everything, and not where nothing is wrong.
@Suite struct ScenarioRuleTests {
  @Test(arguments: shippedScenarioNames)
  func `a look at everything finds the same after every event`(file: String) throws {
    let scenario = try shippedScenario(file)
    let policies =
      scenario.configuration.nested
      ? ReverseMapVersion.allCases : [scenario.configuration.reverseMap]
    for policy in policies {
      var session = Session(scenario.under(policy))
      while let statement = try session.advance() {
        guard case .event = statement.kind else { continue }
        let last = session.timeline.events.count - 1
        let all = session.timeline.machine.violations(
          after: session.timeline.stores(ofEvent: last))
        let found = session.violations()
        #expect(found == all, "\(file) under \(policy.rawValue), event \(last + 1)")
        if found != all { break }
      }
    }
  }

  private func violations(_ text: String) throws -> [[Invariant]] {
    var session = Session(try Scenario(parsing: [UInt8]("pagewalk 1\n\(text)".utf8), file: "test"))
    var found: [[Invariant]] = []
    while let statement = try session.advance() {
      if case .event = statement.kind { found.append(session.violations().map(\.invariant)) }
    }
    return found
  }

  /// The VMM's mapping is split, and the memory is the realm's as before: notifiers take nothing from a realm.
  @Test(arguments: [false, true])
  func `a split of the VMM's mapping takes no memory from a realm`(isFolded: Bool) throws {
    let data =
      isFolded
      ? (0..<512).map { "realm data-create 0x\(String(0xc000_0000 + $0 * 4096, radix: 16))" }
        + ["realm rtt-fold 0xc0000000 3"] : ["realm data-create 0xc0000000"]
    let rules = try violations(
      """
      vm ipa=40
      policy cca=on
      memslot 0 0xc0000000 2M backing=thp
      iommu attach
      host write 0xc0000000 2M
      realm rtt-create 0xc0000000 2
      realm rtt-create 0xc0000000 3
      realm ripas 0xc0000000 2M ram
      realm delegate 0xc0000000 \(isFolded ? "2M" : "4K")
      \(data.joined(separator: "\n"))
      host hugepages 0xc0081000 4K off
      dev write 0xc0000000
      """)
    #expect(rules.allSatisfy { $0.isEmpty }, "\(rules)")
  }

  /// L1's table maps itself, and L2 writes to the entry by which it is translated: the leaf was right when it
  /// was made, and is stale now, as it may be.
  @Test func `a leaf is right if L1's entry was when it was made`() throws {
    let rules = try violations(
      """
      vm nested=on
      memslot 0 0x40000000 4M backing=4K
      l1 context vttbr=0x0001000040000000 vtcr=0x80227556 hcr=1
      l1 store 0x40000000 0x400007fd
      l2 write 0x0 value=2
      """)
    #expect(rules.allSatisfy { $0.isEmpty }, "\(rules)")
  }
}
