/// Changing leaves in place: permissions and the access flag.
extension Machine {
  /// Adds permissions to the leaf at `address` (`kvm_pgtable_stage2_relax_perms`): no break-before-make,
  /// and a TLB invalidation on one CPU only. S2AP only grows, XN is replaced if the new permissions include
  /// execution, software bits stay.
  ///
  /// - Returns: the old entry, or nil if there is no longer a leaf.
  mutating func relax(
    _ permissions: Permissions, at address: UInt64, in table: Table, cpu: Int
  ) -> Descriptor? {
    let end = memory.walk(table, address)
    let size = table.geometry.size(end.level)
    let start = address & ~(size - 1)
    guard end.isLeaf else {
      note(.table(.relaxGone(end.descriptor)), table.id, at: address, level: end.level)
      invalidate(table, start..<start + size, .relaxed, cpu: cpu)
      return nil
    }
    let old = end.descriptor.bits
    let bits =
      permissions.executeEL1 || permissions.executeEL0
      ? old & ~Descriptor.executeNeverMask | permissions.bits
      : old | permissions.bits & ~Descriptor.executeNeverMask
    if bits == old {
      note(.table(.relaxKept(end.descriptor)), table.id, at: start, size: size, level: end.level)
    } else {
      note(
        .table(.relaxLeaf(Descriptor(bits), from: end.descriptor)), table.id, at: start, size: size,
        level: end.level)
      storeEntry(bits, at: end.slot)
      tally.relaxes += 1
    }
    invalidate(table, start..<start + size, .relaxed, cpu: cpu)
    return end.descriptor
  }

  /// Clears `bit` in every valid leaf that overlaps `range`; the caller decides on a TLBI. Returns the
  /// number of leaves that had the bit.
  @discardableResult
  mutating func clear(
    _ bit: UInt64, in range: Range<UInt64>, of table: Table,
    _ step: (_ new: Descriptor, _ old: Descriptor) -> TableStep
  ) -> Int {
    var changed = 0
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) {
      if leaf.descriptor.bits & bit != 0 {
        let new = Descriptor(leaf.descriptor.bits & ~bit)
        note(
          .table(step(new, leaf.descriptor)), table.id, at: leaf.address,
          size: table.geometry.size(leaf.level), level: leaf.level)
        storeEntry(new.bits, at: leaf.slot)
        changed += 1
      }
    }
    return changed
  }
}
