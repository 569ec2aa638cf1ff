import Engine
import Language

/// The machine's counts since the start, and the cost of the current event.
package struct CountersAnswer: Answer {
  package struct Count: Encodable, Sendable {
    package let name: String
    package let value: UInt64
    /// What is counted.
    package let title: String
  }

  package let counters: [Count]
  /// What the current event has cost so far.
  package let event: Cost

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    counters = Counter.allCases.map {
      Count(name: "\($0)", value: machine[$0], title: $0.title)
    }
    event = Cost(at: session.timeline)
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report("From the start to this moment", .title)
    for counter in counters {
      report.add(
        Report.Text("\(counter.value)".padded(to: 9, .right) + "  ").adding(counter.title, .dim))
    }
    report.addBlank()
    report.add(Report.Text("this event  ", .dim).adding(event.summary))
    return report
  }
}

extension Counter {
  /// What is counted.
  package var title: String {
    switch self {
    case .canonicalFaults: "faults on the canonical table"
    case .shadowFaults: "faults on shadow tables"
    case .injected: "exceptions injected into L1"
    case .maps: "leaves made"
    case .relaxes: "leaves relaxed"
    case .unmaps: "leaves removed"
    case .notifiers: "MMU notifier invalidations"
    case .fullUnmaps: "unmaps of a whole shadow"
    case .invalidations: "TLBIs of the host"
    case .tablesAllocated: "table pages allocated"
    case .tablesFreed: "table pages freed"
    case .mmioExits: "exits for MMIO"
    case .protectedFaults: "faults on tables of pKVM"
    }
  }
}
