/// The pool of tables for the host's stage 2 under pKVM, reserved at boot: enough to map all memory by
/// pages, and some for MMIO. MMIO can be anywhere and may need more than that; since it never changes
/// owner, all of it can be unmapped at any time, and the host faults in again what it uses.
///
/// Source: `host_s2_pgtable_pages`, `host_stage2_try` and `host_stage2_unmap_dev_all`. There a map fails
/// halfway and is retried; here the tables that it needs are counted first.
struct HostTablePoolHooks: TableHooks {
  func didAllocateTable(for table: Table, in machine: inout Machine) {
    if table.id == .pkvmHost { machine[pkvm: .hostTables] += 1 }
  }

  func didFreeTable(of table: Table, in machine: inout Machine) {
    if table.id == .pkvmHost { machine[pkvm: .hostTables] -= 1 }
  }
}

extension Machine {
  /// Pages that are added for the worst case of a concatenated root.
  private static let rootReserve: UInt64 = 16

  /// Number of tables below the root in the pool (`host_s2_pgtable_pages`, less the root).
  public var hostTablePool: UInt64 {
    let root = UInt64(protectedGeometry.rootPages)
    return hostMemory.reduce(0) { $0 + Self.tables(forBytes: $1.size) }
      + Self.tables(forBytes: configuration.mmioReserve) + Self.rootReserve - root
  }

  /// Number of tables of the host's stage 2 in use below the root.
  public var hostTableCount: UInt64 {
    configuration.isolation.pkvm == nil ? 0 : self[pkvm: .hostTables]
  }

  /// Number of tables to map so many bytes by pages, by five levels, from -1 on (`__hyp_pgtable_max_pages`).
  private static func tables(forBytes size: UInt64) -> UInt64 {
    var (entries, sum) = (size / Page.size, UInt64(0))
    for _ in -1...Geometry.lastLevel {
      entries = (entries + UInt64(Memory.frameWords) - 1) / UInt64(Memory.frameWords)
      sum += entries
    }
    return sum
  }

  /// Maps in the host's stage 2, with tables from the pool.
  mutating func mapInHost(_ leaf: Descriptor, at address: UInt64, level: Int) {
    reserveHostTables(to: level, at: address)
    map(leaf, at: address, level: level, in: pkvmHostTable)
  }

  /// Ensures that there are tables to map an address at a level. The pool has all that memory can need,
  /// so there are enough once no MMIO is mapped.
  mutating func reserveHostTables(to level: Int, at address: UInt64) {
    let table = pkvmHostTable
    let needed = UInt64(level - memory.walk(table, address, to: level).level)
    if needed == 0 || hostTableCount + needed <= hostTablePool { return }
    let count = hostTableCount
    note(.pkvm(.hostPoolEmpty(tables: count, needed: needed)), table.id, at: address)
    var start: UInt64 = 0
    for region in hostMemory {
      unmapMMIO(start..<region.lowerBound)
      start = region.upperBound
    }
    unmapMMIO(start..<table.geometry.inputSize)
  }

  private mutating func unmapMMIO(_ range: Range<UInt64>) {
    if range.isEmpty { return }
    note(.pkvm(.mmioUnmap), .pkvmHost, over: range)
    unmap(range, in: pkvmHostTable)
  }
}
