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
        found.append(
          Violation(
            invariant: .reverseMapMirror, table: table.id, at: .reverseMap(canonical: address)))
      }
      if [mmu.reverseMap, mmu.directMap].contains(where: { !memory.faults(in: $0).isEmpty }) {
        found.append(
          Violation(
            invariant: .reverseMapTree, table: table.id, at: .reverseMap(canonical: nil)))
      }
    }
    return found
  }

  /// Whether a leaf would be found, at any place of its page in canonical memory.
  private func isCovered(_ leaf: TableEntry, of mmu: MMU, _ pages: HostPages) -> Bool {
    let places = canonicalPlaces(of: leaf.descriptor.address, pages)
    // A leaf without a page breaks another rule.
    return places.isEmpty || places.contains { isFound(leaf, of: mmu, at: $0) }
  }

  /// The canonical IPAs that a physical address backs.
  func canonicalPlaces(of physical: UInt64, _ pages: HostPages) -> [UInt64] {
    pages.pages(at: physical).compactMap {
      canonicalAddress(ofHost: $0.hva + (physical - $0.range.lowerBound))
    }
  }

  /// Whether a leaf would be found when the canonical memory at an IPA, of the leaf's size, is unmapped.
  func isFound(_ leaf: TableEntry, of mmu: MMU, at canonical: UInt64) -> Bool {
    policy.covers(
      ShadowMapping(
        mmu: mmu, canonical: canonical..<canonical + geometry(of: mmu).size(leaf.level),
        nested: leaf.address, hasGuestLeaf: self[mmu, .stage2Enabled] != 0),
      in: self)
  }

  /// Whether the VMM's page at a canonical IPA is that of a physical address.
  func isBehind(_ ipa: UInt64, _ physical: UInt64) -> Bool {
    guard let slot = memslot(at: ipa) else { return false }
    let hva = hva(of: ipa, in: slot)
    let (entry, level, _) = hostWalk(hva)
    return entry.has(Descriptor.valid)
      && entry.address | hva & (hostTable.geometry.size(level) - 1) == physical
  }

  /// Records that the last event made without the locking that the tree needs.
  func lockViolations(after stores: Range<Int>) -> [Violation] {
    let made = Set(stores.lazy.map { memory.journalEntry($0).slot })
    let place = self[.unsafeRecord]
    let table = TableID.shadow(Int(place.pageOffset))
    let rules: [(Register, Invariant)] = [
      (.unlockedRecords, .reverseMapLock), (.sleepingRecords, .reverseMapSleep),
    ]
    return rules.filter { made.contains($0.0.slot) }.map {
      Violation(invariant: $0.1, table: table, at: .reverseMap(canonical: place.page))
    }
  }

  func vncrViolations() -> [Violation] {
    (0..<configuration.vcpus).compactMap { vncrViolation(of: vcpu($0)) }
  }

  /// The violation by the translation of a vCPU's VNCR page, or nil.
  func vncrViolation(of vcpu: VCPU) -> Violation? {
    let ipa = self[vcpu, .vncr].page
    guard self[vcpu, .vncrPage] != 0, !isBacking(self[vcpu, .vncrPage], ipa) else { return nil }
    return Violation(invariant: .vncr, table: .canonical, address: ipa)
  }
}
