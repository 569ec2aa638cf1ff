/// pKVM: the host under its own stage 2, and the owners of pages.
extension ReferenceCard {
  private static let memoryProtection = "arch/arm64/kvm/hyp/nvhe/mem_protect.c: "

  static let pkvmHost = ReferenceCard(
    "The host under pKVM",
    [
      "The hypervisor at EL2 keeps the host itself in a stage 2: the identity, empty at first. A fault maps "
        + "the largest block that is empty and lies inside one region: memory for everything, MMIO not for "
        + "execution.",
      "A page that the host gave away has an annotation in that table: an entry that is not valid and names "
        + "the new owner. Annotations are always pages, so a block around one is broken, and its other "
        + "pages come back by faults. An access to such a page gives the host an abort.",
      "Its tables come from a pool that is reserved at boot: enough for all memory by pages, and some for "
        + "MMIO. If that is used up all MMIO is unmapped, since it can be faulted in again at any time, and "
        + "what failed is tried again.",
    ],
    sources: [
      memoryProtection + "host_stage2_adjust_range, host_stage2_set_owner_locked",
      memoryProtection + "host_stage2_try, host_stage2_unmap_dev_all",
    ],
    see: ["pKVM", "host stage-2", "annotation"])

  static let pageOwnership = ReferenceCard(
    "Who owns a page",
    [
      "A page has one owner: the host, the hypervisor, or a guest. An owner can lend it. For each party the "
        + "page is owned, shared-owned, shared-borrowed, or none of its business.",
      "The states of host and hypervisor lie in the hyp_vmemmap, a guest's in bits 56:55 of its leaf. Each "
        + "hypercall checks all states that it depends on before it changes the first; if a check fails "
        + "nothing is changed.",
    ],
    sources: [
      memoryProtection + "__host_check_page_state_range, __guest_check_page_state_range",
      "arch/arm64/kvm/hyp/include/nvhe/memory.h: enum pkvm_page_state",
    ],
    see: ["page state", "donation", "pKVM"])

  static let identityMap = ReferenceCard(
    "pKVM's map for SMMUs",
    [
      "Devices are given a table of their own beside the host's: memory page by page, MMIO in blocks. It is "
        + "filled whole at once, also where the host has touched nothing yet, because a device cannot wait "
        + "for a fault to be handled.",
      "Each later change of an owner maps or unmaps the page there. After an unmap the SMMU's TLB is "
        + "invalidated, and waited for, before the new owner may use the page.",
    ],
    sources: [
      "[PATCH v4 10/28] KVM: arm64: iommu: Shadow host stage-2 page table, 2025-08-19",
      "[PATCH v6 08/25] the same, 2026-05-11",
    ],
    see: ["IOMMU", "snapshot", "pKVM"])
}
