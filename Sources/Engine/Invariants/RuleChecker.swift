/// Checks the rules after one event after the other, each at the cost of what the event stored.
///
/// It keeps beside the machine what a rule needs to find the places that depend on a word: whose entry or
/// record a frame holds, which leaves map a physical page, where the VMM has it, which canonical memory a
/// shadow's leaf is recorded for; and the places where a rule does not hold now. `violations` follows the
/// journal from where the machine was at the last look to where it is, forward or back, and looks again at
/// the places that depend on a word that differs. What it answers is what `Machine.violations(after:)`
/// would answer, in the same order; random tests hold the two against each other after every event.
///
/// A checker is good for one history. If that gives up a part of itself, the checker begins anew.
package struct RuleChecker: Sendable {
  /// Stores that were done at the last look, forgotten ones too, and in which history.
  private var position: Int
  private var lineage: Int
  /// Number of looks.
  var look: UInt32 = 0

  // What is kept of the machine.
  /// By frame.
  var frames: [FollowedFrame] = []
  /// Entries of tables that are not zero, by frame.
  var entryCounts: [UInt16] = []
  /// By number; nil where there is none now.
  var tables: [Table?]
  /// Frames below the root, by number.
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
  /// Nil if nobody asks, or no map is kept.
  var recorded: RecordedEntries?
  var broken = BrokenPlaces()
  /// Places of rules about owners that do not count at every moment.
  var owners = BrokenPlaces()
  /// The physical page of what the SMMU has cached at a slot, by level the other way round.
  var cachedPages: [Int: (physical: UInt64, level: Int)] = [:]
  var cachedOfPage = [PairSet](repeating: PairSet(), count: 4)
  /// Memory of the realm: its address there, and physical page.
  var realmPages = PairSet()
  /// The host's memory under pKVM.
  var regions: [Range<UInt64>] = []

  // What has changed since the last look.
  var changed = ChangedWords()
  var flags: Flags = []
  var touched: [TouchedEntry] = []
  var pageStates: [UInt64: HostPages.Page?] = [:]
  var dirty = Dirty()

  /// What only holds for the last event: its violations, and for which event they were found.
  private var lastStores: Range<Int>?
  private var momentary: [(place: BrokenPlaces.Place, violation: Violation)] = []

  /// A checker of a machine as it is now. Costs one look at everything.
  ///
  /// - Parameter countsEntries: whether `unknownBytes` and `staleEntries` are to be known, too.
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

  /// The rules that do not hold now, as `Machine.violations(after:)` gives them.
  ///
  /// - Parameter stores: entries of the journal that the last event made; the machine stands behind them.
  /// - Complexity: O(log n) for each word that differs from the last look, and for each violation.
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

  /// Whether some rule that is not among those named is broken now.
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

  /// Entries of the trees of all reverse maps, bytes of canonical memory of which they do not know the nested
  /// IPA, and known entries that no leaf bears out, at the last look: what `reverseMapSize(ofShadow:)` and
  /// `staleEntries(ofShadow:)` find by a look at everything.
  package var entryCount: Int { recorded?.count ?? 0 }
  package var unknownBytes: UInt64 { recorded?.unknown ?? 0 }
  package var staleEntries: Int { recorded?.stale ?? 0 }

  /// Comes to where the machine is. Whoever gives up the past of a history does this first: after that there
  /// is nothing to follow.
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

  /// The VMM's.
  var host: Int { shadows + 1 }
  /// Those of pKVM.
  var pkvmHost: Int { shadows + 2 }
  func guest(_ number: Int) -> Int { shadows + 3 + number }
  /// Those that are kept for devices alone.
  func device(_ number: Int) -> Int { shadows + 3 + PKVM.guests + number }
  var count: Int { device(SMMU.devices) }

  /// Whether the table of a number is that of a stage-2 context of the VM.
  func isContext(_ number: Int) -> Bool { number <= shadows }
  func isGuest(_ number: Int) -> Bool { (guest(0)..<device(0)).contains(number) }
}

extension RuleChecker {
  /// What follows from the configuration.
  struct Traits: Sendable {
    let pinsKeepLeaves: Bool
    let isolation: Isolation
    var isIsolated: Bool { isolation != .none }
    let hasShadows: Bool
    /// Whether a device may walk to where no table is any more, so that no word is known not to matter to it.
    let walksBehindCaches: Bool
    /// Whether a device's fault at an entry without access flag is a rule's business.
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

  /// Records of which something has changed.
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

  /// An entry of a table, other than zero and other than a table, that came or went.
  struct TouchedEntry: Sendable {
    let table: Int
    let address: UInt64
    let level: Int

    var range: Range<UInt64> { address..<address + TLB.geometry.size(level) }
  }

  /// What is to be looked at again.
  struct Dirty: Sendable {
    /// Slots of leaves, of the first words of table frames, of tags.
    var leaves: [Int] = []
    var tableFrames: [Int] = []
    var tlb: [Int] = []
    var iotlb: [Int] = []
    /// IOVAs of which the SMMU has cached something else.
    var cached: [Range<UInt64>] = []
    /// Pinned pages by device and IOVA.
    var pins: [(device: Int, iova: UInt64)] = []
    /// Slots of shadow leaves that may no longer be found by the reverse map.
    var coverage: [Int] = []
    var nodes: [Int] = []
    /// Shadows and nested IPAs of their leaves, and canonical memory, of which known entries tell.
    var nested: [(number: Int, range: Range<UInt64>)] = []
    var canonical: [Range<UInt64>] = []
    /// Physical pages whose owner has changed; slots of leaves, and of tags, that lead to some of them.
    var owned: [Range<UInt64>] = []
    var ownedLeaves: [(slot: Int, pages: Range<UInt64>)] = []
    var ownedCached: [(slot: Int, pages: Range<UInt64>)] = []
    /// Addresses of the realm; of pKVM's host, and those at which devices may lack its memory.
    var realm: [Range<UInt64>] = []
    var hostEntries: [Range<UInt64>] = []
    var holes: [Range<UInt64>] = []
  }
}
