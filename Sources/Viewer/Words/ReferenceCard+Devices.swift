/// The devices' tables, and how they are kept in step with the CPUs'.
extension ReferenceCard {
  static let deviceAccess = ReferenceCard(
    "DMA through the SMMU",
    [
      "The stream's table entry says what becomes of a device's transactions: abort, stage 1 by a context "
        + "descriptor with a table and an ASID, or stage 2 by a table under a VMID. A translation in the SMMU's "
        + "own TLB is used as it is; else its walker reads the table. Linux gives a domain stage 1 where the SMMU "
        + "has it, and stage 2 where a guest's own tables are to be nested in it.",
      "All devices of a VM have one domain, and so one table, unless they are told otherwise: VFIO and iommufd "
        + "attach each to a domain that is there.",
      "A fault terminates the DMA and is reported as an event. Most devices cannot wait until somebody "
        + "has repaired the table.",
    ],
    sources: [
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c: arm_smmu_domain_alloc_paging_flags, arm_smmu_make_s1_cd, "
        + "arm_smmu_make_s2_domain_ste, arm_smmu_dump_event",
      "drivers/vfio/vfio_iommu_type1.c: vfio_iommu_type1_attach_group",
      "drivers/iommu/iommufd/device.c: iommufd_device_auto_get_domain",
      "SMMUv3 architecture: 3.3, data structures and translation procedure",
    ],
    see: ["DMA", "STE", "IOMMU"])

  static let stalling = ReferenceCard(
    "DMA that waits",
    [
      "Where the context descriptor has S, or the stream's entry S2S for stage 2, a DMA without a translation is "
        + "held and reported. Whoever keeps the table handles the fault as one of a CPU, and CMD_RESUME says how the DMA ends: it is tried "
        + "again, or terminated.",
      "A device that can wait is rare, and one that waits too long locks up what shares its queues. Linux "
        + "uses it for processes' memory only; for a VM's or a host's stage 2 nobody has posted a handler.",
    ],
    sources: [
      "SMMUv3 architecture: 3.12, fault models, and 4.6, CMD_RESUME",
      "[PATCH v6 08/25] KVM: arm64: iommu: Shadow host stage-2 page table, 2026-05-11: Saleh, Gunthorpe",
    ],
    see: ["stall", "DMA", "STE"])

  static let ioTable = ReferenceCard(
    "The kernel's table for an SMMU",
    [
      "Each call maps or unmaps leaves of one size, the largest that the addresses and the length allow. "
        + "An entry is never changed from one leaf to another, and a block is never split: unmapping a "
        + "part of one is refused.",
      "Tables that have become empty stay until a block takes their place.",
    ],
    sources: [
      "drivers/iommu/iommu.c: iommu_pgsize",
      "drivers/iommu/io-pgtable-arm.c: __arm_lpae_map, __arm_lpae_unmap",
    ],
    see: ["domain", "IOVA"])

  static let deviceInvalidation = ReferenceCard(
    "Invalidating the SMMU's TLB",
    [
      "Commands go through a queue, and are surely done only when a sync has been waited for. Until then "
        + "a DMA may use what the table no longer says.",
      "A domain has a list of what to invalidate, filled while devices are attached. The last detach flushes "
        + "the whole VMID or ASID; without a device nothing is sent, neither by an unmap nor when the domain "
        + "is freed.",
      "With broadcast maintenance the SMMU obeys the CPUs' TLBI, for every VMID that is the same.",
    ],
    sources: [
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c: arm_smmu_domain_inv_range, "
        + "arm_smmu_install_old_domain_invs, arm_smmu_cmdq_issue_cmdlist"
    ],
    see: ["TLBI", "DVM", "DMA window"])

  static let cleaning = ReferenceCard(
    "Walks that do not see caches",
    [
      "What a CPU stores may stay in its cache. A walker that does not look there reads the old entry "
        + "until the line is cleaned to the point of coherency, so whoever keeps a table for it cleans "
        + "each entry after storing it."
    ],
    sources: ["drivers/iommu/io-pgtable-arm.c: __arm_lpae_sync_pte"],
    see: ["IOMMU", "domain"])

  static let splitting = ReferenceCard(
    "Splitting a block in place",
    [
      "A table with the same 512 leaves is made where no walk comes, and then takes the block's place in "
        + "one store. A walk finds the one or the other; a cached entry of the block stays until it is "
        + "invalidated. It takes hardware that bears both sizes at once.",
      "With FEAT_BBM level 2, and an SMMU below BBML 2, what finds both may report a conflict: an abort that "
        + "EL2 cannot handle, or F_TLB_CONFLICT. Level 3 promises that CPUs do not.",
    ],
    sources: [
      "drivers/iommu/generic_pt", "Arm ARM D8.16, FEAT_BBM",
      "[PATCH v6 08/25] KVM: arm64: iommu: Shadow host stage-2 page table, 2026-05-11: Saleh",
    ],
    see: ["split", "hitless", "break before make"])

  static let pagePinning = ReferenceCard(
    "Pinned guest memory",
    [
      "A VMM that gives its guest a device has all guest memory pinned: present, writable, its own alone, and "
        + "not to be moved, merged or shared. iommufd pins a batch and then maps it for the device; VFIO (type 1) "
        + "maps each run of pages before it pins more.",
      "A pin holds the page, not the VMM's mapping of it. If the VMM discards the memory, the CPUs get "
        + "another page, and the device goes on with the old one.",
      "Where the device walks the CPUs' own table, KVM must keep the pages mapped there: each by a leaf of "
        + "its own, which notifiers pass over. That is a proposal; Linux does it for guests of pKVM.",
    ],
    sources: [
      "mm/gup.c: pin_user_pages_fast, pin_user_pages_remote, unpin_user_page_range_dirty_lock",
      "drivers/iommu/iommufd/pages.c: pfn_reader_user_pin, iopt_area_fill_domain",
      "drivers/vfio/vfio_iommu_type1.c: vfio_pin_map_dma",
    ],
    see: ["pinned page", "domain", "DMA"])

  static let failing = ReferenceCard(
    "Calls that fail",
    [
      "The kernel checks first and changes nothing if a check fails; where it finds out later, it undoes "
        + "what it did. The step has the name of its error.",
      "An unmap is not undone. `iommu_unmap` ends at a hole, and iommufd at an area of which only a part is asked "
        + "for: what came before stays unmapped.",
    ],
    sources: [
      "include/uapi/asm-generic/errno-base.h",
      "drivers/iommu/iommufd/io_pagetable.c: iopt_unmap_iova_range",
    ],
    see: ["domain"])
}
