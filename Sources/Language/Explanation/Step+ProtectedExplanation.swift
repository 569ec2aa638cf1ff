import Engine

extension Step {
  /// Steps of pKVM: accesses of the host and its guests, hypercalls, page states, the snapshot for SMMUs.
  var protectedExplanation: Explanation? {
    protectedAccessExplanation ?? ownershipExplanation ?? identityExplanation
  }

  private var at: String { Phrase.address(address) }
  private var state: String { PageState(rawValue: value)?.name ?? "unknown" }
  private var pages: String { size > 4096 ? "\(size / 4096) pages at \(at)" : "the page at \(at)" }

  private var protectedAccessExplanation: Explanation? {
    switch action {
    case .hostMemory:
      return Explanation(
        "memory", "\(Phrase.span(self)) is memory of the host",
        "At boot the host owns all of it; what lies outside is MMIO.",
        .memoryProtection("find_mem_range"))
    case .guestCreated:
      return Explanation(
        "create",
        "\(Phrase.table(table)) is made; the guest is \(value == 1 ? "" : "not ")protected",
        value == 1
          ? "What is given to it is not the host's any more."
          : "The host shares its own memory with it.",
        .hypervisor("pkvm.c", "__pkvm_init_vm"))
    case .guestDying:
      return Explanation(
        "teardown", "the guest will not run again: \(Phrase.table(table)) is left",
        "From now on the host can take its pages back, one by one.",
        .hypervisor("pkvm.c", "__pkvm_start_teardown_vm"))
    case .hostAccess:
      return Explanation(
        "access", "the host makes a \(Phrase.access(value)) at PA \(at)",
        "The host runs at EL1, under a stage 2 of its own that is the identity.",
        .architecture("AArch64.S2Translate"))
    case .guestAccess:
      return Explanation(
        "access", "the guest makes a \(Phrase.access(value)) at IPA \(at)",
        "It runs under \(Phrase.table(table)), which only the hypervisor changes.",
        .architecture("AArch64.S2Translate"))
    case .fault where table?.isProtected == true:
      return Explanation(
        "fault",
        "\(Phrase.status(value)) on a \(Phrase.access(extra)): "
          + "the \(table == .protectedHost ? "host" : "guest") leaves to EL2",
        "The walk found no leaf, or one that does not permit the access.",
        .architecture("D8.2, stage 2 faults"))
    case .allocateTable where table == .protectedHost:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "It comes from the host's pool, which was reserved at boot.",
        .memoryProtection("host_s2_zalloc_page"))
    case .allocateTable where table?.isProtected == true:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "It comes from what the host has donated to the guest for that.",
        .memoryProtection("guest_s2_zalloc_page"))
    case .hostSizeChosen:
      return Explanation(
        "size", "\(Phrase.size(size)) of \(value == 1 ? "memory" : "MMIO") at \(at)",
        "The host's table is filled lazily: the largest block around the fault that is empty and lies in "
          + "one region.",
        .memoryProtection("host_stage2_adjust_range"))
    case .hostPoolEmpty:
      return Explanation(
        "no table", "ENOMEM: the host's stage 2 has \(value) tables, and \(at) takes \(extra) more",
        "The pool is reserved at boot: enough for all memory by pages, and some for MMIO. So all MMIO is "
          + "unmapped, and the map tried again.",
        .memoryProtection("host_stage2_try"))
    case .mmioUnmap:
      return Explanation(
        "MMIO", "unmap the MMIO from \(at) to \(Phrase.address(address + size))",
        "MMIO never changes its owner, so nothing is lost that a fault does not bring back. The SMMUs' "
          + "map keeps its own.",
        .memoryProtection("host_stage2_unmap_dev_all"))
    case .hostAbort:
      return Explanation(
        "abort", "the host is given an abort: \(Phrase.entry(value, level: level)) at \(at)",
        Descriptor(value).isValid
          ? "It is mapped, but not for this: MMIO is never executed from."
          : "The page is another's. S1PTW in the syndrome tells the host that it is no fault of its own.",
        .memoryProtection("host_inject_mem_abort"))
    case .tlbConflict:
      return Explanation(
        "conflict", "TLB conflict abort at \(at): the TLB has a block, and the table pages",
        "With FEAT_BBM level 2 a CPU may report it; with level 3 it never does. EL2 is not told which "
          + "entries are in conflict, so it cannot handle it, and panics.",
        .architecture("D8.16, TLB conflict abort"))
    default: return nil
    }
  }

  private var ownershipExplanation: Explanation? {
    switch action {
    case .hypercall(let call):
      return Explanation(
        "hypercall", "\(call.name): \(call.sentence)", call.rule,
        call.isProposal ? .sharing("requirement 2, pinning") : .memoryProtection(call.name))
    case .hostStateSet:
      return Explanation(
        "host state", "\(pages): \(state) for the host",
        "The hyp_vmemmap has a state for each page; the host's table need not say it.",
        .memoryProtection("__host_update_page_state"))
    case .hypervisorStateSet:
      return Explanation(
        "hyp state", "\(pages): \(state) for the hypervisor",
        "Kept beside the host's state; one of the two owns the page, or a guest does.",
        .memoryProtection("__hyp_set_page_state_range"))
    case .sharesCounted:
      return Explanation(
        "count", "\(pages): shared \(value) time\(value == 1 ? "" : "s")",
        value == 0
          ? "With the last share the host owns it alone again."
          : "A page can be shared with several guests that are not protected.",
        .memoryProtection("host_share_guest_count"))
    case .referencesCounted:
      return Explanation(
        "count", "\(pages): \(value) reference\(value == 1 ? "" : "s")",
        "While there are any, the page cannot change hands.", .memoryProtection("hyp_page_ref_inc"))
    case .pageZeroed where table == .protectedHost:
      return Explanation(
        "zero", "\(pages) is filled with zeros, and cleaned to memory",
        "The host must not read what the guest left there.", .memoryProtection("hyp_poison_page"))
    case .failed(let error) where table?.isProtected == true:
      return Explanation(
        error.name, "it fails with \(error.name) at \(at)",
        error.meaning + " Nothing was changed.", .memoryProtection("__host_check_page_state_range"))
    default: return nil
    }
  }

  private var identityExplanation: Explanation? {
    switch action {
    case .snapshotEntry:
      let entry = Descriptor(value)
      let (what, why) =
        if entry.isValid {
          ("mapped", "The host may use it, and so may its devices.")
        } else if value == 0 {
          (
            "mapped all the same",
            "The host has not touched it yet, but may at any time; a device cannot wait for a fault."
          )
        } else {
          ("left out", "It belongs to another.")
        }
      return Explanation(
        "snapshot", "\(Phrase.span(self)): \(Phrase.entry(value, level: level)), \(what)", why,
        .shadowing("__snapshot_host_stage2"))
    case .snapshotDone:
      return Explanation(
        "snapshot", "idmap_initialized = \(value == 1 ? "true" : "false")",
        value == 1
          ? "From now on every change of an owner is passed on, under the host's lock."
          : "v4 stores the walk's result as it is: 0 for success. So no change is ever passed on.",
        .shadowing("kvm_iommu_snapshot_host_stage2"))
    case .notForwarded:
      return Explanation(
        "skipped", "the SMMU's map keeps \(Phrase.span(self))",
        "idmap_initialized is false, though the snapshot was made.",
        .shadowing("kvm_iommu_host_stage2_idmap"))
    default: return nil
    }
  }
}

extension TableID {
  fileprivate var isProtected: Bool {
    switch self {
    case .protectedHost, .protectedGuest: true
    default: false
    }
  }
}

extension PKVMCall {
  /// Whether no kernel has it.
  fileprivate var isProposal: Bool {
    switch self {
    case .hostPin, .hostUnpin: true
    default: false
    }
  }

  /// Who does what with which page.
  var sentence: String {
    switch self {
    case .hostShareHyp(let page): "the host lends PA \(Phrase.address(page)) to the hypervisor"
    case .hostUnshareHyp(let page):
      "the host takes back PA \(Phrase.address(page)) that it lent to the hypervisor"
    case .hostDonateHyp(let range): "the host gives \(Self.span(range)) to the hypervisor"
    case .hypDonateHost(let range): "the hypervisor gives \(Self.span(range)) to the host"
    case .hypPin(let page): "the hypervisor uses PA \(Phrase.address(page)), lent to it"
    case .hypUnpin(let page): "the hypervisor uses PA \(Phrase.address(page)) no longer"
    case .hostPin(let range): "\(Self.span(range)) stays mapped and the host's"
    case .hostUnpin(let range): "\(Self.span(range)) may change hands again"
    case .hostShareFFA(let range): "the host lends \(Self.span(range)) to firmware"
    case .hostUnshareFFA(let range): "firmware gives \(Self.span(range)) back"
    case .hostDonateGuest(let guest, let page, let address):
      "the host gives PA \(Phrase.address(page)) to guest \(guest), at IPA \(Phrase.address(address))"
    case .hostShareGuest(let guest, let range, let address, _):
      "the host lends \(Self.span(range)) to guest \(guest), at IPA \(Phrase.address(address))"
    case .hostUnshareGuest(let guest, let range):
      "the host takes back IPA \(Phrase.address(range.lowerBound)) of guest \(guest)"
    case .guestShareHost(let guest, let address):
      "guest \(guest) lends its IPA \(Phrase.address(address)) to the host"
    case .guestUnshareHost(let guest, let address):
      "guest \(guest) takes back IPA \(Phrase.address(address))"
    case .reclaimGuest(let guest, let address):
      "the host takes IPA \(Phrase.address(address)) of guest \(guest), which is dying"
    case .forceReclaim(let page): "the host takes PA \(Phrase.address(page)) from a guest by force"
    }
  }

  /// The check that it must pass.
  var rule: String {
    switch self {
    case .hostShareHyp, .hostDonateHyp:
      "The host must own the page alone, and the hypervisor must have nothing to do with it."
    case .hostUnshareHyp: "It must be lent to the hypervisor, which must not use it now."
    case .hypDonateHost: "The hypervisor must own the page, and the host must not have it."
    case .hypPin, .hypUnpin: "The page must be lent to the hypervisor."
    case .hostPin:
      "A proposal of the thread about sharing tables: pinned, a page is never absent and never given away."
    case .hostUnpin: "Each pin is taken back once."
    case .hostShareFFA: "The host must own the page alone."
    case .hostUnshareFFA: "The page must be lent to firmware."
    case .hostDonateGuest:
      "The host must own the page alone, the guest must be protected and have nothing at that address."
    case .hostShareGuest:
      "The guest must not be protected; the page must be the host's alone, or shared with such guests only."
    case .hostUnshareGuest: "The guest must have it as borrowed, by a leaf of this size."
    case .guestShareHost: "The guest must own the page, and the host must not have it."
    case .guestUnshareHost: "The guest must have lent the page to the host."
    case .reclaimGuest: "The guest must be torn down, and own the page."
    case .forceReclaim:
      "The annotation in the host's table must name a guest, which must own the page."
    }
  }

  private static func span(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at PA \(Phrase.address(range.lowerBound))"
  }
}

extension PKVMOperation {
  /// What happens, as a sentence.
  var sentence: String {
    switch self {
    case .memory(let range):
      return "The host has \(Phrase.size(range.upperBound - range.lowerBound)) of memory at PA "
        + "\(Phrase.address(range.lowerBound))."
    case .hostAccess(let kind, let address, _):
      return "The host \(Self.verb(kind)) PA \(Phrase.address(address))."
    case .guestAccess(let guest, let kind, let address, _):
      return "Guest \(guest) \(Self.verb(kind)) IPA \(Phrase.address(address))."
    case .createGuest(let guest, let isProtected):
      return
        "The host makes guest \(guest), \(isProtected ? "a protected one" : "not a protected one")."
    case .tearDownGuest(let guest): return "The host tears guest \(guest) down."
    case .snapshot:
      return "The hypervisor's SMMU driver makes its identity map from the host's stage 2."
    case .call(let call):
      let words = call.sentence
      return words.prefix(1).uppercased() + words.dropFirst() + "."
    }
  }

  private static func verb(_ kind: AccessKind) -> String {
    switch kind {
    case .read: "reads"
    case .write: "writes"
    case .execute: "executes"
    }
  }
}
