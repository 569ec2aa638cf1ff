/// Hardware VMIDs and ASIDs are assigned, kept and released.
package enum IdentifierStep: StepFamily {
  /// Who has a VMID.
  package enum Holder: Hashable, Sendable {
    /// A stage-2 context of this VM.
    case context(TableID)
    /// Another VM, by its number.
    case otherVM(UInt64)
  }

  /// Why a VMID is kept.
  package enum Kept: Hashable, Sendable {
    /// It ran on a CPU during the rollover.
    case reserved
    /// It is pinned.
    case pinned
    /// It has not been reassigned since.
    case free
  }

  /// A vCPU stays on a CPU, under a VMID; or leaves it.
  case vcpuStays(Holder, vmid: UInt64, cpu: Int)
  case vcpuLeaves(Holder, cpu: Int)
  /// A holder gets a VMID of a generation.
  case vmidTaken(Holder, vmid: UInt64, generation: UInt64)
  /// A holder keeps its VMID in the new generation.
  case vmidKept(Holder, vmid: UInt64, generation: UInt64, Kept)
  /// No VMID up to a limit is free: a new generation begins.
  case vmidRollover(generation: UInt64, limit: UInt64)
  /// A VMID is in use on a CPU, so it stays reserved.
  case vmidReserved(vmid: UInt64, cpu: Int)
  /// A holder's VMID is pinned, or unpinned.
  case vmidPinned(Holder, vmid: UInt64)
  case vmidUnpinned(Holder, vmid: UInt64)
  /// A domain gets a VMID, or at stage 1 an ASID, from the SMMU's own allocator.
  case domainTagged(TranslationContext)
  /// A domain is freed, and its VMID or ASID released.
  case domainFreed(TranslationContext)
  /// The VMM gets an ASID.
  case asidTaken(asid: UInt64)
  /// Another process, by its number, gets an ASID.
  case otherASIDTaken(process: UInt64, asid: UInt64)

  package var facts: Step.Facts {
    switch self {
    case .vcpuStays, .vcpuLeaves, .vmidTaken, .vmidKept, .vmidRollover, .vmidReserved:
      Step.Facts(.identifier, .vmidAllocation, .none)
    case .vmidPinned, .vmidUnpinned: Step.Facts(.identifier, .vmidPinning, .none)
    case .domainTagged, .domainFreed: Step.Facts(.identifier, .domainVMID, .none)
    case .asidTaken, .otherASIDTaken: Step.Facts(.identifier, .sharedAddresses, .none)
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .vcpuStays(let holder, let vmid, let cpu):
      Explanation(
        "run", "\(holder.name) stays on CPU \(cpu) with VMID \(vmid)",
        "The CPU's active id says so: a rollover must not give its VMID to another.",
        .vmid("kvm_arm_vmid_update"))
    case .vcpuLeaves(let holder, let cpu):
      Explanation(
        "put", "\(holder.name) leaves CPU \(cpu)",
        "The CPU's active id becomes invalid, so that a rollover reserves nothing for it.",
        .vmid("kvm_arm_vmid_clear_active"))
    case .vmidTaken(_, let vmid, _) where step.keeper == .realmManager:
      Explanation(
        "VMID", "the realm has VMID \(vmid)",
        "The host chooses it and names it when it has the realm created. It stays the realm's.",
        .rmm("RMI_REALM_CREATE, RmiRealmParams"))
    case .vmidTaken(let holder, let vmid, let generation):
      Explanation(
        "VMID", "\(holder.name) gets VMID \(vmid), generation \(generation)",
        "It had none, or its old one has been taken since the rollover. The first free one is used.",
        .vmid("new_vmid"))
    case .vmidKept(let holder, let vmid, let generation, let reason):
      Explanation(
        "VMID", "\(holder.name) keeps VMID \(vmid) in generation \(generation)", reason.sentence,
        .vmid("new_vmid"))
    case .vmidRollover(let generation, let limit):
      Explanation(
        "rollover", "no VMID up to \(limit) is free: generation \(generation) begins",
        "All VMIDs are given back, except those that are pinned or run on a CPU.",
        .vmid("flush_context"))
    case .vmidReserved(let vmid, let cpu):
      Explanation(
        "reserve", "VMID \(vmid) runs on CPU \(cpu) and stays taken",
        "The guest keeps running under its old VMID.", .vmid("flush_context"))
    case .vmidPinned(let holder, let vmid):
      Explanation(
        "pin", "VMID \(vmid) of \(holder.name) is pinned",
        "A device's translations are tagged with it: it must stay the same through rollovers.",
        .pinning("kvm_arm_pinned_vmid_get"))
    case .vmidUnpinned(let holder, let vmid):
      Explanation(
        "unpin", "VMID \(vmid) of \(holder.name) is no longer pinned by this device",
        "The next rollover frees it.", .pinning("kvm_arm_pinned_vmid_put"))
    case .domainTagged(let context) where context.isStage1:
      Explanation(
        "ASID", "the domain gets ASID \(context.number) of the SMMU's own",
        "With CD.ASET it has nothing to do with the CPUs' ASIDs, and their TLBIs do not concern it.",
        .smmu("arm_smmu_domain_finalise_s1"))
    case .domainTagged(let context):
      Explanation(
        "VMID", "the domain gets VMID \(context.number) of the SMMU's own",
        "The SMMU's allocator and KVM's are independent: KVM may use the same number for another VM.",
        .smmu("arm_smmu_domain_finalise_s2"))
    case .domainFreed(let context):
      Explanation(
        "free",
        "the domain is freed, and its \(context.isStage1 ? "ASID" : "VMID") \(context.number) is given back",
        "Its translations were invalidated before: the next domain may get the number.",
        .smmu("arm_smmu_domain_free_paging"))
    case .asidTaken(let asid):
      Explanation(
        "ASID", "the VMM's process has ASID \(asid)",
        "CPUs tag what they cache of its table with this number, and invalidate by it.",
        .asid("new_context"))
    case .otherASIDTaken(let process, let asid):
      Explanation(
        "ASID", "process \(process) of the host has ASID \(asid)",
        "CPUs tag what they cache of its table with this number, and invalidate by it.",
        .asid("new_context"))
    }
  }
}

extension IdentifierStep.Holder {
  fileprivate var name: String {
    switch self {
    case .context(let table): Phrase.table(table)
    case .otherVM(let number): "VM \(number)"
    }
  }
}

extension IdentifierStep.Kept {
  fileprivate var sentence: String {
    switch self {
    case .reserved: "It ran on a CPU during the rollover, where it was reserved."
    case .pinned: "It is pinned: the rollover left it taken."
    case .free: "It did not run during the rollover, but nobody has taken its VMID since."
    }
  }
}
