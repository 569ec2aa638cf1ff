/// Rules of the reverse maps.
extension RuleChecker {
  private func coveragePlace(_ address: UInt64, _ number: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .reverseMaps, group: number * 4, address: address)
  }

  /// Queues every leaf of a shadow for another lookup in its map.
  mutating func noteCoverage(of number: Int, _ machine: Machine) {
    noteCoverage(of: number, in: machine.inputRange(of: machine.mmu(number)), machine.memory)
  }

  private mutating func noteCoverage(
    of number: Int, in range: Range<UInt64>, _ memory: Memory
  ) {
    guard let table = tables[number] else { return }
    var walk = TableWalk(of: table, range, .mapping)
    while let leaf = memory.next(&walk) { dirty.coverage.append(leaf.slot) }
  }

  /// Takes in the changes of the trees.
  mutating func takeNodes(_ machine: Machine) {
    let changes = maps.changes(in: dirty.nodes, changed, machine.memory)
    var unsure: Set<PairSet.Pair> = []
    // An entry that moved between nodes is first removed, then added.
    for change in changes.filter({ !$0.comes }) + changes.filter(\.comes) {
      let number = (change.tree + 1) / 2
      maps.leaves(of: change, &dirty.coverage)
      if maps.isDirect, change.tree % 2 == 0 {
        noteCoverage(of: number, in: change.entry.range, machine.memory)
      }
      recorded?.count += change.comes ? 1 : -1
      if change.tree % 2 == (maps.isDirect ? 0 : 1) {
        if change.comes {
          recorded?.comes(change.entry, of: number, machine)
        } else {
          recorded?.goes(change.entry, of: number)
        }
      }
      if maps.isMirrored {
        maps.mirrors[number].take(change) { unsure.insert(PairSet.Pair(UInt64(number), $0)) }
      }
    }
    for pair in unsure {
      let number = Int(pair.first)
      maps.mirrors[number].judge(pair.second, of: machine.mmu(number), machine)
    }
  }

  /// Checks entries again whose leaves, or pages behind them, have changed.
  mutating func countEntries(_ machine: Machine) {
    // Pages pinned for devices back canonical memory, whatever the VMM has there.
    for slot in dirty.leaves where traits.pinsKeepLeaves {
      guard let (leaf, number) = leaf(at: slot, machine.memory), number == 0 else { continue }
      dirty.canonical.append(
        leaf.address..<leaf.address + machine.geometry(of: machine.canonical).size(leaf.level))
    }
    for (number, range) in dirty.nested { recorded?.leavesChange(range, of: number, machine) }
    for range in dirty.canonical {
      for number in 1...numbers.shadows { recorded?.pagesChange(range, of: number, machine) }
    }
    recorded?.settle(machine)
  }

  mutating func judgeMaps(_ machine: Machine) {
    guard maps.isKept else { return }
    // Several words lead to the same leaf. Remove old records first: a leaf may now have another's address.
    dirty.coverage += maps.floating
    dirty.coverage.sort()
    var last = -1
    var leaves: [(slot: Int, places: [UInt64])] = []
    for slot in dirty.coverage where slot != last {
      last = slot
      let old = maps.remove(slot)
      if let old { broken[coveragePlace(old.leaf.address, old.number)] = nil }
      leaves.append((slot, old?.places ?? []))
    }
    for (slot, places) in leaves { judgeCoverage(at: slot, knownFor: places, machine) }
    for tree in maps.touchedTrees {
      let mmu = machine.mmu((tree + 1) / 2)
      if maps.isMirrored {
        let address = maps.mirrors[mmu.index].first(of: mmu, machine)
        broken[BrokenPlaces.Place(part: .reverseMaps, group: mmu.index * 4 + 1)] =
          address.map {
            Violation(
              invariant: .reverseMapMirror, table: mmu.tableID, at: .reverseMap(canonical: $0))
          }
      }
      let isFaulty =
        maps.isFaulty(2 * mmu.index - 1, mmu.reverseMap, machine.memory)
        || maps.isFaulty(2 * mmu.index, mmu.directMap, machine.memory)
      broken[BrokenPlaces.Place(part: .reverseMaps, group: mmu.index * 4 + 2)] =
        isFaulty
        ? Violation(
          invariant: .reverseMapTree, table: mmu.tableID, at: .reverseMap(canonical: nil)) : nil
    }
    maps.forgetTouchedTrees()
  }

  /// Whether the leaf at a slot would be found: it would if it is recorded for one of the places of its
  /// page, usually the place for which it was recorded before, or the one in L1's entry.
  private mutating func judgeCoverage(
    at slot: Int, knownFor old: [UInt64], _ machine: Machine
  ) {
    guard let (leaf, number) = leaf(at: slot, machine.memory), number > 0,
      numbers.isContext(number), pages.page(at: leaf.descriptor.address) != nil
    else { return }
    let mmu = machine.mmu(number)
    let likely =
      old + [machine.guestOutput(of: leaf.address, mmu)].compactMap { $0 }
    let found = likely.first {
      machine.isBehind($0, leaf.descriptor.address)
        && machine.isFound(leaf, of: mmu, at: $0)
    }
    if let found { return maps.insert(leaf, number, foundBy: found) }
    let places = machine.canonicalPlaces(of: leaf.descriptor.address, pages)
    if places.isEmpty { return }
    if let found = places.first(where: { machine.isFound(leaf, of: mmu, at: $0) }) {
      return maps.insert(leaf, number, foundBy: found)
    }
    maps.insert(leaf, number, lostAt: places)
    broken[coveragePlace(leaf.address, number)] = Violation(
      invariant: .reverseMapCoverage, table: mmu.tableID, address: leaf.address)
  }
}

extension MapIndex.Mirror {
  /// Takes in a change of one of the two trees, and reports known entries whose twin may have changed.
  mutating func take(_ change: MapIndex.Change, _ unsure: (UInt64) -> Void) {
    let one = change.comes ? 1 : -1
    let entry = change.entry
    if change.tree % 2 == 0 {
      direct += one
      for pair in byNested.pairs(in: entry.range) { unsure(pair.second) }
      return
    }
    if RangeMap.isUnknown(entry.payload) { return }
    known += one
    let nested = entry.payload & ReverseMapEntry.addressMask
    let pair = PairSet.Pair(nested, entry.range.lowerBound)
    if change.comes { byNested.insert(pair) } else { byNested.remove(pair) }
    unsure(entry.range.lowerBound)
  }

  /// Checks whether the known entry that begins at a canonical IPA, if any, has a twin.
  mutating func judge(_ canonical: UInt64, of mmu: MMU, _ machine: Machine) {
    let pair = PairSet.Pair(canonical, 0)
    let entry = machine.memory.find(canonical, in: mmu.reverseMap)
    if let entry, entry.range.lowerBound == canonical, !RangeMap.isUnknown(entry.payload),
      !machine.hasTwin(entry, of: mmu)
    {
      unmatched.insert(pair)
    } else {
      unmatched.remove(pair)
    }
  }

  /// An address at which the two maps disagree, or nil.
  func first(of mmu: MMU, _ machine: Machine) -> UInt64? {
    if let first = unmatched.first(from: PairSet.Pair(0, 0)) { return first.first }
    return known == direct
      ? nil
      : machine.memory.first(in: Machine.allAddresses, of: mmu.directMap)?.range.lowerBound
  }
}
