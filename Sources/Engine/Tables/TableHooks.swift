/// Hooks of the operations on tables that CPUs walk: what others need to know of them. Devices do, which
/// may walk the same tables, and pKVM, which counts the pages. The operations call the hooks where the
/// kernel has one, and know of nobody.
///
/// Every hook has a default that does nothing. An ordinary machine has no table hooks at all, so that
/// mapping and unmapping pay for none.
protocol TableHooks: Sendable {
  /// A word of a table is about to be stored.
  func willStore(_ bits: UInt64, at slot: Int, in machine: inout Machine)

  /// Words of a table were stored for all walkers to see.
  func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int,
    in machine: inout Machine)

  /// The TLBs of the CPUs dropped what they held for input addresses of a table.
  func didInvalidate(_ range: Range<UInt64>, of table: Table, in machine: inout Machine)

  /// A page was taken for a table, or given back.
  func didAllocateTable(for table: Table, in machine: inout Machine)
  func didFreeTable(of table: Table, in machine: inout Machine)

  /// Whether a block of a table becomes a full table in one store, instead of being broken for an empty
  /// one.
  func replacesInPlace(_ table: Table, in machine: Machine) -> Bool
}

extension TableHooks {
  func willStore(_ bits: UInt64, at slot: Int, in machine: inout Machine) {}
  func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int,
    in machine: inout Machine
  ) {}
  func didInvalidate(_ range: Range<UInt64>, of table: Table, in machine: inout Machine) {}
  func didAllocateTable(for table: Table, in machine: inout Machine) {}
  func didFreeTable(of table: Table, in machine: inout Machine) {}
  func replacesInPlace(_ table: Table, in machine: Machine) -> Bool { false }
}

/// Calling the hooks.
extension Machine {
  /// Changes a word of a table that hardware walks.
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
