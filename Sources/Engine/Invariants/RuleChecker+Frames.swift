/// Following the journal: which words are entries of which table, and their changes.
extension RuleChecker {
  // MARK: What frames hold

  /// The frames of records, whose roles never change.
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
    // First remove the old values, with frames no longer linked; then add the new ones.
    var unlinked: [(frame: Int, level: Int, isTable: Bool)] = []
    for index in 0..<changed.count {
      guard let (slot, old, new, role) = difference(at: index, memory) else { continue }
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
      case .registers, .contexts, .vcpus, .memslots, .tlb, .vmids, .smmu, .iotlb, .protected:
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
      guard let (slot, old, new, role) = difference(at: index, memory) else { continue }
      // Frames linked in this check have been scanned as a whole.
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
      case .other: break
      case .registers, .contexts, .vcpus, .memslots, .tlb, .vmids, .smmu, .iotlb, .protected:
        if let number = arrayRoot(at: slot, role.kind, machine), new != 0 {
          linkArray(Int(new), number.rawValue, level: SparseArray.levels - 1, base: 0, machine)
        }
      }
    }
  }

  /// A changed word with its value before and now, and what it is for the rules; nil if the value is the same.
  @inline(__always)
  private func difference(
    at index: Int, _ memory: Memory
  ) -> (slot: Int, old: UInt64, new: UInt64, role: FollowedFrame)? {
    let slot = changed.slots[index]
    let old = changed.olds[index]
    let new = memory.load(slot)
    return old == new ? nil : (slot, old, new, frames[slot / Memory.frameWords])
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
      if traits.pinsKeepLeaves || traits.isIsolated { noteCached(at: slot & ~1, machine.memory) }
    case .protected: flags.formUnion([.roots, .vmids, .devices])
    case .other, .table, .sparse: break
    }
  }

  /// The SMMU's TLB entries for input addresses have changed.
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
}
