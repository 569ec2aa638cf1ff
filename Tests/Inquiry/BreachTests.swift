import Inquiry
import TestSupport
import Testing

@testable import Engine
@testable import Language

/// Where rules are broken, and what the number of a place is.
@Suite struct BreachTests {
  @Test(arguments: [
    ("btm/private-mirror.pw", "mirror-vmid", Breach.Kind.tag),
    ("found/v1-revmap-mirror.pw", "revmap-mirror", .reverseMap),
    ("bugs/relax.pw", "writable-leaf", .address),
  ])
  func `the kind of a place says what its number is`(
    file: String, rule: String, kind: Breach.Kind
  ) throws {
    var session = try QuestionTests.session(file)
    var found = 0
    for event in 1...session.timeline.events.count {
      session.seek(to: Moment(events: event))
      let answer = try QuestionTests.answer(RulesAnswer.self, &session)
      for breach in answer.violations ?? [] where breach.rule == rule {
        found += 1
        #expect(breach.kind == kind)
        let links = answer.report(.engineer).lines.compactMap(\.target)
        switch kind {
        case .tag:
          #expect(breach.place.hasPrefix("VMID \(breach.address) of "))
          // A VMID is no address to go to.
          #expect(links.contains(.place(breach.table, 0)))
        case .reverseMap: #expect(breach.place.contains("in the reverse map of "))
        case .address, .table, .vm: #expect(links.contains(.place(breach.table, breach.address)))
        }
      }
    }
    #expect(found > 0)
  }

  @Test func `another VM is named by its number, and is no address`() throws {
    let machine = Machine(VMConfiguration())
    let violations = [0, 4096].map {
      Violation(invariant: .uniqueVMID, table: .canonical, at: .otherVM($0))
    }
    #expect(violations.map { $0.place(in: machine) } == ["VM 0", "VM 4096"])
    #expect(ViolationRun.runs(of: violations).count == 2)
    let addresses = [0, 4096].map {
      Violation(invariant: .writableLeaf, table: .canonical, address: $0)
    }
    #expect(ViolationRun.runs(of: addresses).map(\.size) == [8192])
  }
}
