import Canvas
import Engine

/// What an event has taken, and which of its micro-steps tells most.
struct Cost {
  private var faults = 0
  private var injected = 0
  private var made = 0
  private var relaxed = 0
  private var weakened = 0
  private var canonicalRemoved: [Range<UInt64>] = []
  private var shadowRemoved: [UInt64] = []
  private var hostsRemoved = 0
  private var guestsRemoved = 0
  private var devicesRemoved = 0
  private var tables = 0
  private var tablesFreed = 0
  private var invalidations = 0
  private var fullUnmaps = 0
  /// Leaves of shadows that mapped what the canonical table lost.
  private var needed = 0
  /// Words that were stored.
  private(set) var words = 0
  /// The micro-step that tells most: what a reverse map did not know, what was refused or
  /// injected or went as a whole, else the last change of a leaf.
  private(set) var keyStep: Int?

  init() {}

  init(of steps: [Step], words: Int) {
    self.words = words
    var best = -1
    for (index, step) in steps.enumerated() {
      count(step)
      let weight = step.has(.fullUnmap) ? 3 : step.facts.weight
      if weight >= best {
        best = weight
        keyStep = index
      }
    }
    canonicalRemoved.sort { $0.lowerBound < $1.lowerBound }
    needed = shadowRemoved.count { wasCanonical($0) }
  }

  private mutating func count(_ step: Step) {
    switch step.stepClass {
    case .fault: faults += 1
    case .injection: injected += 1
    case .leafMade: made += 1
    case .leafRelaxed: relaxed += 1
    case .leafWeakened: weakened += 1
    case .leafRemoved:
      guard case .table(.clearLeaf(let old, _)) = step.action else { return }
      let output = old.address
      switch step.table {
      case .canonical: canonicalRemoved.append(output..<output + step.size)
      case .shadow: shadowRemoved.append(output)
      case .protectedGuest: guestsRemoved += 1
      case .iommu: devicesRemoved += 1
      case .guest, .protectedHost, .host, nil: hostsRemoved += 1
      }
    case .tableAllocated: tables += 1
    case .tableFreed: tablesFreed += 1
    case .invalidation:
      if case .tlb(.invalidate) = step.action { invalidations += 1 }
    case .sweep: if step.has(.fullUnmap) { fullUnmaps += 1 }
    case .access, .deviceAccess, .walk, .data, .deviceFault, .setting, .choice, .trigger, .lookUp,
      .lookUpMiss, .lookUpFailure, .record, .recordLost, .mapState, .accessFlag, .entryBroken,
      .entryReplaced, .tableMade, .tableRemoved, .tableFilled, .cleaning, .guestEntry, .plan,
      .deviceInvalidation, .wait, .hostPage, .hostMapping, .hostArea, .ageing, .lock, .pause,
      .ownership, .pinning, .identifier, .retry, .remark, .refusal:
      break
    }
  }

  /// Whether the canonical table lost the page at a physical address.
  private func wasCanonical(_ output: UInt64) -> Bool {
    var low = 0
    var high = canonicalRemoved.count
    while low < high {
      let middle = (low + high) / 2
      if canonicalRemoved[middle].upperBound <= output { low = middle + 1 } else { high = middle }
    }
    return low < canonicalRemoved.count && canonicalRemoved[low].contains(output)
  }

  /// The counts that are not zero, and the words stored, as one text.
  var summary: SafeText {
    (parts + [words == 1 ? "1 word stored" : "\(words) words stored"]).reduce(SafeText()) {
      $0.isEmpty ? $1 : $0 + ", " + $1
    }
  }

  /// The counts that are not zero, in words.
  var parts: [SafeText] {
    var parts: [SafeText] = []
    func add(_ count: Int, _ one: SafeText, _ many: SafeText) {
      if count > 0 { parts.append("\(count) " + (count == 1 ? one : many)) }
    }
    add(faults, "fault", "faults")
    add(injected, "exception for L1", "exceptions for L1")
    add(made, "leaf made", "leaves made")
    add(relaxed, "leaf relaxed", "leaves relaxed")
    add(weakened, "leaf weakened", "leaves weakened")
    add(canonicalRemoved.count, "canonical leaf removed", "canonical leaves removed")
    add(shadowRemoved.count, "shadow leaf removed", "shadow leaves removed")
    add(hostsRemoved, "leaf of the host removed", "leaves of the host removed")
    add(guestsRemoved, "leaf of a guest removed", "leaves of guests removed")
    add(devicesRemoved, "leaf of a device removed", "leaves of devices removed")
    if !canonicalRemoved.isEmpty, !shadowRemoved.isEmpty {
      parts.append("\(needed) of them had to go")
    }
    add(fullUnmaps, "full unmap of a shadow", "full unmaps of shadows")
    add(tables, "table allocated", "tables allocated")
    add(tablesFreed, "table freed", "tables freed")
    add(invalidations, "TLBI", "TLBIs")
    return parts
  }
}
