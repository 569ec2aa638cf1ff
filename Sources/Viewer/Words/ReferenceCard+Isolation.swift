/// Isolation by VMIDs.
extension ReferenceCard {
  private static let vmid = "arch/arm64/kvm/vmid.c: "

  static let vmidAllocation = ReferenceCard(
    "How KVM gives VMIDs",
    [
      "A context gets the first free VMID when a vCPU first runs on it, and keeps it while the "
        + "generation lasts. When none is free, a new generation begins: the TLB is emptied on all CPUs, "
        + "and everyone asks again at the next run.",
      "What runs on a CPU at that moment is reserved and goes on under its VMID. Who does not run keeps "
        + "its VMID only if nobody is faster.",
    ],
    sources: [vmid + "kvm_arm_vmid_update, new_vmid, flush_context"],
    see: ["VMID", "rollover", "reserve", "run"])

  static let reverseMapTable = ReferenceCard(
    "AMD's RMP and the size of an I/O page",
    [
      "An I/O page of 2M or more needs an RMP entry of 2M, and one below 2M an entry of 4K; if the classes "
        + "differ, the DMA fails. A CPU would take the smaller of two sizes without a word.",
      "A guest that makes a few pages of a 2M region shared forces both tables down to 4K. Between the two "
        + "changes DMA to all the rest of the region fails, whichever comes first, unless firmware holds "
        + "DMA up. Whether a cached translation is checked again is inferred: rmp-check says it.",
      "KVM takes private pages from guest_memfd, which the VMM cannot map, fork or discard, and whose pages no "
        + "notifier names. pagewalk backs them by the VMM's own memory.",
    ],
    sources: [
      "[PATCH v8 07/15] iommupt: Add map_pages op, 2026-01-22: Kardashevskiy, Gunthorpe",
      "arch/x86/virt/svm/sev.c: psmash, rmp_make_shared",
      "arch/x86/kvm/mmu/mmu.c: kvm_mmu_faultin_pfn_gmem",
    ],
    see: ["RMP", "PSMASH", "DMA window"])

  static let realm = ReferenceCard(
    "A realm's memory",
    [
      "The RMM, secure firmware, owns the realm's table. The host only asks for edits, and the RMM checks "
        + "each: a granule must be delegated before it becomes memory or a table, and a page goes only "
        + "after nothing leads to it any more.",
      "The realm's devices walk the same table, so that one edit changes what CPUs and devices see. All "
        + "memory stays mapped; only splitting and joining blocks opens a window, where the hardware needs "
        + "break-before-make.",
    ],
    sources: [
      "RMM specification 1.0: RMI_GRANULE_DELEGATE, RMI_RTT_CREATE, RMI_DATA_DESTROY",
      "[PATCH v8 07/15] iommupt: Add map_pages op, 2026-01-22: Gunthorpe",
    ],
    see: ["CCA", "GPT", "DMA window"])

  static let domainVMID = ReferenceCard(
    "VMIDs of an SMMU's domains",
    [
      "Each stage-2 domain caches its translations under a VMID of the SMMU's own allocator, from 1 up. "
        + "When none is left, attaching fails with ENOSPC.",
      "If the SMMU obeys the CPUs' TLBIs, the same number of another VM in KVM's allocator costs entries "
        + "without need. Worse is a table that changes with KVM's under another number: then nothing "
        + "reaches its entries.",
    ],
    sources: [
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c: arm_smmu_domain_finalise_s2",
      "[RFC PATCH v3 0/5] iommu/arm-smmu-v3: Use pinned KVM VMID for stage 2, 2025-03-19",
    ],
    see: ["VMID", "DVM", "pinned VMID"])

  static let vmidPinning = ReferenceCard(
    "Pinned VMIDs",
    [
      "An SMMU that obeys broadcast TLBIs must tag a VM's translations with the VMID that KVM puts into "
        + "them, in every generation. So the VMID is pinned: a rollover leaves it taken, and its holder "
        + "keeps it.",
      "So many can be pinned that after a rollover, with a reserved VMID on every CPU, one is still free.",
    ],
    sources: [
      "[RFC PATCH v3 0/5] iommu/arm-smmu-v3: Use pinned KVM VMID for stage 2, 2025-03-19",
      "arch/arm64/mm/context.c: arm64_mm_context_get",
    ],
    see: ["pinned VMID", "rollover", "DVM"])

  static let sharedAddresses = ReferenceCard(
    "A device with a process' addresses (SVA)",
    [
      "The stream's context descriptor points to the page table of the process: stage 1 alone. What the "
        + "SMMU caches is tagged with an ASID. Whenever the process' table changes, the CPUs' TLBI goes by "
        + "its ASID, and a notifier can queue the same for the SMMU.",
      "If the SMMU obeys broadcasts, an ASID that is the process' own makes commands needless. An ASID of "
        + "the SMMU's own may be another process' on the CPUs, whose TLBIs then cost entries; so its "
        + "contexts set ASET, and do not take part. Stage 2 has no such flag.",
      "ASET together with the process' own ASID and no notifier is the worst: nothing tells the SMMU, and "
        + "DMA reaches memory that was freed. Linux 7.3.4 has an ASID of the SMMU's own, ASET, and the "
        + "notifier.",
    ],
    sources: [
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c: arm_smmu_make_sva_cd, "
        + "arm_smmu_mm_arch_invalidate_secondary_tlbs",
      "SMMUv3 architecture: 3.17 and 5.4, CD.ASET",
    ],
    see: ["SVA", "ASID", "ASET", "DVM"])
}
