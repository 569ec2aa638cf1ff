import Engine
import Language

/// Counts the cost of each event from its micro-steps.
struct CostMeter {
  var cost: PolicyCost
  /// The rules that were broken so far.
  private var broken: Set<Invariant> = []
  private var leaves = ShadowLeaves()
  /// Leaves that would still exist if none had been removed without need.
  private var missed = ShadowLeaves()
  /// The cause of removals: that of the last sweep.
  private var cause: UnmapCause?
  /// Canonical IPA of the fault under way.
  private var canonical: UInt64 = 0

  /// All shadows have this geometry.
  private static let geometry = Geometry.stage2(bits: VMConfiguration.physicalBits)

  init(_ policy: String) { cost = PolicyCost(policy) }

  /// Counts the last event that a session, which must record steps, carried out.
  mutating func count(last session: inout Session) {
    let timeline = session.timeline
    for step in timeline.steps { count(step) }
    cost.notifiers = Int(timeline.machine[.notifiers])
    cost.fullUnmaps = Int(timeline.machine[.fullUnmaps])
    countMaps(of: &session)
  }

  /// Notes the rules first broken by the last event that a session carried out.
  mutating func check(last session: inout Session) {
    guard session.breaksRule(besides: broken) else { return }
    let line = session.line(ofEvent: session.timeline.events.count - 1)
    for rule in session.violations().map(\.invariant) where broken.insert(rule).inserted {
      cost.violations.append(
        PolicyCost.Breach(rule: rule.rawValue, event: session.eventsDone, line: line))
    }
  }

  private mutating func countMaps(of session: inout Session) {
    let machine = session.timeline.machine
    let bytes = (0..<machine.configuration.shadows).reduce(0) {
      $0 + machine.reverseMapBytes(ofShadow: $1)
    }
    if bytes == 0 { return }
    let recorded = session.recordedEntries()
    cost.peakBytes = max(cost.peakBytes, bytes)
    cost.peakEntries = max(cost.peakEntries, recorded.count)
    cost.peakUnknown = max(cost.peakUnknown, recorded.unknownBytes)
    cost.peakStale = max(cost.peakStale, recorded.stale)
  }

  private mutating func count(_ step: Step) {
    let range = step.address..<step.address &+ step.size
    switch step.action {
    case .fault(.memslotFound(let ipa, _)): canonical = ipa
    case .table(.sweep(let cause)):
      self.cause = cause
      if let number = step.shadow {
        // Outside a notifier these leaves would have been removed under any policy.
        if !cause.takesMemory { missed.remove(range, of: number) }
      } else if cause.takesMemory {
        cost.leavesNeeded += leaves.reaching(range).count
        // These would have had to be removed now.
        for key in missed.reaching(range) { missed.remove(at: key) }
      }
    default:
      if [.leafMade, .entryBroken, .leafRemoved].contains(step.stepClass),
        let number = step.shadow
      {
        change(number, step)
      }
    }
  }

  /// A leaf of a shadow is installed or removed.
  private mutating func change(_ shadow: Int, _ step: Step) {
    let size = Self.geometry.size(step.level)
    let address = step.address & ~(size - 1)
    let gone = leaves.remove(address..<address + size, of: shadow)
    if step.stepClass == .leafMade {
      let leaf = ShadowLeaves.Leaf(canonical: canonical & ~(size - 1), size: size)
      leaves.add(leaf, at: ShadowLeaves.Key(shadow: shadow, nested: address))
      cost.refaults += missed.remove(address..<address + size, of: shadow).count
    } else if step.stepClass == .leafRemoved, let cause, cause.takesMemory {
      cost.leavesRemoved += gone.count
      for (key, leaf) in gone where !cause.canonical.overlaps(leaf.range) {
        missed.add(leaf, at: key)
      }
    }
  }
}

extension Step {
  /// Number of the shadow that the step concerns, or nil.
  fileprivate var shadow: Int? {
    if case .shadow(let number) = table { number } else { nil }
  }
}
