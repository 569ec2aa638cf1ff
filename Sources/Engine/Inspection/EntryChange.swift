/// An entry of a table that differs from what it was.
package struct EntryChange: Equatable, Sendable {
  package let table: TableID
  /// The first input address that the entry covers, and its level.
  package let address: UInt64
  package let level: Int
  /// Bytes that the entry covers.
  package let size: UInt64
  /// The entry then, and now; empty where its table did not exist.
  package let before, after: Descriptor

  package init(
    table: TableID, address: UInt64, level: Int, size: UInt64, before: Descriptor, after: Descriptor
  ) {
    self.table = table
    self.address = address
    self.level = level
    self.size = size
    self.before = before
    self.after = after
  }
}

extension PastWords {
  /// The entries that differ in the tables that stage 2, devices and pKVM use, table by table, ascending. L1's
  /// own tables lie in its memory, and are not among them. O(n log n) in the changed words.
  ///
  /// The frame of a table knows which part of which table it is, and knew it then. So an entry is found by its
  /// word, also one of a table that was freed, and one that moved into a new frame is the same entry.
  package func changedEntries(in machine: Machine) -> [EntryChange] {
    struct Place: Hashable {
      let table: UInt64
      let level: Int
      let range: Range<UInt64>
    }
    func place(of slot: Int, _ role: FrameRole) -> Place? {
      guard role.use == FrameUse.table.rawValue || role.use == FrameUse.lastTable.rawValue else {
        return nil
      }
      return Place(table: role.number, level: role.level, range: role.addresses(ofEntry: slot))
    }
    var entries: [Place: (before: UInt64, after: UInt64)] = [:]
    for slot in slots {
      let frame = Memory.information(ofFrameAt: slot)
      let now = machine.memory.load(slot)
      if let then = place(of: slot, FrameRole(bits: self[frame] ?? machine.memory.load(frame))) {
        entries[then, default: (0, 0)].before = self[slot] ?? now
      }
      if let place = place(of: slot, machine.memory.role(ofFrameAt: slot)) {
        entries[place, default: (0, 0)].after = now
      }
    }
    let changed = entries.filter { $0.value.before != $0.value.after }.sorted {
      ($0.key.table, $0.key.range.lowerBound, $0.key.level)
        < ($1.key.table, $1.key.range.lowerBound, $1.key.level)
    }
    return changed.compactMap { place, words in
      guard let table = TableID(frameNumber: place.table), table != .vmmStage1 else { return nil }
      let format = machine.table(table)?.geometry.format ?? .stage2
      return EntryChange(
        table: table, address: place.range.lowerBound, level: place.level, size: place.range.size,
        before: Descriptor(words.before, format), after: Descriptor(words.after, format))
    }
  }
}
