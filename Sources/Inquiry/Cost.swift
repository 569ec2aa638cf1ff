import Engine

/// The cost of an event, and its most telling micro-step.
package struct Cost: Equatable, Sendable, Encodable {
  /// What is counted; the table of the counts, in their order.
  package enum Count: String, CaseIterable, CodingKey, Sendable {
    case faults, injected, made, relaxed, weakened, canonicalRemoved, shadowRemoved, hostRemoved
    case guestRemoved, deviceRemoved, fullUnmaps, tables, tablesFreed, invalidations

    /// One of it, and several.
    var words: (one: String, many: String) {
      switch self {
      case .faults: ("fault", "faults")
      case .injected: ("exception for L1", "exceptions for L1")
      case .made: ("leaf made", "leaves made")
      case .relaxed: ("leaf relaxed", "leaves relaxed")
      case .weakened: ("leaf weakened", "leaves weakened")
      case .canonicalRemoved: ("canonical leaf removed", "canonical leaves removed")
      case .shadowRemoved: ("shadow leaf removed", "shadow leaves removed")
      case .hostRemoved: ("leaf of the host removed", "leaves of the host removed")
      case .guestRemoved: ("leaf of a guest removed", "leaves of guests removed")
      case .deviceRemoved: ("leaf of a device removed", "leaves of devices removed")
      case .fullUnmaps: ("full unmap of a shadow", "full unmaps of shadows")
      case .tables: ("table allocated", "tables allocated")
      case .tablesFreed: ("table freed", "tables freed")
      case .invalidations: ("TLBI", "TLBIs")
      }
    }
  }

  private var numbers = [Int](repeating: 0, count: Count.allCases.count)
  /// Number of shadow leaves that mapped memory taken from the VM; nil if none was taken.
  package private(set) var needed: Int?
  /// Words that were stored.
  package private(set) var words = 0
  /// The most telling micro-step: a failed reverse-map lookup, a refusal, an injection or a full unmap,
  /// else the last change of a leaf.
  package private(set) var keyStep: Int?

  package init() {}

  /// The value of a count.
  package private(set) subscript(count: Count) -> Int {
    get { numbers[count.index] }
    set { numbers[count.index] = newValue }
  }

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

  /// The cost of some micro-steps of one event.
  ///
  /// - Parameters:
  ///   - words: number of words that they stored.
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
    needed = removed.needed(in: machine)
  }

  /// The removed leaves, and those that had to be removed.
  private struct Removed {
    /// Physical addresses that canonical leaves had mapped.
    var canonical: [Range<UInt64>] = []
    /// Leaves of shadows: the shadow, the nested address, and the physical one.
    var shadow: [(shadow: Int, nested: UInt64, physical: UInt64)] = []
    /// Canonical addresses that a notifier, or the deletion of a slot, takes from the VM; nil without one.
    var taken: [Range<UInt64>]?

    /// Number of shadow leaves that mapped taken memory: L1's table leads to a taken address, or, if it no longer
    /// gives the leaf, a canonical leaf had mapped the same page. Pages of zeros and merged pages have several
    /// addresses, of which others may not be taken.
    mutating func needed(in machine: Machine) -> Int? {
      guard let taken, !shadow.isEmpty else { return nil }
      canonical.sort { $0.lowerBound < $1.lowerBound }
      return shadow.count { leaf in
        if let now = machine.derivation(of: leaf.nested, inShadow: leaf.shadow) {
          if taken.contains(where: { $0.contains(now.ipa) }) { return true }
          if now.page?.physical.page == leaf.physical.page { return false }
        }
        return wasCanonical(leaf.physical)
      }
    }

    private func wasCanonical(_ output: UInt64) -> Bool {
      let index = canonical.indices.partitioningIndex { canonical[$0].upperBound > output }
      return index < canonical.count && canonical[index].contains(output)
    }
  }

  private mutating func count(_ step: Step, _ removed: inout Removed) {
    for (count, counters) in Self.counters {
      for counter in counters { self[count] += step.count(counter) }
    }
    if step.stepClass == .leafWeakened { self[.weakened] += 1 }
    countRemoved(step, &removed)
    if case .table(.sweep(let cause)) = step.action, step.table == .canonical, cause.takesMemory {
      removed.taken = (removed.taken ?? []) + [step.address..<step.address &+ step.size]
    }
  }

  /// The counts that are the machine's counters, of all tables alike.
  private static let counters: [(Count, [Counter])] = [
    (.faults, [.canonicalFaults, .shadowFaults, .protectedFaults]), (.injected, [.injected]),
    (.made, [.maps]), (.relaxed, [.relaxes]), (.fullUnmaps, [.fullUnmaps]),
    (.tables, [.tablesAllocated]), (.tablesFreed, [.tablesFreed]),
    (.invalidations, [.invalidations]),
  ]

  /// Counts removed leaves by what their table translates, and notes those that an unmap removes.
  private mutating func countRemoved(_ step: Step, _ removed: inout Removed) {
    let number = step.count(.unmaps)
    if number == 0 { return }
    let unmapped: Descriptor? =
      if case .table(.clearLeaf(let old, _, _)) = step.action { old } else { nil }
    switch step.table?.kind.input {
    case .canonicalIPA:
      self[.canonicalRemoved] += number
      if let output = unmapped?.address { removed.canonical.append(output..<output + step.size) }
    case .nestedIPA:
      self[.shadowRemoved] += number
      if case .shadow(let shadow) = step.table, let output = unmapped?.address {
        removed.shadow.append((shadow, step.address, output))
      }
    case .guestIPA: self[.guestRemoved] += number
    case .iova: self[.deviceRemoved] += number
    case .physical, .hostVirtual, nil: self[.hostRemoved] += number
    }
  }

  /// The counts that are not zero, and the words stored, as one text.
  package var summary: String {
    (parts + [Inquiry.count(words, "word") + " stored"]).joined(separator: ", ")
  }

  /// The counts that are not zero, in words.
  package var parts: [String] {
    Count.allCases.flatMap { count -> [String] in
      let number = self[count]
      if number == 0 { return [] }
      let (one, many) = count.words
      // The number that had to be removed is shown only for shadow leaves.
      let needed = count == .shadowRemoved ? needed.map { ["\($0) of them had to go"] } ?? [] : []
      return [Inquiry.count(number, one, many)] + needed
    }
  }
}

extension Cost.Count {
  fileprivate var index: Int {
    // In the order of declaration, like the table of all.
    Self.allCases.firstIndex(of: self) ?? 0
  }
}

extension Cost {
  private enum Key: String, CodingKey { case needed, words, keyStep }

  package func encode(to encoder: any Encoder) throws {
    var counts = encoder.container(keyedBy: Count.self)
    for count in Count.allCases { try counts.encode(self[count], forKey: count) }
    var others = encoder.container(keyedBy: Key.self)
    try others.encodeIfPresent(needed, forKey: .needed)
    try others.encode(words, forKey: .words)
    try others.encodeIfPresent(keyStep, forKey: .keyStep)
  }
}
