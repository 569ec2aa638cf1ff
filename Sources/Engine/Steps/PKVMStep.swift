/// pKVM. Addresses are physical for the host, and IPAs for a guest.
package enum PKVMStep: StepFamily {
  /// A region of the host's memory is added.
  case memory
  /// A guest is created; or its teardown begins.
  case guestCreated(isProtected: Bool, pages: Int)
  case guestDying
  /// The host, or a guest, makes an access.
  case hostAccess(AccessKind)
  case guestAccess(AccessKind)
  /// The largest leaf for a host fault, in memory or MMIO, is chosen.
  case hostSizeChosen(isMemory: Bool)
  /// No table for the host's stage 2 is left: pool size, and number needed. All of its MMIO is unmapped.
  case hostPoolEmpty(tables: UInt64, needed: UInt64)
  /// A range of the host's MMIO is unmapped.
  case mmioUnmap
  /// An abort is injected into the host because of an entry.
  case hostAbort(Descriptor)
  /// The host faults again and again on an entry that is valid, but does not permit the access.
  case hostBlocked
  /// A CPU's TLB finds two entries of different sizes for the host's access.
  case tlbConflict
  /// A hypercall, or a call of EL2 itself, that changes the owners of pages.
  case hypercall(PKVMCall)
  /// Pages get a state in the host's, or the hypervisor's, account.
  case hostState(PageState)
  case hypervisorState(PageState)
  /// The number of guests that share pages, or of references to a page.
  case sharesCounted(UInt64)
  case referencesCounted(UInt64)
  /// A page of the host is zeroed.
  case pageZeroed
  /// The snapshot reaches an entry of the host's table.
  case snapshotEntry(Descriptor)
  /// The snapshot is over; from now on owner changes are forwarded, or not.
  case snapshotDone(isForwarding: Bool)
  /// A change of owner is not forwarded to the SMMUs.
  case notForwarded

  package var facts: Step.Facts {
    switch self {
    case .memory: Step.Facts(.setting, .pkvmHost)
    case .guestCreated, .guestDying: Step.Facts(.setting, .pageOwnership, .none)
    case .hostAccess: Step.Facts(.access, .pkvmHost)
    case .guestAccess: Step.Facts(.access, .pageOwnership)
    case .hostSizeChosen, .hostPoolEmpty: Step.Facts(.choice, .pkvmHost)
    case .mmioUnmap: Step.Facts(.sweep, .pkvmHost)
    case .hostAbort, .hostBlocked: Step.Facts(.refusal, .pkvmHost)
    case .tlbConflict: Step.Facts(.refusal, .splitting)
    case .hypercall: Step.Facts(.plan, .pageOwnership)
    case .hostState, .hypervisorState, .sharesCounted, .referencesCounted, .pageZeroed:
      Step.Facts(.ownership, .pageOwnership)
    case .snapshotEntry: Step.Facts(.walk, .identityMap)
    case .snapshotDone: Step.Facts(.setting, .identityMap, .none)
    case .notForwarded: Step.Facts(.refusal, .identityMap)
    }
  }

  func explanation(of step: Step) -> Explanation {
    let pages =
      step.size > Page.size
      ? "\(step.size / Page.size) pages at \(step.at)" : "the page at \(step.at)"
    switch self {
    case .memory:
      return Explanation(
        "memory", "\(step.span) is memory of the host",
        "At boot the host owns all of it; what lies outside is MMIO.",
        .memoryProtection("find_mem_range"))
    case .guestCreated(let isProtected, _):
      return Explanation(
        "create",
        "\(Phrase.table(step.table)) is made; the guest is \(isProtected ? "" : "not ")protected",
        isProtected
          ? "What is donated to it no longer belongs to the host."
          : "The host shares its own memory with it.",
        .hypervisor("pkvm.c", "__pkvm_init_vm"))
    case .guestDying:
      return Explanation(
        "teardown", "the guest will not run again: \(Phrase.table(step.table)) is left",
        "From now on the host can reclaim its pages, one by one.",
        .hypervisor("pkvm.c", "__pkvm_start_teardown_vm"))
    case .hostAccess(let kind):
      return Explanation(
        "access", "the host \(Phrase.verb(kind)) PA \(step.at)",
        "The host runs at EL1, under a stage 2 of its own that is the identity.",
        .architecture("AArch64.S2Translate"))
    case .guestAccess(let kind):
      return Explanation(
        "access", "the guest \(Phrase.verb(kind)) IPA \(step.at)",
        "It runs under \(Phrase.table(step.table)), which only the hypervisor changes.",
        .architecture("AArch64.S2Translate"))
    case .hostSizeChosen(let isMemory):
      return Explanation(
        "size", "\(Phrase.size(step.size)) of \(isMemory ? "memory" : "MMIO") at \(step.at)",
        "The host's table is filled on fault, with the largest block around the address that is empty and "
          + "lies in one region.",
        .memoryProtection("host_stage2_adjust_range"))
    case .hostPoolEmpty(let tables, let needed):
      return Explanation(
        "no table",
        "ENOMEM: the host's stage 2 has \(tables) tables, and \(step.at) takes \(needed) more",
        "The pool is reserved at boot: enough to map all memory by pages, and some for MMIO. So all MMIO is "
          + "unmapped, and the map is retried.",
        .memoryProtection("host_stage2_try"))
    case .mmioUnmap:
      return Explanation(
        "MMIO",
        "unmap the MMIO from \(step.at) to \(Phrase.address(step.address + step.size))",
        "MMIO never changes its owner, so faults will map it again. The SMMUs' map keeps its own entries.",
        .memoryProtection("host_stage2_unmap_dev_all"))
    case .hostAbort(let entry):
      return Explanation(
        "abort",
        "the host is given an abort: \(Phrase.entry(entry, level: step.level)) at \(step.at)",
        "The page belongs to another. S1PTW in the syndrome tells the host that stage 2 refused it.",
        .memoryProtection("host_inject_mem_abort"))
    case .hostBlocked:
      return Explanation(
        "blocked", "the host faults again and again at \(step.at)",
        "MMIO is mapped without execution. host_stage2_idmap returns EEXIST for a valid entry, which "
          + "EL2 ignores: it returns to the host, whose fetch faults once more.",
        .memoryProtection("handle_host_mem_abort"))
    case .tlbConflict:
      return Explanation(
        "conflict", "TLB conflict abort at \(step.at): the TLB has a block, and the table pages",
        "With FEAT_BBM level 2 a CPU may report it; with level 3 it never does. EL2 is not told which "
          + "entries are in conflict, so it cannot handle it, and panics.",
        .architecture("D8.16, TLB conflict abort"))
    case .hypercall(let call):
      return Explanation(
        call.isHypercall ? "hypercall" : "EL2 call", "\(call.name): \(call.sentence)", call.rule,
        call.isProposal ? .sharing("requirement 2, pinning") : .memoryProtection(call.function))
    case .hostState(let state):
      return Explanation(
        "host state", "\(pages): \(state.name) for the host",
        "The hyp_vmemmap has a state for each page; the host's table need not say it.",
        .memoryProtection("__host_update_page_state"))
    case .hypervisorState(let state):
      return Explanation(
        "hyp state", "\(pages): \(state.name) for the hypervisor",
        "Kept next to the host's state: one of the two owns the page, or a guest does.",
        .memoryProtection("__hyp_set_page_state_range"))
    case .sharesCounted(let count):
      return Explanation(
        "count", "\(pages): shared \(Phrase.count(count, "time", "times"))",
        count == 0
          ? "With the last share the host owns it alone again."
          : "A page can be shared with several guests that are not protected.",
        .memoryProtection("host_share_guest_count"))
    case .referencesCounted(let count):
      return Explanation(
        "count", "\(pages): \(Phrase.count(count, "reference", "references"))",
        "While there are any, the page cannot change its owner.",
        .memoryProtection("hyp_page_ref_inc"))
    case .pageZeroed:
      return Explanation(
        "zero", "\(pages) is filled with zeros, and cleaned to memory",
        "The host must not read what the guest left there.", .memoryProtection("hyp_poison_page"))
    case .snapshotEntry(let entry):
      let (what, why) =
        if entry.isValid {
          ("mapped", "The host may use it, and so may its devices.")
        } else if entry.bits == 0 {
          (
            "mapped all the same",
            "The host has not used it yet, but may at any time, and a device cannot wait for a fault."
          )
        } else {
          ("left out", "It does not belong to the host.")
        }
      return Explanation(
        "snapshot", "\(step.span): \(Phrase.entry(entry, level: step.level)), \(what)", why,
        .shadowing("__snapshot_host_stage2"))
    case .snapshotDone(let isForwarding):
      return Explanation(
        "snapshot", "idmap_initialized = \(isForwarding)",
        isForwarding
          ? "From now on every change of an owner is passed on, under the host's lock."
          : "v4 stores the result of the walk, which is 0 for success. So no change is ever passed on.",
        .shadowing("kvm_iommu_snapshot_host_stage2"))
    case .notForwarded:
      return Explanation(
        "skipped", "the SMMU's map keeps \(step.span)",
        "idmap_initialized is false, although the snapshot was made.",
        .shadowing("kvm_iommu_host_stage2_idmap"))
    }
  }
}

extension PKVMCall {
  /// Whether it is only a proposal, in no kernel.
  fileprivate var isProposal: Bool {
    switch self {
    case .hostPin, .hostUnpin: true
    default: false
    }
  }

  /// Who does what with which page.
  package var sentence: String {
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

  /// The check that the call must pass.
  fileprivate var rule: String {
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
    "\(Phrase.size(range.size)) at PA \(Phrase.address(range.lowerBound))"
  }
}
