extension Glossary {
  /// The IOMMU, and the other owners of memory.
  static let devices: [Entry] = [
    Entry(
      "IOMMU", also: ["SMMU", "SMMUv3", "IOMMU table", "IOTLB"],
      "The unit that translates the addresses of devices, as stage 2 does those of guests; Arm's is the "
        + "SMMU. It cannot take a fault and try again: a missing page fails the DMA.",
      shows: "events iommu and dev", see: ["IOVA", "DMA", "domain", "STE"]),
    Entry(
      "IOVA", also: ["I/O virtual address"],
      "An address that a device uses. With a VM's device it is a canonical IPA.",
      shows: "events iommu, dev",
      see: ["IOMMU", "canonical IPA"]),
    Entry(
      "DMA", "An access to memory by a device.", shows: "events dev read, dev write",
      see: ["IOMMU", "DMA window"]),
    Entry(
      "DMA window", also: ["DMA windows", "window", "windows"],
      "The micro-steps of an event in which a DMA to some page would fail, or reach what it should not.",
      shows: "the DMA window chart; `pagewalk compare`",
      see: ["DMA", "micro-step", "break before make"]),
    Entry(
      "stall", also: ["stalled", "CMD_RESUME", "give up"],
      "DMA is held up and continues later, as if the bus were slow.",
      shows: "the DMA window chart; steps", see: ["DMA", "DMA window"]),
    Entry(
      "domain",
      also: [
        "io-pgtable", "attach", "join", "detach", "bypass", "map call", "unmap call", "refused",
        "stopped",
      ],
      "An IOMMU table with the devices that use it: all of a VM's, unless one has a domain of its own. A "
        + "device with the identity domain (bypass) is not translated.", shows: "events iommu",
      see: ["IOMMU", "STE"]),
    Entry(
      "command queue", also: ["sync", "CMD_SYNC", "no TLBI", "no flush"],
      "Where the kernel puts invalidations for the SMMU. They are surely done only when a sync behind them "
        + "has been waited for. For a domain that no device uses it sends none.",
      shows: "steps", see: ["IOMMU", "TLBI", "DMA window"]),
    Entry(
      "kernel error",
      also: [
        "EPERM", "ENOENT", "E2BIG", "EAGAIN", "EBUSY", "EEXIST", "EINVAL", "ENOSPC", "ERANGE",
        "EHWPOISON", "RMI error", "RMI_ERROR_INPUT", "RMI_ERROR_RTT",
      ],
      "What a call of the kernel, or of firmware, ends in when a check refuses it. Most leave nothing half done; "
        + "an unmap that meets a hole, or a part of what was pinned as a whole, leaves unmapped what came before.",
      shows: "steps; expect error", see: ["domain", "EFAULT"]),
    Entry(
      "STE", also: ["stream table entry"],
      "What the SMMU knows of a device: its table and its VMID, or where its context descriptor lies, which has "
        + "the table and an ASID.", shows: "steps",
      see: ["IOMMU", "VMID"]),
    Entry(
      "DTE", also: ["device table entry", "DomainID", "DeviceID"],
      "What AMD's IOMMU knows of a device, by its DeviceID: the table, and the DomainID under which translations are "
        + "cached. What the STE is for an SMMU.", shows: "steps of a machine with an RMP",
      see: ["STE", "RMP", "IOMMU"]),
    Entry(
      "DVM", also: ["BTM", "broadcast"],
      "Messages by which a CPU's TLBI reaches all. BTM is the SMMU's switch to obey them, by VMID.",
      shows: "steps", see: ["TLBI", "pinned VMID", "ASET"]),
    Entry(
      "ASID", also: ["process"],
      "The number under which translations of stage 1 are cached, a process' or those of a device's domain, as a "
        + "VMID is for stage 2.",
      shows: "steps", see: ["ASET", "SVA", "VMID"]),
    Entry(
      "SVA", also: ["bind", "unbind", "shared virtual addressing"],
      "A device uses a process' own addresses, by the same page table. Stage 1 alone translates them.",
      shows: "events iommu sva", see: ["ASID", "DVM", "VMM"]),
    Entry(
      "ASET", also: ["no ASET"],
      "A flag of an SMMU's stage-1 context that its ASID is the SMMU's own: CPUs' TLBIs by ASID or address "
        + "then do not count for its entries. Stage 2 has none.",
      shows: "steps", see: ["ASID", "DVM", "stage 1"]),
    Entry(
      "pinned VMID", also: ["pin", "unpin"],
      "A VMID that stays a VM's when the numbers run out and are given anew: needed if an SMMU obeys "
        + "broadcast TLBIs under it.",
      shows: "steps", see: ["VMID", "DVM", "rollover"]),
    Entry(
      "pinned page", also: ["pin page", "unpin page", "pinned", "part"],
      "A host page that must stay where it is because a device may use it.",
      shows: "events iommu pin", see: ["DMA", "VMM", "pinned VMID"]),
    Entry(
      "hitless", also: ["conflict abort", "conflict", "swap", "fill"],
      "To replace an entry in one store, without an instant in which it is invalid. It takes BBML 2 of "
        + "all who walk the table; else two cached translations may conflict.",
      shows: "policies of a shared table", see: ["break before make", "DMA window"]),
    Entry(
      "pKVM", also: ["protected KVM", "hypervisor"],
      "KVM with a small part above the host, which owns all tables so that the host cannot look into "
        + "guests.",
      shows: "events pkvm", see: ["host stage-2", "donation", "sharing", "annotation"]),
    Entry(
      "host stage-2", also: ["identity map", "memory", "no table"],
      "Under pKVM, the table that the host itself runs on: every address to itself, mapped when touched, "
        + "unless another owns the page.",
      shows: "events pkvm", see: ["pKVM", "annotation"]),
    Entry(
      "donation", also: ["donate", "reclaim"],
      "A page changes its owner. A guest gets its mapping after the host has lost its own; the hypervisor before.",
      shows: "events pkvm donate, pkvm reclaim", see: ["pKVM", "annotation", "sharing"]),
    Entry(
      "sharing", also: ["share", "unshare", "borrowed"],
      "The owner of a page lets another use it, and remains the owner.",
      shows: "events pkvm share, pkvm unshare", see: ["pKVM", "donation"]),
    Entry(
      "GPT", also: ["GPF", "delegate", "granule protection", "granule state"],
      "The granule protection table, by which hardware checks who may use a page. The RMM records the state of each: "
        + "UNDELEGATED is the host's, DELEGATED the RMM's, DATA a page of a realm's memory, RTT one of its table.",
      shows: "events realm", see: ["CCA", "IOMMU"]),
    Entry(
      "CCA", also: ["RMM", "realm", "RTT entry", "RTT"],
      "Arm's confidential VMs: firmware owns a realm's table and keeps the IOMMU's equal to it.",
      shows: "scenarios", see: ["RIPAS", "IOMMU", "pKVM"]),
    Entry(
      "RIPAS", also: ["HIPAS", "RAM", "EMPTY", "DESTROYED"],
      "What an address is for a realm: EMPTY, RAM, or DESTROYED once the host has taken the memory away. "
        + "The RMM notes it in entries that map nothing.",
      shows: "a realm's table", see: ["CCA"]),
    Entry(
      "RMP", also: ["reverse map table", "RMPUPDATE", "PVALIDATE", "hold"],
      "AMD's table of who owns each page of memory, with the size it was assigned at. A device's page "
        + "must be of the same class of size.",
      shows: "events rmp", see: ["PSMASH", "IOMMU", "DMA window"]),
    Entry(
      "PSMASH", "The instruction that makes 512 RMP entries of 4K from one of 2M.",
      shows: "events rmp smash, rmp convert",
      see: ["RMP", "split"]),
  ]
}
