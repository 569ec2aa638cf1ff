/// An exact multimap: any number of nested ranges for a canonical page. The lower bound for the
/// comparison with the others: it removes exactly the leaves that must go, and never fails.
///
/// It keeps one entry per leaf, keyed by nested IPA, which is unique, with the leaf's canonical IPA. A
/// lookup by canonical range scans all entries: it is exact, not fast. An entry is removed together with
/// its leaf and never before, so that a sweep that drops `mmu_lock` hides nothing.
struct ExactMap: ReverseMapPolicy {
  /// Bit 62 keeps canonical IPA 0 from looking like an empty entry.
  private static let valid: UInt64 = 1 << 62

  var encoding: ReverseMapEncoding {
    ReverseMapEncoding(validBit: Self.valid.trailingZeroBitCount, isKeyedByNested: true)
  }

  func record(_ mapping: ShadowMapping, in machine: inout Machine) -> Bool {
    machine.note(
      .reverseMap(.record(nested: mapping.nested)), mapping.mmu.tableID, over: mapping.canonical)
    machine.note(
      .reverseMap(.recordKnown(nested: mapping.nested)), mapping.mmu.tableID,
      over: mapping.canonical)
    // The old mapping there was replaced as a whole.
    forget(mapping.nestedRange, of: mapping.mmu, in: &machine)
    machine.memory.store(
      mapping.canonical.lowerBound | Self.valid, for: mapping.nestedRange,
      in: mapping.mmu.directMap)
    return true
  }

  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work] {
    machine.validShadows.map { .continueUnmap(cause.canonical, $0.index, cause) }
      + [.dropVNCR(cause.canonical)]
  }

  func continueUnmap(
    _ range: Range<UInt64>, of mmu: MMU, for cause: UnmapCause, in machine: inout Machine
  ) -> [Work] {
    let found = entries(of: mmu, reaching: range, in: machine)
    if found.isEmpty {
      machine.note(.reverseMap(.lookUpNothing), mmu.tableID, over: range)
    }
    return found.map { entry in
      let size = entry.canonical.size
      let nested = entry.nested ?? 0
      machine.note(
        .reverseMap(.lookUpKnown(nested: nested, asked: range)), mmu.tableID, over: entry.canonical)
      return .sweep(mmu.index, nested..<nested + size, cause)
    }
  }

  func willUnmap(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    forget(nested, of: mmu, in: &machine)
  }

  private func forget(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    // A leaf is unmapped as a whole, and its entry with it.
    for entry in machine.memory.entries(in: nested, of: mmu.directMap) {
      machine.memory.erase(entry.range, in: mmu.directMap)
    }
  }

  func entries(of mmu: MMU, in machine: Machine) -> [ReverseMapEntry] {
    entries(of: mmu, reaching: Machine.allAddresses, in: machine)
  }

  /// The entries that map part of a canonical range, in the order of their canonical IPAs.
  private func entries(
    of mmu: MMU, reaching canonical: Range<UInt64>, in machine: Machine
  ) -> [ReverseMapEntry] {
    machine.memory.entries(in: Machine.allAddresses, of: mmu.directMap)
      .compactMap { entry in
        let start = entry.payload & ReverseMapEntry.addressMask
        let reached = start..<start + entry.range.size
        return reached.overlaps(canonical)
          ? ReverseMapEntry(
            canonical: reached, nested: entry.range.lowerBound, payload: entry.payload) : nil
      }
      .sorted {
        ($0.canonical.lowerBound, $0.nested ?? 0) < ($1.canonical.lowerBound, $1.nested ?? 0)
      }
  }

  func see(
    _ nested: UInt64?, over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine
  ) {
    guard let nested else { return }
    machine.memory.store(
      canonical.lowerBound | Self.valid, for: nested..<nested + canonical.size, in: mmu.directMap)
  }

  func seeNothing(over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    for entry in entries(of: mmu, reaching: canonical, in: machine) {
      guard let nested = entry.nested else { continue }
      machine.memory.erase(nested..<nested + entry.canonical.size, in: mmu.directMap)
    }
  }

  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool {
    guard let entry = machine.memory.find(mapping.nested, in: mapping.mmu.directMap) else {
      return false
    }
    return entry.range == mapping.nestedRange
      && entry.payload & ReverseMapEntry.addressMask == mapping.canonical.lowerBound
  }
}
