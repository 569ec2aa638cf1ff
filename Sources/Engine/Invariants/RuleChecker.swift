/// Checks the rules after each event, at a cost proportional to what the event stored.
///
/// Beside the machine it keeps what a rule needs to find the places that depend on a word: the owner of
/// each frame's entries or records, the leaves that map a physical page, where the VMM has it, the
/// canonical memory for which a shadow's leaf is recorded; and the places where a rule is now broken.
/// `violations` follows the journal from the last check to the machine's position, forward or back, and
/// checks the places again that depend on a changed word. It returns the same as
/// `Machine.violations(after:)`, in the same order; random tests compare the two after every event.
///
/// A checker is valid for one history. If the history drops a part of itself, the checker starts over.
package struct RuleChecker: Sendable {
  /// Number of done stores at the last check, including forgotten ones, and the history's lineage.
  private var position: Int
  private var lineage: Int
  /// Number of checks.
  var look: UInt32 = 0

  // What is derived from the machine.
  /// By frame.
  var frames: [FollowedFrame] = []
  /// Number of nonzero table entries, by frame.
  var entryCounts: [UInt16] = []
  /// By number; nil if there is none now.
  var tables: [Table?]
  /// Number of frames below the root, by table number.
  var framesBelow: [Int]
  let numbers: TableNumbers
  let traits: Traits
  var pages = HostPages()
  /// Leaves by physical address and slot, for each level.
  var leavesOfPage = [PairSet](repeating: PairSet(), count: 4)
  var slots: [SlotRange] = []
  var contexts = TLBContexts()
  var devices = DeviceState()
  var parked = ParkedState()
  var vmids = VMIDHolders()
  var maps: MapIndex
  /// Nil if not requested, or no map is kept.
  var recorded: RecordedEntries?
  var broken = BrokenPlaces()
  /// Places of rules about owners, which do not count at every moment.
  var owners = BrokenPlaces()
  /// The physical page of the SMMU's TLB entry at a slot, and the reverse by level.
  var cachedPages: [Int: (physical: UInt64, level: Int)] = [:]
  var cachedOfPage = [PairSet](repeating: PairSet(), count: 4)
  /// Memory of the realm: its address in the realm, and its physical page.
  var realmPages = PairSet()
  /// The host's memory under pKVM.
  var regions: [Range<UInt64>] = []

  // What has changed since the last check.
  var changed = ChangedWords()
  var flags: Flags = []
  var touched: [TouchedEntry] = []
  var pageStates: [UInt64: HostPages.Page?] = [:]
  var dirty = Dirty()

  /// The violations of rules about the last event only, and the stores of that event.
  private var lastStores: Range<Int>?
  private var momentary: [(place: BrokenPlaces.Place, violation: Violation)] = []

  /// A checker of the machine's current state. Costs one full scan.
  ///
  /// - Parameter countsEntries: whether `unknownBytes` and `staleEntries` are also counted.
  package init(_ machine: Machine, countsEntries: Bool = false) {
    position = machine.memory.forgotten + machine.memory.position
    lineage = machine.memory.lineage
    numbers = TableNumbers(shadows: machine.configuration.shadows)
    tables = Array(repeating: nil, count: numbers.count)
    framesBelow = Array(repeating: 0, count: numbers.count)
    traits = Traits(machine)
    maps = MapIndex(machine)
    if countsEntries, maps.isKept {
      recorded = RecordedEntries(isKeyedByNested: maps.isDirect)
    }
    look = 1
    broken.evidence = machine.configuration.evidence
    noteRecords(machine)
    for index in 0...numbers.shadows {
      let mmu = machine.mmu(index)
      vmids.change(.context(mmu), from: 0, to: machine[mmu, .vmid])
    }
    flags = .all
    linkRoots(machine)
    linkArrays(machine)
    dirty.nodes = maps.treeOfRoot.keys.sorted()
    settle(machine)
  }

  /// The rules broken now, as `Machine.violations(after:)` returns them.
  ///
  /// - Parameter stores: the last event's journal entries; the machine must be positioned after them.
  /// - Complexity: O(log n) for each word that differs from the last check, and for each violation.
  package mutating func violations(
    of machine: Machine, after stores: Range<Int>
  ) -> [Violation] {
    follow(machine, after: stores)
    return broken.list(with: momentary + (ownersCount(machine) ? owners.all : []))
  }

  /// Whether every rule holds now.
  package mutating func holds(_ machine: Machine, after stores: Range<Int>) -> Bool {
    follow(machine, after: stores)
    return broken.isEmpty && momentary.isEmpty && !(ownersCount(machine) && !owners.isEmpty)
  }

  /// Whether a rule not in `known` is broken now.
  package mutating func breaksOther(
    than known: Set<Invariant>, _ machine: Machine, after stores: Range<Int>
  ) -> Bool {
    if holds(machine, after: stores) { return false }
    let counts = ownersCount(machine)
    return Invariant.allCases.contains {
      !known.contains($0) && (broken.breaks($0) || counts && owners.breaks($0))
    }
      || momentary.contains { !known.contains($0.violation.invariant) }
  }

  /// Whether the entries of reverse maps are counted.
  package var countsEntries: Bool { recorded != nil || !maps.isKept }

  /// At the last check: entries of the trees of all reverse maps, bytes of canonical memory without a
  /// known nested IPA, and known entries that no leaf confirms, as `reverseMapSize(ofShadow:)` and
  /// `staleEntries(ofShadow:)` find them by a full scan.
  package var entryCount: Int { recorded?.count ?? 0 }
  package var unknownBytes: UInt64 { recorded?.unknown ?? 0 }
  package var staleEntries: Int { recorded?.stale ?? 0 }

  /// At the last check: leaves of a shadow that its reverse map would not find if their memory were taken, as
  /// `Invariant.reverseMapCoverage` demands; nil without a map, or where it cannot be judged.
  package func uncoveredLeaves(ofShadow number: Int) -> Int? {
    let isKnown = maps.isKept && Invariant.reverseMapCoverage.isKnown(from: broken.evidence)
    return isKnown ? maps.lostCounts[number + 1] : nil
  }

  /// Catches up with the machine. Call this before dropping a history's past, which leaves nothing to
  /// follow.
  package mutating func follow(_ machine: Machine) {
    let memory = machine.memory
    if lineage != memory.lineage || position < memory.forgotten {
      self = RuleChecker(machine, countsEntries: countsEntries)
    }
    if position == memory.forgotten + memory.position { return }
    changed.collect(from: position - memory.forgotten, in: memory)
    position = memory.forgotten + memory.position
    look += 1
    takeChanges(machine)
    settle(machine)
    lastStores = nil
  }

  private mutating func follow(_ machine: Machine, after stores: Range<Int>) {
    follow(machine)
    if lastStores == stores { return }
    momentary = momentaryViolations(machine, after: stores).filter {
      $0.violation.invariant.isKnown(from: broken.evidence)
    }
    lastStores = stores
  }
}

/// The numbers under which tables are followed.
struct TableNumbers: Sendable {
  let shadows: Int

  /// The VMM's table.
  var host: Int { shadows + 1 }
  /// pKVM's tables.
  var pkvmHost: Int { shadows + 2 }
  func guest(_ number: Int) -> Int { shadows + 3 + number }
  /// The devices' own tables.
  func device(_ number: Int) -> Int { shadows + 3 + PKVM.guests + number }
  var count: Int { device(SMMU.devices) }

  /// Whether a number is that of a stage-2 context of the VM.
  func isContext(_ number: Int) -> Bool { number <= shadows }
  func isGuest(_ number: Int) -> Bool { (guest(0)..<device(0)).contains(number) }
}

extension RuleChecker {
  /// Properties derived from the configuration.
  struct Traits: Sendable {
    let pinsKeepLeaves: Bool
    let isolation: Isolation
    var isIsolated: Bool { isolation != .none }
    let hasShadows: Bool
    /// Whether a device may walk freed tables, so that any word may matter to it.
    let walksBehindCaches: Bool
    /// Whether a rule checks a device's fault at an entry without access flag.
    var heedsAccessFlag: Bool { isIsolated || pinsKeepLeaves }

    init(_ machine: Machine) {
      pinsKeepLeaves = machine.pinsKeepLeaves
      isolation = machine.configuration.isolation
      hasShadows = machine.configuration.shadows > 0
      walksBehindCaches = !machine.configuration.iommu.isCoherent
    }
  }

  /// A memory slot: its canonical IPAs, and its first address in the VMM.
  struct SlotRange: Equatable, Sendable {
    let ipa: Range<UInt64>
    let hva: UInt64

    /// The canonical IPAs behind a part of the VMM's address space.
    func canonical(of host: Range<UInt64>) -> Range<UInt64> {
      let own = hva..<hva + ipa.size
      let part = own.clamped(to: host)
      let start = ipa.lowerBound &+ (part.lowerBound &- hva)
      return start..<start + part.size
    }
  }

  /// Kinds of records with changes.
  struct Flags: OptionSet, Sendable {
    let rawValue: Int
    static let roots = Flags(rawValue: 1)
    static let memslots = Flags(rawValue: 2)
    static let vmids = Flags(rawValue: 4)
    static let devices = Flags(rawValue: 8)
    static let parked = Flags(rawValue: 16)
    static let vncr = Flags(rawValue: 32)
    static let tableCount = Flags(rawValue: 64)
    static let generation = Flags(rawValue: 128)
    static let all = Flags(rawValue: 255)
  }

  /// An entry, neither zero nor a table, that was added or removed.
  struct TouchedEntry: Sendable {
    let table: Int
    let address: UInt64
    let level: Int

    var range: Range<UInt64> { address..<address + TLB.geometry.size(level) }
  }

  /// What must be checked again.
  struct Dirty: Sendable {
    /// Slots of leaves, of the first words of table frames, of tags.
    var leaves: [Int] = []
    var tableFrames: [Int] = []
    var tlb: [Int] = []
    var iotlb: [Int] = []
    /// IOVAs whose entries in the SMMU's TLB have changed.
    var cached: [Range<UInt64>] = []
    /// Pinned pages by device and IOVA.
    var pins: [(device: Int, iova: UInt64)] = []
    /// Slots of shadow leaves that may no longer be found by the reverse map.
    var coverage: [Int] = []
    var nodes: [Int] = []
    /// Nested IPAs by shadow, and canonical memory, whose known entries must be checked again.
    var nested: [(number: Int, range: Range<UInt64>)] = []
    var canonical: [Range<UInt64>] = []
    /// Physical pages whose owner has changed; slots of leaves, and of tags, that lead to some of them.
    var owned: [Range<UInt64>] = []
    var ownedLeaves: [(slot: Int, pages: Range<UInt64>)] = []
    var ownedCached: [(slot: Int, pages: Range<UInt64>)] = []
    /// Addresses of the realm; of pKVM's host; and those at which devices may lack the host's memory.
    var realm: [Range<UInt64>] = []
    var hostEntries: [Range<UInt64>] = []
    var holes: [Range<UInt64>] = []
  }
}
