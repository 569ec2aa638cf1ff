/// The reverse map of the postings: a tree of canonical ranges, each with its nested IPA or UNKNOWN.
///
/// Sources: the text of the second posting, the cover letters of the first and the third, and for
/// `repaired` the kernel of the captures in `patched`. The versions differ in a few decisions, the fields
/// below.
struct RangeMap: ReverseMapPolicy {
  /// The bit that is set in an entry of a known nested IPA, so that nested IPA 0 is not an empty entry;
  /// 0 in v1, which lacks it.
  let validEntry: UInt64
  /// Whether the map is changed under `mmu_lock` alone, with allocations that may sleep and whose failure
  /// fails the fault; else it has its own lock, allocations do not sleep, and a failure marks the map
  /// broken.
  let isFirstPosting: Bool
  /// What a guest's TLB invalidation does to the entries.
  let forgetting: Forgetting
  /// Whether leaves of shadows with stage 2 off are also recorded.
  let recordsWithoutStage2: Bool
  /// Whether deleting a slot empties all shadows, instead of acting like a notifier.
  let memslotsEmptyAll: Bool
  /// Whether `broken` is cleared before a sweep rather than after it, and unmaps also sweep while a sweep
  /// of the shadow is under way.
  let heedsSweeps: Bool
  /// Whether L1's VNCR translations are dropped by range; else the drop is forgotten.
  let dropsVNCR: Bool

  var encoding: ReverseMapEncoding {
    ReverseMapEncoding(
      validBit: validEntry == 0 ? nil : validEntry.trailingZeroBitCount, isKeyedByNested: false)
  }

  enum Forgetting {
    /// Nothing: entries go stale.
    case nothing
    /// The direct map finds the entries; UNKNOWN ones stay.
    case byDirectMap
    /// All entries are scanned; known ones wholly inside are removed.
    case byScan
  }

  /// Without a valid bit or a lock of its own; allocations may sleep, and their failure fails the fault.
  /// Its second patch, a canonical tree that finds the shadows concerned, changes no
  /// result and is not modelled.
  static let v1 = RangeMap(
    validEntry: 0, isFirstPosting: true, forgetting: .byDirectMap, recordsWithoutStage2: false,
    memslotsEmptyAll: false, heedsSweeps: false, dropsVNCR: false)

  /// The second posting, whose text is public.
  static let v2 = RangeMap(
    validEntry: 1 << 63, isFirstPosting: false, forgetting: .nothing, recordsWithoutStage2: false,
    memslotsEmptyAll: false, heedsSweeps: false, dropsVNCR: false)

  /// v2 with a direct map. Known from its cover letter: the direct map is kept in lockstep, TLB
  /// invalidations remove entries, bit 63 is avoided. Unknown: the bit that replaces it (62 here), and
  /// the order of the two trees' updates.
  static let v3 = RangeMap(
    validEntry: 1 << 62, isFirstPosting: false, forgetting: .byDirectMap,
    recordsWithoutStage2: false,
    memslotsEmptyAll: false, heedsSweeps: false, dropsVNCR: false)

  static let repaired = RangeMap(
    validEntry: 1 << 63, isFirstPosting: false, forgetting: .byScan, recordsWithoutStage2: true,
    memslotsEmptyAll: true, heedsSweeps: true, dropsVNCR: true)

  var keepsTwoMaps: Bool { forgetting == .byDirectMap }

  /// The bit of an entry whose nested IPA is no longer known.
  static let unknown: UInt64 = 1
  static func isUnknown(_ payload: UInt64) -> Bool { payload & unknown != 0 }

  // MARK: Recording (kvm_record_nested_revmap)

  func record(_ mapping: ShadowMapping, in machine: inout Machine) -> Bool {
    let id = mapping.mmu.tableID
    let range = mapping.canonical
    if !mapping.hasGuestLeaf, !recordsWithoutStage2 {
      machine.note(.reverseMap(.recordOff(nested: mapping.nested)), id, over: range)
      return true
    }
    machine.note(.reverseMap(.record(nested: mapping.nested)), id, over: range)
    if machine[mapping.mmu, .broken] != 0 {
      machine.note(.reverseMap(.recordSkipped(nested: mapping.nested)), id, over: range)
      return true
    }
    forgetRemapped(mapping, in: &machine)
    let tree = mapping.mmu.reverseMap
    let place = machine.memory.search(range, in: tree)
    guard let first = machine.memory.entry(at: place) else {
      return store(
        mapping.nested | validEntry, for: range, at: place, of: mapping, in: &machine)
    }
    if first.range == range, !Self.isUnknown(first.payload),
      first.payload & ReverseMapEntry.addressMask == mapping.nested
    {
      machine.note(.reverseMap(.recordKept(nested: mapping.nested)), id, over: range)
      return true
    }
    let union = fused(range, with: first, in: tree, of: machine.memory)
    return store(Self.unknown, for: union, at: nil, of: mapping, in: &machine)
  }

  /// The union of a range with the ranges it overlaps, as the patch computes it: `mas_find_range` gives
  /// the next *slot*, so the loop ends at the first gap. Entries beyond it are overwritten where the
  /// ranges overlap, and keep their payload elsewhere.
  private func fused(
    _ range: Range<UInt64>, with first: RangeEntry, in tree: RangeTree, of memory: Memory
  ) -> Range<UInt64> {
    var start = range.lowerBound
    var end = range.upperBound
    var next: RangeEntry? = first
    while let entry = next, entry.range.lowerBound < end {
      start = min(start, entry.range.lowerBound)
      end = max(end, entry.range.upperBound)
      next = entry.range.upperBound < end ? memory.find(entry.range.upperBound, in: tree) : nil
    }
    return start..<end
  }

  /// - Parameter place: where the search for the range ended, if it overlaps nothing.
  private func store(
    _ payload: UInt64, for range: Range<UInt64>, at place: RangePlace?, of mapping: ShadowMapping,
    in machine: inout Machine
  ) -> Bool {
    let mmu = mapping.mmu
    if isFirstPosting { noteUnsafeRecord(range, of: mmu, in: &machine) }
    if machine[.failInsertions] > 0 {
      machine[.failInsertions] -= 1
      machine.note(.reverseMap(.recordFailed), mmu.tableID, over: range)
      if !isFirstPosting { machine[mmu, .broken] = 1 }
      return !isFirstPosting
    }
    let replaced = place == nil ? machine.memory.entries(in: range, of: mmu.reverseMap) : []
    machine.note(
      .reverseMap(
        Self.isUnknown(payload)
          ? .recordUnknown(replacing: replaced.count) : .recordKnown(nested: mapping.nested)),
      mmu.tableID, over: range)
    for old in replaced { eraseDirect(of: old, mmu, in: &machine) }
    if payload == 0 {
      // v1 and nested IPA 0: the tree erases the range.
      machine.memory.erase(range, in: mmu.reverseMap)
    } else if let place {
      machine.memory.insert(payload, for: range, at: place, in: mmu.reverseMap)
    } else {
      machine.memory.store(payload, for: range, in: mmu.reverseMap)
    }
    if forgetting == .byDirectMap, !Self.isUnknown(payload) {
      // Bit 62, above all canonical IPAs, keeps canonical IPA 0 from looking like an empty entry.
      machine.memory.store(
        range.lowerBound | 1 << 62, for: mapping.nestedRange, in: mmu.directMap)
    }
    return true
  }

  /// Counts unsafe records: faults hold `mmu_lock` for reading, and must not sleep under it.
  private func noteUnsafeRecord(_ range: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    machine[.sleepingRecords] += 1
    if machine.configuration.vcpus > 1 { machine[.unlockedRecords] += 1 }
    machine[.unsafeRecord] = range.lowerBound | UInt64(mmu.index - 1)
  }

  // MARK: What dumps of a real kernel show

  func see(
    _ nested: UInt64?, over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine
  ) {
    let payload = nested.map { $0 | validEntry } ?? Self.unknown
    // v1 and nested IPA 0: the tree has no such entry.
    if payload == 0 { return seeNothing(over: canonical, of: mmu, in: &machine) }
    machine.memory.store(payload, for: canonical, in: mmu.reverseMap)
  }

  func seeNothing(over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {
    machine.memory.erase(canonical, in: mmu.reverseMap)
  }

  // MARK: Unmapping (unmap_mmu_ipa_range, reset_revmap_and_unmap)

  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work] {
    if cause.kind != .notifier, memslotsEmptyAll {
      return machine.emptyShadowsTasks(.slotChange, cause) + [.dropVNCR(Machine.allAddresses)]
    }
    return (0..<machine.configuration.shadows).map {
      .continueUnmap(cause.canonical, machine.shadow($0).index, cause)
    } + (dropsVNCR ? [.dropVNCR(cause.canonical)] : [])
  }

  func continueUnmap(
    _ range: Range<UInt64>, of mmu: MMU, for cause: UnmapCause, in machine: inout Machine
  ) -> [Work] {
    let isSwept = heedsSweeps && machine[mmu, .sweeps] > 0
    if machine[mmu, .broken] != 0 || isSwept {
      machine.note(
        .reverseMap(isSwept ? .lookUpSwept : .lookUpBroken), mmu.tableID, over: range)
      return Machine.unmapAllTasks(mmu, isSwept ? .swept : .brokenMap, cause)
    }
    let place = machine.memory.search(range, in: mmu.reverseMap)
    guard let entry = machine.memory.entry(at: place) else {
      machine.note(.reverseMap(.lookUpNothing), mmu.tableID, over: range)
      return []
    }
    let entrySize = entry.range.size
    if Self.isUnknown(entry.payload) {
      machine.note(.reverseMap(.lookUpUnknown), mmu.tableID, over: entry.range)
      return Machine.unmapAllTasks(mmu, .unknownRange, cause)
    }
    let nested = entry.payload & ReverseMapEntry.addressMask
    machine.note(
      .reverseMap(.lookUpKnown(nested: nested, asked: range)), mmu.tableID, over: entry.range)
    if machine[.failErasures] > 0 {
      // "Ignore result, it is okay if a reverse mapping erase fails."
      machine[.failErasures] -= 1
      machine.note(.reverseMap(.eraseFailed), mmu.tableID, over: entry.range)
    } else {
      machine.memory.remove(at: place, in: mmu.reverseMap)
      eraseDirect(of: entry, mmu, in: &machine)
    }
    var tasks = [Work.sweep(mmu.index, nested..<nested + entrySize, cause)]
    if entry.range.upperBound < range.upperBound {
      tasks.append(.continueUnmap(entry.range.upperBound..<range.upperBound, mmu.index, cause))
    }
    return tasks
  }

  func reset(_ mmu: MMU, in machine: inout Machine) {
    machine.note(.reverseMap(.resetMap), mmu.tableID)
    machine.memory.removeAll(in: mmu.reverseMap)
    machine.memory.removeAll(in: mmu.directMap)
    if heedsSweeps { machine[mmu, .broken] = 0 }
  }

  func didUnmapAll(_ mmu: MMU, in machine: inout Machine) {
    // A failure during this sweep must leave the map broken.
    if !heedsSweeps, machine[mmu, .broken] != 0 {
      machine.note(.reverseMap(.brokenCleared), mmu.tableID)
      machine[mmu, .broken] = 0
    }
  }

  // MARK: Looking

  func entries(of mmu: MMU, in machine: Machine) -> [ReverseMapEntry] {
    machine.memory.entries(in: Machine.allAddresses, of: mmu.reverseMap).map { Self.shown($0) }
  }

  private static func shown(_ entry: RangeEntry) -> ReverseMapEntry {
    ReverseMapEntry(
      canonical: entry.range,
      nested: isUnknown(entry.payload) ? nil : entry.payload & ReverseMapEntry.addressMask,
      payload: entry.payload)
  }

  func entry(of mmu: MMU, from address: UInt64, in machine: Machine) -> ReverseMapEntry? {
    let end = Machine.allAddresses.upperBound
    return address < end
      ? machine.memory.first(in: address..<end, of: mmu.reverseMap).map { Self.shown($0) } : nil
  }

  func entry(of mmu: MMU, before address: UInt64, in machine: Machine) -> ReverseMapEntry? {
    machine.memory.last(before: address, of: mmu.reverseMap).map { Self.shown($0) }
  }

  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool {
    if machine[mapping.mmu, .broken] != 0 || heedsSweeps && machine[mapping.mmu, .sweeps] > 0 {
      return true
    }
    var address = mapping.canonical.lowerBound
    while address < mapping.canonical.upperBound {
      guard let entry = machine.memory.find(address, in: mapping.mmu.reverseMap) else {
        return false
      }
      let expected = mapping.nested &+ entry.range.lowerBound &- mapping.canonical.lowerBound
      if !Self.isUnknown(entry.payload), entry.payload & ReverseMapEntry.addressMask != expected {
        return false
      }
      address = entry.range.upperBound
    }
    return true
  }
}
