import TestSupport
import Testing

@testable import Engine
@testable import Inquiry
@testable import Language

@Suite struct AuditTests {
  @Test(arguments: [
    "bugs/two-unmappers.pw", "bugs/relax.pw", "bugs/b01-nested-ipa-0.pw", "rmp/iommu-first.pw",
  ])
  func `a history has the same broken rules, checked in it or apart from it`(file: String) throws {
    var session = Session(try shippedScenario(file))
    try session.finish()
    let count = session.timeline.events.count
    var (inside, apart, mixed) = (Audit(), Audit(), Audit())
    for event in 0..<count {
      inside.checkNext(in: &session)
      // However far away the session is.
      session.seek(to: Moment(events: event * 7 % count))
      apart.checkNext(apartFrom: session)
      if event % 3 == 1 {
        mixed.checkNext(in: &session)
      } else {
        mixed.checkNext(apartFrom: session)
      }
    }
    #expect(inside.isComplete(for: session) && apart.isComplete(for: session))
    #expect(!inside.events.isEmpty)
    #expect(inside.events == apart.events && inside.events == mixed.events)
    for event in 0..<count {
      session.seek(to: Moment(events: event + 1))
      let found = inside.violations(at: session.timeline)
      #expect(found == apart.violations(at: session.timeline))
      #expect(found == mixed.violations(at: session.timeline))
      for violation in found ?? [] {
        #expect(
          inside.beginning(of: violation, after: event)
            == apart.beginning(of: violation, after: event))
      }
    }
  }
}
