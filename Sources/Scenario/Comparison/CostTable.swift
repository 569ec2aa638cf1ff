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

  /// The table, then the rules that were broken; not fit for a terminal before it is made safe.
  public var text: String {
    let head =
      costs.contains { $0.devices != nil }
      ? [
        "policy", "failing", "stalled", "forbidden", "needless", "stale", "unused", "tables",
        "broken",
      ]
      : [
        "policy", "notify", "full", "removed", "needed", "refaults", "entries", "bytes", "unknown",
        "stale", "broken",
      ]
    let rows = [head] + costs.map(Self.row)
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
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
        lines.append(
          "\(cost.policy) breaks \(breach.rule) at event \(breach.event), line \(breach.line)")
      }
      if let stopped = cost.stopped { lines.append("\(cost.policy) stops: \(stopped)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A size that may be large, rounded to a unit in which it has at most four digits.
  private static func rounded(_ bytes: UInt64) -> String {
    var unit: UInt64 = 1
    while (bytes + unit / 2) / unit >= 10_000 { unit <<= 10 }
    return Phrase.size((bytes + unit / 2) / unit * unit)
  }

  private static func row(_ cost: PolicyCost) -> [String] {
    if let devices = cost.devices {
      return [
        cost.policy, "\(devices.failing)", "\(devices.stalled)", "\(devices.forbidden)",
        "\(devices.needless)", "\(devices.peakStale)", Self.rounded(devices.unused),
        Self.rounded(devices.peakTables), "\(cost.violations.count)",
      ]
    }
    return [
      cost.policy, "\(cost.notifiers)", "\(cost.fullUnmaps)", "\(cost.leavesRemoved)",
      "\(cost.leavesNeeded)", "\(cost.refaults)", "\(cost.peakEntries)",
      Phrase.size(UInt64(cost.peakBytes)), Phrase.size(cost.peakUnknown), "\(cost.peakStale)",
      "\(cost.violations.count)",
    ]
  }
}
