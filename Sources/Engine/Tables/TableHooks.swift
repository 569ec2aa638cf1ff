/// Hooks in the operations on tables that CPUs walk, for devices, which may walk the same tables, and for
/// pKVM, which counts the pages. The operations call the hooks where the kernel has one, and do not know
/// who listens.
///
/// Every hook has a default that does nothing. An ordinary machine has no table hooks, so mapping and
/// unmapping pay nothing.
protocol TableHooks: Sendable {
  /// Called before a word of a table is stored.
  func willStore(_ bits: UInt64, at slot: Int, in machine: inout Machine)

  /// Called after words of a table became visible to all walkers.
  func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int,
    in machine: inout Machine)

  /// Called after the CPUs' TLBs dropped their entries for input addresses of a table; one CPU's alone if the
  /// TLBI was local.
  func didInvalidate(
    _ range: Range<UInt64>, of table: Table, isLocal: Bool, in machine: inout Machine)

  /// Called after a table page was allocated, or freed.
  func didAllocateTable(for table: Table, in machine: inout Machine)
  func didFreeTable(of table: Table, in machine: inout Machine)

  /// Whether a block becomes a full table in one store, instead of break-before-make to an empty one.
  func replacesInPlace(_ table: Table, in machine: Machine) -> Bool
}

extension TableHooks {
  func willStore(_ bits: UInt64, at slot: Int, in machine: inout Machine) {}
  func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int,
    in machine: inout Machine
  ) {}
  func didInvalidate(
    _ range: Range<UInt64>, of table: Table, isLocal: Bool, in machine: inout Machine
  ) {}
  func didAllocateTable(for table: Table, in machine: inout Machine) {}
  func didFreeTable(of table: Table, in machine: inout Machine) {}
  func replacesInPlace(_ table: Table, in machine: Machine) -> Bool { false }
}

/// Calling the hooks.
extension Machine {
  /// Stores a word of a table that hardware walks.
  @inline(__always)
  mutating func storeEntry(_ bits: UInt64, at slot: Int) {
    if hasTableHooks { willStore(bits, at: slot) }
    memory.store(bits, at: slot)
  }

  @inline(never)
  private mutating func willStore(_ bits: UInt64, at slot: Int) {
    for hook in tableHooks { hook.willStore(bits, at: slot, in: &self) }
  }

  /// Words of a table were stored.
  mutating func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int
  ) {
    for hook in tableHooks { hook.didStore(slots, of: table, at: address, level: level, in: &self) }
  }

  func replacesInPlace(_ table: Table) -> Bool {
    tableHooks.contains { $0.replacesInPlace(table, in: self) }
  }
}
