/// Following the journal: which words are entries of which table, and what came and went in them.
extension RuleChecker {
  // MARK: What frames hold

  /// The frames of records, which stay what they are.
  mutating func noteRecords(_ machine: Machine) {
    growFrames(machine.memory)
    let layout = machine.layout
    let shadows = machine.configuration.shadows
    note(.registers, from: Memory.firstRegister, words: 1)
    note(.contexts, from: layout.mmus, words: (1 + shadows) * MMU.Field.count)
    note(.vcpus, from: layout.vcpus, words: machine.configuration.vcpus * VCPU.Field.count)
    note(.memslots, from: layout.memslots, words: Layout.memslotCount * Memslot.Field.count)
    note(.tlb, from: layout.tlb.base, words: TLB.words)
    note(.vmids, from: layout.vmids.base, words: 1)
    if machine.hasSMMU { noteSMMU(machine) }
    if machine[.pkvm] != 0 { note(.protected, from: Int(machine[.pkvm]), words: 1) }
  }

  private mutating func noteSMMU(_ machine: Machine) {
    note(.smmu, from: Int(machine[.smmu]), words: 1)
    note(.iotlb, from: machine.iotlb.base, words: TLB.words)
  }

  private mutating func note(_ kind: FollowedFrame.Kind, from slot: Int, words: Int) {
    for frame in slot / Memory.frameWords...(slot + words - 1) / Memory.frameWords {
      frames[frame].kind = kind
    }
  }

  private mutating func growFrames(_ memory: Memory) {
    let count = memory.wordCount / Memory.frameWords
    if frames.count >= count { return }
    let missing = max(count, frames.count * 2) - frames.count
    frames.append(contentsOf: repeatElement(FollowedFrame(), count: missing))
    entryCounts.append(contentsOf: repeatElement(0, count: missing))
  }

  // MARK: What changed

  /// Brings roles and indexes up to date, and notes what depends on the words that differ.
  mutating func takeChanges(_ machine: Machine) {
    let memory = machine.memory
    growFrames(memory)
    // First what was there goes, with frames that are no longer linked; then what is there now comes.
    var unlinked: [(frame: Int, level: Int, isTable: Bool)] = []
    for index in 0..<changed.count {
      let slot = changed.slots[index]
      let old = changed.olds[index]
      let new = memory.load(slot)
      if old == new { continue }
      let role = frames[slot / Memory.frameWords]
      switch role.kind {
      case .table:
        if let child = goes(old, new, at: slot, role) {
          unlinked.append((child, Int(role.level) + 1, true))
        }
      case .sparse:
        if role.level > 0, old != 0 { unlinked.append((Int(old), Int(role.level) - 1, false)) }
      case .other:
        if maps.isKept, memory.role(ofFrameAt: slot).use == FrameUse.nodes.rawValue {
          let node = slot & ~(RangeTree.nodeWords - 1)
          if dirty.nodes.last != node { dirty.nodes.append(node) }
        }
      default:
        if old != 0, arrayRoot(at: slot, role.kind, machine) != nil {
          unlinked.append((Int(old), SparseArray.levels - 1, false))
        }
        recordChanged(slot, old, role.kind, machine)
      }
    }
    for (frame, level, isTable) in unlinked {
      if isTable {
        unlinkTable(frame, level: level, memory)
      } else {
        unlinkArray(frame, level: level, machine)
      }
    }
    if flags.contains(.roots) {
      unlinkRoots(machine)
      linkRoots(machine)
    }
    for index in 0..<changed.count {
      let slot = changed.slots[index]
      let old = changed.olds[index]
      let new = memory.load(slot)
      if old == new { continue }
      let role = frames[slot / Memory.frameWords]
      // What was linked in this look has been gone through as a whole.
      if role.look == look { continue }
      switch role.kind {
      case .table: comes(old, new, at: slot, role, memory)
      case .sparse:
        if role.level == 0 {
          let element = role.base + UInt64(slot & (Memory.frameWords - 1))
          elementChanged(role.number, element, old, new, machine)
        } else if new != 0 {
          linkArray(
            Int(new), role.number, level: Int(role.level) - 1, base: childBase(slot, role), machine)
        }
      default:
        if let number = arrayRoot(at: slot, role.kind, machine), new != 0 {
          linkArray(Int(new), number.rawValue, level: SparseArray.levels - 1, base: 0, machine)
        }
      }
    }
  }

  /// A word of a record.
  private mutating func recordChanged(
    _ slot: Int, _ old: UInt64, _ kind: FollowedFrame.Kind, _ machine: Machine
  ) {
    switch kind {
    case .registers: registerChanged(slot, machine)
    case .contexts:
      let place = slot - machine.layout.mmus
      contextChanged(
        place / MMU.Field.count, place % MMU.Field.count, old: old, machine)
    case .vcpus:
      let field = (slot - machine.layout.vcpus) % VCPU.Field.count
      if field == VCPU.Field.vncr.rawValue || field == VCPU.Field.vncrPage.rawValue {
        flags.insert(.vncr)
      }
    case .memslots:
      let field = (slot - machine.layout.memslots) % Memslot.Field.count
      if field >= Memslot.Field.ipa.rawValue, field <= Memslot.Field.hva.rawValue {
        flags.insert(.memslots)
      }
    case .tlb: dirty.tlb.append(slot & ~1)
    case .vmids:
      if slot == machine.layout.vmids.slot(.generation) {
        flags.formUnion([.vmids, .generation])
      }
    case .smmu: smmuChanged(slot - Int(machine[.smmu]))
    case .iotlb:
      dirty.iotlb.append(slot & ~1)
      if traits.pinsKeepLeaves { noteCached(at: slot & ~1, machine.memory) }
    case .protected: flags.formUnion([.roots, .vmids, .devices])
    case .other, .table, .sparse: break
    }
  }

  /// What the SMMU has cached of input addresses has changed.
  private mutating func noteCached(at slot: Int, _ memory: Memory) {
    for tag in [changed.old(slot, in: memory), memory.load(slot)] {
      if let range = TLB.addresses(ofTag: tag) { dirty.cached.append(range) }
    }
  }

  private mutating func registerChanged(_ slot: Int, _ machine: Machine) {
    switch slot {
    case Machine.Register.smmu.slot:
      if machine.hasSMMU { noteSMMU(machine) }
      flags.formUnion([.roots, .devices])
    case Machine.Register.parkedOwner.slot, Machine.Register.parkedCount.slot:
      flags.insert(.parked)
    case Machine.Register.commandCount.slot:
      if machine.isPaused { flags.insert(.parked) }
    case Machine.Register.processASID.slot: flags.insert(.devices)
    case Counter.tablesAllocated.slot, Counter.tablesFreed.slot:
      flags.insert(.tableCount)
    default: break
    }
  }

  private mutating func smmuChanged(_ offset: Int) {
    if offset >= SMMU.commandsOffset { return }
    switch offset % SMMU.Field.count {
    case SMMU.Field.event.rawValue..<SMMU.Field.root.rawValue,
      SMMU.Field.pinnedAreas.rawValue...SMMU.Field.pinnedPages.rawValue:
      break
    case SMMU.Field.root.rawValue, SMMU.Field.inputBits.rawValue, SMMU.Field.domain.rawValue:
      flags.formUnion([.roots, .devices])
    default: flags.insert(.devices)
    }
  }

  // MARK: Tables

  /// What differs in an entry without a rule's caring.
  private func isSame(_ old: UInt64, _ new: UInt64, _ role: FollowedFrame) -> Bool {
    if (old | new) & 3 == 0 { return false }
    let differences = old ^ new
    return Int(role.number) == numbers.host
      ? differences & (Descriptor.addressMask | 3 | HostEntry.write) == 0
      : differences & ~Descriptor.accessed == 0 && !traits.heedsAccessFlag
  }

  /// Takes out what an entry was. Returns the first slot of the table that it led to, if it did.
  private mutating func goes(
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
    entryGoes(Descriptor(old), at: slot, role)
    return nil
  }

  private mutating func comes(
    _ old: UInt64, _ new: UInt64, at slot: Int, _ role: FollowedFrame, _ memory: Memory
  ) {
    if new == 0 || isSame(old, new, role) { return }
    if Descriptor(new).isTable(Int(role.level)) {
      linkTable(
        Memory.firstSlot(ofFrameAt: Descriptor(new).address), Int(role.number),
        level: Int(role.level) + 1, base: role.address(of: slot), memory)
    } else {
      entryComes(Descriptor(new), at: slot, role)
    }
  }

  private func roots(_ machine: Machine) -> [Table?] {
    var roots: [Table?] = (0...numbers.shadows).map { machine.table(of: machine.mmu($0)) }
    roots.append(machine.hostTable)
    let isProtected = machine.configuration.isolation.pkvm != nil
    roots.append(isProtected ? machine.protectedHostTable : nil)
    roots += (0..<PKVM.guests).map { machine.protectedGuest($0).map { machine.table(of: $0) } }
    let own = machine.ownDomainTables
    roots += (0..<SMMU.devices).map { device in own.first { $0.id == .iommu(device) } }
    return roots
  }

  private mutating func unlinkRoots(_ machine: Machine) {
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

  /// A table's frame, and what is below it, becomes part of a table.
  private mutating func linkTable(
    _ first: Int, _ number: Int, level: Int, base: UInt64, _ memory: Memory
  ) {
    let frame = first / Memory.frameWords
    let role = FollowedFrame(
      kind: .table, level: UInt8(level), number: UInt16(number), look: look, base: base)
    frames[frame] = role
    if !isRoot(role) { framesBelow[number] += 1 }
    flags.insert(.tableCount)
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
        entryComes(Descriptor(bits), at: slot, role)
      }
    }
    entryCounts[frame] = count
  }

  /// A table's frame, and what was below it, is no longer part of a table.
  private mutating func unlinkTable(_ first: Int, level: Int, _ memory: Memory) {
    let frame = first / Memory.frameWords
    let role = frames[frame]
    guard role.kind == .table, Int(role.level) == level else { return }
    frames[frame] = FollowedFrame()
    if !isRoot(role) { framesBelow[Int(role.number)] -= 1 }
    flags.insert(.tableCount)
    broken[countPlace(role)] = nil
    // What has changed in a way that matters was taken out before.
    if entryCounts[frame] == 0 { return }
    for slot in first..<first + Memory.frameWords {
      let new = memory.load(slot)
      let old = changed.old(slot, in: memory)
      if old == 0 || old != new && !isSame(old, new, role) { continue }
      if Descriptor(old).isTable(level) {
        unlinkTable(
          Memory.firstSlot(ofFrameAt: Descriptor(old).address), level: level + 1, memory)
      } else {
        entryGoes(Descriptor(old), at: slot, role)
      }
    }
  }

  /// Whether a frame is part of the root of a table.
  func isRoot(_ role: FollowedFrame) -> Bool {
    tables[Int(role.number)].map { Int(role.level) == $0.geometry.startLevel } ?? true
  }

  /// An entry, other than zero and other than a table, comes.
  private mutating func entryComes(_ entry: Descriptor, at slot: Int, _ role: FollowedFrame) {
    note(slot, role)
    let number = Int(role.number)
    guard entry.isLeaf(Int(role.level)) else { return }
    if number == numbers.host {
      hostPageChanges(HostEntry(bits: entry.bits), at: role.address(of: slot), role, comes: true)
    } else {
      if indexesPages(number) {
        leavesOfPage[Int(role.level)].insert(pair(entry, at: slot, role))
      }
      dirty.leaves.append(slot)
    }
  }

  /// An entry, other than zero and other than a table, goes.
  private mutating func entryGoes(_ entry: Descriptor, at slot: Int, _ role: FollowedFrame) {
    note(slot, role)
    let number = Int(role.number)
    guard entry.isLeaf(Int(role.level)) else { return }
    if number == numbers.host {
      hostPageChanges(HostEntry(bits: entry.bits), at: role.address(of: slot), role, comes: false)
    } else {
      if indexesPages(number) {
        leavesOfPage[Int(role.level)].remove(pair(entry, at: slot, role))
      }
      leafGoes(at: slot, role)
    }
  }

  private mutating func note(_ slot: Int, _ role: FollowedFrame) {
    touched.append(
      TouchedEntry(
        table: Int(role.number), address: role.address(of: slot), level: Int(role.level)))
  }

  /// Whether anybody asks which leaves of a table map a page.
  private func indexesPages(_ number: Int) -> Bool {
    numbers.isContext(number) ? number > 0 || traits.pinsKeepLeaves : false
  }

  private func pair(_ entry: Descriptor, at slot: Int, _ role: FollowedFrame) -> PairSet.Pair {
    PairSet.Pair(
      entry.address & ~(TLB.geometry.size(Int(role.level)) - 1), UInt64(slot))
  }

  /// The leaves that map some of a physical range are to be looked at again.
  mutating func noteLeaves(of physical: Range<UInt64>) {
    for level in TLB.levels where !leavesOfPage[level].isEmpty {
      let start = physical.lowerBound & ~(TLB.geometry.size(level) - 1)
      leavesOfPage[level].appendSlots(in: start..<physical.upperBound, to: &dirty.leaves)
    }
  }

  // MARK: Sparse arrays

  private func arrayRoot(
    at slot: Int, _ kind: FollowedFrame.Kind, _ machine: Machine
  ) -> FollowedFrame.Array? {
    switch kind {
    case .registers:
      switch slot {
      case Machine.Register.pinCounts.slot: return .pinCounts
      case Machine.Register.rmp.slot: return .rmp
      case Machine.Register.granules.slot: return .granules
      case Machine.Register.vmemmap.slot: return .vmemmap
      case Machine.Register.uncleaned.slot: return .uncleaned
      case Machine.Register.parkedTasks.slot: return .parkedTasks
      default: return nil
      }
    case .vmids: return slot == machine.layout.vmids.slot(.otherVMs) ? .otherVMs : nil
    case .smmu:
      let offset = slot - Int(machine[.smmu])
      guard offset < SMMU.commandsOffset,
        offset % SMMU.Field.count == SMMU.Field.pinnedPages.rawValue
      else { return nil }
      return FollowedFrame.Array(
        rawValue: FollowedFrame.Array.pins0.rawValue + UInt16(offset / SMMU.Field.count))
    default: return nil
    }
  }

  /// Links the arrays that are there already.
  mutating func linkArrays(_ machine: Machine) {
    var roots = [
      Machine.Register.pinCounts, .rmp, .granules, .vmemmap, .uncleaned, .parkedTasks,
    ].map { ($0.slot, FollowedFrame.Kind.registers) }
    roots.append((machine.layout.vmids.slot(.otherVMs), .vmids))
    if machine.hasSMMU {
      roots += (0..<SMMU.devices).map { (machine.slot(.pinnedPages, ofDevice: $0), .smmu) }
    }
    for (slot, kind) in roots where machine.memory.load(slot) != 0 {
      guard let array = arrayRoot(at: slot, kind, machine) else { continue }
      linkArray(
        Int(machine.memory.load(slot)), array.rawValue, level: SparseArray.levels - 1, base: 0,
        machine)
    }
  }

  private func childBase(_ slot: Int, _ role: FollowedFrame) -> UInt64 {
    role.base
      + UInt64(slot & (Memory.frameWords - 1)) << UInt64(SparseArray.bits * Int(role.level))
  }

  private mutating func linkArray(
    _ first: Int, _ number: UInt16, level: Int, base: UInt64, _ machine: Machine
  ) {
    let role = FollowedFrame(
      kind: .sparse, level: UInt8(level), number: number, look: look, base: base)
    frames[first / Memory.frameWords] = role
    for slot in first..<first + Memory.frameWords {
      let word = machine.memory.load(slot)
      if word == 0 { continue }
      if level > 0 {
        linkArray(Int(word), number, level: level - 1, base: childBase(slot, role), machine)
      } else {
        elementChanged(
          number, base + UInt64(slot & (Memory.frameWords - 1)), 0, word, machine)
      }
    }
  }

  private mutating func unlinkArray(_ first: Int, level: Int, _ machine: Machine) {
    let role = frames[first / Memory.frameWords]
    guard role.kind == .sparse, Int(role.level) == level else { return }
    frames[first / Memory.frameWords] = FollowedFrame()
    for slot in first..<first + Memory.frameWords {
      let old = changed.old(slot, in: machine.memory)
      if old == 0 { continue }
      if level > 0 {
        unlinkArray(Int(old), level: level - 1, machine)
      } else {
        elementChanged(
          role.number, role.base + UInt64(slot & (Memory.frameWords - 1)), old, 0, machine)
      }
    }
  }

  private mutating func elementChanged(
    _ number: UInt16, _ index: UInt64, _ old: UInt64, _ new: UInt64, _ machine: Machine
  ) {
    guard let array = FollowedFrame.Array(rawValue: number) else { return }
    switch array {
    case .pinCounts:
      if traits.pinsKeepLeaves {
        let page = Machine.pagesBase + index << 12
        noteLeaves(of: page..<page + 4096)
      }
    case .pins0, .pins1, .pins2, .pins3:
      if let device = array.pinsOfDevice { dirty.pins.append((device, index << 12)) }
    case .otherVMs:
      if index % 2 == 0 {
        vmids.change(.otherVM(index / 2), from: old, to: new)
        flags.insert(.generation)
      }
    case .parkedTasks: flags.insert(.parked)
    case .granules:
      for word in [old, new] where word & 3 == GranuleState.data.rawValue {
        let ipa = word & ~4095
        if let table = tables[0] { noteLeaves(of: table, in: ipa..<ipa + 4096, machine.memory) }
      }
    case .rmp, .vmemmap, .uncleaned: break
    }
  }
}
