/// The host's requests to the RMM for a realm, by RMI calls. Addresses are the realm's; the memory
/// behind them is the VMM's. One table serves CPUs and devices, and only the RMM edits it.
///
/// Source: Realm Management Monitor specification 1.0, and TF-RMM for the order of stores and TLBIs; from
/// memory, not from a capture.
public enum RealmOperation: Equatable, Sendable {
  /// RMI_GRANULE_DELEGATE and RMI_GRANULE_UNDELEGATE of the granules behind a range.
  case delegate(Range<UInt64>), undelegate(Range<UInt64>)
  /// RMI_RTT_CREATE: a table of a level for an address; unfolds a block there.
  case createTable(UInt64, level: Int)
  /// RMI_RTT_FOLD: the table of a level becomes one entry.
  case fold(UInt64, level: Int)
  /// RMI_RTT_DESTROY: the table of a level, which must be empty, is destroyed.
  case destroyTable(UInt64, level: Int)
  /// RMI_DATA_CREATE_UNKNOWN and RMI_DATA_DESTROY of one page.
  case createData(UInt64), destroyData(UInt64)
  /// The realm requests another state of a range, and the host has it set (RMI_RTT_SET_RIPAS).
  case setState(Range<UInt64>, RealmState)

  /// The first address that it concerns.
  public var address: UInt64 {
    switch self {
    case .delegate(let range), .undelegate(let range), .setState(let range, _): range.lowerBound
    case .createTable(let ipa, _), .fold(let ipa, _), .destroyTable(let ipa, _),
      .createData(let ipa), .destroyData(let ipa):
      ipa
    }
  }
}

extension Machine {
  private var realmTable: Table { table(of: canonical) }

  mutating func start(_ operation: RealmOperation) throws(Refusal) {
    guard configuration.isolation == .cca else { throw Refusal(.noRealm) }
    if operation.address >= realmTable.geometry.inputSize {
      throw Refusal(.beyondIPASpace(bits: configuration.ipaBits), operand: .address)
    }
    try requireAligned(operation.address, to: Page.size, operand: .address)
    switch operation {
    case .delegate(let range):
      _ = try hostRange(range)
      moveGranules(range, from: .undelegated, to: .delegated)
    case .undelegate(let range):
      _ = try hostRange(range)
      moveGranules(range, from: .delegated, to: .undelegated)
    case .createTable(let ipa, let level): createTable(ipa, level: level)
    case .fold(let ipa, let level): fold(ipa, level: level)
    case .destroyTable(let ipa, let level): destroyTable(ipa, level: level)
    case .createData(let ipa): createData(ipa)
    case .destroyData(let ipa): destroyData(ipa)
    case .setState(let range, let state):
      _ = try hostRange(range)
      setState(range, state)
    }
  }

  /// Moves all of a range's granules, which must exist and be in one state, to another; or none.
  private mutating func moveGranules(
    _ range: Range<UInt64>, from old: GranuleState, to new: GranuleState
  ) {
    let pages = stride(from: range.lowerBound, to: range.upperBound, by: Page.stride).map {
      ($0, backingPage(at: $0)?.page)
    }
    for (ipa, page) in pages {
      guard let page, granule(at: page) == old else {
        return fail(.rmiInput, .canonical, at: ipa, size: Page.size)
      }
    }
    for (ipa, page) in pages { if let page { setGranule(new, at: page, ipa: ipa) } }
  }

  /// The entry above a table of a level, where RTT_CREATE links the table, and the other calls find it.
  private func parent(of level: Int, at ipa: UInt64) -> WalkEnd? {
    guard (realmTable.geometry.startLevel + 1...Geometry.lastLevel).contains(level) else {
      return nil
    }
    let end = memory.walk(realmTable, ipa, to: level - 1)
    return end.level == level - 1 ? end : nil
  }

  private func start(of ipa: UInt64, level: Int) -> UInt64 {
    ipa & ~(realmTable.geometry.size(level) - 1)
  }

  mutating func createTable(_ ipa: UInt64, level: Int) {
    let table = realmTable
    guard let end = parent(of: level, at: ipa), !end.isTable else {
      return fail(.rmiTable, table.id, at: ipa)
    }
    let address = start(of: ipa, level: end.level)
    let entry = RealmEntry(end.descriptor)
    if entry.isValid { return unfold(end, at: address, in: table) }
    let child = allocateTable(for: table, at: address, level: level)
    setGranule(.table, at: Memory.address(ofSlot: child))
    if end.descriptor.bits != 0 {
      note(
        .table(.fillTable(end.descriptor, leaves: 0)), table.id, at: address,
        size: table.geometry.size(end.level), level: level)
      // Assigned empty addresses continue page by page.
      let step = entry.isAssigned ? table.geometry.size(level) : 0
      for index in 0..<table.geometry.tableEntries {
        storeEntry(end.descriptor.bits + UInt64(index) * step, at: child + index)
      }
    }
    makeEntry(
      .table(at: Memory.address(ofSlot: child)), at: address, slot: end.slot, level: end.level,
      in: table)
  }

  /// A table replaces a block: in one store if CPUs and SMMU both support it (BBML 2); else with a break,
  /// during which accesses find nothing: "this may cause spurious S2 aborts" (TF-RMM, smc_rtt_create).
  private mutating func unfold(_ block: WalkEnd, at address: UInt64, in table: Table) {
    let child = makeSplitTable(of: block.descriptor, at: address, level: block.level, in: table)
    setGranule(.table, at: Memory.address(ofSlot: child))
    replace(block, by: .table(at: Memory.address(ofSlot: child)), at: address, in: table)
  }

  /// Replaces a valid entry by another, hitless if the hardware allows.
  private mutating func replace(
    _ old: WalkEnd, by new: Descriptor, at address: UInt64, in table: Table
  ) {
    let size = table.geometry.size(old.level)
    if configuration.iommu.cpuBreakLevel >= 2, configuration.iommu.smmuBreakLevel >= 2 {
      note(
        .table(.swapEntry(new, from: old.descriptor)), table.id, at: address, size: size,
        level: old.level)
      if new.isLeaf(old.level) { tally.maps += 1 }
      if old.isLeaf { tally.unmaps += 1 }
      storeEntry(new.bits, at: old.slot)
      return invalidate(
        table, address..<address + size,
        old.isTable ? .breakTable : .breakLeaf)
    }
    guard breakEntry(old, at: address, in: table) else { return }
    push([.finishReplacing(address, level: old.level, new.bits)])
    if isPauseAsked(at: address) { park(at: address, in: table.id) }
  }

  /// The make of break-before-make.
  mutating func finishReplacing(_ address: UInt64, level: Int, _ bits: UInt64) {
    let end = memory.walk(realmTable, address, to: level)
    let new = Descriptor(bits)
    makeEntry(new, at: address, slot: end.slot, level: level, in: realmTable)
    if new.isLeaf(level) { tally.maps += 1 }
  }

  /// Folds a table whose entries are all of one kind, and contiguous if they are memory, into one entry.
  private mutating func fold(_ ipa: UInt64, level: Int) {
    let table = realmTable
    guard let end = parent(of: level, at: ipa), end.isTable else {
      return fail(.rmiTable, table.id, at: ipa)
    }
    let child = Memory.firstSlot(ofFrameAt: end.descriptor.address)
    let first = Descriptor(memory.load(child))
    let isMemory = RealmEntry(first).isAssigned
    let step = isMemory ? table.geometry.size(level) : 0
    let isAlike =
      !first.isTable(level)
      && (0..<table.geometry.tableEntries).allSatisfy {
        memory.load(child + $0) == first.bits + UInt64($0) * step
      }
    let size = table.geometry.size(end.level)
    guard isAlike, !isMemory || table.geometry.allowsLeaf(end.level),
      !isMemory || first.address & (size - 1) == 0
    else { return fail(.rmiTable, table.id, at: ipa) }
    let address = start(of: ipa, level: end.level)
    let isPage = level == Geometry.lastLevel && first.isValid
    let folded = Descriptor(first.bits & ~(isPage ? Descriptor.tableOrPage : 0))
    push([.freeRealmTable(address, level: level, child)])
    if folded.isValid {
      replace(end, by: folded, at: address, in: table)
    } else {
      store(folded, over: end, at: address, in: table, .fold)
    }
  }

  /// Returns the page of an unlinked table to the host, which undelegates it.
  mutating func freeRealmTable(_ address: UInt64, level: Int, _ child: Int) {
    let slots = child..<child + realmTable.geometry.tableEntries
    let leaves = slots.count { Descriptor(memory.load($0)).isLeaf(level) }
    for slot in slots { storeEntry(0, at: slot) }
    setGranule(.undelegated, at: Memory.address(ofSlot: child))
    freeTable(child, of: realmTable, at: address, level: level, leaves: leaves)
  }

  private mutating func destroyTable(_ ipa: UInt64, level: Int) {
    let table = realmTable
    guard let end = parent(of: level, at: ipa), end.isTable else {
      return fail(.rmiTable, table.id, at: ipa)
    }
    let child = Memory.firstSlot(ofFrameAt: end.descriptor.address)
    let isLive = (0..<table.geometry.tableEntries).contains {
      let entry = Descriptor(memory.load(child + $0))
      return entry.isTable(level) || RealmEntry(entry).isAssigned
    }
    if isLive { return fail(.rmiTable, table.id, at: ipa) }
    let address = start(of: ipa, level: end.level)
    push([.freeRealmTable(address, level: level, child)])
    store(
      RealmEntry.unassigned(.destroyed).descriptor, over: end, at: address, in: table,
      .destroyTable)
  }

  /// Stores an entry, invalid or over an invalid one; a valid old one is invalidated for CPUs and devices.
  private mutating func store(
    _ new: Descriptor, over old: WalkEnd, at address: UInt64, in table: Table, _ call: RealmCall
  ) {
    let size = table.geometry.size(old.level)
    note(
      .realm(.entry(new, from: old.descriptor, by: call)), table.id, at: address, size: size,
      level: old.level)
    storeEntry(new.bits, at: old.slot)
    if new.isValid { tally.maps += 1 }
    if old.isLeaf { tally.unmaps += 1 }
    if old.descriptor.isValid { invalidate(table, address..<address + size, .realmEntry) }
  }

  /// Delegated host memory becomes the realm's, with contents unknown to the realm.
  mutating func createData(_ ipa: UInt64) {
    let table = realmTable
    guard let page = backingPage(at: ipa)?.page, granule(at: page) == .delegated else {
      return fail(.rmiInput, table.id, at: ipa)
    }
    let end = memory.walk(table, ipa)
    let entry = RealmEntry(end.descriptor)
    guard end.level == Geometry.lastLevel, !entry.isAssigned else {
      return fail(.rmiTable, table.id, at: ipa)
    }
    setGranule(.data, at: page, ipa: ipa)
    // The state of the addresses stays: what was destroyed is not memory again because a page lies there.
    let new =
      entry.state == .ram
      ? Self.realmLeaf(page, level: end.level) : RealmEntry.assigned(entry.state, page).descriptor
    store(new, over: end, at: ipa, in: table, .createData)
  }

  /// The host takes a page back: the realm finds it destroyed, and nothing maps it any more before the
  /// granule changes.
  private mutating func destroyData(_ ipa: UInt64) {
    let table = realmTable
    let end = memory.walk(table, ipa)
    let entry = RealmEntry(end.descriptor)
    guard end.level == Geometry.lastLevel, entry.isAssigned else {
      return fail(.rmiTable, table.id, at: ipa)
    }
    let page = end.descriptor.address
    let new = RealmEntry.unassigned(entry.state == .empty ? .empty : .destroyed).descriptor
    store(new, over: end, at: ipa, in: table, .destroyData)
    note(.realm(.zeroed(page: page)), table.id, at: ipa, size: Page.size)
    storeZeros(in: page)
    setGranule(.delegated, at: page, ipa: ipa)
  }

  /// Entry by entry, each at its level; a block covered in part must be unfolded first.
  private mutating func setState(_ range: Range<UInt64>, _ state: RealmState) {
    let table = realmTable
    var ipa = range.lowerBound
    while ipa < range.upperBound {
      let end = memory.walk(table, ipa)
      let size = table.geometry.size(end.level)
      guard ipa & (size - 1) == 0, ipa + size <= range.upperBound else {
        return fail(.rmiTable, table.id, at: ipa, size: size)
      }
      let old = RealmEntry(end.descriptor)
      if old.state != state {
        let new =
          if !old.isAssigned {
            RealmEntry.unassigned(state).descriptor
          } else if state == .ram {
            Self.realmLeaf(end.descriptor.address, level: end.level)
          } else {
            RealmEntry.assigned(state, end.descriptor.address).descriptor
          }
        store(new, over: end, at: ipa, in: table, .setState)
      }
      ipa += size
    }
  }
}
