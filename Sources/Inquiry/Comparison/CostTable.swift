import Language

/// The costs of a scenario under several policies, as a table of at most 80 columns.
public struct CostTable {
  private let title: String
  private let file: String
  private let costs: [PolicyCost]

  /// A table of a scenario's costs.
  public init(_ scenario: Scenario, _ costs: [PolicyCost]) {
    title = scenario.title
    file = scenario.file
    self.costs = costs
  }

  /// The table, then the broken rules; must be made safe before a terminal shows it.
  public var text: String {
    let columns = CostColumn.columns(for: costs)
    let rows =
      [["policy"] + columns.map(\.name)]
      + costs.map { cost in [cost.policy] + columns.map { $0.figure(cost) } }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = [title.isEmpty ? file : "\(file): \(title)"]
    for row in rows {
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + padding : padding + row[column]
      }
      lines.append(cells.joined(separator: " "))
    }
    for cost in costs {
      for breach in cost.violations {
        let line = breach.line.map { ", line \($0)" } ?? ""
        lines.append("\(cost.policy) breaks \(breach.rule) at event \(breach.event)\(line)")
      }
      if let stopped = cost.stopped { lines.append("\(cost.policy) stops: \(stopped)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
