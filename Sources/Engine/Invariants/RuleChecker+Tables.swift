/// Leaves and counts of the CPUs' tables, their TLB, VMIDs, and L1's VNCR pages.
extension RuleChecker {
  // MARK: Leaves

  /// Drops what is recorded for a leaf.
  mutating func leafGoes(at slot: Int, _ role: FollowedFrame) {
    let number = Int(role.number)
    if numbers.isContext(number) {
      broken[leafPlace(role.address(of: slot), number)] = nil
      if number > 0, maps.isKept { dirty.coverage.append(slot) }
    }
  }

  private func leafPlace(_ address: UInt64, _ number: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .leaves, group: number, address: address)
  }

  /// The leaf at a slot; nil if there is none, or its table is not followed.
  func leaf(at slot: Int, _ memory: Memory) -> (leaf: TableEntry, number: Int)? {
    let role = frames[slot / Memory.frameWords]
    guard role.kind == .table, let table = tables[Int(role.number)] else { return nil }
    let entry = TableEntry(
      Descriptor(memory.load(slot)), at: role.address(of: slot), level: Int(role.level),
      place: Memory.address(ofSlot: slot), in: table.geometry)
    return entry.isLeaf ? (entry, Int(role.number)) : nil
  }

  mutating func judgeLeaf(at slot: Int, _ machine: Machine) {
    guard let (leaf, number) = leaf(at: slot, machine.memory), numbers.isContext(number) else {
      return
    }
    let mmu = machine.mmu(number)
    broken[leafPlace(leaf.address, number)] = machine.fault(of: leaf, of: mmu, pages).map {
      Violation(invariant: $0, table: mmu.tableID, address: leaf.address)
    }
    if number > 0, maps.isKept { dirty.coverage.append(slot) }
  }

  // MARK: Counts

  func countPlace(_ role: FollowedFrame) -> BrokenPlaces.Place {
    BrokenPlaces.Place(
      part: .tableCounts, group: Int(role.number), address: role.base, rank: Int(role.level))
  }

  mutating func judgeTable(at first: Int, _ machine: Machine) {
    let role = frames[first / Memory.frameWords]
    guard role.kind == .table, numbers.isContext(Int(role.number)), !isRoot(role),
      let table = tables[Int(role.number)]
    else { return }
    let count = Int(entryCounts[first / Memory.frameWords])
    broken[countPlace(role)] =
      machine.isCountRight(count, ofTableAt: first)
      ? nil : Violation(invariant: .tableCounts, table: table.id, address: role.base)
  }

  mutating func judgeTableCounts(_ machine: Machine) {
    var pages = machine.detachedTables
    for (number, table) in tables.enumerated() where number != numbers.host {
      if let table { pages += table.geometry.rootPages + framesBelow[number] }
    }
    let protected = BrokenPlaces.Place(part: .tableCounts, group: numbers.pkvmHost)
    if let table = tables[numbers.pkvmHost] {
      broken[protected] =
        UInt64(framesBelow[numbers.pkvmHost]) == machine.hostTableCount
        ? nil : Violation(invariant: .tableCounts, table: table.id, at: .table)
    }
    let all = BrokenPlaces.Place(part: .tableCounts, group: numbers.count)
    broken[all] =
      UInt64(pages) == machine[.tablesAllocated] - machine[.tablesFreed]
      ? nil : Violation(invariant: .tableCounts, table: .canonical, at: .table)
  }

  // MARK: TLB

  mutating func judgeTLB(at slot: Int, _ machine: Machine) {
    broken[BrokenPlaces.Place(part: .tlb, address: UInt64(slot))] =
      TLB.Entry(at: slot, in: machine.memory).flatMap { entry in
        guard let number = contexts.number(of: entry.vmid), let table = tables[number] else {
          return nil
        }
        return machine.staleness(of: entry, in: table, parked.tlbInvalidations)
      }
  }

  // MARK: VMIDs

  mutating func contextChanged(
    _ index: Int, _ field: Int, old: UInt64, _ machine: Machine
  ) {
    guard index <= numbers.shadows, let field = MMU.Field(rawValue: field) else { return }
    let mmu = machine.mmu(index)
    switch field {
    case .vmid:
      vmids.change(.context(mmu), from: old, to: machine[mmu, .vmid])
      flags.formUnion([.vmids, .generation])
    case .broken, .sweeps: if maps.isKept, index > 0 { noteCoverage(of: index, machine) }
    case .reverseMap, .directMap:
      if maps.isKept, index > 0 {
        maps.rootChanges(
          mmu, isDirect: field == .directMap, from: Int(old), to: Int(machine[mmu, field]),
          &dirty.nodes)
      }
    case .root, .vttbr, .vtcr, .stage2Enabled, .pendingUnmap, .pins: break
    }
  }

  mutating func judgeVMIDs(_ machine: Machine) {
    broken.removeAll(of: .vmids)
    for (order, violation) in vmids.violations(of: machine) {
      broken[BrokenPlaces.Place(part: .vmids, address: order)] = violation
    }
  }

  // MARK: VNCR

  mutating func judgeVNCR(_ machine: Machine) {
    for number in 0..<machine.configuration.vcpus {
      broken[BrokenPlaces.Place(part: .vncr, address: UInt64(number))] =
        machine.vncrViolation(of: machine.vcpu(number))
    }
  }
}

/// Maps a VMID in the CPUs' TLB to its table.
struct TLBContexts: Sendable {
  private var numbers: [UInt16: Int] = [:]

  init() {}

  init(_ machine: Machine) {
    let own = TableNumbers(shadows: machine.configuration.shadows)
    for table in machine.tlbTables where numbers[table.vmid] == nil {
      numbers[table.vmid] =
        switch table.id {
        case .pkvmHost: own.pkvmHost
        case .protectedGuest(let number): own.guest(number)
        case .shadow(let number): number + 1
        case .canonical: 0
        // No CPU's TLB holds entries of these under a VMID.
        case .guest, .vmmStage1, .iommu: 0
        }
    }
  }

  /// The number of the table, or nil if no table now has the VMID.
  func number(of vmid: UInt16?) -> Int? { vmid.flatMap { numbers[$0] } }
}

/// The holders of each VMID, of any generation.
struct VMIDHolders: Sendable {
  /// The holders of an id, as their places in a full scan, ascending.
  private var holders: [UInt64: [UInt64]] = [:]
  /// Ids with more than one holder.
  private var shared: Set<UInt64> = []

  /// The place of the first of the other VMs.
  private static let firstOther: UInt64 = 1 << 16

  private static func order(_ holder: VMIDHolder) -> UInt64 {
    switch holder {
    case .context(let mmu): UInt64(mmu.index)
    case .otherVM(let number): firstOther + number
    }
  }

  /// A holder gets another id; 0 is none.
  mutating func change(_ holder: VMIDHolder, from old: UInt64, to new: UInt64) {
    let order = Self.order(holder)
    if old != 0 { holders[old]?.removeAll { $0 == order } }
    if holders[old]?.isEmpty ?? false { holders[old] = nil }
    if holders[old]?.count ?? 0 < 2 { shared.remove(old) }
    if new == 0 { return }
    holders[new, default: []].append(order)
    if let count = holders[new]?.count, count > 1 {
      holders[new]?.sort()
      shared.insert(new)
    }
  }

  /// The violations, with places.
  func violations(of machine: Machine) -> [(UInt64, Violation)] {
    shared.filter { machine.isCurrent($0) }.flatMap { id in
      (holders[id] ?? []).dropFirst().map { order in
        let holder: VMIDHolder =
          order < Self.firstOther
          ? .context(machine.mmu(Int(order))) : .otherVM(order - Self.firstOther)
        return (order, machine.sharedVMID(of: holder))
      }
    }
  }
}

/// The pending work of the paused event, as far as rules allow for it.
struct ParkedState: Sendable {
  /// Invalidations that are queued or still to come.
  var invalidations: [(range: Range<UInt64>, context: TranslationContext)] = []
  /// Ranges of tables still to be invalidated in the CPUs' TLB.
  var tlbInvalidations: [(table: TableID, range: Range<UInt64>)] = []
  /// Pages being pinned or unpinned, by device.
  var changingPins: [(device: Int, range: Range<UInt64>)] = []
  /// Pages whose state for the host is still to be set.
  var changingHands: [Range<UInt64>] = []

  init() {}

  init(_ machine: Machine) {
    guard machine.isPaused else { return }
    invalidations = machine.pendingInvalidations
    tlbInvalidations = machine.parkedTLBInvalidations
    changingPins = machine.changingPins
    changingHands = machine.rangesChangingHands
  }
}
