import Engine

/// A run of random events, up to the first that breaks one of the rules that are watched.
public struct RandomRun {
  /// All rules but what Linux 7.3.4 itself breaks, under any policy: see
  /// `assets/scenarios/bugs/relax.pw`.
  public static let rules = Set(Invariant.allCases).subtracting([.writableLeaf])

  /// The machine's configuration.
  public let configuration: Configuration
  /// The events that were carried out; the last one broke `broken`.
  public let events: [Event]
  /// The rule that it broke, or nil if none was.
  public let broken: Invariant?

  /// Carries out what makes sense of `count` random events.
  public init(
    seed: UInt64, policy: ReverseMapPolicyName, count: Int, watching rules: Set<Invariant> = rules
  ) {
    var source = RandomEvents(seed: seed, policy: policy)
    let setUp = source.setUp()
    self.init(
      source.configuration, (0..<count).lazy.map { $0 < setUp.count ? setUp[$0] : source.next() },
      watching: rules)
  }

  /// Carries out events. Those that are refused are left out.
  public init(
    _ configuration: Configuration, _ events: some Sequence<Event>, watching rules: Set<Invariant>
  ) {
    var machine = Machine(configuration)
    var done: [Event] = []
    var broken: Invariant?
    for event in events where broken == nil {
      let start = machine.memory.journalCount
      guard (try? machine.apply(event)) != nil else { continue }
      done.append(event)
      broken =
        machine.violations(after: start..<machine.memory.journalCount)
        .first { rules.contains($0.invariant) }?.invariant
    }
    self.configuration = configuration
    self.events = done
    self.broken = broken
  }

  /// Fewer events that break the same rule, of which none can be left out.
  public func shortest() -> RandomRun {
    guard let broken else { return self }
    var best = self
    var chunk = events.count / 2
    while chunk > 0 {
      var start = 0
      var isShorter = false
      while start < best.events.count {
        var fewer = best.events
        fewer.removeSubrange(start..<min(start + chunk, fewer.count))
        let run = RandomRun(configuration, fewer, watching: [broken])
        if run.broken != nil {
          best = run
          isShorter = true
        } else {
          start += chunk
        }
      }
      if chunk > 1 || !isShorter { chunk /= 2 }
    }
    return best
  }

  /// The run as a scenario.
  public var scenario: String {
    var lines = ["pagewalk 1"] + configuration.statements
    lines += events.map(\.statement)
    return lines.joined(separator: "\n") + "\n"
  }
}
