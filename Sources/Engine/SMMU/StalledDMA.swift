/// DMA that stalls because a table of the CPUs has no translation (STE.S2S, CD.S): the keeper of the
/// table gets the SMMU's event, handles it like a CPU's fault, and ends the stall with CMD_RESUME.
///
/// The keeper of a process's table is the host kernel; of stage 2, the hypervisor under pKVM, else KVM.
/// No code has been posted for the latter two: the model follows the requirement in the thread about
/// sharing tables, and the kernel's handlers for CPUs.
extension Machine {
  /// How the stall of a DMA ends after its fault is handled.
  enum StallEnd {
    /// CMD_RESUME, retry.
    case retry
    /// Retry after these tasks: KVM's handler had to give up and start over.
    case after([Work])
    /// CMD_RESUME, abort: the fault cannot be repaired.
    case terminate
    /// The handler waits for the paused event, and the device for it.
    case wait
  }

  /// Maximum attempts before a DMA stays stalled: the access flag, the permission, and the SMMU's cached
  /// entry can each be in the way once.
  static let stallAttempts = 4

  /// Whether a DMA with this outcome stalls until its fault is handled.
  func waitsForHandler(_ outcome: DeviceOutcome, _ device: Int) -> Bool {
    guard configuration.iommu.faults == .stall, case .fault(let fault, _) = outcome,
      configuration.iommu.table == .shared || sharesAddresses(device)
    else { return false }
    return ownership.canRepair(fault)
  }

  /// Handles the fault of a stalled DMA.
  ///
  /// - Parameter translation: where the DMA ended; it must be stalled.
  mutating func handleStall(
    _ translation: DeviceTranslation, _ iova: UInt64, write: Bool, device: Int
  ) -> StallEnd {
    guard case .fault(let fault, let level) = translation.outcome else { return .terminate }
    let handler: DMAStep.Handler =
      sharesAddresses(device) ? .host : ownership.keepsDeviceTables ? .hypervisor : .kvm
    let isStage1 = streamEntry(ofDevice: device).kind == .stage1
    note(.dma(.stalled(fault, isStage1: isStage1)), .iommu(device), at: iova, level: level)
    let end =
      switch handler {
      case .hypervisor: repairHost(iova)
      case .kvm: repairVM(fault, level, iova, write: write)
      case .host: repairProcess(iova, write: write)
      }
    switch end {
    case .retry:
      // The SMMU may have cached the old leaf, without the permission.
      if translation.end == nil { forgetCached(iova, device) }
      note(.dma(.resumed(by: handler)), .iommu(device), at: iova)
    case .terminate: note(.dma(.terminated), .iommu(device), at: iova)
    case .after, .wait: break
    }
    return end
  }

  /// The hypervisor takes no interrupts, so the host reports the event to it; it needs the lock of the
  /// host's table.
  private mutating func repairHost(_ address: UInt64) -> StallEnd {
    if address >= protectedGeometry.inputSize { return .terminate }
    if isPaused { return .wait }
    return handleHostFault(address) ? .retry : .terminate
  }

  /// KVM handles a device's fault on the canonical table as one of a vCPU.
  private mutating func repairVM(
    _ fault: DeviceFault, _ level: Int, _ ipa: UInt64, write: Bool
  ) -> StallEnd {
    let table = table(of: canonical)
    let page = ipa.page
    guard ipa < table.geometry.inputSize, let slot = usableMemslot(at: page) else {
      return .terminate
    }
    if fault == .accessFlag {
      makeYoung(page, in: table)
      return .retry
    }
    let hva = hva(of: page, in: slot)
    note(.fault(.memslotFound(ipa: page, hva: hva)), table.id, at: page)
    let attempt = mapMemory(
      MemoryFault(
        kind: write ? .write : .read, mmu: canonical, cpu: 0, page: page, ipa: page, slot: slot,
        guestLeaf: nil,
        permissionGranule: fault == .permission ? table.geometry.size(level) : nil))
    switch attempt {
    case .again: return .retry
    case .first(let tasks), .firstInHandler(let tasks, _): return .after(tasks)
    case .ended(.blocked): return .wait
    case .ended: return .terminate
    }
  }

  /// `handle_access_fault`: the SMMU sets no access flag itself (S2HA is clear).
  private mutating func makeYoung(_ ipa: UInt64, in table: Table) {
    let end = memory.walk(table, ipa)
    guard end.isLeaf else { return }
    let bits = end.descriptor.bits | Descriptor.accessed
    note(
      .table(.youngLeaf(Descriptor(bits), from: end.descriptor)), table.id, at: ipa,
      level: end.level)
    storeEntry(bits, at: end.slot)
  }

  /// The TLBI of a relaxed leaf is local to a CPU, or has already been forwarded.
  private mutating func forgetCached(_ iova: UInt64, _ device: Int) {
    let page = iova.page
    guard let domain = domainTable(ofDevice: device),
      iotlbEntries.contains(where: { $0.context == domain.context && $0.range.contains(page) })
    else { return }
    invalidate(page..<page + Page.size, of: domain)
  }
}
