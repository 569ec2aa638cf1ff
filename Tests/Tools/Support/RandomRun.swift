import Engine
import Foundation

/// A run of random events, up to the first that breaks one of the rules that are watched.
public struct RandomRun {
  /// All rules but what Linux 7.3.4 itself breaks, under any policy: see
  /// `assets/scenarios/bugs/relax.pw`. It also breaks one in one way: `isLostWrite`.
  public static let rules = Set(Invariant.allCases).subtracting([.writableLeaf])

  /// Whether a violation is what Linux 7.3.4 does to shadows under dirty logging: an entry is cached writable
  /// of a leaf that is only write-protected. See `assets/scenarios/bugs/lost-write.pw`.
  public static func isLostWrite(_ violation: Violation, in machine: Machine) -> Bool {
    guard violation.invariant == .staleTLB, case .shadow = violation.table,
      let table = machine.table(violation.table)
    else { return false }
    let leaf = machine.walk(violation.address, in: table)
    var permissions = leaf.descriptor.permissions
    if permissions.write { return false }
    permissions.write = true
    return machine.tlbEntries.allSatisfy { entry in
      entry.vmid != table.vmid || entry.address != violation.address
        || entry.level >= leaf.level
          && entry.descriptor.address & ~(table.geometry.size(leaf.level) - 1)
            == leaf.descriptor.address
          && [leaf.descriptor.permissions, permissions].contains(entry.descriptor.permissions)
    }
  }

  /// The machine's configuration.
  public let configuration: VMConfiguration
  /// The events that were carried out; the last one broke `broken`.
  public let events: [Event]
  /// The rule that it broke, or nil if none was.
  public let broken: Invariant?
  /// The last event, if a checker that follows what events store, and a look at everything, did not find the
  /// same after it.
  public let disagreement: String?

  /// What the environment's `PAGEWALK_EVENTS` asks for; nil without it.
  private static let askedLength =
    ProcessInfo.processInfo.environment["PAGEWALK_EVENTS"].flatMap { Int($0) }

  /// How many events, statements or inputs a random test makes in all: what `PAGEWALK_EVENTS` in the environment asks
  /// for, or else `length`.
  public static func length(default length: Int) -> Int { askedLength ?? length }

  /// Number of runs, at least one, of so many events that make up the length.
  public static func runs(of events: Int, default length: Int) -> Int {
    max(1, Self.length(default: length) / events)
  }

  /// A look at everything costs what the machine is large: in long runs it comes after every so many events.
  private static let looksEach = askedLength == nil ? 1 : 16

  /// Carries out what makes sense of `count` random events.
  public init(
    seed: UInt64, policy: ReverseMapVersion, count: Int, watching rules: Set<Invariant> = rules
  ) {
    var source = RandomEvents(seed: seed, policy: policy)
    let setUp = source.setUp()
    self.init(
      source.configuration, (0..<count).lazy.map { $0 < setUp.count ? setUp[$0] : source.next() },
      watching: rules)
  }

  /// Carries out events. Those that are refused are left out.
  public init(
    _ configuration: VMConfiguration, _ events: some Sequence<Event>, watching rules: Set<Invariant>
  ) {
    var machine = Machine(configuration)
    var checker = RuleChecker(machine, countsEntries: true)
    var done: [Event] = []
    var broken: Invariant?
    var disagreement: String?
    for event in events where broken == nil && disagreement == nil {
      let start = machine.memory.journalCount
      guard (try? machine.apply(event)) != nil else { continue }
      done.append(event)
      let stores = start..<machine.memory.journalCount
      let found = checker.violations(of: machine, after: stores)
      broken =
        found.first { rules.contains($0.invariant) && !Self.isLostWrite($0, in: machine) }?
        .invariant
      if broken != nil || done.count % Self.looksEach == 0 {
        let all = machine.violations(after: stores)
        if found != all { disagreement = "\(event): found \(found), not \(all)" }
        let counts = EntryCounts(checker)
        if counts != EntryCounts(machine) {
          disagreement = "\(event): counted \(counts), not \(EntryCounts(machine))"
        }
      }
    }
    self.configuration = configuration
    self.events = done
    self.broken = broken
    self.disagreement = disagreement
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

/// What is counted of the entries of reverse maps.
public struct EntryCounts: Equatable {
  private var count: Int
  private var unknownBytes: UInt64
  private var stale: Int

  /// What a checker has counted.
  package init(_ checker: RuleChecker) {
    count = checker.entryCount
    unknownBytes = checker.unknownBytes
    stale = checker.staleEntries
  }

  /// The same by a look at all entries.
  public init(_ machine: Machine) {
    count = 0
    unknownBytes = 0
    stale = 0
    for number in 0..<machine.configuration.shadows {
      for entry in machine.reverseMap(ofShadow: number) where entry.nested == nil {
        unknownBytes += entry.canonical.upperBound - entry.canonical.lowerBound
      }
      let size = machine.reverseMapSize(ofShadow: number)
      count += size.reverse + size.direct
      stale += machine.staleEntries(ofShadow: number).count
    }
  }
}
