/// Checking again what depends on changed words.
extension RuleChecker {
  /// Updates derived state and the places where rules are broken.
  mutating func settle(_ machine: Machine) {
    if flags.contains(.memslots) { refreshSlots(machine) }
    if flags.contains(.vmids) { refreshContexts(machine) }
    if flags.contains(.devices) { refreshDevices(machine) }
    if flags.contains(.parked) { refreshParked(machine) }
    if flags.contains(.roots), traits.isolation.pkvm != nil { refreshRegions(machine) }
    takePages()
    takeTouched(machine)
    takeCached(machine)
    if traits.isIsolated {
      for slot in dirty.iotlb { indexCached(at: slot, machine.memory) }
      takeOwned(machine)
    }
    if maps.isKept { takeNodes(machine) }
    if recorded != nil { countEntries(machine) }

    for slot in dirty.leaves { judgeLeaf(at: slot, machine) }
    if traits.isIsolated { judgeOwned(machine) }
    for frame in dirty.tableFrames { judgeTable(at: frame, machine) }
    if !flags.isDisjoint(with: [.tableCount, .parked]) { judgeTableCounts(machine) }
    for slot in dirty.tlb { judgeTLB(at: slot, machine) }
    if !flags.isDisjoint(with: .generation) { judgeVMIDs(machine) }
    if flags.contains(.vncr) { judgeVNCR(machine) }
    if machine.hasSMMU {
      for slot in dirty.iotlb { judgeIOTLB(at: slot, machine) }
      for pin in dirty.pins { judgePin(pin.device, pin.iova, machine) }
      if !flags.isDisjoint(with: [.vmids, .devices]) { judgeMirrors(machine) }
    } else if flags.contains(.devices) {
      for part: BrokenPlaces.Part in [.iotlb, .foreignDMA, .agreement, .mirror, .ownership] {
        broken.removeAll(of: part)
      }
    }
    judgeMaps(machine)
    flags = []
    touched.removeAll(keepingCapacity: true)
    dirty.removeAll()
  }

  // MARK: Records

  /// Memory slots were added or removed: checks again what was found through their addresses.
  private mutating func refreshSlots(_ machine: Machine) {
    let old = slots
    slots = machine.memslots.map { SlotRange(ipa: machine.range(of: $0), hva: machine[$0, .hva]) }
    for slot in old + slots where !old.contains(slot) || !slots.contains(slot) {
      noteLeaves(of: machine.table(of: machine.canonical), in: slot.ipa, machine.memory)
      if recorded != nil { dirty.canonical.append(slot.ipa) }
    }
    if maps.isKept { for number in 1...numbers.shadows { noteCoverage(of: number, machine) } }
    flags.insert(.vncr)
  }

  /// The mapping from VMIDs to tables has changed.
  private mutating func refreshContexts(_ machine: Machine) {
    for number in 0...numbers.shadows { tables[number] = machine.table(of: machine.mmu(number)) }
    contexts = TLBContexts(machine)
    dirty.tlb += Self.tags(of: machine.layout.tlb, machine.memory)
    // Mirrors are compared with the CPUs' VMID.
    flags.insert(.tableCount)
  }

  private mutating func refreshParked(_ machine: Machine) {
    let old = parked
    parked = ParkedState(machine)
    dirty.tlb += Self.tags(of: machine.layout.tlb, machine.memory)
    dirty.owned += old.changingHands + parked.changingHands
    guard machine.hasSMMU else { return }
    dirty.iotlb += Self.tags(of: machine.iotlb, machine.memory)
    if traits.pinsKeepLeaves {
      for (device, range) in old.changingPins + parked.changingPins {
        notePins(of: device, in: range, machine)
      }
    }
  }

  /// Slots of the tags of all entries of a TLB.
  static func tags(of tlb: TLB, _ memory: Memory) -> [Int] {
    TLB.levels.flatMap { level -> [Int] in
      if memory.isEmpty(level, of: tlb) { return [] }
      let first = tlb.frame(level)
      return stride(from: first, to: first + Memory.frameWords, by: 2).filter {
        memory.load($0) != 0
      }
    }
  }

  // MARK: Entries

  /// A leaf of the VMM's table is added or removed.
  mutating func hostPageChanges(
    _ entry: HostEntry, at hva: UInt64, _ role: FollowedFrame, comes: Bool
  ) {
    guard traits.hasShadows else { return }
    if pageStates[entry.address] == nil {
      pageStates.updateValue(pages.page(at: entry.address), forKey: entry.address)
    }
    if comes {
      pages.insert(entry, at: hva, level: Int(role.level))
      if maps.isKept { maps.pageComes(entry.address, level: Int(role.level), &dirty.coverage) }
    } else {
      pages.remove(entry, at: hva, level: Int(role.level))
    }
  }

  /// Checks shadow leaves again whose page appeared, disappeared, or changed writability. A change of one
  /// of several places of a page makes no difference to them.
  private mutating func takePages() {
    if pageStates.isEmpty { return }
    for (address, old) in pageStates {
      let new = pages.page(at: address)
      if old?.range == new?.range, old?.isWritable == new?.isWritable { continue }
      if let old { noteLeaves(of: old.range) }
      if let new, new.range != old?.range { noteLeaves(of: new.range) }
    }
    pageStates.removeAll(keepingCapacity: true)
  }

  private mutating func takeTouched(_ machine: Machine) {
    for entry in touched {
      if entry.table == numbers.host {
        takeHost(entry.range, machine)
      } else if let table = tables[entry.table] {
        if recorded != nil, numbers.isContext(entry.table) {
          if entry.table > 0 {
            dirty.nested.append((entry.table, entry.range))
          } else if traits.pinsKeepLeaves {
            dirty.canonical.append(entry.range)
          }
        }
        if contexts.number(of: table.vmid) != nil, table.hasVMID {
          Self.findTags(
            in: entry.range, .vmid(table.vmid), of: machine.layout.tlb, machine.memory, &dirty.tlb)
        }
        if machine.hasSMMU {
          takeDevices(entry.range, of: table, machine)
          if entry.table == 0 { notePinned(in: entry.range, machine) }
        }
        if entry.table == 0, traits.isolation == .cca { dirty.realm.append(entry.range) }
        if entry.table == numbers.pkvmHost { dirty.hostEntries.append(entry.range) }
      }
    }
  }

  /// Part of the VMM's table has changed.
  private mutating func takeHost(_ range: Range<UInt64>, _ machine: Machine) {
    for slot in slots {
      let part = slot.canonical(of: range)
      if part.isEmpty { continue }
      if let table = tables[0] { noteLeaves(of: table, in: part, machine.memory) }
      if maps.isKept { maps.placesChange(in: part, &dirty.coverage) }
      if recorded != nil { dirty.canonical.append(part) }
      flags.insert(.vncr)
    }
    if let context = devices.process {
      Self.findTags(in: range, context, of: machine.iotlb, machine.memory, &dirty.iotlb)
      if traits.pinsKeepLeaves {
        for device in devices.sharing { notePins(of: device, in: range, machine) }
      }
    }
  }

  /// Queues the leaves of a table in a range for another check.
  mutating func noteLeaves(of table: Table, in range: Range<UInt64>, _ memory: Memory) {
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) { dirty.leaves.append(leaf.slot) }
  }

  /// Adds the tags of a TLB's entries of a context that overlap a range.
  static func findTags(
    in range: Range<UInt64>, _ context: TranslationContext, of tlb: TLB, _ memory: Memory,
    _ found: inout [Int]
  ) {
    for level in TLB.levels where !memory.isEmpty(level, of: tlb) {
      let size = TLB.geometry.size(level)
      let start = range.lowerBound & ~(size - 1)
      if (range.upperBound - start) / size <= UInt64(TLB.sets / 2) {
        for address in stride(from: start, to: range.upperBound, by: Int(size)) {
          let set = tlb.set(context, address, level: level)
          let tag = TLB.tag(context, address, level: level, cpu: 0)
          for slot in stride(from: set, to: set + 2 * TLB.ways, by: 2)
          where TLB.withoutCPU(memory.load(slot)) == tag { found.append(slot) }
        }
        continue
      }
      let first = tlb.frame(level)
      for slot in stride(from: first, to: first + Memory.frameWords, by: 2) {
        guard let entry = TLB.Entry(at: slot, in: memory), entry.context == context,
          entry.range.overlaps(range)
        else { continue }
        found.append(slot)
      }
    }
  }
}

extension RuleChecker.Dirty {
  mutating func removeAll() {
    leaves.removeAll(keepingCapacity: true)
    tableFrames.removeAll(keepingCapacity: true)
    tlb.removeAll(keepingCapacity: true)
    iotlb.removeAll(keepingCapacity: true)
    cached.removeAll(keepingCapacity: true)
    pins.removeAll(keepingCapacity: true)
    coverage.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    nested.removeAll(keepingCapacity: true)
    canonical.removeAll(keepingCapacity: true)
    owned.removeAll(keepingCapacity: true)
    ownedLeaves.removeAll(keepingCapacity: true)
    ownedCached.removeAll(keepingCapacity: true)
    realm.removeAll(keepingCapacity: true)
    hostEntries.removeAll(keepingCapacity: true)
    holes.removeAll(keepingCapacity: true)
  }
}
