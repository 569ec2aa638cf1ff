/// Removing entries when L1 invalidates, and keeping the direct map in step.
extension RangeMap {
  func invalidate(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    switch forgetting {
    case .nothing: break
    case .byDirectMap:
      let found = machine.memory.entries(in: nested, of: mmu.directMap)
      let isAll = nested == Machine.allAddresses
      let isEmpty =
        isAll ? machine.memory.first(in: nested, of: mmu.reverseMap) == nil : found.isEmpty
      machine.note(.reverseMap(.forget(isEmpty: isEmpty)), mmu.tableID, over: nested)
      if isAll {
        // VMALLS12E1: nothing of the shadow is left, so UNKNOWN entries are also removed.
        reset(mmu, in: &machine)
        didUnmapAll(mmu, in: &machine)
      } else {
        for entry in found { erasePair(entry, mmu, in: &machine) }
      }
    case .byScan:
      let found = machine.memory.entries(in: Machine.allAddresses, of: mmu.reverseMap)
        .filter {
          let range = Self.nestedRange(of: $0)
          return !Self.isUnknown($0.payload) && range.clamped(to: nested) == range
        }
      machine.note(.reverseMap(.forget(isEmpty: found.isEmpty)), mmu.tableID, over: nested)
      for entry in found { machine.memory.erase(entry.range, in: mmu.reverseMap) }
    }
  }

  /// The nested range of a known entry.
  private static func nestedRange(of entry: RangeEntry) -> Range<UInt64> {
    let start = entry.payload & ReverseMapEntry.addressMask
    return start..<start + entry.range.size
  }

  /// With a direct map: if a nested range is recorded for another canonical address, L1 remapped it
  /// without a TLBI that reached us, so that pair is removed first.
  func forgetRemapped(_ mapping: ShadowMapping, in machine: inout Machine) {
    guard forgetting == .byDirectMap else { return }
    for entry in machine.memory.entries(in: mapping.nestedRange, of: mapping.mmu.directMap) {
      let canonical = entry.payload & ReverseMapEntry.addressMask
      if canonical &- entry.range.lowerBound != mapping.canonical.lowerBound &- mapping.nested {
        erasePair(entry, mapping.mmu, in: &machine)
      }
    }
  }

  /// Erases an entry of the direct map and its twin.
  private func erasePair(_ direct: RangeEntry, _ mmu: MMU, in machine: inout Machine) {
    let start = direct.payload & ReverseMapEntry.addressMask
    let canonical = start..<start + direct.range.size
    machine.memory.erase(direct.range, in: mmu.directMap)
    machine.memory.erase(canonical, in: mmu.reverseMap)
  }

  func unmirrored(of mmu: MMU, in machine: Machine) -> UInt64? {
    guard forgetting == .byDirectMap else { return nil }
    let known = entries(of: mmu, in: machine).filter { $0.nested != nil }
    let direct = machine.memory.entries(in: Machine.allAddresses, of: mmu.directMap)
    for entry in known where !machine.hasTwin(RangeEntry(entry.canonical, entry.payload), of: mmu) {
      return entry.canonical.lowerBound
    }
    return known.count == direct.count ? nil : direct.first?.range.lowerBound
  }

  /// Erases the twin of a known entry from the direct map.
  func eraseDirect(of entry: RangeEntry, _ mmu: MMU, in machine: inout Machine) {
    guard forgetting == .byDirectMap, !Self.isUnknown(entry.payload) else { return }
    let start = entry.payload & ReverseMapEntry.addressMask
    let end = start + entry.range.size
    machine.memory.erase(start..<end, in: mmu.directMap)
  }
}

extension Machine {
  /// Whether the direct map of a shadow agrees with a known entry of its reverse map.
  func hasTwin(_ entry: RangeEntry, of mmu: MMU) -> Bool {
    let start = entry.payload & ReverseMapEntry.addressMask
    guard let twin = memory.find(start, in: mmu.directMap) else { return false }
    return twin.range == start..<start + entry.range.size
      && twin.payload & ReverseMapEntry.addressMask == entry.range.lowerBound
  }
}
