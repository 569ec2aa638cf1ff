/// Sparse arrays that rules read: the frames of each, and the elements that change.
extension RuleChecker {
  func arrayRoot(
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

  /// Links the arrays that already exist.
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

  func childBase(_ slot: Int, _ role: FollowedFrame) -> UInt64 {
    role.base
      + UInt64(slot & (Memory.frameWords - 1)) << UInt64(SparseArray.bits * Int(role.level))
  }

  mutating func linkArray(
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

  mutating func unlinkArray(_ first: Int, level: Int, _ machine: Machine) {
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

  mutating func elementChanged(
    _ number: UInt16, _ index: UInt64, _ old: UInt64, _ new: UInt64, _ machine: Machine
  ) {
    guard let array = FollowedFrame.Array(rawValue: number) else { return }
    switch array {
    case .pinCounts:
      if traits.pinsKeepLeaves {
        let page = Machine.pagesBase + index << 12
        noteLeaves(of: page..<page + Page.size)
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
        let ipa = word.page
        if let table = tables[0] {
          noteLeaves(of: table, in: ipa..<ipa + Page.size, machine.memory)
        }
      }
      granuleChanged(index << Page.shift, from: old, to: new)
    case .rmp, .vmemmap:
      let page = index << Page.shift
      dirty.owned.append(page..<page + Page.size)
    case .uncleaned: break
    }
  }
}
