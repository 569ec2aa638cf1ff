/// Rules of the reverse map, and of L1's VNCR page.
extension Machine {
  func reverseMapViolations(_ pages: HostPages) -> [Violation] {
    var found: [Violation] = []
    for mmu in validShadows {
      let table = table(of: mmu)
      visit(.mapping, of: table) { leaf in
        if !isCovered(leaf, of: mmu, pages) {
          found.append(
            Violation(invariant: .reverseMapCoverage, table: table.id, address: leaf.address))
        }
      }
      if let address = policy.unmirrored(of: mmu, in: self) {
        found.append(Violation(invariant: .reverseMapMirror, table: table.id, address: address))
      }
      if [mmu.reverseMap, mmu.directMap].contains(where: { !memory.faults(in: $0).isEmpty }) {
        found.append(Violation(invariant: .reverseMapTree, table: table.id, address: 0))
      }
    }
    return found
  }

  /// Whether a leaf would be found, wherever in canonical memory its page is.
  private func isCovered(_ leaf: TableEntry, of mmu: MMU, _ pages: HostPages) -> Bool {
    let size = geometry(of: mmu).size(leaf.level)
    let physical = leaf.descriptor.address
    let places = pages.pages(at: physical).compactMap { page -> UInt64? in
      let hva = page.hva + (physical - page.range.lowerBound)
      guard let slot = memslots.first(where: { hostRange(of: $0).contains(hva) }) else {
        return nil
      }
      return self[slot, .ipa] + (hva - self[slot, .hva])
    }
    // A leaf of no page at all breaks another rule.
    return places.isEmpty
      || places.contains { canonical in
        policy.covers(
          ShadowMapping(
            mmu: mmu, canonical: canonical..<canonical + size, nested: leaf.address,
            hasGuestLeaf: self[mmu, .stage2Enabled] != 0),
          in: self)
      }
  }

  /// Records that the last event made without the locking that the tree needs.
  func lockViolations(after stores: Range<Int>) -> [Violation] {
    let made = Set(stores.lazy.map { memory.journalEntry($0).slot })
    let place = self[.unsafeRecord]
    let table = TableID.shadow(Int(place & 4095))
    let rules: [(Register, Invariant)] = [
      (.unlockedRecords, .reverseMapLock), (.sleepingRecords, .reverseMapSleep),
    ]
    return rules.filter { made.contains($0.0.slot) }.map {
      Violation(invariant: $0.1, table: table, address: place & ~4095)
    }
  }

  func vncrViolations(_ pages: HostPages) -> [Violation] {
    (0..<configuration.vcpus).compactMap { number in
      let vcpu = vcpu(number)
      let ipa = self[vcpu, .vncr] & ~4095
      guard self[vcpu, .vncrPage] != 0, !isBacking(self[vcpu, .vncrPage], ipa) else { return nil }
      return Violation(invariant: .vncr, table: .canonical, address: ipa)
    }
  }
}
