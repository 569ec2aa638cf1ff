/// Changing leaves in place: permissions and the access flag.
extension Machine {
  /// Grants more to the leaf at `address` (`kvm_pgtable_stage2_relax_perms`): no break-before-make, and
  /// a TLB invalidation on this CPU only. S2AP only grows, XN becomes what is asked for, software bits stay.
  ///
  /// - Returns: the entry as it was, or nil if there is none any more.
  mutating func relax(
    _ permissions: Permissions, at address: UInt64, in table: Table
  ) -> Descriptor? {
    let end = memory.walk(table, address)
    let size = table.geometry.size(end.level)
    let start = address & ~(size - 1)
    guard end.descriptor.isLeaf(end.level) else {
      note(.table(.relaxGone(end.descriptor)), table.id, at: address, level: end.level)
      invalidate(table, start..<start + size, .relaxed)
      return nil
    }
    let bits = end.descriptor.bits & ~Descriptor.executeNeverMask | permissions.bits
    note(
      .table(.relaxLeaf(Descriptor(bits), from: end.descriptor)), table.id, at: start, size: size,
      level: end.level)
    storeEntry(bits, at: end.slot)
    tally.relaxes += 1
    invalidate(table, start..<start + size, .relaxed)
    return end.descriptor
  }

  /// Clears `bit` in every valid leaf that overlaps `range`; the caller invalidates the TLB, or does
  /// not. Returns the number of leaves that had it.
  @discardableResult
  mutating func clear(
    _ bit: UInt64, in range: Range<UInt64>, of table: Table,
    _ step: (_ new: Descriptor, _ old: Descriptor) -> TableStep
  ) -> Int {
    var changed = 0
    var address = range.lowerBound
    while let leaf = memory.nextEntry(from: address, below: range.upperBound, of: table) {
      if leaf.descriptor.isLeaf(leaf.level), leaf.descriptor.bits & bit != 0 {
        let new = Descriptor(leaf.descriptor.bits & ~bit)
        note(
          .table(step(new, leaf.descriptor)), table.id, at: leaf.address,
          size: table.geometry.size(leaf.level), level: leaf.level)
        storeEntry(new.bits, at: leaf.slot)
        changed += 1
      }
      address = leaf.address + table.geometry.size(leaf.level)
    }
    return changed
  }
}

/// An entry of a table that is not a table itself.
public struct TableLeaf: Equatable, Sendable {
  /// First input address.
  public let address: UInt64
  /// Level of the entry.
  public let level: Int
  /// Slot of the entry.
  public let slot: Int
  /// Its bits, valid or an annotation.
  public let descriptor: Descriptor
}

extension Memory {
  /// The first entry, other than zero and other than tables, whose span overlaps the addresses from
  /// `start` up to, but not including, `end`. Nil too if there are none: a leaf may reach beyond a range
  /// that is gone through.
  func nextEntry(from start: UInt64, below end: UInt64, of table: Table) -> TableLeaf? {
    if start >= end { return nil }
    return nextEntry(
      in: start..<end, at: 0, frame: table.root, entries: table.geometry.rootEntries,
      level: table.geometry.startLevel, of: table.geometry)
  }

  private func nextEntry(
    in range: Range<UInt64>, at base: UInt64, frame: Int, entries: Int, level: Int,
    of geometry: Geometry
  ) -> TableLeaf? {
    let shift = geometry.shift(level)
    let first = range.lowerBound > base ? Int((range.lowerBound - base) >> shift) : 0
    let last = min(entries - 1, Int((range.upperBound - 1 - base) >> shift))
    for slot in frame + first..<frame + last + 1 {
      let entry = Descriptor(load(slot))
      if entry.bits == 0 { continue }
      let address = base + UInt64(slot - frame) << shift
      if !entry.isTable(level) {
        return TableLeaf(address: address, level: level, slot: slot, descriptor: entry)
      }
      let found = nextEntry(
        in: range, at: address, frame: Memory.firstSlot(ofFrameAt: entry.address),
        entries: geometry.tableEntries, level: level + 1, of: geometry)
      if let found { return found }
    }
    return nil
  }
}
