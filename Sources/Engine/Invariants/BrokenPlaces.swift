/// The places where rules are broken, in the order of a full scan.
struct BrokenPlaces: Sendable {
  /// The position of a violation in a full scan.
  struct Place: Hashable, Comparable, Sendable {
    var part: Part
    /// The table, device or guest.
    var group = 0
    /// Address, slot or number.
    var address: UInt64 = 0
    /// Order among places with one address.
    var rank = 0

    static func < (a: Place, b: Place) -> Bool {
      (a.part.rawValue, a.group, a.address, a.rank) < (b.part.rawValue, b.group, b.address, b.rank)
    }
  }

  /// The parts of a full scan, in order.
  enum Part: Int, Sendable {
    case leaves, tableCounts, tlb, vmids, vncr, iotlb, foreignDMA, agreement, mirror, ownership,
      owners, reverseMaps, locks, coverage, recycling
  }

  private var violations: [Place: Violation] = [:]
  /// Number of places that break each rule, in the order of the rules.
  private var counts = [Int](repeating: 0, count: Invariant.allCases.count)
  private var sorted: [(place: Place, violation: Violation)] = []
  private var isSorted = true
  /// What is known: rules that need more are left out.
  var evidence = Evidence.events

  var isEmpty: Bool { violations.isEmpty }

  /// The violation at a place, or nil.
  subscript(place: Place) -> Violation? {
    get { violations[place] }
    set {
      let isUnknown = newValue?.invariant.isKnown(from: evidence) == false
      let newValue = isUnknown ? nil : newValue
      if newValue == nil, violations.isEmpty { return }
      let old = violations[place]
      if old == newValue { return }
      violations[place] = newValue
      if let old { counts[old.invariant.index] -= 1 }
      if let newValue { counts[newValue.invariant.index] += 1 }
      isSorted = false
    }
  }

  /// Drops all places of a part.
  mutating func removeAll(of part: Part, group: Int? = nil) {
    removeAll { $0.part == part && group ?? $0.group == $0.group }
  }

  /// Drops some places.
  mutating func removeAll(where isGone: (Place) -> Bool) {
    if violations.isEmpty { return }
    for place in violations.keys where isGone(place) { self[place] = nil }
  }

  /// All places, in no order.
  var all: [(place: Place, violation: Violation)] { violations.map { ($0.key, $0.value) } }

  /// Whether a rule is broken somewhere.
  func breaks(_ rule: Invariant) -> Bool { counts[rule.index] > 0 }

  /// All violations in order, merged with `others`.
  mutating func list(with others: [(place: Place, violation: Violation)]) -> [Violation] {
    if !isSorted {
      sorted = all.sorted { $0.place < $1.place }
      isSorted = true
    }
    if others.isEmpty { return sorted.map(\.violation) }
    return (sorted + others).sorted { $0.place < $1.place }.map(\.violation)
  }
}

extension Invariant {
  /// The index among all rules.
  var index: Int { Self.indices[self] ?? 0 }

  private static let indices = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
