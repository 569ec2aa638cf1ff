import Engine
import TestSupport
import Testing

@testable import Inquiry
@testable import Language

/// What an event costs, by its micro-steps and by the machine's counters: two counts of the same.
@Suite struct CostTests {
  @Test(arguments: shippedScenarioNames)
  func `the TLBIs of an event are those by which the counter rises`(file: String) throws {
    let scenario = try shippedScenario(file)
    // What a real kernel did elsewhere is not known, and what a dump shows is no event.
    if scenario.configuration.isRecorded { return }
    var session = Session(scenario)
    try session.finish()
    var before: UInt64 = 0
    for event in 0..<min(session.timeline.events.count, 60) {
      session.seek(to: Moment(events: event + 1))
      let after = session.timeline.machine[.invalidations]
      #expect(
        Cost(at: session.timeline)[.invalidations] == Int(after - before), "event \(event + 1)")
      before = after
    }
  }
}
