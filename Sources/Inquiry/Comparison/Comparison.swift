import Engine
import Language

/// A scenario to be carried out under several policies, to count the cost of each.
///
/// Its runs are independent, so they can run at the same time, in any order; none keeps more of its
/// past than the last events.
package struct Comparison: Sendable {
  private let scenario: Scenario
  private let choices: [PolicyChoice]
  /// The choices under which the scenario is carried out, run by run; for reverse maps also the one that
  /// removes the least, which shows what was needed.
  private let runs: [PolicyChoice]
  private let leastRun: Int?
  private let countsDevices: Bool

  /// A comparison of some choices; also of the devices' costs, if any choice is not a reverse map.
  package init(of scenario: Scenario, under choices: [PolicyChoice]) {
    self.scenario = scenario
    self.choices = choices
    countsDevices = choices.contains { $0.reverseMap == nil }
    let ideal = choices.firstIndex { $0.reverseMap == .ideal }
    runs = choices + (countsDevices || ideal != nil ? [] : [PolicyChoice(.ideal)])
    leastRun = countsDevices ? nil : ideal ?? choices.count
  }

  /// Number of runs.
  package var runCount: Int { runs.count }

  /// The cost of a run; it counts as needed the leaves that existed and had to be removed.
  ///
  /// - Parameter afterEvent: called after an event is carried out and counted.
  package func cost(ofRun index: Int, afterEvent: () -> Void = {}) -> PolicyCost {
    var meter = CostMeter(runs[index].name)
    var devices = countsDevices ? DeviceMeter() : nil
    do {
      let scenario = try runs[index].applied(to: scenario)
      meter.cost.isInForce = scenario.configuration == self.scenario.configuration
      var session = Session(scenario, keepsPast: false, recordsSteps: true)
      while let statement = try session.advance() {
        guard case .event = statement.kind else { continue }
        meter.count(last: &session)
        meter.check(last: &session)
        devices?.count(last: &session)
        afterEvent()
      }
    } catch {
      meter.cost.stopped = error.description
    }
    meter.cost.devices = devices?.cost
    return meter.cost
  }

  /// The costs of the choices in their order, from those of all runs in theirs.
  package func costs(ofChoices costs: [PolicyCost]) -> [PolicyCost] {
    choices.indices.map { index in
      var cost = costs[index]
      if let leastRun { cost.leavesNeeded = costs[leastRun].leavesNeeded }
      return cost
    }
  }
}

extension Scenario {
  /// Carries out the scenario under each policy, and counts.
  public func costs(under policies: [ReverseMapVersion]) -> [PolicyCost] {
    costs(under: policies.map { PolicyChoice($0) })
  }

  /// Carries out the scenario under each policy in turn, and counts; also the devices' costs, if
  /// any choice is not a reverse map.
  public func costs(under choices: [PolicyChoice]) -> [PolicyCost] {
    let comparison = Comparison(of: self, under: choices)
    return comparison.costs(
      ofChoices: (0..<comparison.runCount).map { comparison.cost(ofRun: $0) })
  }
}
