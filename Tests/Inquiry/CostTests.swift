import Engine
import TestSupport
import Testing

@testable import Inquiry
@testable import Language

/// What an event costs, by its micro-steps and by the machine's counters: two counts of the same.
@Suite struct CostTests {
  @Test func `the cost of an event is what the counters rise by`() throws {
    var differences: [String] = []
    for file in shippedScenarioNames {
      let scenario = try shippedScenario(file)
      // What a real kernel did elsewhere is not known, and what a dump shows is no event.
      if scenario.configuration.isRecorded { continue }
      var session = Session(scenario)
      try session.finish()
      for event in 0..<session.timeline.events.count {
        session.seek(to: Moment(events: event))
        let before = session.timeline.machine
        session.seek(to: Moment(events: event + 1))
        let after = session.timeline.machine
        let cost = Cost(at: session.timeline)
        func rise(_ counters: Counter...) -> Int {
          counters.reduce(0) { $0 + Int(after[$1] - before[$1]) }
        }
        let pairs: [(name: String, cost: Int, rise: Int)] = [
          ("faults", cost[.faults], rise(.canonicalFaults, .shadowFaults)),
          ("injected", cost[.injected], rise(.injected)),
          ("made", cost[.made], rise(.maps)),
          ("relaxed", cost[.relaxed], rise(.relaxes)),
          (
            "removed",
            [.canonicalRemoved, .shadowRemoved, .hostRemoved, .guestRemoved, .deviceRemoved]
              .reduce(0) { $0 + cost[$1] }, rise(.unmaps)
          ),
          ("full unmaps", cost[.fullUnmaps], rise(.fullUnmaps)),
          ("tables", cost[.tables], rise(.tablesAllocated)),
          ("tables freed", cost[.tablesFreed], rise(.tablesFreed)),
          ("TLBIs", cost[.invalidations], rise(.invalidations)),
        ]
        for pair in pairs where pair.cost != pair.rise {
          differences.append(
            "\(file) event \(event + 1) \(pair.name): \(pair.cost), not \(pair.rise)")
        }
      }
    }
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }
}
