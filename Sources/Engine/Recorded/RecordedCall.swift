/// A call that a real kernel made, from a recording.
///
/// It acts on the tables through the same code as an event of the model. The memory behind a recorded
/// VM's tables, the VMM's and L1's tables, is not known, so nothing can fault in by itself.
public enum RecordedCall: Equatable, Sendable {
  /// `kvm_pgtable_stage2_map`: a block or page of 4K, 2M or 1G, at an input and a physical address that
  /// are multiples of its size. For a shadow also the level of L1's leaf, 0 for none, and the canonical
  /// IPA of the memory, if known.
  case map(
    TableID, Range<UInt64>, to: UInt64, canonical: UInt64?, Permissions, guestLevel: UInt8)
  /// `kvm_pgtable_stage2_relax_perms` of the leaf at an input address.
  case relax(TableID, UInt64, Permissions)
  /// `kvm_stage2_unmap_range`.
  case unmap(TableID, Range<UInt64>)
  /// `kvm_unmap_gfn_range`, or `kvm_arch_flush_shadow_memslot`: canonical memory is unmapped, and the
  /// policy decides what to unmap from the shadows.
  case take(Range<UInt64>, isMemslot: Bool)
  /// `kvm_stage2_wp_range` of the canonical table, and `kvm_nested_s2_wp`.
  case writeProtect(Range<UInt64>)
  /// `kvm_pgtable_stage2_split` of the canonical table.
  case split(Range<UInt64>)
  /// `kvm_pgtable_stage2_test_clear_young` of the canonical table, with clearing.
  case age(Range<UInt64>)
  /// A shadow serves a context; if it served another, it is emptied first.
  case context(TableID, vttbr: UInt64, vtcr: UInt64, stage2Enabled: Bool)
  /// `s2_mmu_unmap_ipa`: L1 invalidates a nested IPA, with the level hint of the operand, 0 for none.
  case invalidate(TableID, UInt64, ttl: UInt8)
  /// `s2_mmu_unmap_range`: L1 invalidates a range of nested IPAs.
  case invalidateRange(TableID, Range<UInt64>)
  /// `kvm_nested_s2_unmap`: all shadows are emptied, since L1 invalidates everything.
  case emptyShadows
  /// Not a call: a dump shows entries of a level in a range, of which this is the first. The others are the
  /// same, and lead to where one after the other would if it is known where they lead.
  case seen(TableID, Range<UInt64>, level: Int, Descriptor)
  /// Not a call: what a range is no dump tells.
  case unseen(TableID, Range<UInt64>)
  /// Not a call: the dump of a shadow shows that it serves nobody.
  case unused(TableID)
  /// Not a call: a dump of a shadow's reverse map has an entry for canonical IPAs, with the nested IPA of the first
  /// of them, or nil for one that is unknown.
  case seenEntry(TableID, Range<UInt64>, nested: UInt64?)
  /// Not a call: it has none for canonical IPAs.
  case seenNoEntry(TableID, Range<UInt64>)
  /// Not a call: what a shadow's reverse map holds from a canonical IPA on no dump tells.
  case unseenMap(TableID, from: UInt64)
}

extension RecordedCall {
  /// The table and the input address that it concerns, if any.
  var place: (table: TableID, address: UInt64)? {
    switch self {
    case .map(let table, let range, _, _, _, _): (table, range.lowerBound)
    case .relax(let table, let address, _): (table, address)
    case .unmap(let table, let range): (table, range.lowerBound)
    case .take(let range, _), .writeProtect(let range), .split(let range), .age(let range):
      (.canonical, range.lowerBound)
    case .invalidate(let table, let address, _): (table, address)
    case .invalidateRange(let table, let range): (table, range.lowerBound)
    case .seen(let table, let range, _, _), .unseen(let table, let range):
      (table, range.lowerBound)
    case .seenEntry(_, let range, _), .seenNoEntry(_, let range): (.canonical, range.lowerBound)
    case .unseenMap(_, let from): (.canonical, from)
    case .context, .emptyShadows, .unused: nil
    }
  }
}

extension RecordedCall {
  /// Whether it is no call, but what a dump shows.
  fileprivate var isSight: Bool {
    switch self {
    case .seen, .unseen, .unused, .seenEntry, .seenNoEntry, .unseenMap: true
    case .map, .relax, .unmap, .take, .writeProtect, .split, .age, .context, .invalidate,
      .invalidateRange, .emptyShadows:
      false
    }
  }
}

extension Machine {
  /// Refuses an event of the model in a recorded VM, whose memory is not known.
  func requireKnown(_ event: Event) throws(Refusal) {
    guard configuration.isRecorded else { return }
    if configuration.isSeen {
      guard case .recorded = event else { throw Refusal(.onlySeen) }
      return
    }
    switch event {
    case .recorded, .iommu, .dma, .pause, .resume, .failReverseMap, .otherVM, .otherProcess: break
    case .addMemslot, .host, .access, .context, .invalidate, .l2Invalidate, .vncr, .run, .wait,
      .rmp, .realm, .pkvm:
      throw Refusal(.onlyRecorded)
    }
  }

  /// Carries out a call of a recording.
  mutating func start(_ call: RecordedCall) throws(Refusal) {
    guard configuration.isRecorded else { throw Refusal(.notRecorded) }
    guard configuration.isolation == .none else { throw Refusal(.recordedIsolation) }
    if call.isSight != configuration.isSeen {
      // Both tell what a shadow serves; a dump does not tell that it was emptied for that.
      guard case .context(let id, let vttbr, let vtcr, let isEnabled) = call else {
        throw Refusal(configuration.isSeen ? .onlySeen : .notSeen)
      }
      return seeContext(
        try requireShadow(id), vttbr: vttbr, vtcr: vtcr, stage2Enabled: isEnabled)
    }
    switch call {
    case .map(let id, let range, let physical, let canonical, let permissions, let level):
      try map(
        id, range, to: physical, canonical: canonical, permissions, guestLevel: Int(level))
    case .relax(let id, let address, let permissions):
      let mmu = try requireContext(id)
      try requireInput(address..<address, of: mmu)
      note(.table(.relax(permissions)), id, at: address)
      _ = relax(permissions, at: address, in: table(of: mmu), cpu: 0)
    case .unmap(let id, let range):
      let mmu = try requireContext(id)
      try requireInput(range, of: mmu)
      push([.sweep(mmu.index, range, UnmapCause(.recorded))])
    case .take(let range, let isMemslot):
      try requireInput(range, of: canonical)
      let cause = UnmapCause(isMemslot ? .memslot : .notifier, range)
      if !isMemslot { tally.notifiers += 1 }
      push([.unmapCanonical(cause), .unmapShadows(cause)])
    case .writeProtect(let range):
      try requireInput(range, of: canonical)
      note(.fault(.locked(.write)))
      push(writeProtectTasks(range) + [.endWriteProtection(range)])
    case .split(let range):
      try requireInput(range, of: canonical)
      split(range)
    case .age(let range):
      try requireInput(range, of: canonical)
      clear(Descriptor.accessed, in: range, of: table(of: canonical), TableStep.ageLeaf)
    case .context(let id, let vttbr, let vtcr, let isEnabled):
      giveContext(try requireShadow(id), vttbr, vtcr, isEnabled)
    case .invalidate(let id, let address, let ttl):
      let mmu = try requireShadow(id)
      try requireInput(address..<address, of: mmu)
      let size = invalidationSize(address, ttl: ttl, mmu)
      let start = address & ~(size - 1)
      push([.invalidateShadow(mmu.index, start..<start + size, vmid: nil)])
    case .invalidateRange(let id, let range):
      let mmu = try requireShadow(id)
      try requireInput(range, of: mmu)
      push([.invalidateShadow(mmu.index, range, vmid: nil)])
    case .emptyShadows:
      if !configuration.nested { throw Refusal(.notNested) }
      let cause = UnmapCause(.guestInvalidation)
      push(emptyShadowsTasks(.guestInvalidation, cause))
    case .seen(let id, let range, let level, let first):
      let mmu = try requireContext(id)
      try requireInput(range, of: mmu)
      let format = configuration.evidence.format
      try see(range, level: level, Descriptor(first.bits & format.known, format), in: mmu)
    case .unseen(let id, let range):
      let mmu = try requireContext(id)
      try requireInput(range, of: mmu)
      unsee(range, in: mmu)
    case .unused(let id): seeUnused(try requireShadow(id))
    case .seenEntry(let id, let range, let nested):
      try seeEntry(range, nested: nested, of: try requireMap(id, range))
    case .seenNoEntry(let id, let range): seeNoEntry(range, of: try requireMap(id, range))
    case .unseenMap(let id, let from): unseeMap(from: from, of: try requireMap(id, from..<from))
    }
  }

  /// The context of the canonical table or of a shadow.
  private func requireContext(_ id: TableID) throws(Refusal) -> MMU {
    switch id {
    case .canonical: return canonical
    case .shadow(let number):
      if !configuration.nested { throw Refusal(.notNested) }
      guard number < configuration.shadows else {
        throw Refusal(.noSuchShadow(configuration.shadows))
      }
      return shadow(number)
    case .guest, .vmmStage1, .iommu, .pkvmHost, .protectedGuest: throw Refusal(.otherTable)
    }
  }

  private func requireShadow(_ id: TableID) throws(Refusal) -> MMU {
    let mmu = try requireContext(id)
    if mmu.isCanonical { throw Refusal(.notShadow) }
    return mmu
  }

  /// A shadow whose reverse map can have an entry for canonical IPAs.
  private func requireMap(_ id: TableID, _ range: Range<UInt64>) throws(Refusal) -> MMU {
    let mmu = try requireShadow(id)
    if !policy.keepsMap { throw Refusal(.noReverseMap) }
    try requireInput(range, of: canonical)
    return mmu
  }

  private func requireInput(_ range: Range<UInt64>, of mmu: MMU) throws(Refusal) {
    let bits = geometry(of: mmu).inputBits
    try requireAligned(range.lowerBound, to: Page.size, operand: .address)
    try requireAligned(range.upperBound, to: Page.size, operand: .size)
    if range.lowerBound >> UInt64(bits) != 0 {
      throw Refusal(.beyondInput(bits: bits), operand: .address)
    }
    if range.upperBound > 1 << UInt64(bits) {
      throw Refusal(.beyondInput(bits: bits), operand: .size)
    }
  }

  private mutating func map(
    _ id: TableID, _ range: Range<UInt64>, to physical: UInt64, canonical: UInt64?,
    _ permissions: Permissions, guestLevel: Int
  ) throws(Refusal) {
    let mmu = try requireContext(id)
    try requireInput(range, of: mmu)
    let table = table(of: mmu)
    let size = range.size
    guard [4096, 2 << 20, 1 << 30].contains(size) else {
      throw Refusal(.leafSize(size), operand: .size)
    }
    try requireAligned(range.lowerBound, to: size, operand: .address)
    for other in [physical, canonical ?? 0] where other & (size - 1) != 0 {
      throw Refusal(.unaligned(other, size))
    }
    if physical >> UInt64(VMConfiguration.physicalBits) != 0 {
      throw Refusal(.beyondPhysicalSpace(bits: VMConfiguration.physicalBits))
    }
    if let canonical, canonical >> UInt64(configuration.ipaBits) != 0 {
      throw Refusal(.beyondInput(bits: configuration.ipaBits))
    }
    if !mmu.isCanonical, let canonical, policy.keepsMap {
      let mapping = ShadowMapping(
        mmu: mmu, canonical: canonical..<canonical + size, nested: range.lowerBound,
        hasGuestLeaf: guestLevel != 0)
      if !policy.record(mapping, in: &self) {
        return note(.fault(.noMemory), id, at: range.lowerBound)
      }
    }
    // Below 35 bits a table has no entries of 1G: map as many 2M blocks instead.
    let level = table.geometry.level(ofSize: size) ?? table.geometry.startLevel
    let leaf = Descriptor.leaf(
      at: physical, level: level, memAttr: Machine.normalMemory, permissions: permissions,
      guestLevel: guestLevel)
    note(.table(.map(leaf)), id, at: range.lowerBound, size: size, level: level)
    for offset in stride(from: 0, to: size, by: UInt64.Stride(table.geometry.size(level))) {
      map(
        Descriptor(leaf.bits + offset), at: range.lowerBound + offset, level: level, in: table)
    }
  }

  private mutating func giveContext(
    _ mmu: MMU, _ vttbr: UInt64, _ vtcr: UInt64, _ isEnabled: Bool
  ) {
    let isRecycled = isValid(mmu)
    give(
      mmu, vttbr: vttbr & ~VTTBR.commonNotPrivate, vtcr: vtcr, stage2Enabled: isEnabled ? 1 : 0)
    if isRecycled { push(recyclingTasks(mmu)) }
  }
}
