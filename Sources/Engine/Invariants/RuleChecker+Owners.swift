/// Memory ownership: what devices must not reach, what they must, and whether the owners' records and
/// tables agree.
extension RuleChecker {
  private static let everything: Range<UInt64> = 0..<1 << 48

  /// Whether the places in `owners` count now: not during a hypercall, when tables and states may be out
  /// of step unseen, nor while DMA is stalled, since it does not fail.
  func ownersCount(_ machine: Machine) -> Bool {
    machine.hasSMMU && machine[.dmaStalled] == 0
      && (traits.isolation.pkvm == nil || !machine.isPaused)
  }

  // MARK: Indexes

  /// The SMMU's TLB entry at a slot has changed.
  mutating func indexCached(at slot: Int, _ memory: Memory) {
    if let old = cachedPages.removeValue(forKey: slot) {
      cachedOfPage[old.level].remove(PairSet.Pair(old.physical, UInt64(slot)))
    }
    dirty.ownedCached.append((slot, Self.everything))
    guard let entry = TLB.Entry(at: slot, in: memory) else { return }
    let pages = entry.descriptor.pages(TLB.geometry.size(entry.level))
    cachedPages[slot] = (pages.lowerBound, entry.level)
    cachedOfPage[entry.level].insert(PairSet.Pair(pages.lowerBound, UInt64(slot)))
  }

  /// A granule is no longer, or is now, the realm's memory.
  mutating func granuleChanged(_ physical: UInt64, from old: UInt64, to new: UInt64) {
    for (word, comes) in [(old, false), (new, true)] where word & 3 == GranuleState.data.rawValue {
      let pair = PairSet.Pair(word.page, physical)
      if comes { realmPages.insert(pair) } else { realmPages.remove(pair) }
      dirty.realm.append(pair.first..<pair.first + Page.size)
    }
    for device in 0..<SMMU.devices { broken[realmPlace(physical, device)] = nil }
    dirty.owned.append(physical..<physical + Page.size)
  }

  /// An entry that is neither zero nor a table is added or removed.
  mutating func ownedEntryChanges(
    _ entry: Descriptor, at address: UInt64, _ role: FollowedFrame, comes: Bool
  ) {
    let number = Int(role.number)
    if number == numbers.pkvmHost { owners[hostPlace(address, level: Int(role.level))] = nil }
    if !entry.isLeaf(Int(role.level)) { return }
    if numbers.isGuest(number) {
      dirty.hostEntries.append(entry.pages(Page.size))
      owners[BrokenPlaces.Place(part: .owners, group: number, address: address)] = nil
    }
    if comes { return }
    if number == numbers.device(0) { owners[mapPlace(address)] = nil }
    for device in devices.attached where walks(number, device) {
      broken[leafPlace(address, device)] = nil
      owners[refusedPlace(address, device)] = nil
    }
  }

  /// A table of the host replaces an entry, or is replaced: unmapped memory also counts.
  mutating func hostTableChanges(_ role: FollowedFrame) {
    let group = numbers.pkvmHost
    guard Int(role.number) == group else { return }
    let range =
      isRoot(role)
      ? Self.everything : role.base..<role.base + TLB.geometry.size(Int(role.level) - 1)
    owners.removeAll { $0.group == group && range.contains($0.address) }
    dirty.hostEntries.append(range)
  }

  /// Whether a device walks the table with a number.
  private func walks(_ number: Int, _ device: Int) -> Bool {
    guard let domain = devices.streams[device].domain, let table = tables[number] else {
      return false
    }
    return domain.root == table.root
  }

  // MARK: What is to be looked at again

  /// Checks all of a device again.
  mutating func refreshOwned(of device: Int, _ machine: Machine) {
    for group in [2 * device, 2 * device + 1] { broken.removeAll(of: .foreignDMA, group: group) }
    broken.removeAll(of: .ownership, group: device)
    let refused = refusedPlace(0, device).group
    owners.removeAll { $0.group == refused }
    guard devices.attached.contains(device) else { return }
    if let table = devices.streams[device].domain {
      noteLeaves(of: table, in: Self.everything, machine.memory)
    }
    dirty.realm.append(Self.everything)
    dirty.holes.append(Self.everything)
  }

  /// The devices' map counts if any device uses it.
  mutating func refreshMap() {
    dirty.hostEntries.append(Self.everything)
    let map = mapPlace(0).group
    if devices.attached.isEmpty { owners.removeAll { $0.group == map } }
  }

  /// Takes in a change of the host's memory regions.
  mutating func refreshRegions(_ machine: Machine) {
    if regions == machine.hostMemory { return }
    regions = machine.hostMemory
    broken.removeAll(of: .ownership)
    dirty.holes.append(Self.everything)
  }

  /// Entries in a range of a table that a device walks, or their cached copies, have changed.
  mutating func takeWalked(_ range: Range<UInt64>) {
    switch traits.isolation {
    case .none, .rmp: break
    case .cca: dirty.realm.append(range)
    case .pkvm: dirty.holes.append(range)
    }
  }

  /// Finds what depends on the owners of changed pages.
  mutating func takeOwned(_ machine: Machine) {
    for range in Self.merged(dirty.owned) {
      // An entry of the RMP counts for all I/O pages of its 2M.
      let pages = traits.isolation == .rmp ? range.aligned(to: Machine.largeSize) : range
      var slots: [Int] = []
      for level in TLB.levels {
        let start = pages.lowerBound & ~(TLB.geometry.size(level) - 1)
        leavesOfPage[level].appendSlots(in: start..<pages.upperBound, to: &slots)
        var cached: [Int] = []
        cachedOfPage[level].appendSlots(in: start..<pages.upperBound, to: &cached)
        dirty.ownedCached += cached.map { ($0, pages) }
      }
      dirty.ownedLeaves += slots.map { ($0, pages) }
      if traits.isolation.pkvm != nil {
        dirty.hostEntries.append(pages)
        dirty.holes.append(pages)
      }
    }
    for range in dirty.cached where traits.isIsolated {
      takeWalked(range)
      guard traits.isolation == .rmp else { continue }
      for device in devices.attached {
        guard let table = devices.streams[device].domain else { continue }
        noteLeaves(of: table, in: range, machine.memory)
      }
    }
  }

  private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    if ranges.count < 2 { return ranges }
    var merged: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound >= range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  // MARK: Judging

  mutating func judgeOwned(_ machine: Machine) {
    for slot in dirty.leaves { judgeOwned(at: slot, changedIn: Self.everything, machine) }
    for (slot, pages) in dirty.ownedLeaves { judgeOwned(at: slot, changedIn: pages, machine) }
    for (slot, pages) in dirty.ownedCached { judgeCached(at: slot, changedIn: pages, machine) }
    for range in Self.merged(dirty.realm) {
      for pair in realmPages.pairs(in: range) { judgeRealmPage(pair.first, pair.second, machine) }
    }
    guard traits.isolation.pkvm != nil else { return }
    for range in Self.merged(dirty.hostEntries) { judgeHostEntries(in: range, machine) }
    for range in Self.merged(dirty.holes) { judgeHoles(in: range, machine) }
  }

  /// Checks a leaf again whose pages in a range may be newly wrong, or right.
  private mutating func judgeOwned(
    at slot: Int, changedIn pages: Range<UInt64>, _ machine: Machine
  ) {
    guard let (leaf, number) = leaf(at: slot, machine.memory), let table = tables[number] else {
      return
    }
    if numbers.isGuest(number) {
      owners[BrokenPlaces.Place(part: .owners, group: number, address: leaf.address)] =
        machine.isOwnerRight(ofGuestLeaf: leaf.descriptor)
        ? nil : Violation(invariant: .pageOwner, table: table.id, address: leaf.address)
    }
    let size = table.geometry.size(leaf.level)
    for device in devices.attached where walks(number, device) {
      judgeForeign(
        leafPlace(leaf.address, device), device, leaf.descriptor, at: leaf.address, size: size,
        changedIn: pages, machine)
      if traits.isolation == .rmp {
        owners[refusedPlace(leaf.address, device)] =
          machine.firstRefused(by: leaf, size: size, device: device).map {
            Violation(invariant: .dmaHole, table: .iommu(device), address: $0)
          }
      }
    }
  }

  private mutating func judgeCached(
    at slot: Int, changedIn pages: Range<UInt64>, _ machine: Machine
  ) {
    let entry = TLB.Entry(at: slot, in: machine.memory)
    for device in devices.attached {
      let place = cachedPlace(slot, device)
      guard let entry, devices.streams[device].entry.vmid == entry.vmid else {
        broken[place] = nil
        continue
      }
      judgeForeign(
        place, device, entry.descriptor, at: entry.address,
        size: TLB.geometry.size(entry.level), changedIn: pages, machine)
    }
  }

  private mutating func judgeForeign(
    _ place: BrokenPlaces.Place, _ device: Int, _ leaf: Descriptor, at iova: UInt64,
    size: UInt64, changedIn changed: Range<UInt64>, _ machine: Machine
  ) {
    let pages = leaf.pages(size)
    guard leaf.permitsDMA else { return broken[place] = nil }
    // If the entry was another before, all of it has changed.
    let known = broken[place].map { pages.lowerBound &+ ($0.address &- iova) }
    let first = Self.first(known, changedIn: changed, of: pages) {
      machine.ownership.firstForeign(in: $0, device: device, of: machine)
    }
    broken[place] = first.map {
      Violation(
        invariant: .foreignDMA, table: .iommu(device), address: iova + ($0 - pages.lowerBound))
    }
  }

  private mutating func judgeRealmPage(_ ipa: UInt64, _ physical: UInt64, _ machine: Machine) {
    for device in devices.attached {
      broken[realmPlace(physical, device)] =
        machine.lacksRealmPage(at: ipa, device: device)
        ? Violation(invariant: .dmaHole, table: .iommu(device), address: ipa) : nil
    }
  }

  /// Checks entries of pKVM's table of the host, and the devices' leaves with which it is compared.
  private mutating func judgeHostEntries(in range: Range<UInt64>, _ machine: Machine) {
    guard let table = tables[numbers.pkvmHost] else { return }
    var walk = TableWalk(of: table, range, .leaf)
    while let entry = machine.memory.next(&walk) {
      let place = hostPlace(entry.address, level: entry.level)
      // An annotation applies to all its pages.
      let known = entry.descriptor.donation == nil ? owners[place]?.address : nil
      let first = Self.first(known, changedIn: range, of: machine.hostPages(of: entry)) {
        machine.firstMisowned(by: entry, in: $0)
      }
      owners[place] = first.map {
        Violation(invariant: .pageOwner, table: .pkvmHost, address: $0)
      }
    }
    guard let map = tables[numbers.device(0)], !devices.attached.isEmpty else { return }
    walk = TableWalk(of: map, range, .mapping)
    while let leaf = machine.memory.next(&walk) {
      owners[mapPlace(leaf.address)] =
        machine.isHosts(leaf)
        ? nil : Violation(invariant: .tableAgreement, table: map.id, address: leaf.address)
    }
  }

  private mutating func judgeHoles(in range: Range<UInt64>, _ machine: Machine) {
    for device in devices.attached {
      for region in regions where region.overlaps(range) {
        let place = BrokenPlaces.Place(
          part: .ownership, group: device, address: region.lowerBound)
        let first = Self.first(broken[place]?.address, changedIn: range, of: region) {
          machine.firstHole(in: $0, device: device, besides: parked.changingHands)
        }
        broken[place] = first.map {
          Violation(invariant: .dmaHole, table: .iommu(device), address: $0)
        }
      }
    }
  }

  /// The first page of a range for which a condition holds, given that it was `known` before the pages in
  /// `changed` did. Scans the changed part; and if the first one was there, the part behind it.
  private static func first(
    _ known: UInt64?, changedIn changed: Range<UInt64>, of all: Range<UInt64>,
    _ find: (Range<UInt64>) -> UInt64?
  ) -> UInt64? {
    let part = changed.clamped(to: all)
    if part.isEmpty { return known }
    guard let known else { return find(part) }
    if known < part.lowerBound { return known }
    if part.contains(known) { return find(part.lowerBound..<all.upperBound) }
    return find(part) ?? known
  }

  // MARK: Places

  private func cachedPlace(_ slot: Int, _ device: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .foreignDMA, group: 2 * device, address: UInt64(slot))
  }

  private func leafPlace(_ address: UInt64, _ device: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .foreignDMA, group: 2 * device + 1, address: address)
  }

  private func realmPlace(_ physical: UInt64, _ device: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .ownership, group: device, address: physical)
  }

  private func refusedPlace(_ address: UInt64, _ device: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .owners, group: numbers.device(device), address: address)
  }

  private func hostPlace(_ address: UInt64, level: Int) -> BrokenPlaces.Place {
    BrokenPlaces.Place(
      part: .owners, group: numbers.pkvmHost, address: address, rank: level)
  }

  private func mapPlace(_ address: UInt64) -> BrokenPlaces.Place {
    BrokenPlaces.Place(part: .owners, group: numbers.device(0), address: address)
  }
}
