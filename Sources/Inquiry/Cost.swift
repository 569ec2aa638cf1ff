import Engine

/// What an event has taken, and which of its micro-steps tells most.
package struct Cost: Equatable, Sendable, Encodable {
  package private(set) var faults = 0
  package private(set) var injected = 0
  package private(set) var made = 0
  package private(set) var relaxed = 0
  package private(set) var weakened = 0
  package private(set) var canonicalRemoved = 0
  package private(set) var shadowRemoved = 0
  /// Shadow leaves that mapped what was taken from the VM; nil if nothing was.
  package private(set) var needed: Int?
  package private(set) var hostRemoved = 0
  package private(set) var guestRemoved = 0
  package private(set) var deviceRemoved = 0
  package private(set) var fullUnmaps = 0
  package private(set) var tables = 0
  package private(set) var tablesFreed = 0
  package private(set) var invalidations = 0
  /// Words that were stored.
  package private(set) var words = 0
  /// The micro-step that tells most: what a reverse map did not know, what was refused or
  /// injected or went as a whole, else the last change of a leaf.
  package private(set) var keyStep: Int?

  package init() {}

  /// What the current event of a timeline has cost so far.
  package init(at timeline: Timeline) {
    guard let event = timeline.currentEvent else {
      self.init()
      return
    }
    self.init(
      of: timeline.steps.prefix(timeline.stepsDone),
      words: timeline.machine.memory.position - timeline.stores(ofEvent: event).lowerBound,
      in: timeline.machine)
  }

  /// What some micro-steps of one event have cost.
  ///
  /// - Parameters:
  ///   - words: words that they have stored.
  ///   - machine: the machine after them.
  package init(of steps: ArraySlice<Step>, words: Int, in machine: Machine) {
    self.words = words
    var removed = Removed()
    var best = -1
    for (index, step) in steps.enumerated() {
      count(step, &removed)
      let weight = step.facts.weight
      if weight >= best {
        best = weight
        keyStep = index
      }
    }
    canonicalRemoved = removed.canonical.count
    shadowRemoved = removed.shadow.count
    needed = removed.needed(in: machine)
  }

  /// What was removed, and what had to be.
  private struct Removed {
    /// Physical addresses that canonical leaves had mapped.
    var canonical: [Range<UInt64>] = []
    /// Leaves of shadows: the shadow, the nested address, and the physical one.
    var shadow: [(shadow: Int, nested: UInt64, physical: UInt64)] = []
    /// Canonical addresses that a notifier, or the end of a slot, takes from the VM; nil without one.
    var taken: [Range<UInt64>]?

    /// Number of shadow leaves that mapped what was taken: what a canonical leaf had mapped, or what L1's
    /// table maps to an address that was taken.
    mutating func needed(in machine: Machine) -> Int? {
      guard let taken, !shadow.isEmpty else { return nil }
      canonical.sort { $0.lowerBound < $1.lowerBound }
      return shadow.count { leaf in
        if wasCanonical(leaf.physical) { return true }
        let ipa = machine.derivation(of: leaf.nested, inShadow: leaf.shadow)?.ipa
        return ipa.map { ipa in taken.contains { $0.contains(ipa) } } ?? false
      }
    }

    private func wasCanonical(_ output: UInt64) -> Bool {
      let index = canonical.indices.partitioningIndex { canonical[$0].upperBound > output }
      return index < canonical.count && canonical[index].contains(output)
    }
  }

  private mutating func count(_ step: Step, _ removed: inout Removed) {
    switch step.stepClass {
    case .fault: faults += 1
    case .injection: injected += 1
    case .leafMade: made += 1
    case .leafRelaxed: relaxed += 1
    case .leafWeakened: weakened += 1
    case .leafRemoved:
      guard case .table(.clearLeaf(let old, _, _)) = step.action else { return }
      let output = old.address
      if case .shadow(let number) = step.table {
        removed.shadow.append((number, step.address, output))
        return
      }
      switch step.table?.kind.input {
      case .canonicalIPA: removed.canonical.append(output..<output + step.size)
      case .guestIPA: guestRemoved += 1
      case .iova: deviceRemoved += 1
      case .nestedIPA, .physical, .hostVirtual, nil: hostRemoved += 1
      }
    case .tableAllocated: tables += 1
    case .tableFreed: tablesFreed += 1
    case .invalidation:
      if case .tlb(.invalidate) = step.action { invalidations += 1 }
    case .sweep:
      if step.table == .canonical, case .table(.sweep(let cause)) = step.action, cause.takesMemory {
        removed.taken = (removed.taken ?? []) + [step.address..<step.address &+ step.size]
      }
    case .wholeShadow: fullUnmaps += 1
    case .access, .deviceAccess, .walk, .data, .deviceFault, .setting, .choice, .trigger, .lookUp,
      .lookUpMiss, .lookUpFailure, .record, .recordLost, .mapState, .accessFlag, .entryBroken,
      .entryReplaced, .tableMade, .tableRemoved, .tableFilled, .cleaning, .guestEntry, .plan,
      .deviceInvalidation, .wait, .hostPage, .hostMapping, .hostArea, .ageing, .lock, .pause,
      .ownership, .pinning, .identifier, .retry, .remark, .refusal:
      break
    }
  }

  /// The counts that are not zero, and the words stored, as one text.
  package var summary: String {
    (parts + [Inquiry.count(words, "word") + " stored"]).joined(separator: ", ")
  }

  /// The counts that are not zero, in words.
  package var parts: [String] {
    var parts: [String] = []
    func add(_ number: Int, _ one: String, _ many: String) {
      if number > 0 { parts.append(Inquiry.count(number, one, many)) }
    }
    add(faults, "fault", "faults")
    add(injected, "exception for L1", "exceptions for L1")
    add(made, "leaf made", "leaves made")
    add(relaxed, "leaf relaxed", "leaves relaxed")
    add(weakened, "leaf weakened", "leaves weakened")
    add(canonicalRemoved, "canonical leaf removed", "canonical leaves removed")
    add(shadowRemoved, "shadow leaf removed", "shadow leaves removed")
    add(hostRemoved, "leaf of the host removed", "leaves of the host removed")
    add(guestRemoved, "leaf of a guest removed", "leaves of guests removed")
    add(deviceRemoved, "leaf of a device removed", "leaves of devices removed")
    if let needed { parts.append("\(needed) of them had to go") }
    add(fullUnmaps, "full unmap of a shadow", "full unmaps of shadows")
    add(tables, "table allocated", "tables allocated")
    add(tablesFreed, "table freed", "tables freed")
    add(invalidations, "TLBI", "TLBIs")
    return parts
  }
}
