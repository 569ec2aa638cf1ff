/// The VMID with which the SMMU tags a device's translations.
public enum VMIDChoice: String, CaseIterable, Sendable {
  /// One from the SMMU's own allocator, which is unaware of KVM's: Linux 7.3.4.
  case `private`
  /// The VM's VMID in KVM when the domain was created.
  case kvm
  /// The same, pinned: KVM keeps it across rollovers.
  case pinned
}

/// VMIDs of domains. The SMMU's own come from a bitmap (`smmu->vmid_map`, `arm_smmu_domain_finalise_s2`);
/// sharing KVM's is that of "[RFC PATCH v3 0/5] iommu/arm-smmu-v3: Use pinned KVM VMID for stage 2".
extension Machine {
  private var smmuVMIDs: SparseArray { SparseArray(root: Register.smmuVMIDs.slot, .smmuVMIDs) }
  /// 1 + the VMID of the domain of another VM's device, by the VM's number.
  private var otherDevices: SparseArray {
    SparseArray(root: Register.otherDevices.slot, .otherDevices)
  }

  /// Whether a new domain is a stage-1 domain.
  var makesStage1: Bool {
    configuration.iommu.ownStage == .stage1 && configuration.iommu.table == .own
      && configuration.isolation == .none
  }

  /// Allocates the context of a new domain of this VM's devices: an ASID or a VMID; nil if none is left.
  mutating func takeDomainContext(_ device: Int) -> TranslationContext? {
    let context: TranslationContext? =
      makesStage1
      ? .asid(freeASID, isPrivate: true) : takeVMID(for: .context(canonical)).map { .vmid($0) }
    if let context, context.isStage1 || configuration.iommu.vmidChoice == .private {
      note(.identifier(.domainTagged(context)), .iommu(device))
    }
    return context
  }

  mutating func returnDomainContext(_ context: TranslationContext, _ device: Int) {
    note(.identifier(.domainFreed(context)), .iommu(device))
    if !context.isStage1 { returnVMID(context.number, of: .context(canonical)) }
  }

  private mutating func takeVMID(for holder: VMIDHolder) -> UInt16? {
    switch configuration.iommu.vmidChoice {
    case .private: return takeSMMUVMID()
    case .kvm:
      updateVMID(holder)
      return vmid(ofID: self[idOf: holder])
    case .pinned: return pinVMID(holder)
    }
  }

  private mutating func returnVMID(_ vmid: UInt16, of holder: VMIDHolder) {
    switch configuration.iommu.vmidChoice {
    case .private:
      let word = smmuVMIDs.load(UInt64(vmid) / 64, from: memory)
      smmuVMIDs.store(word & ~(1 << UInt64(vmid % 64)), at: UInt64(vmid) / 64, in: &memory)
    case .kvm: break
    case .pinned: unpinVMID(holder)
    }
  }

  /// `ida_alloc_range(&smmu->vmid_map, 1, max)`: the lowest that is free; 0 is for bypass.
  private mutating func takeSMMUVMID() -> UInt16? {
    let count: UInt64 = 1 << UInt64(configuration.vmidBits)
    for index in 0..<(count + 63) / 64 {
      let word = smmuVMIDs.load(index, from: memory) | (index == 0 ? 1 : 0)
      let bit = UInt64((~word).trailingZeroBitCount)
      if bit == 64 || index * 64 + bit >= count { continue }
      smmuVMIDs.store(word & ~(index == 0 ? 1 : 0) | 1 << bit, at: index, in: &memory)
      return UInt16(index * 64 + bit)
    }
    return nil
  }

  /// A device of another VM is attached: its domain takes a VMID, which tags its translations.
  mutating func attachOther(_ number: UInt64) {
    if otherDevices.load(number, from: memory) != 0 { return fail(.ebusy, at: number) }
    guard let vmid = takeVMID(for: .otherVM(number)) else { return fail(.enospc, at: number) }
    note(.domain(.otherAttached(vm: number, vmid: vmid)))
    otherDevices.store(UInt64(vmid) + 1, at: number, in: &memory)
  }

  mutating func detachOther(_ number: UInt64) {
    let word = otherDevices.load(number, from: memory)
    if word == 0 { return fail(.enoent, at: number) }
    let vmid = UInt16(word - 1)
    note(.domain(.otherDetached(vm: number, vmid: vmid)))
    flushContext(.vmid(vmid), nil)
    otherDevices.store(0, at: number, in: &memory)
    returnVMID(vmid, of: .otherVM(number))
  }

  /// An SMMU that learns of a shared table's changes by broadcast alone must use the CPUs' VMID for it,
  /// or no broadcast matches.
  func mirrorViolations(_ device: Int) -> [Violation] {
    if sharesAddresses(device) { return asidViolations(device) }
    guard configuration.iommu.table == .shared, configuration.iommu.forwarding == .broadcast,
      let domain = domainTable(ofDevice: device)
    else { return [] }
    let vmid = vmid(ofID: self[canonical, .vmid])
    return vmid == 0 || vmid == domain.vmid
      ? [] : [Violation(invariant: .mirrorVMID, table: domain.id, at: .tag(domain.vmid))]
  }
}
