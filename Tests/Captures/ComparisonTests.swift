import Foundation
import Testing

@testable import Engine
@testable import Inquiry
@testable import Language

/// What policies cost, held against what the tables themselves say.
@Suite struct ComparisonTests {
  /// Among them every kind of host event; the long ones would take minutes.
  private static let captures = Capture.all(["nested", "nested2", "patched"]).filter { capture in
    [
      "nested/nested-alias", "nested/nested-dirty-log", "nested/nested-fork-ksm",
      "nested/nested-vmids", "nested2/hugetlb-1g", "patched/nested-tlbi",
    ].contains(capture.name)
  }
  private static let policies: [ReverseMapVersion] = [.none, .v2, .repaired, .ideal]

  /// The shadow leaves of a machine: shadow, and nested IPA.
  private func leaves(of machine: Machine) -> Set<[UInt64]> {
    var found: Set<[UInt64]> = []
    for mmu in machine.validShadows {
      machine.visit(.mapping, of: machine.table(of: mmu)) {
        found.insert([UInt64(mmu.index), $0.address])
      }
    }
    return found
  }

  /// No vCPU runs in a host's event, so no leaf is made there, and those that are missing after it were
  /// removed by it.
  @Test(arguments: captures + Capture.all(["nested"]).filter { $0.name.hasSuffix("-notifier") })
  func `leaves counted as removed are those that the tables lose`(capture: Capture) throws {
    for policy in Self.policies {
      var session = Session(try capture.scenario().under(policy), recordsSteps: true)
      var meter = CostMeter(policy.rawValue)
      var before: Set<[UInt64]> = []
      while let statement = try session.advance() {
        guard case .event(let event) = statement.kind else { continue }
        let counted = meter.cost.leavesRemoved
        meter.count(last: &session)
        let after = leaves(of: session.timeline.machine)
        if case .host = event {
          let lost = before.subtracting(after).count
          #expect(after.isSubset(of: before), "\(session.scenario.place(of: statement.origin))")
          #expect(
            meter.cost.leavesRemoved - counted == lost,
            "\(policy.rawValue), \(session.scenario.place(of: statement.origin))")
        }
        before = after
      }
    }
  }

  @Test(arguments: captures)
  func `ideal removes what had to go, others no less, in 80 columns`(capture: Capture) throws {
    let costs = try capture.scenario().costs(under: Self.policies)
    let ideal = try #require(costs.last)
    #expect(ideal.leavesRemoved == ideal.leavesNeeded)
    #expect(ideal.refaults == 0)
    #expect(ideal.peakUnknown == 0)
    for cost in costs {
      #expect(cost.leavesNeeded == ideal.leavesNeeded)
      #expect(cost.notifiers == ideal.notifiers)
      // v2 and v3 leave what they never recorded.
      if cost.policy == "none" || cost.policy == "repaired" {
        #expect(cost.leavesRemoved >= cost.leavesNeeded)
        #expect(cost.violations.isEmpty)
      }
    }
    let table = CostTable(try capture.scenario(), costs)
    for line in table.text.split(separator: "\n").dropFirst() { #expect(line.count <= 80) }
  }

  /// Reckoned by hand. Two nested IPAs of one page, and a third one of another page; the host takes the
  /// first page, L2 reads the third again, and the host takes that as well.
  private static let aliases = """
    pagewalk 1
    vm ipa=40 vcpus=1 nested=on
    title "by hand"
    memslot 0 0x40000000 4M backing=4K
    memslot 1 0x80000000 4M backing=4K
    l1 store 0x40100000 0x40101003
    l1 store 0x40101000 0x40102003
    l1 store 0x40102008 0x800007ff
    l1 store 0x40102010 0x800007ff
    l1 store 0x40102028 0x800057ff
    l1 context vttbr=0x0001000040100000 vtcr=0x80023559 hcr=1
    l2 write 0x1000
    l2 write 0x2000
    l2 write 0x5000
    host discard 0x80000000 4K
    l2 write 0x5000
    host discard 0x80005000 4K

    """

  @Test func `a case reckoned by hand`() throws {
    let scenario = try Scenario(parsing: [UInt8](Self.aliases.utf8), file: "hand.pw")
    let costs = scenario.costs(under: [.none, .v2, .ideal])
    for cost in costs {
      #expect(cost.notifiers == 2)
      #expect(cost.leavesNeeded == 3)
      #expect(cost.violations.isEmpty)
      #expect(cost.peakStale == 0)
    }
    // none: three leaves, then the third again. v2: the same, since the page of two addresses is unknown.
    #expect(costs.map(\.leavesRemoved) == [4, 4, 3])
    #expect(costs.map(\.refaults) == [1, 1, 0])
    #expect(costs.map(\.fullUnmaps) == [2, 1, 0])
    #expect(costs.map(\.peakEntries) == [0, 2, 3])
    #expect(costs.map(\.peakBytes) == [0, 256, 256])
    #expect(costs.map(\.peakUnknown) == [0, 4096, 0])
  }

  @Test func `a leaf whose own page went later is no refault`() throws {
    let text =
      Self.aliases
      .replacing("l2 write 0x5000\nhost discard 0x80005000 4K", with: "host discard 0x80005000 4K")
      + "l2 write 0x5000\n"
    let scenario = try Scenario(parsing: [UInt8](text.utf8), file: "hand.pw")
    let costs = scenario.costs(under: [.none, .v2, .ideal])
    #expect(costs.map(\.leavesRemoved) == [3, 3, 3])
    #expect(costs.map(\.refaults) == [0, 0, 0])
    #expect(costs.map(\.leavesNeeded) == [3, 3, 3])
  }

  @Test func `the table says it in columns`() throws {
    let scenario = try Scenario(parsing: [UInt8](Self.aliases.utf8), file: "hand.pw")
    let table = CostTable(scenario, scenario.costs(under: [.none, .v1, .v2, .ideal]))
    #expect(
      table.text == """
        hand.pw: by hand
        policy notify full removed needed refaults entries bytes unknown stale broken
        none        2    2       4      3        1       0     0       0     0      0
        v1          2    1       4      3        1       3   512      4K     0      1
        v2          2    1       4      3        1       2   256      4K     0      0
        ideal       2    0       3      3        0       3   256       0     0      0
        v1 breaks revmap-sleep at event 9, line 12

        """)
  }
}
