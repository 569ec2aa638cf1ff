/// A translation by the SMMU, and the walk that gave it.
struct DeviceTranslation {
  var outcome: DeviceOutcome
  /// Where a walk ended, to be cached; nil without a walk.
  var end: WalkEnd?
}

extension Machine {
  /// The outcome that a DMA would have now. Changes nothing.
  ///
  /// - Parameters:
  ///   - iova: input address.
  ///   - device: 0 to 3.
  public func deviceOutcome(
    of iova: UInt64, write: Bool, device: Int = 0
  ) -> DeviceOutcome {
    let outcome = translateForDevice(iova, write: write, device: device).outcome
    return waitsForHandler(outcome, device) ? .stalled : outcome
  }

  /// The translation, after the check by the isolation hardware.
  @inline(__always)
  func translateForDevice(_ iova: UInt64, write: Bool, device: Int) -> DeviceTranslation {
    var translation = translateBySMMU(iova, write: write, device: device)
    if checksDMA { translation.outcome = checked(translation.outcome) }
    return translation
  }

  @inline(never)
  private func checked(_ outcome: DeviceOutcome) -> DeviceOutcome {
    self[.dmaStalled] != 0 && outcome != .aborted ? .stalled : checkedByOwner(outcome)
  }

  /// The outcome that a device's write would have if no DMA were stalled.
  func checkedOutcome(of iova: UInt64, device: Int) -> DeviceOutcome {
    checkedByOwner(translateBySMMU(iova, write: true, device: device).outcome)
  }

  private func checkedByOwner(_ outcome: DeviceOutcome) -> DeviceOutcome {
    let fault: DeviceFault?
    let place: Int
    switch outcome {
    case .cached(let physical, let level):
      fault = ownership.check(physical, level: level, isCached: true, of: self)
      place = level
    case .walked(let physical, let level):
      fault = ownership.check(physical, level: level, isCached: false, of: self)
      place = level
    case .bypassed(let physical):
      fault = ownership.checkBypass(physical, of: self)
      place = 0
    default: return outcome
    }
    return fault.map { .fault($0, level: place) } ?? outcome
  }

  /// The SMMU's translation: stream table entry, TLB, walk.
  @inline(__always)
  private func translateBySMMU(_ iova: UInt64, write: Bool, device: Int) -> DeviceTranslation {
    if !hasSMMU { return DeviceTranslation(outcome: .aborted) }
    let entry = slot(.streamEntry, ofDevice: device)
    let word = memory.load(entry)
    guard word & (SMMU.entryValid | SMMU.entryConfig) == SMMU.entryValid | SMMU.configStage2 else {
      switch streamEntry(ofDevice: device).kind {
      case .abort: return DeviceTranslation(outcome: .aborted)
      case .bypass: return DeviceTranslation(outcome: .bypassed(iova))
      case .stage1: return translateByStage1(iova, write: write, device)
      case .stage2, .invalid:
        return DeviceTranslation(outcome: .fault(.badStreamEntry, level: 0))
      }
    }
    let vmid = UInt16(truncatingIfNeeded: memory.load(entry &+ 2))
    switch lookUp(iova, .vmid(vmid)) {
    case .hit(let hit): return cachedForDevice(iova, write: write, hit, entry, device)
    case .conflict(let level): return DeviceTranslation(outcome: .fault(.conflict, level: level))
    case .miss: return walkForDevice(iova, write: write, streamTable(entry, device))
    }
  }

  /// A lookup of an input address in the SMMU's TLB: the slot of an entry's tag, or two entries, the
  /// second at this level.
  private enum Lookup {
    case miss, hit(Int), conflict(level: Int)
  }

  @inline(__always)
  private func lookUp(_ iova: UInt64, _ context: TranslationContext) -> Lookup {
    if iova > TLB.inputMask { return .miss }
    var hit: Int?
    for level in TLB.levels {
      guard let slot = memory.slot(of: iova, level: level, context, in: iotlb) else { continue }
      // With SMMU_IDR3.BBML = 2 no conflict is reported, and either entry may be used.
      if hit != nil, configuration.iommu.smmuBreakLevel < 2 { return .conflict(level: level) }
      hit = slot
    }
    return hit.map { .hit($0) } ?? .miss
  }

  /// Stage 1, by the table of the domain or of the process.
  @inline(never)
  private func translateByStage1(
    _ iova: UInt64, write: Bool, _ device: Int
  ) -> DeviceTranslation {
    switch lookUp(iova, context(ofDevice: device)) {
    case .hit(let hit): return translation(of: iova, write: write, cachedAt: hit)
    case .conflict(let level): return DeviceTranslation(outcome: .fault(.conflict, level: level))
    case .miss: break
    }
    guard let table = walkedTable(ofDevice: device) else {
      return DeviceTranslation(outcome: .fault(.badStreamEntry, level: 0))
    }
    let setsFlag = contextDescriptor(ofDevice: device).setsAccessFlags
    return walkForDevice(iova, write: write, table, setsFlag: setsFlag)
  }

  /// The stage-2 table that a stream table entry points to, by the slot of its first word.
  @inline(__always)
  private func streamTable(_ entry: Int, _ device: Int) -> Table {
    let context = memory.load(entry &+ 2)
    return Table(
      id: .iommu(device), root: Memory.firstSlot(ofFrameAt: memory.load(entry &+ 3)),
      geometry: StreamEntry.geometry(context), vmid: UInt16(truncatingIfNeeded: context))
  }

  /// The translation by a TLB entry, by the slot of its tag.
  @inline(__always)
  private func cachedForDevice(
    _ iova: UInt64, write: Bool, _ hit: Int, _ entry: Int, _ device: Int
  ) -> DeviceTranslation {
    let level = Int(truncatingIfNeeded: memory.load(hit) >> 1 & 3)
    if configuration.iommu.replacesInPlace, configuration.iommu.smmuBreakLevel < 2,
      isReplaced(iova, level, entry, device)
    {
      return DeviceTranslation(outcome: .fault(.conflict, level: level))
    }
    return translation(of: iova, write: write, cachedAt: hit)
  }

  @inline(__always)
  private func translation(
    of iova: UInt64, write: Bool, cachedAt hit: Int
  ) -> DeviceTranslation {
    let level = Int(truncatingIfNeeded: memory.load(hit) >> 1 & 3)
    let leaf = Descriptor(memory.load(hit &+ 1))
    return DeviceTranslation(
      outcome: isAllowed(leaf, write)
        ? .cached(output(of: iova, leaf, level), level: level) : .fault(.permission, level: level))
  }

  /// Whether a table of the CPUs now has a leaf of another size than the cached one, which the TLB may
  /// also have cached. The worst case is modelled.
  @inline(never)
  private func isReplaced(_ iova: UInt64, _ level: Int, _ entry: Int, _ device: Int) -> Bool {
    let end = walkEndForDevice(iova, streamTable(entry, device))
    return end.isLeaf && end.level != level
  }

  @inline(__always)
  private func isAllowed(_ leaf: Descriptor, _ write: Bool) -> Bool {
    leaf.permissions.allow(write ? .write : .read)
  }

  @inline(__always)
  private func output(of iova: UInt64, _ leaf: Descriptor, _ level: Int) -> UInt64 {
    leaf.address | iova & (TLB.geometry.size(level) - 1)
  }

  /// The SMMU's walk: without coherent walks it sees memory behind the caches.
  ///
  /// - Parameter setsFlag: whether it sets access flags itself: never at stage 2 (S2HA is clear).
  @inline(__always)
  private func walkForDevice(
    _ iova: UInt64, write: Bool, _ table: Table, setsFlag: Bool = false
  ) -> DeviceTranslation {
    if iova > table.inputMask {
      return DeviceTranslation(outcome: .fault(.translation, level: table.geometry.startLevel))
    }
    var end = walkEndForDevice(iova, table)
    if setsFlag, end.isLeaf {
      let leaf = Descriptor(
        end.descriptor.bits | Descriptor.accessed, end.descriptor.format)
      end = WalkEnd(slot: end.slot, level: end.level, descriptor: leaf)
    }
    return translation(of: iova, end, isAllowed: isAllowed(end.descriptor, write))
  }

  /// The translation by the end of a walk.
  ///
  /// - Parameter isAllowed: whether the leaf, if it is one, permits the access.
  @inline(__always)
  private func translation(
    of iova: UInt64, _ end: WalkEnd, isAllowed: Bool
  ) -> DeviceTranslation {
    let outcome: DeviceOutcome =
      if !end.isLeaf {
        .fault(.translation, level: end.level)
      } else if end.descriptor.bits & Descriptor.accessed == 0 {
        .fault(.accessFlag, level: end.level)
      } else if !isAllowed {
        .fault(.permission, level: end.level)
      } else {
        .walked(output(of: iova, end.descriptor, end.level), level: end.level)
      }
    return DeviceTranslation(outcome: outcome, end: end)
  }

  @inline(__always)
  func walkEndForDevice(_ iova: UInt64, _ table: Table) -> WalkEnd {
    configuration.iommu.isCoherent ? memory.walk(table, iova) : walkBehindCaches(iova, table)
  }

  @inline(never)
  private func walkBehindCaches(_ iova: UInt64, _ table: Table) -> WalkEnd {
    var end = WalkEnd(
      slot: table.rootSlot(iova), level: table.geometry.startLevel, descriptor: Descriptor(0))
    var walk = TableWalk(of: table, iova..<iova + 1, .path)
    while let entry = nextForSMMU(&walk) {
      // Uncleaned words may lead to a freed table.
      end = WalkEnd(
        slot: entry.slot, level: entry.level,
        descriptor: entry.kind == .table ? Descriptor(0) : entry.descriptor)
    }
    return end
  }

  /// The next entry of a walk as the SMMU sees it; nil also where there is no frame.
  private func nextForSMMU(_ walk: inout TableWalk) -> TableEntry? {
    walk.next { place in memory.slot(at: place).map { loadForSMMU($0) } }
  }
}

/// DMA as an event.
extension Machine {
  mutating func performDMA(_ iova: UInt64, write: Bool, device: Int) {
    makeSMMU()
    note(
      .dma(.begin(write: write, streamID: SMMU.streamID(device))), .iommu(device), at: iova)
    translateDMA(iova, write: write, device: device)
  }

  /// Translates a DMA, again after each fault handled while it stalled, and makes the access.
  mutating func translateDMA(_ iova: UInt64, write: Bool, device: Int) {
    let id = TableID.iommu(device)
    let entry = streamEntry(ofDevice: device)
    let context = context(ofDevice: device)
    note(.dma(.streamEntry(entry.kind, context)), id)
    var translation = noteTranslation(of: iova, write: write, device: device)
    for _ in 0..<Self.stallAttempts where waitsForHandler(translation.outcome, device) {
      switch handleStall(translation, iova, write: write, device: device) {
      case .retry: translation = noteTranslation(of: iova, write: write, device: device)
      case .after(let first): return push(first + [.dma(device, iova, write: write)])
      case .terminate: return end(translation, iova, write: write, device: device)
      case .wait: translation.outcome = .stalled
      }
    }
    // The device still finds no translation, and stays stalled.
    if waitsForHandler(translation.outcome, device) { translation.outcome = .stalled }
    end(translation, iova, write: write, device: device)
  }

  private mutating func noteTranslation(
    of iova: UInt64, write: Bool, device: Int
  ) -> DeviceTranslation {
    let translation = translateForDevice(iova, write: write, device: device)
    if translation.end != nil { noteDeviceWalk(iova, device) }
    return translation
  }

  /// Ends a DMA that is no longer being handled.
  private mutating func end(
    _ translation: DeviceTranslation, _ iova: UInt64, write: Bool, device: Int
  ) {
    let id = TableID.iommu(device)
    let context = context(ofDevice: device)
    switch translation.outcome {
    case .cached(let physical, let level):
      note(.dma(.cached(physical, context)), id, at: iova, level: level)
      access(physical, write: write, id, iova)
    case .walked(let physical, let level):
      note(.dma(.translated(to: physical, context)), id, at: iova, level: level)
      if let end = translation.end {
        setAccessFlag(end, iova, device)
        memory.fill(iotlb, context, iova, cacheable(end, iova, device))
      }
      access(physical, write: write, id, iova)
    case .bypassed(let physical): access(physical, write: write, id, iova)
    case .fault(let fault, let level): record(fault, iova, write: write, device, level: level)
    case .aborted: note(.dma(.aborted), id, at: iova)
    case .stalled:
      let cause: DMAStep.Wait = self[.dmaStalled] != 0 ? .firmware : .handler
      note(.dma(.waits(for: cause)), id, at: iova)
    }
    setDeviceOutcome(translation.outcome, device)
  }

  /// The SMMU's own update of the leaf at which its walk of a process's table ended, if that is to be other
  /// than it was.
  private mutating func setAccessFlag(_ end: WalkEnd, _ iova: UInt64, _ device: Int) {
    guard sharesAddresses(device), memory.load(end.slot) != end.descriptor.bits else { return }
    note(.dma(.accessFlagSet), .vmmStage1, at: iova, level: end.level)
    memory.store(end.descriptor.bits, at: end.slot)
  }

  /// The part of a walk that is cached: of a block that is too large, only a part.
  private func cacheable(_ end: WalkEnd, _ iova: UInt64, _ device: Int) -> WalkEnd {
    if context(ofDevice: device).isStage1 {
      return WalkEnd(slot: end.slot, level: end.level, descriptor: end.descriptor.cached)
    }
    let level = ownership.lowestCachedLevel
    guard end.level < level else { return end }
    let part = iova & (TLB.geometry.size(end.level) - TLB.geometry.size(level))
    return WalkEnd(
      slot: end.slot, level: level, descriptor: Descriptor(end.descriptor.bits | part))
  }

  /// The entries that the SMMU's walk reads.
  private mutating func noteDeviceWalk(_ iova: UInt64, _ device: Int) {
    guard steps.isRecording, let table = walkedTable(ofDevice: device),
      iova < table.geometry.inputSize
    else { return }
    var walk = TableWalk(of: table, iova..<iova + 1, .path)
    while let entry = nextForSMMU(&walk) {
      note(
        .access(.walk(entry.descriptor, slot: entry.slot)), .iommu(device), at: entry.address,
        size: table.geometry.size(entry.level), level: entry.level)
    }
  }

  /// The data access. Only the VMM's pages have known contents; other addresses read as 0.
  private mutating func access(_ physical: UInt64, write: Bool, _ id: TableID, _ iova: UInt64) {
    let isPage =
      (Self.pagesBase..<self[.nextPage]).contains(physical) || isHostMemory(physical)
    if write {
      let value = makeUnknownValue()
      note(.dma(.stored(value, to: physical)), id, at: iova)
      if isPage { storeGuestWord(value, at: physical) }
    } else {
      let value = isPage ? guestWord(at: physical) : 0
      note(.dma(.loaded(value, from: physical)), id, at: iova)
      setLastValue(value)
    }
  }

  /// Writes the event to the event queue, with the bits that the driver decodes (EVTQ_0_* to EVTQ_3_*).
  private mutating func record(
    _ fault: DeviceFault, _ iova: UInt64, write: Bool, _ device: Int, level: Int
  ) {
    note(.dma(.fault(fault, write: write)), .iommu(device), at: iova, level: level)
    if fault == .granule { return }
    let isTranslation = fault.rawValue >= DeviceFault.translation.rawValue
    // RnW, S2 and CLASS = the input address caused the fault; an IPA is reported only for stage 2.
    let isStage2 = !context(ofDevice: device).isStage1
    let details: UInt64 = (write ? 0 : 1 << 35) | (isStage2 ? 1 << 39 : 0) | 2 << 40
    let words: [UInt64] = [
      UInt64(fault.rawValue) | SMMU.streamID(device) << 32, isTranslation ? details : 0,
      isTranslation ? iova : 0, isTranslation && isStage2 ? iova & 0xf_ffff_ffff_f000 : 0,
    ]
    for (index, word) in words.enumerated() {
      memory.store(word, at: slot(.event, ofDevice: device) + index)
    }
    self[device, .events] += 1
  }
}
