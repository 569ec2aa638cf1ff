import Engine
import Language

/// Which rules hold now, which event broke each first, and which expectations failed.
package struct RulesAnswer: Answer {
  package struct Rule: Encodable, Sendable {
    package let name: String
    /// What the rule demands.
    package let title: String
    /// Number of the first event that broke it, from 1; nil if no checked event did.
    package let brokenBy: Int?
    /// Whether it can be judged from what is known.
    package let isKnown: Bool
  }

  package struct Failure: Encodable, Sendable {
    /// The origin of the expectation.
    package let origin: String
    package let message: String
    package let moment: Moment
  }

  /// Violations now; nil if not checked yet.
  package let violations: [Breach]?
  package let rules: [Rule]
  package let failures: [Failure]
  /// Number of checked events, and of all events.
  package let checked, events: Int

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    var audit = subject.audit ?? Audit()
    let end = session.timeline.currentEvent.map { $0 + 1 } ?? 0
    if subject.audit == nil {
      audit.finish(&session, until: end, noteEvent: subject.noteEvent)
    }
    let first = Dictionary(
      audit.violations.flatMap { event, found in found.map { ($0.invariant, event) } },
      uniquingKeysWith: min)
    let evidence = session.timeline.machine.configuration.evidence
    rules = Invariant.allCases.map {
      Rule(
        name: $0.rawValue, title: $0.title, brokenBy: first[$0].map { $0 + 1 },
        isKnown: $0.isKnown(from: evidence))
    }
    violations = Breach.all(in: &session, audit)
    failures = session.failures.map {
      Failure(
        origin: $0.place, message: $0.message,
        moment: Moment(events: $0.position))
    }
    checked = min(audit.checked, session.timeline.events.count)
    events = session.timeline.events.count
  }

  /// Maximum number of breaches shown with the sides that disagree.
  private static let breachesInFull = 8

  package var isNo: Bool { !(violations ?? []).isEmpty }

  /// That nothing is broken, as far as that can be known.
  private var allHold: String {
    rules.allSatisfy(\.isKnown)
      ? "All rules hold now."
      : rules.contains(where: \.isKnown)
        ? "All rules that can be checked hold." : "Too little is known to check any rule."
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if let violations {
      report.add(
        violations.isEmpty ? allHold : count(violations.count, "violation") + " now.",
        violations.isEmpty ? .title : .error)
      for (index, breach) in violations.prefix(Report.linesAtMost).enumerated() {
        index < Self.breachesInFull ? breach.add(to: &report) : breach.addHead(to: &report)
      }
      report.addRest(of: violations.count)
    } else {
      report.add("The rules were not checked here yet.", .title)
    }
    report.addBlank()
    for rule in rules {
      let name = rule.name.padded(to: 20)
      if let event = rule.brokenBy {
        report.add(
          Report.Text("\(Sign.mismatch) ", .mismatch).adding(name)
            .adding("first broken by event \(event)", .warning), to: .moment(Moment(events: event)))
      } else if !rule.isKnown {
        report.add(
          Report.Text("? ", .dim).adding(name, .dim).adding("cannot be known", .dim), indent: 22)
      } else {
        report.add(
          Report.Text("  ").adding(name, .dim).adding(detail.text(rule.title), .dim),
          indent: 22)
      }
    }
    report.addBlank()
    report.add(
      checked == events
        ? "Every event was checked." : "\(checked) of \(count(events, "event")) checked.", .dim)
    for failure in failures.prefix(Report.linesAtMost) {
      report.add(
        Report.Text("\(Sign.mismatch) ", .mismatch)
          .adding("expectation failed, \(failure.origin): \(failure.message)"),
        to: .moment(failure.moment))
    }
    return report
  }
}

extension Invariant {
  /// What the rule demands, in a few words.
  package var title: String {
    switch self {
    case .leafOutlivesPage: "no leaf outlives its host page"
    case .writableLeaf: "no leaf is writable over a read-only page"
    case .shadowComposition: "a new shadow leaf is L1's entry and the canonical page"
    case .staleShadow: "what L1 invalidates is in none of its shadows"
    case .tableCounts: "table pages and entries are counted right"
    case .staleTLB: "no TLB entry outlives its leaf, or permits more"
    case .reverseMapCoverage: "every shadow leaf can be found again"
    case .reverseMapMirror: "reverse and direct map agree"
    case .reverseMapTree: "the trees are well formed"
    case .reverseMapLock: "no map changes under a shared lock"
    case .reverseMapSleep: "no allocation sleeps under mmu_lock"
    case .uniqueVMID: "no two contexts that the TLBs hold share a VMID"
    case .foreignDMA: "no device reaches a page of another owner"
    case .tableAgreement: "device and CPUs reach the same pages where they must"
    case .dmaHole: "no DMA fails to memory that the device's owner keeps"
    case .pageOwner: "every page has one owner, and all say the same"
    case .mirrorVMID: "an SMMU that only hears broadcasts uses the CPUs' VMID"
    case .staleIOTLB: "after its sync the SMMU's TLB holds no more than the table"
    case .vncr: "KVM's VNCR page is the VMM's"
    }
  }
}
