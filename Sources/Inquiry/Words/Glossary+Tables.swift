extension Glossary {
  /// Addresses, tables, and what is in them.
  static let tables: [Entry] = [
    Entry(
      "canonical IPA", also: ["IPA", "gpa", "guest physical address"],
      "An address that L1 takes for physical, as memory slots assign it. The canonical table "
        + "maps it to a PA.",
      shows: "addresses of the canonical pane and of the reverse map",
      see: ["nested IPA", "PA", "memory slot", "canonical table"]),
    Entry(
      "nested IPA", also: ["nIPA", "L2 guest physical address"],
      "An address that L2 takes for physical. L1's own table maps it to a canonical IPA, a shadow "
        + "straight to a PA.",
      shows: "addresses of the guest and shadow panes; what a reverse map answers with",
      see: ["canonical IPA", "guest table", "shadow", "reverse map"]),
    Entry(
      "PA", also: ["physical address", "output address"],
      "An address of the host's memory: what a leaf of the canonical table or of a shadow leads to.",
      shows: "right of the arrow in those panes; addresses of words that changed",
      see: ["canonical IPA", "leaf", "VMM address"]),
    Entry(
      "VMM address", also: ["HVA", "host virtual address"],
      "An address in the process of the VMM. Guest memory is memory of that process; a notifier names "
        + "it by these addresses.",
      shows: "host steps", see: ["VMM", "memory slot", "notifier"]),
    Entry(
      "canonical table", also: ["canonical", "canonical stage-2"],
      "The VM's stage-2 table, canonical IPA to PA. The hardware uses it while L1 runs.",
      shows: "the canonical pane; `pagewalk dump`",
      see: ["canonical IPA", "stage 2", "shadow", "guest table"]),
    Entry(
      "guest table", also: ["guest", "guest stage-2", "L1's table"],
      "The stage-2 table that L1 wrote in its own memory for L2: nested IPA to canonical IPA. The "
        + "hardware never walks it; KVM does, in software.",
      shows: "the guest pane; `pagewalk dump --table guest1`",
      see: ["L1", "shadow", "read L1", "VTTBR"]),
    Entry(
      "shadow", also: ["shadow table", "shadow stage-2", "shadows"],
      "A stage-2 table that KVM builds for L2: nested IPA to PA, guest table and canonical table in "
        + "one. To L1 it is a TLB: what L1 changes shows after it invalidates.",
      shows: "the shadow pane; two for each vCPU",
      see: ["guest table", "derivation", "recycle", "TLBI", "reverse map"]),
    Entry(
      "derivation", also: ["composition"],
      "How a shadow leaf follows from the guest entry and the canonical page: the smaller size, the "
        + "permissions that both give, and the guest leaf's level as a tag.",
      shows: "the answer about a selected shadow leaf",
      see: ["shadow", "permission", "tag", "size"]),
    Entry(
      "stage 2", also: ["stage-2"],
      "The second translation of a guest's addresses, from what the guest takes for physical to real "
        + "memory. The hypervisor owns it.",
      shows: "all tables but those of a device's own domain and of the VMM",
      see: ["canonical table", "shadow", "stage 1"]),
    Entry(
      "stage 1", also: ["stage-1"],
      "A guest's own translation, virtual to what it takes for physical; switched off here, so that an access "
        + "names its IPA. Of a device it is the table of its domain, or with SVA that of a process.",
      shows: "the device's pane; TLBIs of a guest that change no table here",
      see: ["stage 2", "ASID", "TLBI"]),
    Entry(
      "walk", also: ["translation table walk"],
      "Finding the leaf of an address: one entry a level, indexed by the address bits of that level, "
        + "until a leaf or nothing is found.",
      shows: "the last line of a table pane; steps named walk",
      see: ["level", "leaf", "table", "fault"]),
    Entry(
      "level",
      "How far down a walk is. Level 3 holds pages; each level above covers 512 times as much with 4K "
        + "granules. Fewer address bits begin at level 1 or 2; KVM's stage 2 never begins at -1, as its "
        + "first tables are concatenated.",
      shows: "L0 to L3 before an address in a tree", see: ["walk", "granule", "root"]),
    Entry(
      "granule",
      "The unit of a table, 4K, 16K or 64K: the size of its pages and of a level-3 leaf. The host's is "
        + "4K here; L1 chooses its own.",
      shows: "the title of the guest pane, if it is not 4K; VTCR", see: ["level", "block", "page"]),
    Entry(
      "root", also: ["start level", "concatenated"],
      "Where a walk begins: one page, or up to 16 in a row that are indexed as one.",
      shows: "the first entries of a tree", see: ["VTTBR", "level"]),
    Entry(
      "table", also: ["table entry", "table page"],
      "A page of 512 entries; and an entry that leads to one. Freed when its last entry is removed.",
      shows: "rows with a triangle", see: ["leaf", "allocate", "free"]),
    Entry(
      "leaf",
      "An entry that maps memory: a page at level 3, a block above.",
      shows: "rows with an arrow", see: ["block", "page", "table", "descriptor"]),
    Entry(
      "block",
      "A leaf above level 3: 2M or 1G with 4K granules.",
      shows: "rows with a size above 4K", see: ["page", "leaf", "break before make", "huge page"]),
    Entry(
      "page", "The smallest leaf, at level 3; and the memory that it maps.",
      shows: "rows with 4K", see: ["block", "leaf", "granule"]),
    Entry(
      "descriptor", also: ["entry", "bit ruler"],
      "The 64 bits of an entry: valid, type, memory type, permissions, access flag, address, software "
        + "bits.",
      shows: "the answer about the selected entry, bit by bit",
      see: ["permission", "access flag", "tag", "LOCKED", "annotation"]),
    Entry(
      "permission", also: ["permissions", "R", "W", "S2AP", "R W"],
      "What a leaf allows: R read and W write (S2AP), X execute (unless XN).",
      shows: "three letters in a row, - for what is missing", see: ["XN", "relax", "fault"]),
    Entry(
      "XN", also: ["X", "PX", "UX", "PXN", "UXN", "PXNUXN"],
      "Execute never, two bits: fetches by EL1 (PX), by EL0 (UX), both, or neither are allowed.",
      shows: "x and permissions of rows; px, ux in kernel dumps", see: ["permission"]),
    Entry(
      "access flag", also: ["AF", "AF in L1", "A bit"],
      "A bit of a leaf: set when the page is used, cleared when the host wants to know whether it "
        + "will be.",
      shows: "the bits of an entry; AF in kernel dumps; steps named AF", see: ["age", "idle"]),
    Entry(
      "memory type", also: ["MemAttr", "FWB", "SH", "attribute"],
      "Whether and how a page is cached: normal write-back here. With FWB the stage-2 type decides "
        + "alone.",
      shows: "the bits of an entry", see: ["descriptor"]),
    Entry(
      "contiguous", also: ["contiguous bit", "folded"],
      "A hint that a run of neighbours maps one run of memory, so that one TLB entry may hold it all. "
        + "KVM honours it in L1's table and never sets it.",
      shows: "the bits of an entry; a folded row with a count is only a drawing",
      see: ["block", "TLB"]),
    Entry(
      "tag", also: ["guest level", "SW", "software bits"],
      "Bits 56:55 of a shadow leaf: the level of L1's leaf it was made from, so that a TLBI without a "
        + "level hint finds how much to remove.",
      shows: "the bits of a shadow leaf", see: ["derivation", "TLBI", "level hint"]),
    Entry(
      "LOCKED", also: ["freeze", "frozen", "FROZEN_SPTE"],
      "A marker in place of an entry while a walker is between break and make. Another walker that "
        + "meets it tries again.",
      shows: "the middle of a step list that replaces an entry",
      see: ["break before make", "retry"]),
    Entry(
      "annotation",
      "An entry that is not valid but means something: who owns the page instead.",
      shows: "entries of a pKVM host's table", see: ["pKVM", "donation", "descriptor"]),
    Entry(
      "VTTBR", also: ["VTTBR_EL2", "registers", "context"],
      "The register with a stage-2 table's root and VMID. L1's own is virtual: KVM reads it to choose a "
        + "shadow.",
      shows: "titles of shadows; steps named registers", see: ["VTCR", "VMID", "root", "recycle"]),
    Entry(
      "VTCR", also: ["VTCR_EL2"],
      "The register that describes a stage-2 table: input size, granule, start level.",
      shows: "titles of shadows; steps named registers", see: ["VTTBR", "granule"]),
    Entry(
      "HCR.VM", also: ["HCR_EL2", "stage 2 off", "s2 disabled"],
      "Whether L1 has stage 2 on for L2. Off, a nested IPA is the canonical one, and L2 still runs on a "
        + "shadow.",
      shows: "a shadow's title", see: ["shadow", "no record"]),
    Entry(
      "VMID", also: ["virtual VMID", "hardware VMID"],
      "The number that marks a table's entries in the TLB. The one in L1's VTTBR is virtual; KVM gives "
        + "each shadow another for the hardware.",
      shows: "titles of panes; the TLB", see: ["TLB", "VTTBR", "pinned VMID"]),
    Entry(
      "TLB",
      "What a CPU remembers of walks, by VMID and IPA, permissions included. An access uses it, whatever "
        + "the table says by then, until a TLBI removes it.",
      shows: "the answer named TLB", see: ["TLBI", "VMID", "stale"]),
    Entry(
      "TLBI",
      also: [
        "invalidate", "invalidation", "flush", "IPAS2E1IS", "RIPAS2E1IS", "VMALLS12E1IS", "ALLE1IS",
      ],
      "An instruction that removes TLB entries. L1's is trapped: KVM unmaps what it names from every "
        + "shadow with L1's VMID. KVM's own of a stage-2 range is followed by VMALLE1, which removes all of stage 1 "
        + "under that VMID.",
      shows: "steps, by the host and by L1", see: ["TLB", "level hint", "stale", "forget"]),
    Entry(
      "level hint", also: ["TTL"],
      "What a TLBI may say of the size it is about. Without one KVM looks at the shadow leaf's tag, and "
        + "else takes the largest size.",
      shows: "events: ttl=GRANULE:LEVEL", see: ["TLBI", "tag"]),
    Entry(
      "break before make", also: ["BBM", "break", "make", "BBML"],
      "The rule for replacing a valid entry: first an invalid one and a TLBI (break), then the new one "
        + "(make); so that no two translations of an address are cached. BBML 1 to 3 are promises of "
        + "hardware that can do with less.",
      shows: "steps", see: ["LOCKED", "TLBI", "block", "hitless"]),
  ]
}
