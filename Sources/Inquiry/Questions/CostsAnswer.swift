import Engine
import Language

/// The cost of the scenario's events under each policy.
package struct CostsAnswer: Answer {
  package let policies: [PolicyCost]
  private let events: Int

  private enum CodingKeys: CodingKey { case policies }

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    events = session.timeline.events.count
    if let limit = subject.eventsAtMost, events > limit {
      throw Unanswerable(
        "Counting \(events) events under each policy would take long here; `pagewalk compare FILE` "
          + "does it on the command line.")
    }
    let comparison = Self.comparison(of: session.scenario)
    policies = comparison.costs(
      ofChoices: (0..<comparison.runCount).map { run in
        comparison.cost(ofRun: run, afterEvent: subject.noteEvent)
      })
  }

  private static func comparison(of scenario: Scenario) -> Comparison {
    Comparison(of: scenario, under: PolicyChoice.choices(for: scenario))
  }

  package static func passes(over scenario: Scenario) -> Int {
    comparison(of: scenario).runCount
  }

  package func report(_ detail: DetailLevel) -> Report {
    let columns = CostColumn.columns(for: policies)
    let figures = policies.map { cost in columns.map { $0.figure(cost) } }
    let names = columns.map(\.name)
    let widths = columns.indices.map { column in
      (figures + [names]).map { $0[column].unicodeScalars.count }.max() ?? 0
    }
    func cells(_ texts: [String], _ emphasis: Report.Emphasis) -> [Report.Text] {
      zip(texts, widths).map { Report.Text("  " + $0.padded(to: $1, .right), emphasis) }
    }
    let first = (policies.map(\.policy.unicodeScalars.count) + [6]).max() ?? 6
    var report = Report(
      "The same events under each policy, over all \(count(events, "event"))", .title)
    report.add(
      row: Report.Text("policy".padded(to: first), .heading), cells: cells(names, .heading))
    report.endHeads()
    for (cost, texts) in zip(policies, figures) {
      report.add(
        row: Report.Text(cost.policy.padded(to: first), cost.isInForce ? .key : .plain),
        cells: cells(texts, .plain))
      for breach in cost.violations {
        report.add(
          Report.Text("  \(Sign.mismatch) ", .mismatch)
            .adding("breaks \(breach.rule) at event \(breach.event)", .warning))
      }
      if let stopped = cost.stopped { report.add("  stops: \(stopped)", .error) }
    }
    report.addBlank()
    for column in columns {
      report.add(
        Report.Text(column.name.padded(to: 10), .heading).adding(column.meaning, .dim), indent: 10)
    }
    return report
  }
}
