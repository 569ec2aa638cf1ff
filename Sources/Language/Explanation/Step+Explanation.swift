import Engine

extension Step {
  /// The step in words.
  public var explanation: Explanation {
    protectedExplanation ?? deviceExplanation ?? guestExplanation ?? faultExplanation
      ?? tableExplanation ?? hostExplanation ?? slotExplanation ?? reverseMapExplanation
      ?? vmidExplanation ?? sharedAddressExplanation ?? rmpExplanation ?? realmExplanation
      ?? pausingExplanation
      ?? Explanation("step", "\(action)", "", Source("pagewalk", "Step.Action"))
  }

  private var at: String { Phrase.address(address) }

  /// Steps of a running guest, and of L1's registers.
  private var guestExplanation: Explanation? {
    switch action {
    case .enter:
      let guest = extra == 0 ? "L1" : "L2"
      return Explanation(
        "access", "\(guest) makes a \(Phrase.access(value)) at \(Phrase.input(table)) \(at)",
        "With stage 1 off the address goes to stage 2 as it is; \(guest) runs on "
          + "\(Phrase.table(table)).",
        .architecture("AArch64.S2Translate"))
    case .walk:
      return Explanation(
        "walk", "level \(level) of \(Phrase.table(table)): \(Phrase.entry(value, level: level))",
        "The hardware reads one entry a level, indexed by the address bits of that level.",
        .architecture("D8.2, translation table walk"))
    case .fault:
      return Explanation(
        "fault", "\(Phrase.status(value)) on a \(Phrase.access(extra)): the vCPU leaves to KVM",
        "The walk found no leaf, or one that does not permit the access.",
        .architecture("D8.2, stage 2 faults"))
    case .hardwareAccessFlag:
      return Explanation(
        "AF", "the hardware sets the access flag of the leaf at level \(level)",
        "VTCR_EL2.HA is set, so an old leaf becomes young without a fault.",
        .architecture("VTCR_EL2.HA"))
    case .translated:
      return Explanation(
        "translate", "\(at) → PA \(Phrase.address(value)), into the TLB",
        "The leaf permits the access. The TLB keeps it under the table's VMID.",
        .architecture("AArch64.S2Translate"))
    case .loaded:
      return Explanation(
        "load", "8 bytes at PA \(Phrase.address(extra)): \(Phrase.address(value))",
        "The access completes.", .architecture("AArch64.S2Translate"))
    case .stored:
      return Explanation(
        "store", "8 bytes to PA \(Phrase.address(extra)): \(Phrase.address(value))",
        "The access completes.", .architecture("AArch64.S2Translate"))
    case .fetched:
      return Explanation(
        "fetch", "an instruction at PA \(Phrase.address(extra))", "The access completes.",
        .architecture("AArch64.S2Translate"))
    case .blocked:
      return Explanation(
        "blocked", "the vCPU faults again and again at \(at)",
        "An invalidation is under way and KVM maps nothing until it ends.",
        .kvm("mmu_invalidate_retry"))
    case .context:
      return Explanation(
        "registers", "VTTBR_EL2 = \(Phrase.address(value)), VTCR_EL2 = \(Phrase.address(extra))",
        "L1 describes the stage 2 of its guest. A shadow is chosen when that guest next runs.",
        .nested("lookup_s2_mmu"))
    case .guestInvalidation:
      return Explanation(
        "TLBI", "L1 invalidates under its VMID \(value); every shadow with that VMID obeys",
        "To L1 the shadow tables are its TLB: they must forget what L1 took back.",
        .nested("kvm_s2_mmu_iterate_by_vmid"))
    case .l2Invalidation:
      return Explanation(
        "TLBI", "L2 invalidates its stage 1: no stage-2 table changes",
        "Stage-1 translations are not in a shadow table.", .sysRegs("handle_tlbi_el1"))
    default: return nil
    }
  }

  /// Steps of KVM handling a fault.
  private var faultExplanation: Explanation? {
    switch action {
    case .shadowFound:
      return Explanation(
        "shadow", "\(Phrase.table(table)) serves VTTBR \(Phrase.address(value))",
        "VTTBR and VTCR match (with stage 2 off, the VMID alone), so its leaves can be used.",
        .nested("lookup_s2_mmu"))
    case .shadowTaken:
      return Explanation(
        "shadow",
        "\(Phrase.table(table)), unused so far, is taken for VTTBR "
          + Phrase.address(value),
        "No shadow matches. They are taken in turn, two for each vCPU.",
        .nested("get_s2_mmu_nested"))
    case .shadowRecycled:
      return Explanation(
        "recycle",
        "\(Phrase.table(table)) is taken from another context for VTTBR "
          + Phrase.address(value),
        "No shadow matches and none is free. All its leaves must go before it is used.",
        .nested("get_s2_mmu_nested"))
    case .guestRead:
      return Explanation(
        "read L1",
        "level \(level) at canonical \(Phrase.address(extra)): "
          + Phrase.entry(value, level: level),
        "KVM walks L1's own table in software, as the hardware would if L1 were not virtual.",
        .nested("walk_nested_s2_pgd"))
    case .guestUnreadable:
      return Explanation(
        "read L1", "level \(level) at canonical \(Phrase.address(value)) cannot be read",
        "L1's table lies where it has no memory: an external abort on the walk.",
        .nested("read_guest_s2_desc"))
    case .guestWalkRefused:
      return Explanation(
        "read L1", "VTCR_EL2 \(Phrase.address(value)) describes no table that can be walked",
        "Granule, start level and input size do not fit together.",
        .nested("check_base_s2_limits"))
    case .guestAccessFlag:
      return Explanation(
        "AF in L1", "KVM sets the access flag in L1's entry at \(Phrase.address(extra))",
        "L1 set VTCR_EL2.HA, so KVM does for it what the hardware would.",
        .nested("swap_guest_s2_desc"))
    case .inject:
      return Explanation(
        "inject", "L1 gets a \(Phrase.status(value)) for the \(Phrase.access(extra)) at \(at)",
        "L1's own table forbids it, so L1 must handle it. The shadow stays as it is.",
        .nested("kvm_inject_s2_fault"))
    case .injectSize:
      return Explanation(
        "inject", "an address size fault at \(at)",
        "The address is above the largest that KVM supports.", .mmu("kvm_handle_guest_abort"))
    case .injectExternal:
      return Explanation(
        "inject", "an external abort at \(at)",
        "There is no memory, and a fetch or an address outside the IPA space is no MMIO.",
        .mmu("kvm_handle_guest_abort"))
    case .mmioExit:
      return Explanation(
        "MMIO", "exit to user space for canonical IPA \(Phrase.address(value))",
        "No memory slot is there, so a device of the VMM may be.", .mmu("io_mem_abort"))
    case .memslotFound:
      return Explanation(
        "slot", "canonical \(Phrase.address(value)) is VMM address \(Phrase.address(extra))",
        "The memory slot says which memory of the VMM backs the guest's.",
        .mmu("kvm_handle_guest_abort"))
    case .noVMA:
      return Explanation(
        "EFAULT", "the VMM has nothing mapped at \(at)", "KVM_RUN fails; no table changes.",
        .mmu("kvm_s2_fault_get_vma_info"))
    case .mapLockHeld:
      return Explanation(
        "blocked", "the fault at VMM \(at) waits for mmap_lock",
        "The paused event holds it for writing.", .mmu("kvm_s2_fault_get_vma_info"))
    case .hostRefused:
      return Explanation(
        "EFAULT", "the VMM's mapping at \(at) forbids the access",
        "KVM_RUN fails; no table changes.", .kvm("hva_to_pfn_slow"))
    case .sizeChosen:
      let limit = extra > 0 ? ", L1's leaf \(Phrase.size(extra))" : ""
      return Explanation(
        "size", "VMA \(Phrase.size(size)), at most \(Phrase.size(value))\(limit)",
        "A leaf is no larger than the host's page, the slot, and in a shadow L1's leaf.",
        .mmu("kvm_s2_resolve_vma_size"))
    case .retryAfterNotifier:
      return Explanation(
        "retry", "the host must copy the page first, so the notifier runs",
        "The sequence number will have changed: the fault is given up and taken again.",
        .mmu("kvm_s2_fault_map"))
    case .retryInvalidation:
      return Explanation(
        "retry", "an invalidation is in progress: nothing may be mapped",
        "A leaf made now could outlive the page that is being taken back.",
        .kvm("mmu_invalidate_retry"))
    case .lockRead:
      return Explanation(
        "lock", "mmu_lock, read", "Other vCPUs may fault at the same time.",
        .mmu("kvm_s2_fault_map"))
    case .unlockRead:
      return Explanation("unlock", "mmu_lock", "The guest runs again.", .mmu("kvm_s2_fault_map"))
    case .lockWrite:
      return Explanation(
        "lock", "mmu_lock, write", "Nobody else may touch a table of this VM.",
        .mmu("kvm_mmu_wp_memory_region"))
    case .unlockWrite:
      return Explanation(
        "unlock", "mmu_lock", "Faults can go on.", .mmu("kvm_mmu_wp_memory_region"))
    default: return nil
    }
  }

  /// Steps that change a stage-2 table, or the TLB.
  private var tableExplanation: Explanation? {
    switch action {
    case .map:
      return Explanation(
        "map",
        "\(Phrase.span(self)) in \(Phrase.table(table)): "
          + Phrase.entry(value, level: level),
        "The leaf that the fault asked for is to be installed.",
        .pgtable("kvm_pgtable_stage2_map"))
    case .relax:
      return Explanation(
        "relax", "\(Phrase.span(self)) in \(Phrase.table(table)): \(Phrase.permissions(value))",
        "A leaf of the right size is there; it only lacks the permission.",
        .pgtable("kvm_pgtable_stage2_relax_perms"))
    case .mapUnneeded:
      return Explanation(
        "no change", "level \(level) holds this leaf already",
        "Another vCPU was faster; the guest just tries again.",
        .pgtable("stage2_map_walker_try_leaf"))
    case .entryLocked:
      return Explanation(
        "locked", "level \(level) is LOCKED: tried again",
        "Another walker is between break and make.", .pgtable("stage2_try_break_pte"))
    case .breakEntry:
      return Explanation(
        "break", "level \(level) at \(at): \(Phrase.entry(value, level: level)) → LOCKED",
        "Break before make: an entry is never changed from one valid value to another.",
        .pgtable("stage2_try_break_pte"))
    case .makeTable:
      return Explanation(
        "make", "level \(level) at \(at): \(Phrase.entry(value, level: level))",
        "The new, empty table takes the entry's place.", .pgtable("stage2_make_pte"))
    case .makeLeaf:
      return Explanation(
        "make", "level \(level) at \(at): \(Phrase.entry(value, level: level))",
        "The leaf becomes visible to the hardware.", .pgtable("stage2_make_pte"))
    case .allocateTable:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "It comes from the vCPU's cache, filled before any lock was taken.",
        .pgtable("stage2_map_walk_leaf"))
    case .freeTable:
      return Explanation(
        "free", "the table page at PA \(Phrase.address(value))", "No entry points to it any more.",
        .pgtable("stage2_unmap_walker"))
    case .clearLeaf:
      return Explanation(
        "unmap", "level \(level) at \(at): \(Phrase.entry(value, level: level)) → empty",
        "The whole leaf goes, even if less was asked for; the rest comes back by faults.",
        .pgtable("stage2_unmap_put_pte"))
    case .clearTable:
      return Explanation(
        "unmap", "level \(level) at \(at): the table is empty and goes",
        "A table without entries is freed on the way up.", .pgtable("stage2_unmap_walker"))
    case .relaxLeaf:
      return Explanation(
        "relax",
        "level \(level) at \(at): \(Phrase.permissions(extra)) → "
          + Phrase.permissions(value),
        "More permission needs no break before make.", .pgtable("stage2_attr_walker"))
    case .relaxGone:
      return Explanation(
        "relax", "the leaf at \(at) is gone", "It was unmapped meanwhile; the guest tries again.",
        .pgtable("kvm_pgtable_stage2_relax_perms"))
    case .writeProtect:
      return Explanation(
        "protect",
        "level \(level) at \(at) in \(Phrase.table(table)): "
          + "\(Phrase.permissions(extra)) → \(Phrase.permissions(value))",
        "The next write will fault, and so be logged.",
        .pgtable("kvm_pgtable_stage2_wrprotect"))
    case .ageLeaf:
      return Explanation(
        "age", "level \(level) at \(at): the access flag is cleared",
        "If it is set again, the page was used. Shadow leaves are not aged.",
        .mmu("kvm_age_gfn"))
    case .youngLeaf:
      return Explanation(
        "AF", "level \(level) at \(at): KVM sets the access flag",
        "A CPU would do it by itself (VTCR_EL2.HA); the SMMU is not asked to (S2HA is clear).",
        .mmu("handle_access_fault"))
    case .invalidate(let reason): return invalidationExplanation(reason)
    case .sweep:
      return Explanation(
        "sweep", "unmap \(Phrase.span(self)) of \(Phrase.table(table))",
        "Between gigabytes mmu_lock may be dropped.", .mmu("stage2_apply_range"))
    default: return nil
    }
  }

  private func invalidationExplanation(_ reason: Invalidation) -> Explanation {
    let what = "TLB entries of VMID \(value) for \(Phrase.span(self))"
    let (why, function): (String, String) =
      switch reason {
      case .breakTable:
        ("All that the replaced table mapped may be cached.", "stage2_try_break_pte")
      case .breakLeaf: ("The broken leaf may be cached.", "stage2_try_break_pte")
      case .replaced:
        (
          "The block may be cached beside pages of the new table. With FEAT_BBM level 2 that may end in a "
            + "conflict abort, which EL2 cannot handle; with level 3 it does not.",
          "stage2_try_break_pte"
        )
      case .unmapped:
        (
          "One range invalidation for the whole walk, since the CPU has FEAT_TLBIRANGE.",
          "kvm_pgtable_stage2_unmap"
        )
      case .tableFreed:
        ("The walker may have cached the entry that led to the table.", "stage2_unmap_put_pte")
      case .relaxed:
        (
          "Only this CPU: another one that uses the old leaf just faults.",
          "kvm_pgtable_stage2_relax_perms"
        )
      case .writeProtected:
        (
          "The canonical VMID only. Nothing invalidates the shadows' VMIDs here: an open question.",
          "kvm_flush_remote_tlbs_memslot"
        )
      }
    return Explanation("TLBI", what, why, .pgtable(function))
  }
}
