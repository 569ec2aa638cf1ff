/// The SMMU's command queue: invalidations wait in it, and are surely done only after a sync.
///
/// The worst case is modelled: the SMMU takes no command out before a sync makes it, or the queue is full.
extension Machine {
  /// Commands that fit; each is three words: first and last input address, and the context.
  static let commandCapacity = 128
  static let commandWords = 3

  /// Invalidates what is cached of a range of a table, and waits for it.
  mutating func invalidate(_ range: Range<UInt64>, of table: Table) {
    invalidate(range, table.context, table.id)
  }

  /// `arm_smmu_domain_inv_range`: invalidates by input address (CMDQ_OP_TLBI_S2_IPA, of an ASID
  /// CMDQ_OP_TLBI_EL2_VA), and waits. A context that no device uses stands in no list of invalidations
  /// (`arm_smmu_invs`): when its last device went all of it was flushed, so nothing is sent.
  mutating func invalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, _ table: TableID
  ) {
    if !isInvalidated(context) { return note(.tlb(.noCommand(context)), table, over: range) }
    note(.tlb(.command(context)), table, over: range)
    queue(range, context)
    syncCommands(table)
  }

  /// `arm_smmu_inv_flush_iotlb_tag`: all that is cached under a VMID goes (CMDQ_OP_TLBI_S12_VMALL), or under
  /// an ASID (CMDQ_OP_TLBI_EL2_ASID). This waits, whatever an unmap does.
  mutating func flushContext(_ context: TranslationContext, _ table: TableID?) {
    note(.tlb(.commandAll(context)), table)
    queue(0..<1 << UInt64(VMConfiguration.physicalBits), context)
    waitForCommands(table)
  }

  /// Whether invalidations of a context are sent: a device uses it, or all devices share a hypervisor's map.
  private func isInvalidated(_ context: TranslationContext) -> Bool {
    ownership.keepsDeviceTables
      || (0..<SMMU.devices).contains { usedContext(ofDevice: $0) == context }
  }

  /// Points a device's stream to something else. If it was the last device of a context, nobody invalidates
  /// that from now on, so all of it is flushed (`arm_smmu_install_old_domain_invs`).
  ///
  /// - Parameter descriptor: what the entry points to; without one, that of a domain is cleared
  ///   (`arm_smmu_clear_cd`), and that of a process stays until the device is unbound.
  mutating func replaceStreamEntry(
    _ entry: StreamEntry, _ descriptor: ContextDescriptor = .none, ofDevice device: Int
  ) {
    let old = usedContext(ofDevice: device)
    if !sharesAddresses(device) { setContextDescriptor(descriptor, ofDevice: device) }
    setStreamEntry(entry, ofDevice: device)
    if let old, !isInvalidated(old) { flushContext(old, .iommu(device)) }
  }

  private mutating func queue(_ range: Range<UInt64>, _ context: TranslationContext) {
    tally.invalidations += 1
    if Int(self[.commandCount]) == Self.commandCapacity { takeCommands() }
    let slot = commands + Int(self[.commandCount]) * Self.commandWords
    memory.store(range.lowerBound, at: slot)
    memory.store(range.upperBound, at: slot + 1)
    memory.store(context.bits, at: slot + 2)
    self[.commandCount] += 1
  }

  /// CMD_SYNC: waits until all that is queued is done. Left out if the policy does not wait.
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

  /// Invalidations that are queued and not surely done: input addresses and context.
  public var queuedInvalidations: [(range: Range<UInt64>, context: TranslationContext)] {
    (0..<Int(self[.commandCount])).map { index in
      let slot = commands + index * Self.commandWords
      return (
        memory.load(slot)..<memory.load(slot + 1),
        TranslationContext(bits: memory.load(slot + 2))
      )
    }
  }

  /// Invalidations that the paused event is still to make: input addresses and context.
  var parkedInvalidations: [(range: Range<UInt64>, context: TranslationContext)] {
    parkedTaskList.compactMap { task in
      switch task {
      case .unmapIOVA(let device, let range, _, _):
        return domainTable(ofDevice: device).map { (range, $0.context) }
      case .pkvm(.invalidateDevices(let range)):
        return identityTable.map { (range, .vmid($0.vmid)) }
      default: return nil
      }
    }
  }

  /// What the SMMU's TLB is still to forget while an event is paused.
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
  /// another VM's or process'. Whose entries have that number makes no difference to it.
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

  /// What a CPU's TLBI means for the SMMU's TLB.
  mutating func invalidateIOTLB(after range: Range<UInt64>, of table: Table) {
    switch configuration.iommu.forwarding {
    case .none: break
    case .broadcast:
      if table.hasVMID { broadcast(range, .vmid(table.vmid), of: table.id) }
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
