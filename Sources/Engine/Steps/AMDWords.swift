/// The words of a machine with an RMP. There x86's KVM, by its TDP MMU, and AMD's IOMMU keep the tables, and what
/// translates is a nested page table. The model is arm64's; where x86 does otherwise, the reason says so.
///
/// What is said of a step elsewhere holds here too, except for what names something of Arm's.
extension Step {
  /// The words of the step, made of those for other machines.
  func amdExplanation(_ words: Explanation) -> Explanation {
    let own = amdWords
    return Explanation(
      own.label ?? words.label, own.what ?? words.what, own.why ?? words.why,
      own.source ?? keeper.flatMap { Self.amdSources[$0]?[words.source] } ?? words.source)
  }

  /// What replaces other words.
  private struct Words {
    var label: String?
    var what: String?
    var why: String?
    var source: Source?
  }

  /// The functions that do what others do elsewhere, by who keeps the table.
  private static let amdSources: [TableKind.Keeper: [Source: Source]] = [
    .amdKVM: [
      .pgtable("kvm_pgtable_stage2_map"): .tdp("kvm_tdp_mmu_map"),
      .pgtable("kvm_pgtable_stage2_relax_perms"): .tdp("tdp_mmu_map_handle_target_level"),
      .pgtable("stage2_map_walker_try_leaf"): .tdp("tdp_mmu_map_handle_target_level"),
      .pgtable("stage2_map_walk_leaf"): .tdp("tdp_mmu_alloc_sp"),
      .pgtable("stage2_try_break_pte"): .tdp("tdp_mmu_set_spte_atomic"),
      .pgtable("stage2_make_pte"): .tdp("tdp_mmu_map_handle_target_level"),
      .pgtable("stage2_unmap_put_pte"): .tdp("tdp_mmu_zap_leafs"),
      .pgtable("stage2_unmap_walker"): .tdp("handle_removed_pt"),
      .pgtable("stage2_attr_walker"): .tdp("tdp_mmu_map_handle_target_level"),
      .pgtable("kvm_pgtable_stage2_wrprotect"): .tdp("wrprot_gfn_range"),
      .pgtable("kvm_pgtable_stage2_create_unlinked"): .tdp("tdp_mmu_split_huge_page"),
      .architecture("D8.16, FEAT_BBM"): .tdp("tdp_mmu_link_sp"),
      .mmu("kvm_age_gfn"): .tdp("kvm_tdp_mmu_age_gfn_range"),
      .mmu("stage2_apply_range"): .tdp("tdp_mmu_zap_leafs"),
      .mmu("cond_resched_rwlock_write"): .tdp("tdp_mmu_iter_cond_resched"),
      .mmu("kvm_handle_guest_abort"): .x86MMU("kvm_mmu_page_fault"),
      .mmu("kvm_s2_fault_get_vma_info"): .kvm("hva_to_pfn_slow"),
      .mmu("kvm_s2_fault_map"): .x86MMU("kvm_tdp_mmu_page_fault"),
      .mmu("kvm_mmu_wp_memory_region"): .x86MMU("kvm_mmu_slot_remove_write_access"),
      .mmu("kvm_arch_mmu_enable_log_dirty_pt_masked"):
        .x86MMU("kvm_arch_mmu_enable_log_dirty_pt_masked"),
      .mmu("kvm_arch_commit_memory_region"):
        Source("arch/x86/kvm/x86.c", "kvm_arch_commit_memory_region"),
    ],
    .amdDriver: [
      .ioTable("__arm_lpae_map"): .iommuGeneric("pt_iommu_new_table"),
      .ioTable("arm_lpae_install_table"): .iommuGeneric("pt_iommu_new_table"),
      .ioTable("arm_lpae_init_pte"): .iommuGeneric("__map_range_leaf"),
      .ioTable("__arm_lpae_unmap"): .iommuGeneric("__unmap_range"),
      .ioTable("__arm_lpae_free_pgtable"): .iommuGeneric("gather_range_pending"),
      .ioTable("arm_lpae_map_pages"): .iommuGeneric("__map_range_leaf"),
      // A block becomes a table in one store, as was posted for the RMP.
      .pgtable("kvm_pgtable_stage2_create_unlinked"): .rmpAndIOMMU,
      .architecture("D8.16, FEAT_BBM"): .rmpAndIOMMU,
      .smmu("arm_smmu_attach_dev"): .amdIOMMU("amd_iommu_attach_device"),
      .smmu("arm_smmu_attach_dev_identity"): .amdIOMMU("amd_iommu_attach_device"),
      .smmu("arm_smmu_attach_dev_blocked"): .amdIOMMU("blocked_domain_attach_device"),
      .smmu("arm_smmu_domain_free_paging"): .amdIOMMU("amd_iommu_pdom_id_free"),
    ],
  ]

  private var amdWords: Words {
    switch action {
    case .access(let step): words(of: step)
    case .fault(let step): words(of: step)
    case .table(let step): words(of: step)
    case .tlb(let step): words(of: step)
    case .identifier(let step): words(of: step)
    case .slot(let step): words(of: step)
    case .dma(let step): words(of: step)
    case .domain(let step): words(of: step)
    case .guest, .reverseMap, .host, .pause, .rmp, .realm, .pkvm, .sight, .end: Words()
    }
  }

  private func words(of step: AccessStep) -> Words {
    var words = Words(source: .amdArchitecture("15.25, nested paging"))
    switch step {
    case .enter(let kind, _):
      words.what = "the guest \(Phrase.verb(kind)) GPA \(at)"
      words.why = "Its own paging is off, so the nested page table translates the address as it is."
    case .walk where keeper == .amdDriver:
      words.why = "The IOMMU's TLB has no translation, so its walker reads one entry per level."
      words.source = .amdIOMMUArchitecture("2.2.3, I/O page tables")
    case .cached(_, true):
      words.why =
        "The table says otherwise by now. No flush has reached this entry, so the CPU uses it."
    case .cached(_, false):
      words.why = "The CPU holds the leaf under the guest's ASID, and reads no table."
    case .fault(let status, let kind):
      words.what =
        "nested page fault, level \(status.level), on a \(Phrase.access(kind)): #VMEXIT to KVM"
    case .accessFlagSet:
      words.label = "A bit"
      words.what = "the hardware sets the accessed bit of the leaf at level \(level)"
      words.why = "It does so whenever it walks, without a fault."
    case .translated:
      words.why = "The leaf permits the access. The TLB keeps it under the guest's ASID."
    case .blocked: words.source = nil
    case .endless: words.source = .x86MMU("kvm_mmu_page_fault")
    case .walk, .loaded, .stored, .fetched: break
    }
    return words
  }

  private func words(of step: FaultStep) -> Words {
    switch step {
    case .mmioExit(let ipa):
      Words(
        what: "exit to user space for GPA \(Phrase.address(ipa))",
        source: Source("arch/x86/kvm/x86.c", "kvm_sev_es_mmio"))
    case .memslotFound(let ipa, let hva):
      Words(
        what: "GPA \(Phrase.address(ipa)) is VMM address \(Phrase.address(hva))",
        why:
          "pagewalk backs all memory by the VMM's. KVM takes a guest's private pages from guest_memfd alone, which "
          + "the VMM cannot map.",
        source: .x86MMU("kvm_mmu_faultin_pfn, kvm_mmu_faultin_pfn_gmem"))
    case .sizeChosen:
      Words(
        why: "A leaf is no larger than the host's page, the slot and the RMP's entry.",
        source: .x86MMU("kvm_mmu_max_mapping_level"))
    case .retryAfterNotifier: Words(source: .x86MMU("is_page_fault_stale"))
    case .injectExternal:
      Words(
        why:
          "There is no memory there, and a fetch or an address outside the guest's space cannot be MMIO."
      )
    case .locked(.split):
      Words(
        why: "pagewalk takes it for writing, as arm64 does. x86 splits under the read side.",
        source: .x86MMU("kvm_mmu_slot_try_split_huge_pages"))
    case .unlocked(.split): Words(source: .x86MMU("kvm_mmu_slot_try_split_huge_pages"))
    case .shadowFound, .shadowTaken, .shadowRecycled, .guestRead, .guestUnreadable,
      .guestWalkRefused, .guestAccessFlag, .inject, .injectSize, .noVMA, .mapLockHeld, .hostRefused,
      .retryInvalidation, .locked, .unlocked, .noMemory:
      Words()
    }
  }

  private func words(of step: TableStep) -> Words {
    if keeper == .amdDriver {
      guard case .clearLeaf = step else { return Words() }
      return Words(why: "The table no longer has it; the IOMMU's TLB may still hold it.")
    }
    let place = "level \(level) at \(at)"
    return switch step {
    case .entryLocked:
      Words(
        label: "frozen", what: "level \(level) is frozen: the walk is retried",
        why: "Another walker is about to change it.", source: .tdp("kvm_tdp_mmu_map"))
    case .breakEntry(let old):
      Words(
        label: "freeze", what: "\(place): \(Phrase.entry(old, level: level)) → FROZEN_SPTE",
        why: old.isValid
          ? "Nobody else changes a frozen entry, and no walk gets through it."
          : "pagewalk freezes it as arm64 breaks it. x86 replaces an empty entry in one store.")
    case .makeTable, .linkTable: Words(source: .tdp("tdp_mmu_link_sp"))
    case .allocateForSplit:
      Words(
        why: "It is allocated for the split, with mmu_lock dropped if there is none at once.",
        source: .tdp("tdp_mmu_alloc_sp_for_split"))
    case .clearTable:
      Words(
        why:
          "pagewalk frees an empty table on the way up, as arm64 does. x86 keeps it until more is removed."
      )
    case .freeTable, .freeReplaced: Words(source: .tdp("tdp_mmu_free_sp_rcu_callback"))
    case .relaxLeaf: Words(why: "An entry gets more permission by one store.")
    case .relaxKept:
      Words(
        why:
          "Another vCPU was faster. This CPU had the leaf cached as it was before; the next access walks.",
        source: .tdp("tdp_mmu_map_handle_target_level"))
    case .ageLeaf:
      Words(
        what: "\(place): the accessed bit is cleared",
        why: "If it is set again later, the page was used.")
    case .map, .relax, .mapUnneeded, .makeLeaf, .allocateTable, .clearLeaf, .relaxGone,
      .writeProtect, .youngLeaf, .restateLeaf, .sweep, .emptyShadow, .fillTable, .swapEntry,
      .cleanEntries:
      Words()
    }
  }

  private func words(of step: TLBStep) -> Words {
    switch step {
    case .invalidate(let reason, let asid):
      Words(
        label: "flush",
        what: reason == .tableFreed
          ? "ASID \(asid), GPA \(at): all that is cached of the walk to it"
          : "TLB entries of ASID \(asid) for \(span)",
        why: "x86 flushes all of the guest's ASID; pagewalk drops what may have changed.",
        source: .kvm("kvm_flush_remote_tlbs_range"))
    case .flush:
      Words(
        label: "flush", what: "everything, on all CPUs",
        why: "The ASIDs of the old generation will be assigned anew.",
        source: Source("arch/x86/kvm/svm/svm.c", "new_asid"))
    case .otherVM(let number, let asid):
      Words(
        label: "flush", what: "TLB entries of ASID \(asid) for \(span): VM \(number) lost memory",
        why: "The notifier of another VM. Only its own entries should be under this ASID.",
        source: .x86MMU("kvm_unmap_gfn_range"))
    case .command(let context):
      Words(
        label: "flush", what: "command: invalidate DomainID \(context.number), \(span)",
        why:
          "It waits in the command buffer. Until it is done the IOMMU may use what it has cached.",
        source: .amdIOMMU("amd_iommu_domain_flush_pages"))
    case .commandAll(let context, _):
      Words(
        label: "flush", what: "command: invalidate all of DomainID \(context.number)",
        source: .amdIOMMU("amd_iommu_domain_flush_all"))
    case .noCommand(let context):
      Words(
        label: "no flush",
        what: "no command for DomainID \(context.number), \(span): no device uses it",
        source: .amdIOMMU("amd_iommu_domain_flush_pages"))
    case .sync: Words(source: .amdIOMMU("iommu_completion_wait"))
    case .host, .hostAll, .otherProcess, .broadcast, .broadcastAll: Words()
    }
  }

  private func words(of step: IdentifierStep) -> Words {
    func name(_ holder: IdentifierStep.Holder) -> String {
      switch holder {
      case .context: "the guest"
      case .otherVM(let number): "VM \(number)"
      }
    }
    let given = Source.sev("sev_asid_new")
    return switch step {
    case .vcpuStays(let holder, let asid, let cpu):
      Words(
        what: "\(name(holder)) stays on CPU \(cpu) with ASID \(asid)",
        why: "The CPU knows the guest's key by its ASID.", source: .sev("pre_sev_run"))
    case .vcpuLeaves(let holder, let cpu):
      Words(
        what: "\(name(holder)) leaves CPU \(cpu)", why: "Nothing of it runs there now.",
        source: Source("arch/x86/kvm/svm/svm.c", "svm_vcpu_put"))
    case .vmidTaken(let holder, let asid, _):
      Words(
        label: "ASID", what: "\(name(holder)) has ASID \(asid)",
        why:
          "The hardware knows the guest's key by it. pagewalk gives it at the first run, as arm64 does; KVM has "
          + "given it when the guest was made (KVM_SEV_INIT2).", source: given)
    case .vmidKept(let holder, let asid, _, _):
      Words(
        label: "ASID", what: "\(name(holder)) keeps ASID \(asid)",
        why: "A guest's ASID stays the same as long as it lives.", source: given)
    case .vmidRollover(_, let limit):
      Words(
        what: "no ASID up to \(limit) is free: all are given anew",
        why: "pagewalk gives numbers as arm64 does. x86 starts no guest without a free ASID.",
        source: given)
    case .vmidReserved(let asid, let cpu):
      Words(
        what: "ASID \(asid) runs on CPU \(cpu) and stays taken",
        why: "The guest keeps running under its old ASID.", source: given)
    case .domainTagged(let context):
      Words(
        label: "DomainID", what: "the domain gets DomainID \(context.number)",
        why: "The IOMMU's numbers have nothing to do with the guests' ASIDs.",
        source: .amdIOMMU("amd_iommu_pdom_id_alloc"))
    case .domainFreed(let context):
      Words(what: "the domain is freed, and its DomainID \(context.number) is given back")
    case .vmidPinned, .vmidUnpinned, .asidTaken, .otherASIDTaken: Words()
    }
  }

  private func words(of step: SlotStep) -> Words {
    switch step {
    case .added(let number, let hva):
      Words(what: "slot \(number): GPA \(span) at VMM \(Phrase.address(hva))")
    case .deleted:
      Words(
        what: "GPA \(span) is invalid from now on, and will be deleted",
        why:
          "No fault can map it any more. Then kvm_arch_flush_shadow_memslot removes what is mapped."
      )
    case .dirtyPages:
      Words(why: "Everything from the first to the last dirty page is write-protected.")
    case .eagerSplit: Words(source: .x86MMU("kvm_mmu_slot_try_split_huge_pages"))
    case .dirtyLogOn, .dirtyLogOff, .dirtyLogGet: Words()
    }
  }

  private func words(of step: DMAStep) -> Words {
    let architecture = Source.amdIOMMUArchitecture("2.2.2, device table entry")
    return switch step {
    case .begin(_, let stream):
      Words(
        why:
          "The bus gives the transaction DeviceID \(Phrase.address(stream)), by which the IOMMU knows it.",
        source: architecture)
    case .streamEntry(let kind, let context):
      Words(
        label: "DTE", what: "the device table entry says: \(Self.text(of: kind, context))",
        why: Self.effect(of: kind),
        source: .amdIOMMU("set_dte_entry"))
    case .cached(let physical, let context):
      Words(
        what: "\(at) → PA \(Phrase.address(physical)), cached at level \(level), "
          + "DomainID \(context.number)", source: .amdIOMMUArchitecture("2.2.3, I/O page tables"))
    case .translated(let physical, let context):
      Words(
        what: "\(at) → PA \(Phrase.address(physical)), into the IOMMU's TLB, "
          + "DomainID \(context.number)", source: .amdIOMMUArchitecture("2.2.3, I/O page tables"))
    case .loaded, .stored: Words(source: .amdIOMMUArchitecture("2.2.3, I/O page tables"))
    case .fault(let fault, _) where fault != .rmp:
      Words(
        why: "The IOMMU logs an event; most devices cannot wait for anybody to repair the table.",
        source: .amdIOMMU("amd_iommu_report_page_fault"))
    case .aborted:
      Words(
        what: "the DMA at \(at) is terminated",
        why: "No domain is attached: the device's entry permits nothing.",
        source: .amdIOMMU("blocked_domain_attach_device"))
    case .fault, .accessFlagSet, .waits, .stalled, .resumed, .terminated: Words()
    }
  }

  private static func text(of kind: StreamEntry.Kind, _ context: TranslationContext) -> String {
    switch kind {
    case .abort: "nothing is permitted"
    case .bypass: "no translation"
    case .stage1, .stage2: "a table, DomainID \(context.number)"
    case .invalid: "not valid"
    }
  }

  private static func effect(of kind: StreamEntry.Kind) -> String? {
    switch kind {
    case .stage1, .stage2:
      "It holds the root, the number of levels, and the DomainID of what is cached."
    case .invalid: "The IOMMU does not use it."
    case .abort, .bypass: nil
    }
  }

  private func words(of step: DomainStep) -> Words {
    switch step {
    case .reset:
      Words(
        label: "IOMMU", what: "the IOMMU is set up: no device's entry permits anything",
        source: Source("drivers/iommu/amd/init.c", "init_device_table"))
    case .attached(let root, let context):
      Words(
        what: "the device's entry points to the table at \(Phrase.address(root)), "
          + "DomainID \(context.number)")
    case .blocked: Words(what: "the device's entry permits nothing any more")
    case .bypassed:
      Words(
        what: "the device's entry says: no translation",
        why:
          "A device of the host's own, which is trusted with all of the host's memory. The RMP is still checked."
      )
    case .pagePinned(let page, _):
      Words(what: "\(Phrase.size(size)) at GPA \(at): PA \(Phrase.address(page))")
    case .pagesUnpinned(_, areCached: false):
      Words(why: "No entry of the device's table leads to them, and the IOMMU has cached none.")
    case .pagesUnpinned(_, areCached: true):
      Words(
        why:
          "No entry of the device's table leads to them, but the IOMMU has cached one that did: its DMA can "
          + "reach a page that is another's by then.")
    case .otherAttached(let number, let identifier):
      Words(
        what: "a device of VM \(number) is attached, with DomainID \(identifier)",
        why: "Its domain takes a number in the IOMMU.")
    case .otherDetached(let number, let identifier):
      Words(
        what: "the device of VM \(number) is detached; DomainID \(identifier) is given back",
        why: "Another domain may take the number.")
    case .mapCall:
      Words(
        why:
          "One call maps the whole range, here shown size by size. AMD's table also has leaves of "
          + "other powers of two; pagewalk's has 4K, 2M and 1G.", source: .iommuGeneric("map_range")
      )
    case .unmapCall:
      Words(
        why: "One call unmaps the whole range, here shown size by size.",
        source: .iommuGeneric("unmap_range"))
    case .unmapStopped(let done):
      Words(
        why:
          "The unmap ends at the first empty entry. It has no error: it returns the \(done) bytes.",
        source: .iommuGeneric("__unmap_range"))
    case .unmapUnaligned:
      Words(
        why: "There is no smaller leaf. unmap_range has no error: it returns 0 bytes.",
        source: .iommuGeneric("unmap_range"))
    case .joined, .bound, .unbound, .bypassShadowed, .partialUnmap, .areaCut, .rootAllocated:
      Words()
    }
  }
}
