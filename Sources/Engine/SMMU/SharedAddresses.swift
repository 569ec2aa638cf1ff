/// Shared virtual addressing: a device works with the VMM's own addresses, through stage 1 and the page
/// table of the process (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c), without a stage 2.
///
/// One domain serves all devices bound to the process: they share its ASID.

/// The ASID with which the SMMU tags a process's translations.
public enum ASIDChoice: String, CaseIterable, Sendable {
  /// One from the SMMU's own allocator, which is unaware of the CPUs': Linux 7.3.4.
  case `private`
  /// The CPUs' ASID of the process, pinned (`arm64_mm_context_get`): older kernels.
  case process
}

extension Machine {
  /// Whether a device works with the VMM's addresses: its context descriptor belongs to no domain.
  public func sharesAddresses(_ device: Int) -> Bool {
    contextDescriptor(ofDevice: device).isValid && domain(ofDevice: device) == nil
  }

  /// The context that tags the VMM's translations, or nil if no device is bound to it.
  var processContext: TranslationContext? {
    if !hasSMMU { return nil }
    return (0..<SMMU.devices).first(where: sharesAddresses).map {
      contextDescriptor(ofDevice: $0).context
    }
  }

  /// The lowest ASID of the SMMU's allocator that no domain and no process has (`arm_smmu_asid_xa`, from 1).
  var freeASID: UInt16 {
    let taken = domains.map { TranslationContext(bits: self[$0, .context]) } + [processContext]
    return (1...UInt16.max).first { number in
      !taken.contains { $0?.isStage1 ?? false && $0?.number == number }
    } ?? 1
  }

  /// The table that the SMMU walks for a device: its domain's, or the VMM's own.
  func walkedTable(ofDevice device: Int) -> Table? {
    sharesAddresses(device) ? hostTable : domainTable(ofDevice: device)
  }

  /// `iommu_sva_bind_device`.
  mutating func shareAddresses(_ device: Int) {
    if domainTable(ofDevice: device) != nil { return fail(.ebusy, .iommu(device)) }
    guard let asid = takeASID() else { return fail(.enospc, .iommu(device)) }
    let iommu = configuration.iommu
    let context =
      processContext
      ?? .asid(iommu.asids == .private ? freeASID : asid, isPrivate: iommu.hasPrivateASID)
    let root = hostTable.rootAddress
    note(.domain(.bound(root: root, context)), .iommu(device))
    let descriptor = ContextDescriptor(
      hostTable, context, stalls: iommu.faults == .stall, updatesFlags: iommu.updatesFlags)
    setContextDescriptor(descriptor, ofDevice: device)
    setStreamEntry(stage1Entry(ofDevice: device), ofDevice: device)
  }

  /// `iommu_sva_unbind_device`, for a detached device. With the last one the domain is freed, and its
  /// ASID can be reused: entries under it were invalidated when the last device was detached.
  mutating func unshareAddresses(_ device: Int) {
    let context = contextDescriptor(ofDevice: device).context
    note(.domain(.unbound(context)), .iommu(device))
    setContextDescriptor(.none, ofDevice: device)
  }

  /// A device's fault at an address of the VMM, handled like the VMM's own (`iommu_sva_iopf_handler`,
  /// `iommu_sva_handle_mm`).
  mutating func repairProcess(_ address: UInt64, write: Bool) -> StallEnd {
    if isMapLocked {
      note(.fault(.mapLockHeld), .vmmStage1, at: address)
      return .wait
    }
    switch hostFault(address, write: write) {
    case .resolved: return .retry
    case .first(let tasks): return .after(tasks)
    case .badAddress: return .terminate
    }
  }
}

/// The effect of changes in the process's table on devices.
extension Machine {
  /// The effect of a flush of the process's addresses on a device that walks the same table: the SMMU obeys a
  /// broadcast, and the process's notifier sends commands (`arm_smmu_mm_arch_invalidate_secondary_tlbs`).
  /// It does not hear a local TLBI.
  mutating func flushProcessForSMMU(_ range: Range<UInt64>, isLocal: Bool) {
    guard let context = processContext,
      let device = (0..<SMMU.devices).first(where: sharesAddresses)
    else { return }
    let asid = UInt16(truncatingIfNeeded: self[.processASID])
    if configuration.iommu.forwarding == .broadcast, !isLocal {
      broadcast(range, .asid(asid, isPrivate: false), of: .vmmStage1)
    }
    if configuration.iommu.notifies {
      if range == 0..<hostTable.geometry.inputSize {
        return invalidateAll(range, context, .iommu(device))
      }
      invalidate(range, context, .iommu(device), isOfLeaves: false)
    }
  }

  /// An SMMU that learns of the process's changes by broadcast alone must use its ASID, and the shared set.
  func asidViolations(_ device: Int) -> [Violation] {
    let iommu = configuration.iommu
    guard sharesAddresses(device), iommu.forwarding == .broadcast, !iommu.notifies else {
      return []
    }
    let context = contextDescriptor(ofDevice: device).context
    let asid = UInt16(truncatingIfNeeded: self[.processASID])
    return context == .asid(asid, isPrivate: false)
      ? []
      : [Violation(invariant: .mirrorVMID, table: .iommu(device), at: .tag(context.number))]
  }
}
