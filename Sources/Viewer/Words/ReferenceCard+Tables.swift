/// How tables change.
extension ReferenceCard {
  private static let mmu = "arch/arm64/kvm/mmu.c: "
  private static let nested = "arch/arm64/kvm/nested.c: "
  private static let pgtable = "arch/arm64/kvm/hyp/pgtable.c: "

  static let mapping = ReferenceCard(
    "Mapping a leaf",
    [
      "The walk goes down to the leaf's level and makes tables on the way, each a fresh page from the "
        + "vCPU's cache. The leaf is written last, with release, when all that it leads to is ready.",
      "If the same leaf is there, or one that differs only in permissions, another vCPU was faster: "
        + "nothing is written and the guest tries again.",
      "A block in the way becomes an empty table with the one page in it; the rest comes back by "
        + "faults. A table in the way of a block is removed, with everything below it.",
    ],
    sources: [
      Self.pgtable + "kvm_pgtable_stage2_map, stage2_map_walk_leaf, stage2_map_walker_try_leaf"
    ],
    see: ["map", "allocate", "break before make", "block"])

  static let breakBeforeMake = ReferenceCard(
    "Break before make",
    [
      "A valid entry is never changed into another valid one of other size or address. First it is "
        + "replaced by LOCKED, then a TLBI removes what is cached of it, then the new entry is written.",
      "LOCKED also keeps other walkers away: one that meets it gives up and tries again. For a table that "
        + "becomes a block the TLBI covers all that the table mapped.",
      "KVM's TLBI of a stage-2 range is followed by VMALLE1: CPUs cache both stages combined, so every "
        + "translation of stage 1 under that VMID is removed with it, though the range is small.",
    ],
    sources: [
      Self.pgtable + "stage2_try_break_pte, stage2_make_pte", "Arm ARM: D8.16",
      "arch/arm64/kvm/hyp/vhe/tlb.c: __kvm_tlb_flush_vmid_ipa, __kvm_tlb_flush_vmid_range",
    ],
    see: ["break before make", "LOCKED", "TLBI", "hitless"])

  static let relaxing = ReferenceCard(
    "More permission",
    [
      "A leaf of the right size that lacks a permission gets it in place, by compare-and-swap. No break: "
        + "address and size stay.",
      "The TLBI is for this CPU only. Another one with the old leaf just faults and finds it relaxed. A "
        + "relaxed leaf is not recorded again in a reverse map.",
    ],
    sources: [Self.pgtable + "kvm_pgtable_stage2_relax_perms"], see: ["relax", "permission"])

  static let unmapping = ReferenceCard(
    "Unmapping",
    [
      "Leaves in the range become 0: whole leaves, even where the range covers part of one. A table "
        + "whose last entry goes is freed on the way up.",
      "With FEAT_TLBIRANGE and FEAT_S2FWB one range TLBI follows the walk; else one for each leaf. A table's end needs "
        + "a TLBI of its own, since the walker may have cached the entry that led there.",
    ],
    sources: [
      Self.pgtable + "kvm_pgtable_stage2_unmap, stage2_unmap_walker, stage2_unmap_put_pte"
    ],
    see: ["unmap", "free", "TLBI"])

  static let sweeping = ReferenceCard(
    "Long sweeps drop the lock",
    [
      "A range is unmapped in pieces of the largest block, 1G. Between two, if someone waits or it has "
        + "taken long, mmu_lock is dropped and taken again.",
      "A pause stops an event there: what runs in between is what races with the sweep in a real VM.",
      "A device's event stops between two calls of its table, or two pages that are pinned; a hypercall "
        + "between two of its effects. Neither holds DMA up.",
    ],
    sources: [Self.mmu + "stage2_apply_range"], see: ["sweep", "drop lock", "pause"])

  static let writeProtection = ReferenceCard(
    "Write protection",
    [
      "Leaves of the slot lose their write permission in the canonical table; in every valid shadow all "
        + "leaves do, over its whole range, since nobody knows which belong to the slot.",
      "kvm_nested_s2_wp leaves the TLB to its callers, and they flush with kvm_flush_remote_tlbs_memslot. "
        + "On arm64 that is kvm_tlb_flush_vmid_range of kvm->arch.mmu: the canonical VMID.",
      "So no TLBI reaches the shadows' VMIDs. A CPU writes on through what it has cached of a shadow, "
        + "without a fault, and the dirty log misses the page. Read in 7.3.4: every other change of a shadow "
        + "(unmap, map, relax) invalidates under the shadow's own VMID.",
    ],
    sources: [
      Self.mmu + "kvm_mmu_wp_memory_region, kvm_arch_mmu_enable_log_dirty_pt_masked, "
        + "kvm_arch_flush_remote_tlbs_range",
      Self.nested + "kvm_nested_s2_wp",
      "virt/kvm/kvm_main.c: kvm_flush_remote_tlbs_memslot",
    ],
    see: ["protect", "dirty log", "VMID", "stale-tlb"])

  static let ageing = ReferenceCard(
    "Was a page used?",
    [
      "The host clears access flags and looks later. Only canonical leaves are aged: the kernel's code "
        + "says that nested tables are left for when there is a reverse map.",
      "A fault or the hardware sets the flag again; no TLBI is needed for either.",
    ],
    sources: [Self.mmu + "kvm_age_gfn", "mm/page_idle.c: page_idle_clear_pte_refs"],
    see: ["age", "idle", "access flag"])

  static let dirtyLogging = ReferenceCard(
    "Dirty logging",
    [
      "Switched on, all leaves of the slot are write-protected; every first write to a page then faults, "
        + "is noted in a bitmap, and gets its page.",
      "Blocks are split by those faults, or ahead of them in chunks if the VMM asked for it; shadows are "
        + "never split ahead. Switched off, nothing changes: blocks come back by faults.",
      "Fetching the log protects the dirty pages again, from the first to the last of each 64, and all "
        + "shadows.",
    ],
    sources: [
      Self.mmu + "kvm_mmu_wp_memory_region, kvm_arch_mmu_enable_log_dirty_pt_masked, "
        + "kvm_mmu_split_huge_pages"
    ],
    see: ["dirty log", "protect", "split"])
  static let sight = ReferenceCard(
    "What dumps show",
    [
      "A stage-2 dump of debugfs has a row for each run of entries of one level with the same attributes. It "
        + "tells what they permit and whether they were accessed; not where they lead, nor their memory type, nor "
        + "where the tables lie.",
      "Kernels before 7.3 do not print the last run. An entry that is not valid and whose bits are not shown, as "
        + "one under break-before-make, looks empty.",
      "Two dumps are two moments. What differs changed between them; by which events, and in which order, is not "
        + "known.",
    ],
    sources: ["arch/arm64/kvm/ptdump.c: kvm_ptdump_guest_show"], see: ["canonical table"])
}
