extension Glossary {
  /// The isolation of memory owners.
  static let isolation: [Entry] = [
    Entry(
      "rollover", also: ["generation"],
      "No VMID is free: a new generation begins, every TLB is emptied, and each VM takes a VMID anew "
        + "when it next runs.",
      shows: "steps", see: ["VMID", "reserve", "pinned VMID"]),
    Entry(
      "reserve", also: ["reserved"],
      "At a rollover: a VMID that runs on a CPU stays taken, so that the guest can run on under it.",
      shows: "steps", see: ["rollover", "run"]),
    Entry(
      "run", also: ["active VMID"],
      "A vCPU stays in its guest on a CPU, under the VMID that is the CPU's active one.",
      shows: "events l1 run, other-vm run", see: ["put", "vCPU", "reserve"]),
    Entry(
      "put", also: ["wait"],
      "A vCPU leaves its CPU, which then has no active VMID that a rollover would reserve.",
      shows: "steps; events l1 wait, other-vm wait", see: ["run", "rollover"]),
    Entry(
      "unique-vmid",
      "Rule: in the current generation no two contexts, of this VM or others, have the same VMID.",
      shows: "violations", see: ["invariant", "VMID"]),
    Entry(
      "owners", also: ["owner", "account of owners"],
      "To whom each page of memory belongs, as the RMP, pKVM or the RMM records it. What is in "
        + "no record is the host's.",
      shows: "owners (O)", see: ["foreign-dma", "DMA"]),
    Entry(
      "foreign-dma",
      "Rule: no translation of a device, cached or in its table, leads to a page whose owner is not the "
        + "device's and does not lend it.",
      shows: "violations", see: ["invariant", "DMA", "DMA window"]),
    Entry(
      "table-agreement",
      "Rule: where a device and the CPUs must see the same memory, their tables lead to the same pages.",
      shows: "violations", see: ["invariant", "IOMMU", "pinned page"]),
    Entry(
      "page-owner",
      "Rule: under pKVM every page has one owner, and the states and tables of all parties say the same.",
      shows: "violations", see: ["invariant", "page state"]),
    Entry(
      "dma-hole",
      "Rule: DMA to memory that the device's owner keeps does not fail, at any instant.",
      shows: "violations", see: ["invariant", "DMA window"]),
    Entry(
      "mirror-vmid",
      "Rule: an SMMU that hears of a shared table's changes by broadcast alone tags its entries with the "
        + "VMID that the CPUs use for the table, or a process' ASID without ASET.",
      shows: "violations", see: ["invariant", "VMID", "DVM"]),
    Entry(
      "stale-iotlb",
      "Rule: the SMMU's TLB translates nothing that the device's table no longer maps, once the unmap's "
        + "sync is done.",
      shows: "violations", see: ["invariant", "IOMMU", "stale"]),
    Entry(
      "page state",
      also: [
        "owned", "shared-owned", "shared-borrowed", "nopage", "host state", "hyp state", "state",
        "count",
      ],
      "What a page is for one party under pKVM: its own, its own and lent to others, lent to it, or nothing. "
        + "Beside it are counts: how often it is lent to guests, and how many uses forbid to change it.",
      shows: "expect pkvm; steps named host state, hyp state, state, count",
      see: ["pKVM", "donation"]),
    Entry(
      "hypercall", also: ["EL2 call", "create", "teardown"],
      "A call of the host, or a guest, to pKVM's hypervisor. It checks everything before it changes anything.",
      shows: "events pkvm", see: ["pKVM", "page state"]),
    Entry(
      "snapshot", also: ["skipped", "idmap"],
      "pKVM's map for SMMUs is made at once from the host's stage-2, with all that the host may touch. A flag "
        + "says that it is there; while it is false changes of owners are skipped.",
      shows: "steps", see: ["pKVM", "IOMMU", "host stage-2"]),
    Entry(
      "zero", also: ["POISONED"],
      "A page that was a guest's is filled with zeros before the host gets it. One that was taken by force "
        + "leaves POISONED in the guest's table.",
      shows: "steps", see: ["donation", "annotation"]),
    Entry(
      "stalled DMA", also: ["fault proxy"],
      "A device that can wait (CD.S; STE.S2S for stage 2) is held at a fault until software has mapped the page, and then told "
        + "to try again.",
      shows: "policy iommu-fault=stall", see: ["DMA", "STE"]),
    Entry(
      "clean", also: ["point of coherency"],
      "A store that lies in a CPU's cache is written to memory, where a walker finds it that does not look "
        + "into caches.",
      shows: "steps; event iommu clean", see: ["IOMMU", "domain"]),
  ]
}
