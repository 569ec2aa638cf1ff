import Engine

extension Step {
  private var at: String { Phrase.address(address) }

  /// Steps of the VMM and of the host kernel's memory management.
  var hostExplanation: Explanation? {
    switch action {
    case .notifierStart:
      return Explanation(
        "notifier", "the host will change VMM memory \(Phrase.span(self))",
        "KVM must forget what it mapped of it before the page can be used for anything else.",
        .kvm("kvm_mmu_notifier_invalidate_range_start"))
    case .notifierEnd:
      return Explanation(
        "notifier", "the change of \(Phrase.span(self)) is done",
        "The sequence number goes up: faults that looked before try again.",
        .kvm("kvm_mmu_notifier_invalidate_range_end"))
    case .pinnedKept:
      return Explanation(
        "pinned",
        "\(value) page\(value == 1 ? "" : "s") in \(Phrase.span(self)) of "
          + "\(Phrase.table(table)) stay\(value == 1 ? "s" : "")",
        "A device that walks this table has pinned them, so KVM passes them over. The VMM may see other "
          + "memory there now than its guest.",
        .project("pinning in a shared table"))
    case .hostPage:
      return Explanation(
        "host page", "VMM \(at): a page at PA \(Phrase.address(value))",
        "The first write to absent memory.", .memory("memory.c", "do_anonymous_page"))
    case .hostHugePage:
      return Explanation(
        "host page", "VMM \(at): a huge page at PA \(Phrase.address(value))",
        "The VMA allows huge pages and no page table is in the way.",
        .memory("huge_memory.c", "do_huge_pmd_anonymous_page"))
    case .hostHugetlb:
      return Explanation(
        "host page", "VMM \(at): a 1G page at PA \(Phrase.address(value))",
        "The memory is of hugetlb pages.", .memory("hugetlb.c", "hugetlb_no_page"))
    case .hostZeroPage:
      return Explanation(
        "host page", "VMM \(at): the zero page, read-only", "A read of absent memory.",
        .memory("memory.c", "do_anonymous_page"))
    case .hostHugeZeroPage:
      return Explanation(
        "host page", "VMM \(at): the huge zero page, read-only", "A read of absent memory.",
        .memory("huge_memory.c", "do_huge_pmd_anonymous_page"))
    case .hostReuse:
      return Explanation(
        "host page", "VMM \(at): the page becomes writable", "Nobody shares it any more.",
        .memory("memory.c", "wp_page_reuse"))
    case .hostCopy:
      return Explanation(
        "host copy", "VMM \(at): PA \(Phrase.address(extra)) → \(Phrase.address(value))",
        "The page is shared, so the writer gets a copy.", .memory("memory.c", "wp_page_copy"))
    case .hostChanged:
      return Explanation(
        "host page", "VMM \(at): the page is another by now, and stays as it is",
        "Another thread changed the entry while the notifiers ran; the access is tried again.",
        .memory("memory.c", "wp_page_copy"))
    case .hostSplit:
      return Explanation(
        "host split", "VMM \(Phrase.span(self)): 512 pages in place of the huge one",
        "Part of it will be changed.", .memory("huge_memory.c", "__split_huge_pmd"))
    case .hostZap:
      return Explanation(
        "host zap", "VMM \(Phrase.span(self)): the memory is freed",
        "It reads as zero when it is used again.", .memory("memory.c", "zap_pte_range"))
    case .hostFlags:
      return Explanation(
        "host VMA", "VMM \(Phrase.span(self)): other flags",
        "Neighbours with the same flags become one VMA.", .memory("vma.c", "vma_modify"))
    case .hostProtect:
      return Explanation(
        "mprotect", "VMM \(Phrase.span(self)): \(value == 0 ? "read-only" : "read-write")",
        value == 0
          ? "Every page is write-protected."
          : "Pages that are exclusive become writable at once, others by a fault.",
        .memory("mprotect.c", "change_protection"))
    case .hostFork:
      return Explanation(
        "fork", "VMM \(Phrase.span(self)): write-protected",
        "Parent and child share the pages until one of them writes.",
        .memory("memory.c", "copy_page_range"))
    case .hostCollapse:
      return Explanation(
        "collapse", "VMM \(Phrase.span(self)): one huge page at PA \(Phrase.address(value))",
        "512 pages were copied into it.", .memory("khugepaged.c", "collapse_huge_page"))
    case .hostMergeProtect:
      return Explanation(
        "KSM", "VMM \(at): write-protected", "Its contents must not change while it is compared.",
        .memory("ksm.c", "write_protect_page"))
    case .hostMerge:
      return Explanation(
        "KSM", "VMM \(at): PA \(Phrase.address(extra)) → the shared \(Phrase.address(value))",
        "The two pages hold the same bytes.", .memory("ksm.c", "replace_page"))
    case .hostStored, .hostLoaded:
      return Explanation(
        action == .hostStored ? "VMM store" : "VMM load", "VMM \(at), PA \(Phrase.address(value))",
        "The VMM uses the memory itself; KVM has no part in it.",
        .memory("memory.c", "handle_mm_fault"))
    case .signal:
      return Explanation(
        "SIGSEGV", "VMM \(at)", "The VMM has nothing mapped there that it may use so.",
        .memory("memory.c", "handle_mm_fault"))
    case .noHugePages:
      return Explanation(
        "no THP", "VMM \(Phrase.span(self)): huge pages cannot be had",
        "A fact that the scenario states: memory is fragmented.",
        .memory("huge_memory.c", "vma_alloc_anon_folio_pmd"))
    case .age:
      return Explanation(
        "age", "VMM \(Phrase.span(self)): the access flags are cleared",
        "The VMM's table and the canonical table, but no shadow.",
        .memory("page_idle.c", "page_idle_clear_pte_refs"))
    case .idleSet:
      return Explanation(
        "idle", "VMM \(at): marked idle", "It stays so until someone uses the page.",
        .memory("page_idle.c", "page_idle_bitmap_write"))
    case .idleTested:
      return Explanation(
        "idle", "VMM \(at): \(value == 1 ? "still idle" : "used meanwhile")",
        "Reading the bit ages the page again.",
        .memory("page_idle.c", "page_idle_bitmap_read"))
    default: return nil
    }
  }

  /// Steps that concern memory slots.
  var slotExplanation: Explanation? {
    switch action {
    case .addMemslot:
      return Explanation(
        "slot", "slot \(value): canonical \(Phrase.span(self)) at VMM \(Phrase.address(extra))",
        "Guest memory is memory of the VMM.", .kvm("kvm_set_memory_region"))
    case .deleteMemslot:
      return Explanation(
        "slot", "canonical \(Phrase.span(self)) goes",
        "Its mappings go first, and with them every shadow.",
        .mmu("kvm_arch_flush_shadow_memslot"))
    case .dirtyLogOn:
      return Explanation(
        "dirty log", "on for canonical \(Phrase.span(self))",
        "Write protection makes every first write visible.", .mmu("kvm_mmu_wp_memory_region"))
    case .dirtyLogOff:
      return Explanation(
        "dirty log", "off for canonical \(Phrase.span(self)): no table changes",
        "Blocks come back by faults.", .mmu("kvm_arch_commit_memory_region"))
    case .dirtyLogGet:
      return Explanation(
        "dirty log", "fetched for canonical \(Phrase.span(self))",
        "Pages that were dirty are protected again.", .kvm("kvm_get_dirty_log_protect"))
    case .dirtyPages:
      return Explanation(
        "dirty", "64 pages from \(at): mask \(Phrase.address(value))",
        "From the first to the last dirty one they are write-protected, and all shadows with them.",
        .mmu("kvm_arch_mmu_enable_log_dirty_pt_masked"))
    case .eagerSplit:
      return Explanation(
        "split", "blocks will be split in chunks of \(Phrase.size(size))",
        "Dirty logging then need not split them fault by fault.", .mmu("kvm_mmu_split_huge_pages"))
    case .noEffect(let reason):
      let (what, source) = reason.explanation
      return Explanation("no change", what, "The event changes nothing.", source)
    default: return nil
    }
  }
}

extension Step.Idleness {
  fileprivate var explanation: (String, Source) {
    switch self {
    case .loggingUnchanged:
      ("dirty logging of the slot is so already", .kvm("kvm_set_memory_region"))
    case .nothingToCollapse:
      (
        "nothing to collapse here: no page table, or the VMA or the lack of huge pages forbid it",
        .memory("khugepaged.c", "madvise_collapse")
      )
    case .mappingUnchanged:
      ("the VMM's mapping is so already, or there is none", .memory("vma.c", "vma_modify"))
    case .partOfHugePage:
      (
        "hugetlb memory changes in whole huge pages only",
        .memory("hugetlb.c", "hugetlb_vm_op_split")
      )
    case .nothingToMerge:
      ("no two mergeable pages hold the same bytes", .memory("ksm.c", "cmp_and_merge_page"))
    case .notTracked:
      (
        "page_idle passes over absent pages, zero pages and tails of huge pages",
        .memory("page_idle.c", "page_idle_get_folio")
      )
    case .notIdle: ("the page is not idle", .memory("page_idle.c", "page_idle_bitmap_read"))
    case .nothingToShare:
      ("nothing was ever written: the child shares nothing", .memory("memory.c", "vma_needs_copy"))
    case .noShadow:
      ("no shadow in use has this VMID", .nested("kvm_s2_mmu_iterate_by_vmid"))
    case .stage1Only:
      ("a stage-1 invalidation changes no stage-2 table", .sysRegs("handle_tlbi_el1"))
    }
  }
}
