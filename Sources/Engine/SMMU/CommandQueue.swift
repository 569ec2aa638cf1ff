/// The SMMU's command queue: invalidations wait in it, and are surely done only after a sync.
///
/// The worst case is modelled: the SMMU takes no command out before a sync makes it, or the queue is full.
extension Machine {
  /// Commands that fit; each is three words: first and last input address, and the context.
  static let commandCapacity = 128
  static let commandWords = 3

  /// Puts an invalidation by input address into the queue (CMDQ_OP_TLBI_S2_IPA, with a range where
  /// there is more than one page), or of a whole VMID (CMDQ_OP_TLBI_S12_VMALL).
  mutating func queueInvalidation(_ range: Range<UInt64>, of table: Table) {
    queueInvalidation(range, .vmid(table.vmid), table.id)
  }

  /// The same of a context; of an ASID CMDQ_OP_TLBI_EL2_VA, or CMDQ_OP_TLBI_EL2_ASID for all addresses.
  mutating func queueInvalidation(
    _ range: Range<UInt64>, _ context: TranslationContext, _ table: TableID
  ) {
    note(.tlb(.command(context)), table, over: range)
    tally.invalidations += 1
    if Int(self[.commandCount]) == Self.commandCapacity { takeCommands() }
    let slot = commands + Int(self[.commandCount]) * Self.commandWords
    memory.store(range.lowerBound, at: slot)
    memory.store(range.upperBound, at: slot + 1)
    memory.store(context.bits, at: slot + 2)
    self[.commandCount] += 1
  }

  /// CMD_SYNC: waits until all that is queued is done. Left out if the policy does not wait.
  mutating func syncCommands(_ table: TableID) {
    if !configuration.iommu.syncs { return }
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
        return domainTable(ofDevice: device)
          .map { (range, .vmid($0.vmid)) }
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
      // Also for a device that is not attached now: what it has cached would be used when it is again.
      var told: [UInt16] = []
      for device in 0..<SMMU.devices {
        guard let domain = domainTable(ofDevice: device), domain.root == table.root,
          !told.contains(domain.vmid)
        else { continue }
        told.append(domain.vmid)
        queueInvalidation(range, of: domain)
        syncCommands(domain.id)
      }
    }
  }
}
