/// The frames of each table, and the entries added and removed with them.
extension RuleChecker {
  /// Whether two entries differ only in ways that no rule checks.
  private func isSame(_ old: UInt64, _ new: UInt64, _ role: FollowedFrame) -> Bool {
    if (old | new) & 3 == 0 { return false }
    let differences = old ^ new
    return Int(role.number) == numbers.host
      ? differences & (Descriptor.addressMask | 3 | HostEntry.write) == 0
      : differences & ~Descriptor.accessed == 0 && !traits.heedsAccessFlag
  }

  /// Removes an entry's old value. Returns the first slot of the table to which it pointed, if any.
  mutating func goes(
    _ old: UInt64, _ new: UInt64, at slot: Int, _ role: FollowedFrame
  ) -> Int? {
    let frame = slot / Memory.frameWords
    if (old == 0) != (new == 0) {
      entryCounts[frame] &+= old == 0 ? 1 : 0 &- 1
      dirty.tableFrames.append(frame * Memory.frameWords)
    }
    if old == 0 || isSame(old, new, role) { return nil }
    if Descriptor(old).isTable(Int(role.level)) {
      return Memory.firstSlot(ofFrameAt: Descriptor(old).address)
    }
    entryChanges(Descriptor(old), at: slot, role, comes: false)
    return nil
  }

  mutating func comes(
    _ old: UInt64, _ new: UInt64, at slot: Int, _ role: FollowedFrame, _ memory: Memory
  ) {
    if new == 0 || isSame(old, new, role) { return }
    if Descriptor(new).isTable(Int(role.level)) {
      linkTable(
        Memory.firstSlot(ofFrameAt: Descriptor(new).address), Int(role.number),
        level: Int(role.level) + 1, base: role.address(of: slot), memory)
    } else {
      entryChanges(Descriptor(new), at: slot, role, comes: true)
    }
  }

  private func roots(_ machine: Machine) -> [Table?] {
    var roots: [Table?] = (0...numbers.shadows).map { machine.table(of: machine.mmu($0)) }
    roots.append(machine.hostTable)
    let isProtected = machine.configuration.isolation.pkvm != nil
    roots.append(isProtected ? machine.pkvmHostTable : nil)
    roots += (0..<PKVM.guests).map { machine.protectedGuest($0).map { machine.table(of: $0) } }
    let own = machine.ownDomainTables
    roots += (0..<SMMU.devices).map { device in own.first { $0.id == .iommu(device) } }
    return roots
  }

  mutating func unlinkRoots(_ machine: Machine) {
    let roots = roots(machine)
    for (number, table) in tables.enumerated() {
      guard let table, roots[number]?.root != table.root else { continue }
      for page in 0..<table.geometry.rootPages {
        unlinkTable(
          table.root + page * Memory.frameWords, level: table.geometry.startLevel, machine.memory)
      }
      tables[number] = nil
    }
  }

  mutating func linkRoots(_ machine: Machine) {
    for (number, table) in roots(machine).enumerated() {
      guard let table else { continue }
      let isKnown = tables[number] != nil
      tables[number] = table
      if isKnown { continue }
      flags.insert(.tableCount)
      for page in 0..<table.geometry.rootPages {
        linkTable(
          table.root + page * Memory.frameWords, number, level: table.geometry.startLevel,
          base: UInt64(page * Memory.frameWords) << table.rootShift, machine.memory)
      }
    }
  }

  /// Adds a frame, and all frames below it, to a table.
  private mutating func linkTable(
    _ first: Int, _ number: Int, level: Int, base: UInt64, _ memory: Memory
  ) {
    let frame = first / Memory.frameWords
    let role = FollowedFrame(
      kind: .table, level: UInt8(level), number: UInt16(number), look: look, base: base)
    frames[frame] = role
    if !isRoot(role) { framesBelow[number] += 1 }
    flags.insert(.tableCount)
    hostTableChanges(role)
    dirty.tableFrames.append(first)
    var count: UInt16 = 0
    for slot in first..<first + Memory.frameWords {
      let bits = memory.load(slot)
      if bits == 0 { continue }
      count += 1
      if Descriptor(bits).isTable(level) {
        linkTable(
          Memory.firstSlot(ofFrameAt: Descriptor(bits).address), number, level: level + 1,
          base: role.address(of: slot), memory)
      } else {
        entryChanges(Descriptor(bits), at: slot, role, comes: true)
      }
    }
    entryCounts[frame] = count
  }

  /// Removes a frame, and all frames below it, from its table.
  mutating func unlinkTable(_ first: Int, level: Int, _ memory: Memory) {
    let frame = first / Memory.frameWords
    let role = frames[frame]
    guard role.kind == .table, Int(role.level) == level else { return }
    frames[frame] = FollowedFrame()
    if !isRoot(role) { framesBelow[Int(role.number)] -= 1 }
    flags.insert(.tableCount)
    hostTableChanges(role)
    broken[countPlace(role)] = nil
    // Entries with relevant changes have already been removed.
    if entryCounts[frame] == 0 { return }
    for slot in first..<first + Memory.frameWords {
      let new = memory.load(slot)
      let old = changed.old(slot, in: memory)
      if old == 0 || old != new && !isSame(old, new, role) { continue }
      if Descriptor(old).isTable(level) {
        unlinkTable(
          Memory.firstSlot(ofFrameAt: Descriptor(old).address), level: level + 1, memory)
      } else {
        entryChanges(Descriptor(old), at: slot, role, comes: false)
      }
    }
  }

  /// Whether a frame is part of the root of a table.
  func isRoot(_ role: FollowedFrame) -> Bool {
    tables[Int(role.number)].map { Int(role.level) == $0.geometry.startLevel } ?? true
  }

  /// An entry that is neither zero nor a table is added or removed.
  private mutating func entryChanges(
    _ entry: Descriptor, at slot: Int, _ role: FollowedFrame, comes: Bool
  ) {
    touched.append(
      TouchedEntry(
        table: Int(role.number), address: role.address(of: slot), level: Int(role.level)))
    let number = Int(role.number)
    let level = Int(role.level)
    if traits.isIsolated {
      ownedEntryChanges(entry, at: role.address(of: slot), role, comes: comes)
    }
    guard entry.isLeaf(level) else { return }
    if number == numbers.host {
      let entry = HostEntry(bits: entry.bits)
      return hostPageChanges(entry, at: role.address(of: slot), role, comes: comes)
    }
    if indexesPages(number) {
      let pair = PairSet.Pair(entry.address & ~(TLB.geometry.size(level) - 1), UInt64(slot))
      if comes { leavesOfPage[level].insert(pair) } else { leavesOfPage[level].remove(pair) }
    }
    if comes { dirty.leaves.append(slot) } else { leafGoes(at: slot, role) }
  }

  /// Whether the leaves of a table are indexed by page.
  private func indexesPages(_ number: Int) -> Bool {
    traits.isIsolated || numbers.isContext(number) && (number > 0 || traits.pinsKeepLeaves)
  }

  /// Queues the leaves that map part of a physical range for another check.
  mutating func noteLeaves(of physical: Range<UInt64>) {
    for level in TLB.levels where !leavesOfPage[level].isEmpty {
      let start = physical.lowerBound & ~(TLB.geometry.size(level) - 1)
      leavesOfPage[level].appendSlots(in: start..<physical.upperBound, to: &dirty.leaves)
    }
  }
}
