/// How guests translate, and how KVM handles their faults.
extension ReferenceCard {
  private static let mmu = "arch/arm64/kvm/mmu.c: "
  private static let nested = "arch/arm64/kvm/nested.c: "
  private static let sysRegs = "arch/arm64/kvm/sys_regs.c: "
  private static let kvm = "virt/kvm/kvm_main.c: "

  static let hardwareWalk = ReferenceCard(
    "How the hardware translates",
    [
      "The walk starts at the root of VTTBR_EL2 and reads one entry a level, indexed by that level's "
        + "bits of the address: 9 bits with 4K granules.",
      "A table entry leads down; a leaf must permit the access and have its access flag set. Anything "
        + "else is a stage-2 fault with the level in its status.",
      "What was found is kept in the TLB under the VMID, with its permissions, and used without a walk "
        + "until a TLBI: a write through a writable entry does not fault, even if the leaf has become read-only.",
    ],
    sources: [
      "Arm ARM: D8.2, translation table walk; D8.15, translation lookaside buffers; AArch64.S2Translate"
    ],
    see: ["walk", "leaf", "TLB", "fault status"])

  static let hardwareAccessFlag = ReferenceCard(
    "Hardware sets the access flag",
    [
      "With VTCR_EL2.HA the walker sets a clear access flag itself instead of taking a fault. KVM sets "
        + "HA wherever the CPU has it.",
      "An entry of L1's table is never walked by hardware: if L1 set HA, KVM sets the flag there by "
        + "compare-and-swap.",
    ],
    sources: ["Arm ARM: VTCR_EL2.HA", Self.nested + "swap_guest_s2_desc"],
    see: ["access flag", "age"])

  static let guestContext = ReferenceCard(
    "L1 describes its guest's stage 2",
    [
      "L1 writes VTTBR_EL2 (root and VMID), VTCR_EL2 (format) and HCR_EL2.VM (on or off). These are "
        + "values in memory: nothing happens yet.",
      "When L2 next runs, KVM looks for a shadow that serves them.",
    ],
    sources: [Self.nested + "lookup_s2_mmu, kvm_vcpu_load_hw_mmu"],
    see: ["VTTBR", "VTCR", "HCR.VM", "recycle"])

  static let guestInvalidation = ReferenceCard(
    "L1 invalidates stage 2",
    [
      "The TLBI traps. It names L1's virtual VMID, and KVM acts on every valid shadow that has it; "
        + "ALLE1 acts on all shadows.",
      "IPAS2E1 removes what one leaf of L1 covered. Its size comes from the level hint; without one, "
        + "from the level that the shadow's leaf is tagged with; without a leaf, it is the largest "
        + "block: 1G with 4K granules.",
      "RIPAS2E1 removes its range; VMALLS12E1 all of the shadow. mmu_lock is held for writing and may "
        + "be dropped on the way: other vCPUs may fault pages in until the instruction retires.",
    ],
    sources: [
      Self.sysRegs + "handle_ipas2e1is, handle_ripas2e1is, handle_vmalls12e1is",
      Self.nested + "compute_tlb_inval_range, get_guest_mapping_ttl",
    ],
    see: ["TLBI", "level hint", "tag", "stale"])

  static let stage1Invalidation = ReferenceCard(
    "A stage-1 TLBI changes no table here",
    [
      "Stage-1 translations are not in any stage-2 table. KVM repeats the TLBI under the shadow's "
        + "hardware VMID, and that is all."
    ],
    sources: [Self.sysRegs + "handle_tlbi_el1"], see: ["stage 1", "VMID"])

  static let vncr = ReferenceCard(
    "L1's VNCR page",
    [
      "VNCR_EL2 holds the address of a page in which registers of a guest hypervisor of L1's are kept. "
        + "KVM maps it for itself and remembers the translation, as a TLB would.",
      "So whatever takes the page away, a notifier or the deletion of its slot, must drop it too, and a "
        + "reverse map that replaces the full unmap must not forget that. L1's TLBI ALLE1 drops it as well; its "
        + "TLBIs of one address or one VMID do not.",
    ],
    sources: [
      Self.nested + "kvm_translate_vncr, kvm_map_l1_vncr, kvm_invalidate_vncr_ipa"
    ],
    see: ["VNCR", "notifier"])

  static let shadowChoice = ReferenceCard(
    "Which shadow serves L2",
    [
      "With L1's stage 2 on, the one with the same VTTBR and VTCR; with it off, one with the same VMID "
        + "that is off, too.",
      "If none matches, the next in turn that no vCPU uses is taken; there are two for each vCPU, so one "
        + "is always free. If it served another context, all its leaves go before it is used.",
    ],
    sources: [Self.nested + "get_s2_mmu_nested, lookup_s2_mmu, kvm_init_nested_s2_mmu"],
    see: ["shadow", "recycle", "HCR.VM"])

  static let guestWalk = ReferenceCard(
    "KVM walks L1's table",
    [
      "An L2 fault is first looked up in L1's own table, read from L1's memory at canonical IPAs, level "
        + "by level, with L1's granule and start level.",
      "An invalid entry, a wrong output size or a clear access flag (without HA) ends the walk: the "
        + "exception belongs to L1. A table where L1 has no memory is an external abort.",
    ],
    sources: [
      Self.nested + "kvm_walk_nested_s2, walk_nested_s2_pgd, check_base_s2_limits"
    ],
    see: ["guest table", "read L1", "inject"])

  static let injection = ReferenceCard(
    "L1 gets the exception",
    [
      "If L1's table has no leaf for the address, or one that forbids the access, L1 must handle it: it "
        + "gets an abort at EL2 with the level and the page of the nested IPA. The shadow is left alone.",
      "If L1's leaf permits the access, the restriction was KVM's own, and KVM goes on to map.",
    ],
    sources: [Self.nested + "kvm_inject_s2_fault, kvm_s2_handle_perm_fault"],
    see: ["inject", "fault status"])

  static let addressCheck = ReferenceCard(
    "Addresses that no slot can have",
    [
      "A fault above the largest address of the hardware gives an address size fault; one between there "
        + "and the VM's IPA size an external abort.",
      "So does an instruction fetch where no slot is: devices are not executed.",
    ],
    sources: [Self.mmu + "kvm_handle_guest_abort"],
    see: ["external abort", "address size fault", "MMIO"])

  static let memslots = ReferenceCard(
    "From canonical IPA to the VMM's memory",
    [
      "A memory slot gives a range of canonical IPAs memory of the VMM. A fault outside every slot is "
        + "MMIO and leaves to the VMM.",
      "Deleting a slot unmaps its range from the canonical table and, with it, all shadows.",
    ],
    sources: [
      Self.mmu + "kvm_handle_guest_abort, kvm_arch_flush_shadow_memslot",
      "arch/arm64/kvm/mmio.c: io_mem_abort",
      Self.kvm + "kvm_set_memory_region",
    ],
    see: ["memory slot", "MMIO", "canonical IPA"])

  static let hostAccess = ReferenceCard(
    "The VMM's mapping decides",
    [
      "Where the VMM has nothing mapped, or forbids the access, KVM_RUN fails with EFAULT. No table "
        + "changes."
    ],
    sources: [Self.mmu + "kvm_s2_fault_get_vma_info", Self.kvm + "hva_to_pfn_slow"],
    see: ["EFAULT", "VMA"])

  static let mappingSize = ReferenceCard(
    "How large a leaf is",
    [
      "At most as large as the host's page, and only if slot, VMM address and IPA are congruent and the "
        + "block stays inside the slot. Dirty logging forces pages.",
      "In a shadow also at most as large as L1's leaf, rounded down to a size that the host has: 32M of "
        + "L1 become 2M. Both addresses are aligned down to it.",
      "If the fault was about permission in a leaf of that size, the leaf is relaxed, not replaced.",
    ],
    sources: [Self.mmu + "kvm_s2_resolve_vma_size, user_mem_abort"],
    see: ["size", "derivation", "huge page"])

  static let retry = ReferenceCard(
    "A fault that an invalidation overtakes",
    [
      "Before it looks the page up, a fault notes the VM's invalidation counter; under mmu_lock it looks "
        + "again. If the counter moved, or any invalidation is in progress, it gives up and the guest "
        + "faults anew.",
      "So no leaf appears anywhere in the VM between a notifier's start and its end. Sweeps for slots, "
        + "recycling and L1's TLBIs give no such protection.",
    ],
    sources: ["include/linux/kvm_host.h: mmu_invalidate_retry", Self.mmu + "kvm_s2_fault_map"],
    see: ["retry", "blocked", "notifier"])

  static let lock = ReferenceCard(
    "mmu_lock",
    [
      "Faults map under the read side: several vCPUs at once, each entry changed by compare-and-swap. So a "
        + "fault can break a block, or a table for a block. Whatever unmaps a range holds the write side.",
      "A long sweep may drop it between gigabytes. Everything learnt before must then be looked at again.",
    ],
    sources: [Self.mmu + "kvm_s2_fault_map, stage2_apply_range"],
    see: ["mmu_lock", "drop lock", "LOCKED"])
}
