/// The SMMU's command queue: invalidations wait in it, and are guaranteed done only after a sync.
///
/// The worst case is modelled: the SMMU consumes no command before a sync, or before the queue is full.
extension Machine {
  /// Commands that fit; each is three words: first and last input address, and the context.
  static let commandCapacity = 128
  static let commandWords = 3

  /// Invalidates the cached entries of a range of a table, and waits for completion.
  ///
  /// - Parameter isOfLeaves: whether only leaves were removed, and no table.
  mutating func invalidate(_ range: Range<UInt64>, of table: Table, isOfLeaves: Bool = true) {
    invalidate(range, table.context, table.id, isOfLeaves: isOfLeaves)
  }

  /// `arm_smmu_domain_inv_range`: invalidates by input address (CMDQ_OP_TLBI_S2_IPA, of an ASID
  /// CMDQ_OP_TLBI_EL2_VA), and waits. A context that no device uses is in no list of invalidations
  /// (`arm_smmu_invs`): all of it was flushed when its last device was detached, so nothing is sent.
  mutating func invalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, _ table: TableID, isOfLeaves: Bool
  ) {
    if !isInvalidated(context) { return note(.tlb(.noCommand(context)), table, over: range) }
    for part in commands(for: range, isOfLeaves: isOfLeaves) {
      note(.tlb(.command(context)), table, over: part)
      queue(part, context)
    }
    syncCommands(table)
  }

  /// `arm_smmu_inv_flush_iotlb_tag`: invalidates everything cached under a VMID (CMDQ_OP_TLBI_S12_VMALL)
  /// or an ASID (CMDQ_OP_TLBI_EL2_ASID). This always waits, even if unmaps do not.
  mutating func flushContext(_ context: TranslationContext, _ table: TableID?) {
    note(.tlb(.commandAll(context)), table)
    queue(0..<1 << UInt64(VMConfiguration.physicalBits), context)
    waitForCommands(table)
  }

  /// Invalidates everything cached under an ASID by one command without a range, and waits: of a process all of
  /// whose addresses are flushed (`arm_smmu_inv_size_too_big`).
  mutating func invalidateAll(
    _ range: Range<UInt64>, _ context: TranslationContext, _ table: TableID
  ) {
    if !isInvalidated(context) { return note(.tlb(.noCommand(context)), table, over: range) }
    note(.tlb(.commandAll(context, isDetached: false)), table)
    queue(range, context)
    syncCommands(table)
  }

  /// Whether invalidations of a context are sent: a device uses it, or all devices share a hypervisor's map.
  private func isInvalidated(_ context: TranslationContext) -> Bool {
    ownership.keepsDeviceTables
      || (0..<SMMU.devices).contains { usedContext(ofDevice: $0) == context }
  }

  /// Replaces a device's stream table entry. If it was the last device of a context, which then gets no
  /// more invalidations, all of the context is flushed (`arm_smmu_install_old_domain_invs`).
  ///
  /// The descriptor is valid as long as the entry points to it: it is written before the entry
  /// (`arm_smmu_attach_dev`), and cleared last, after the flush (`arm_smmu_attach_dev_ste`).
  ///
  /// - Parameter descriptor: what the entry points to; without one, a domain's descriptor is cleared
  ///   (`arm_smmu_clear_cd`), and a process's stays until the device is unbound.
  mutating func replaceStreamEntry(
    _ entry: StreamEntry, _ descriptor: ContextDescriptor = .none, ofDevice device: Int
  ) {
    let old = usedContext(ofDevice: device)
    let keepsDescriptor = sharesAddresses(device)
    if descriptor.isValid { setContextDescriptor(descriptor, ofDevice: device) }
    setStreamEntry(entry, ofDevice: device)
    if let old, !isInvalidated(old) { flushContext(old, .iommu(device)) }
    if !descriptor.isValid, !keepsDescriptor { setContextDescriptor(.none, ofDevice: device) }
  }

  /// The input addresses of each command for a range (`arm_smmu_cmdq_batch_add_range`, of an SMMU with range
  /// invalidation): NUM times a power of two of pages, of which NUM has five bits. AMD's command has a size.
  ///
  /// - Parameter isOfLeaves: whether only leaves are invalidated. Otherwise no command may be of one page,
  ///   for which both fields would be 0, so a page is added.
  private func commands(
    for range: Range<UInt64>, isOfLeaves: Bool
  ) -> [Range<UInt64>] {
    if configuration.isolation == .rmp { return [range] }
    var pages = range.size / Page.size
    if !isOfLeaves, pages & Self.pagesOfCommand == 1 { pages += 1 }
    var commands: [Range<UInt64>] = []
    var start = range.lowerBound
    while pages > 0 {
      let part = pages & Self.pagesOfCommand << UInt64(pages.trailingZeroBitCount)
      commands.append(start..<start + part * Page.size)
      start += part * Page.size
      pages -= part
    }
    return commands
  }

  /// CMDQ_TLBI_RANGE_NUM_MAX.
  private static let pagesOfCommand: UInt64 = 31

  private mutating func queue(_ range: Range<UInt64>, _ context: TranslationContext) {
    tally.invalidations += 1
    if Int(self[.commandCount]) == Self.commandCapacity { takeCommands() }
    let slot = commands + Int(self[.commandCount]) * Self.commandWords
    memory.store(range.lowerBound, at: slot)
    memory.store(range.upperBound, at: slot + 1)
    memory.store(context.bits, at: slot + 2)
    self[.commandCount] += 1
  }

  /// CMD_SYNC: waits until all queued commands are done. Skipped if the policy does not wait.
  private mutating func syncCommands(_ table: TableID) {
    if configuration.iommu.syncs { waitForCommands(table) }
  }

  private mutating func waitForCommands(_ table: TableID?) {
    let count = self[.commandCount]
    note(.tlb(.sync(commands: count)), table)
    takeCommands()
  }

  private mutating func takeCommands() {
    for index in 0..<Int(self[.commandCount]) {
      let slot = commands + index * Self.commandWords
      memory.drop(
        memory.load(slot)..<memory.load(slot + 1),
        TranslationContext(bits: memory.load(slot + 2)), from: iotlb)
      for word in slot..<slot + Self.commandWords { memory.store(0, at: word) }
    }
    self[.commandCount] = 0
  }

  /// Queued invalidations that are not guaranteed done: input addresses and context.
  public var queuedInvalidations: [(range: Range<UInt64>, context: TranslationContext)] {
    (0..<Int(self[.commandCount])).map { index in
      let slot = commands + index * Self.commandWords
      return (
        memory.load(slot)..<memory.load(slot + 1),
        TranslationContext(bits: memory.load(slot + 2))
      )
    }
  }

  /// Invalidations that the paused event has yet to make: input addresses and context.
  var parkedInvalidations: [(range: Range<UInt64>, context: TranslationContext)] {
    parkedTaskList.compactMap { task in
      switch task {
      case .unmapIOVA(let device, let range, _, _), .unmapRuns(let device, let range, _, _, _):
        return domainTable(ofDevice: device).map { (range, $0.context) }
      case .flushHostLeaves(let range): return processContext.map { (range, $0) }
      case .flushProcess: return processContext.map { (0..<hostTable.geometry.inputSize, $0) }
      case .pkvm(.invalidateDevices(let range)):
        return identityTable.map { (range, .vmid($0.vmid)) }
      default: return nil
      }
    }
  }

  /// Invalidations pending for the SMMU's TLB while an event is paused.
  var pendingInvalidations: [(range: Range<UInt64>, context: TranslationContext)] {
    queuedInvalidations + parkedInvalidations
  }

  /// Whether an invalidation by a CPU can concern the SMMU's TLB.
  @inline(__always)
  var reachesSMMU: Bool {
    (configuration.iommu.table == .shared || configuration.iommu.forwarding == .broadcast)
      && hasSMMU
  }

  /// Whether the SMMU takes part in broadcast TLB maintenance.
  var hearsBroadcasts: Bool { hasSMMU && configuration.iommu.forwarding == .broadcast }

  /// The SMMU obeys a CPU's TLBI of a range under a VMID, or an ASID of the shared set: of a table, or of
  /// another VM or process. It does not check whose entries have that number.
  mutating func broadcast(
    _ range: Range<UInt64>, _ context: TranslationContext, of table: TableID?
  ) {
    let count = iotlbEntries.count { $0.context == context && $0.range.overlaps(range) }
    note(.tlb(.broadcast(context, dropped: count)), table, over: range)
    if count > 0 { memory.drop(range, context, from: iotlb) }
  }

  /// The same for TLBI ALLE1IS, which does not concern the host's own processes.
  mutating func broadcastAll() {
    let entries = iotlbEntries.filter { !$0.context.isStage1 }
    note(.tlb(.broadcastAll(dropped: entries.count)))
    for slot in entries.map(\.slot) {
      memory.store(0, at: slot)
      memory.store(0, at: slot + 1)
    }
  }

  /// The effect of a CPU's TLBI on the SMMU's TLB. A local one is no message to other observers.
  mutating func invalidateIOTLB(after range: Range<UInt64>, of table: Table, isLocal: Bool) {
    switch configuration.iommu.forwarding {
    case .none: break
    case .broadcast:
      if table.hasVMID, !isLocal { broadcast(range, .vmid(table.vmid), of: table.id) }
    case .forward:
      var told: [UInt16] = []
      for device in 0..<SMMU.devices {
        guard let domain = domainTable(ofDevice: device), domain.root == table.root,
          !told.contains(domain.vmid)
        else { continue }
        told.append(domain.vmid)
        invalidate(range, of: domain)
      }
    }
  }
}
