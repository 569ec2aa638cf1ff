/// An invalidation of a TLB: the CPUs' or the SMMU's.
package enum TLBStep: StepFamily {
  /// Why the host kernel invalidates the TLB.
  package enum Reason: Hashable, Sendable {
    /// A table entry, or a leaf, was broken.
    case breakTable, breakLeaf
    /// A full table replaced a block.
    case replaced
    /// A range was unmapped; or a range of several gigabytes, one by one.
    case unmapped
    case swept(UInt64)
    /// A table became empty.
    case tableFreed
    /// A leaf got more permissions.
    case relaxed
    /// A slot was write-protected: the number of ranges that it takes.
    case writeProtected(UInt64)
    /// The RMM stored another entry in a realm's table.
    case realmEntry
  }

  /// A range is invalidated, under a hardware VMID.
  case invalidate(Reason, vmid: UInt16)
  /// Everything is invalidated.
  case flush
  /// The notifier unmaps a range of another VM.
  case otherVM(UInt64, vmid: UInt16)
  /// The host invalidates the VMM's own translations.
  case host(asid: UInt16, isLocal: Bool)
  /// All of the VMM's own translations.
  case hostAll(asid: UInt16)
  /// The host invalidates another process's translations.
  case otherProcess(UInt64, asid: UInt16)
  /// An invalidation is put into the SMMU's command queue.
  case command(TranslationContext)
  /// The same for all of a VMID or ASID: its last device is detached, or all of the process' table has changed.
  case commandAll(TranslationContext, isDetached: Bool = true)
  /// Nothing is sent, since no device uses the VMID or ASID.
  case noCommand(TranslationContext)
  /// The kernel waits for the queued commands to complete.
  case sync(commands: UInt64)
  /// The SMMU obeys a CPU's TLBI: the number of entries that it drops. If the step has no table, the TLBI
  /// was for another VM or process.
  case broadcast(TranslationContext, dropped: Int)
  /// The SMMU obeys a TLBI of everything: the number of entries that it drops.
  case broadcastAll(dropped: Int)

  package var facts: Step.Facts {
    switch self {
    case .invalidate(let reason, _):
      Step.Facts(.invalidation, reason.convention, reason.isOfRange ? .none : .input)
    case .flush: Step.Facts(.invalidation, .vmidAllocation, .none)
    case .otherVM: Step.Facts(.invalidation, .unmapping, .none)
    case .host: Step.Facts(.invalidation, .sharedAddresses)
    case .hostAll: Step.Facts(.invalidation, .sharedAddresses, .none)
    case .otherProcess: Step.Facts(.invalidation, .sharedAddresses, .none)
    case .command, .broadcast: Step.Facts(.deviceInvalidation, .deviceInvalidation)
    case .commandAll: Step.Facts(.deviceInvalidation, .deviceInvalidation, .none)
    case .noCommand: Step.Facts(.plan, .deviceInvalidation)
    case .sync: Step.Facts(.wait, .deviceInvalidation, .none)
    case .broadcastAll: Step.Facts(.deviceInvalidation, .deviceInvalidation, .none)
    }
  }

  /// Number of invalidations by the host, of the CPUs' TLBs and by commands of the SMMU's.
  package var invalidations: Int {
    switch self {
    case .invalidate(let reason, _): reason.count
    case .flush, .otherVM, .host, .hostAll, .otherProcess, .command, .commandAll: 1
    case .noCommand, .sync, .broadcast, .broadcastAll: 0
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .invalidate(let reason, let vmid):
      let (why, source) =
        step.keeper == .realmManager ? reason.realmExplanation : reason.explanation
      return Explanation(
        "TLBI",
        reason == .tableFreed
          ? "VMID \(vmid), IPA \(step.at), no TTL: all that is cached of the walk to it"
          : "TLB entries of VMID \(vmid) for \(step.span)"
            + (reason.count > 1 ? ", in \(reason.count) invalidations" : ""),
        why, source)
    case .flush:
      return Explanation(
        "TLBI", "everything, on all CPUs (TLBI ALLE1IS)",
        "The VMIDs of the old generation will be assigned anew.", .vmid("__kvm_flush_vm_context"))
    case .otherVM(let number, let vmid):
      return Explanation(
        "TLBI", "TLB entries of VMID \(vmid) for \(step.span): VM \(number) lost memory",
        "The notifier of another VM. Only its own entries should be under this VMID.",
        .mmu("kvm_unmap_gfn_range"))
    case .host(let asid, false):
      return Explanation(
        "TLBI", "TLB entries of the VMM's ASID \(asid) for \(step.span), on all CPUs",
        "TLBI VAE1IS: the process's own table has changed, and a device walks it as well.",
        .tlbFlush("__flush_tlb_range"))
    case .hostAll(let asid):
      return Explanation(
        "TLBI", "all TLB entries of the VMM's ASID \(asid), on all CPUs",
        "TLBI ASIDE1IS, once, after all notifications of fork have ended.",
        .tlbFlush("flush_tlb_mm"))
    case .host(let asid, true):
      return Explanation(
        "TLBI", "TLB entries of the VMM's ASID \(asid) for \(step.span), on this CPU",
        "TLBI VALE1, without a broadcast: the entry only permits more than before, and another CPU that "
          + "has cached the old one takes a fault.",
        .memoryFault("__ptep_set_access_flags_anysz"))
    case .otherProcess(let number, let asid):
      return Explanation(
        "TLBI", "TLB entries of ASID \(asid) for \(step.span): process \(number) lost memory",
        "Another process of the host. Only its own entries should be under this ASID.",
        .tlbFlush("__flush_tlb_range"))
    case .command(let context):
      return Explanation(
        "TLBI", "command: invalidate \(Phrase.context(context)), \(step.span)",
        "It waits in the queue. Until a sync the SMMU may still use what it has cached.",
        Self.driver(of: step, "arm_smmu_domain_inv_range"))
    case .commandAll(let context, false):
      return Explanation(
        "TLBI", "command: invalidate all of \(Phrase.context(context))",
        "All of the process' table has changed. One command names the ASID, and no range.",
        .sva("arm_smmu_mm_arch_invalidate_secondary_tlbs"))
    case .commandAll(let context, true):
      return Explanation(
        "TLBI", "command: invalidate all of \(Phrase.context(context))",
        "Its last device was detached. From now on nobody invalidates it, so nothing may stay cached.",
        Self.driver(of: step, "arm_smmu_inv_flush_iotlb_tag"))
    case .noCommand(let context):
      return Explanation(
        "no TLBI", "no command for \(Phrase.context(context)), \(step.span): no device uses it",
        "Nothing of it is cached: all was invalidated when its last device was detached.",
        Self.driver(of: step, "arm_smmu_domain_inv_range"))
    case .sync(let commands):
      return Explanation(
        "sync", "wait until \(commands) command\(commands == 1 ? " is" : "s are") done",
        "Only then is it certain that no DMA uses the old translation.",
        Self.driver(of: step, "arm_smmu_cmdq_issue_cmdlist"))
    case .broadcast(let context, let dropped):
      return broadcastExplanation(step, context, dropped)
    case .broadcastAll(let dropped):
      return Explanation(
        "DVM", "the SMMU obeys TLBI ALLE1IS: drops \(dropped)",
        "A rollover must leave no entry of the old generation in any TLB that uses KVM's VMIDs.",
        .smmuArchitecture("3.17, TLB tagging"))
    }
  }

  /// Who invalidates the SMMU's TLB for a table: Linux' driver, by a function of its own, or another.
  private static func driver(of step: Step, _ function: String) -> Source {
    switch step.keeper {
    case .realmManager: .realmManager("invalidate_page_block, smmuv3_inv_at_level")
    case .pkvmDriver: .shadowing("smmu_host_stage2_idmap")
    case .kvm, .amdKVM, .pkvm, .guestHypervisor, .hostMemory, .iommu, .amdDriver, nil:
      .smmu(function)
    }
  }

  private func broadcastExplanation(
    _ step: Step, _ context: TranslationContext, _ dropped: Int
  ) -> Explanation {
    let isOthers = step.table == nil
    let whose =
      isOthers
      ? context.isStage1 ? "another process' TLBI" : "another VM's TLBI" : "the TLBI"
    let why =
      if isOthers, dropped > 0 {
        "The SMMU cannot tell whose number it was: these translations must be walked for again."
      } else if context.isStage1 {
        "With broadcast TLB maintenance a CPU's invalidation by ASID reaches the SMMU, except for entries "
          + "with ASET."
      } else {
        "With broadcast TLB maintenance a CPU's invalidation by VMID reaches the SMMU."
      }
    return Explanation(
      "DVM",
      "the SMMU obeys \(whose): \(Phrase.context(context)), \(step.span), drops \(dropped)", why,
      .smmuArchitecture("3.17, TLB tagging"))
  }
}

extension TLBStep.Reason {
  fileprivate var convention: Convention {
    switch self {
    case .breakTable, .breakLeaf, .replaced: .breakBeforeMake
    case .unmapped, .swept, .tableFreed: .unmapping
    case .relaxed: .relaxing
    case .writeProtected: .writeProtection
    case .realmEntry: .realm
    }
  }

  /// Number of invalidations.
  var count: Int {
    switch self {
    case .swept(let count), .writeProtected(let count): Int(count)
    case .breakTable, .breakLeaf, .replaced, .unmapped, .tableFreed, .relaxed, .realmEntry: 1
    }
  }

  /// Whether it covers the whole requested range, not one entry.
  fileprivate var isOfRange: Bool {
    switch self {
    case .unmapped, .swept, .writeProtected: true
    case .breakTable, .breakLeaf, .replaced, .tableFreed, .relaxed, .realmEntry: false
    }
  }

  /// The same in a realm's table.
  fileprivate var realmExplanation: (String, Source) {
    switch self {
    case .breakTable, .tableFreed:
      (
        "Whatever the RTT mapped may be cached, on CPUs and in the SMMU.",
        .realmManager("invalidate_pages_in_block")
      )
    case .breakLeaf, .replaced, .unmapped, .swept, .relaxed, .writeProtected, .realmEntry:
      (
        "What the entry was may be cached, on CPUs and in the SMMU, and the granule may soon be another's.",
        .realmManager("invalidate_page_block")
      )
    }
  }

  /// Why, and by what rule.
  fileprivate var explanation: (String, Source) {
    switch self {
    case .breakTable:
      ("Anything that the replaced table mapped may be cached.", .pgtable("stage2_try_break_pte"))
    case .breakLeaf: ("The broken leaf may be cached.", .pgtable("stage2_try_break_pte"))
    case .replaced:
      (
        "The block may be cached beside pages of the new table. With FEAT_BBM level 2 that may end in a "
          + "conflict abort, which EL2 cannot handle; with level 3 it does not.",
        .pgtable("stage2_try_break_pte")
      )
    case .unmapped:
      (
        "One range invalidation for the whole walk, because the CPU has FEAT_TLBIRANGE and FEAT_S2FWB.",
        .pgtable("kvm_pgtable_stage2_unmap")
      )
    case .swept:
      (
        "KVM unmaps a gigabyte at a time, so that it can drop mmu_lock in between, and invalidates each, "
          + "even one in which nothing was mapped.",
        .mmu("stage2_apply_range")
      )
    case .tableFreed:
      (
        "A walk cache may hold the entry that led to the table; a TLBI without a level hint removes it.",
        .pgtable("stage2_unmap_put_pte")
      )
    case .relaxed:
      (
        "On this CPU only: another CPU that uses the old leaf just faults.",
        .pgtable("kvm_pgtable_stage2_relax_perms")
      )
    case .writeProtected(let count):
      (
        "Of the canonical VMID alone. What is cached of shadows, under VMIDs of their own, stays."
          + (count > 1 ? " A range of TLBIs covers at most 8G." : ""),
        count > 1
          ? .pgtable("kvm_tlb_flush_vmid_range") : .mmu("kvm_arch_flush_remote_tlbs_range")
      )
    case .realmEntry:
      (
        "CPUs may have cached what the entry was, and the granule may soon be another's.",
        .rmm("TLB maintenance")
      )
    }
  }
}
