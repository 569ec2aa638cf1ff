import Engine

extension Step {
  /// Steps of KVM's allocator of hardware VMIDs, and of other VMs.
  var vmidExplanation: Explanation? {
    switch action {
    case .vcpuStays:
      return Explanation(
        "run", "\(holder) stays on CPU \(extra) with VMID \(value)",
        "The CPU's active id says so: a rollover must not give its VMID to another.",
        .vmid("kvm_arm_vmid_update"))
    case .vcpuLeaves:
      return Explanation(
        "put", "\(holder) leaves CPU \(extra)",
        "The CPU's active id becomes invalid, so that a rollover reserves nothing for it.",
        .vmid("kvm_arm_vmid_clear_active"))
    case .vmidTaken:
      return Explanation(
        "VMID", "\(holder) gets VMID \(value), generation \(extra)",
        "It had none, or another has taken its old one since the rollover. The first free one is used.",
        .vmid("new_vmid"))
    case .vmidKept(let reason):
      return Explanation(
        "VMID", "\(holder) keeps VMID \(value) in generation \(extra)", Self.why(reason),
        .vmid("new_vmid"))
    case .vmidRollover:
      return Explanation(
        "rollover", "no VMID up to \(extra) is free: generation \(value) begins",
        "All VMIDs are given back, except those that are pinned or run on a CPU.",
        .vmid("flush_context"))
    case .vmidReserved:
      return Explanation(
        "reserve", "VMID \(value) runs on CPU \(extra) and stays taken",
        "The guest goes on under its old VMID, without asking.", .vmid("flush_context"))
    case .vmidFlush:
      return Explanation(
        "TLBI", "everything, on all CPUs (TLBI ALLE1IS)",
        "The VMIDs of the last generation come to mean others.", .vmid("__kvm_flush_vm_context"))
    case .vmidPinned:
      return Explanation(
        "pin", "VMID \(value) of \(holder) is pinned",
        "A device's translations are tagged with it: it must stay the same through rollovers.",
        .pinning("kvm_arm_pinned_vmid_get"))
    case .vmidUnpinned:
      return Explanation(
        "unpin", "VMID \(value) of \(holder) is not pinned by this device any more",
        "It is free again at the next rollover.", .pinning("kvm_arm_pinned_vmid_put"))
    case .otherVMUnmap:
      return Explanation(
        "TLBI", "TLB entries of VMID \(value) for \(Phrase.span(self)): VM \(extra) lost memory",
        "The notifier of another VM. Only its own entries should be under this VMID.",
        .mmu("kvm_unmap_gfn_range"))
    default: return domainVMIDExplanation
    }
  }

  /// What the SMMU has to do with VMIDs.
  private var domainVMIDExplanation: Explanation? {
    switch action {
    case .iotlbBroadcast:
      let isStage1 = TranslationContext(bits: value).isStage1
      let other = isStage1 ? "another process' TLBI" : "another VM's TLBI"
      return Explanation(
        "DVM",
        "the SMMU obeys \(table == nil ? other : "the TLBI"): \(Phrase.context(value)), "
          + "\(Phrase.span(self)), drops \(extra)",
        table == nil && extra > 0
          ? "The SMMU cannot know whom the number was meant for: the entries must be walked for again."
          : isStage1
            ? "With broadcast maintenance a CPU's invalidation reaches the SMMU, by ASID; entries with ASET "
              + "set do not take part."
            : "With broadcast maintenance a CPU's invalidation reaches the SMMU, by VMID.",
        .smmuArchitecture("3.17, TLB tagging"))
    case .iotlbBroadcastAll:
      return Explanation(
        "DVM", "the SMMU obeys TLBI ALLE1IS: drops \(extra)",
        "A rollover must leave no entry of the old generation, in any TLB that uses KVM's VMIDs.",
        .smmuArchitecture("3.17, TLB tagging"))
    case .domainVMIDTaken:
      return Explanation(
        "VMID", "the domain gets VMID \(value) of the SMMU's own",
        "The SMMU's allocator knows nothing of KVM's: the same number may be another VM's there.",
        .smmu("arm_smmu_domain_finalise_s2"))
    case .domainFreed:
      return Explanation(
        "free", "the domain is gone, and its VMID \(value) is given back",
        "Its translations were invalidated before: the next domain may get the VMID.",
        .smmu("arm_smmu_domain_free"))
    case .otherAttached:
      return Explanation(
        "attach", "a device of VM \(address) is attached, with VMID \(value)",
        "Its domain takes a VMID in the SMMU.", .smmu("arm_smmu_attach_dev"))
    case .otherDetached:
      return Explanation(
        "detach", "the device of VM \(address) is detached; VMID \(value) is given back",
        "Another domain may take the VMID.", .smmu("arm_smmu_domain_free"))
    default: return nil
    }
  }

  /// Whose VMID the step is about.
  private var holder: String { table.map { Phrase.table($0) } ?? "VM \(address)" }

  private static func why(_ reason: VMIDReason) -> String {
    switch reason {
    case .reserved: "It ran on a CPU during the rollover, where it was reserved."
    case .pinned: "It is pinned: the rollover left it taken."
    case .free: "It did not run during the rollover, but nobody has taken its VMID since."
    }
  }
}
