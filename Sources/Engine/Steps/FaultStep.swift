/// KVM handles a fault: the shadow, L1's table, the slot and the host's page, and early exits.
package enum FaultStep: StepFamily {
  /// How `mmu_lock` is held: for reading by a fault, for writing to write-protect a slot, to fetch its dirty log,
  /// or to split its blocks.
  package enum Lock: Hashable, Sendable {
    case read, write, dirtyLog, split

    /// The function that holds it.
    fileprivate var source: Source {
      switch self {
      case .read: .mmu("kvm_s2_fault_map")
      case .write: .mmu("kvm_mmu_wp_memory_region")
      case .dirtyLog: .kvm("kvm_get_dirty_log_protect")
      case .split: .mmu("kvm_mmu_split_memory_region")
      }
    }
  }

  /// A shadow already serves L1's VTTBR and VTCR.
  case shadowFound(VTTBR, VTCR)
  /// An unused shadow is taken.
  case shadowTaken(VTTBR, VTCR)
  /// A shadow that served another context is taken.
  case shadowRecycled(VTTBR, VTCR)
  /// KVM reads an entry of L1's table, at a canonical IPA.
  case guestRead(Descriptor, at: UInt64)
  /// L1's memory cannot be read at a canonical IPA.
  case guestUnreadable(at: UInt64)
  /// L1's VTCR describes no table that can be walked.
  case guestWalkRefused(VTCR)
  /// KVM sets the access flag in L1's entry at a canonical IPA: the new entry.
  case guestAccessFlag(Descriptor, at: UInt64)
  /// An abort is injected into L1: because of an entry of its table, or since its VTCR was refused.
  case inject(FaultStatus, on: AccessKind, isRefused: Bool = false)
  /// An address size fault is injected into the guest.
  case injectSize
  /// An external abort is injected into the guest; the canonical IPA if a fetch hit no slot.
  case injectExternal(ipa: UInt64?)
  /// Exit to user space for MMIO at a canonical IPA.
  case mmioExit(ipa: UInt64)
  /// The slot of a canonical IPA is found, with the VMM's address for it.
  case memslotFound(ipa: UInt64, hva: UInt64)
  /// The VMM has no mapping at its address.
  case noVMA
  /// The paused event holds `mmap_lock`, which the fault needs.
  case mapLockHeld
  /// The VMM's mapping at its address forbids the access.
  case hostRefused
  /// Size of the mapping: the VMA's in the step's size, the largest allowed, and L1's leaf's.
  case sizeChosen(limit: UInt64, guestLeaf: UInt64?)
  /// The host's copy-on-write called the notifier, so the fault is abandoned and retried.
  case retryAfterNotifier
  /// An invalidation is under way, so the fault is abandoned and retried.
  case retryInvalidation
  /// `mmu_lock` is taken, or dropped.
  case locked(Lock)
  case unlocked(Lock)
  /// The fault fails for want of memory.
  case noMemory

  package var facts: Step.Facts {
    switch self {
    case .shadowFound, .shadowTaken: Step.Facts(.choice, .shadowChoice, .none)
    case .shadowRecycled: Step.Facts(.trigger, .shadowChoice, .none)
    case .guestRead: Step.Facts(.walk, .guestWalk)
    case .guestUnreadable, .guestWalkRefused: Step.Facts(.choice, .guestWalk)
    case .guestAccessFlag: Step.Facts(.guestEntry, .guestWalk)
    case .inject: Step.Facts(.injection, .injection, weight: 3)
    case .injectSize, .injectExternal: Step.Facts(.injection, .addressCheck, weight: 3)
    case .mmioExit: Step.Facts(.remark, .memslots, weight: 3)
    case .memslotFound: Step.Facts(.choice, .memslots)
    case .noVMA, .hostRefused: Step.Facts(.remark, .hostAccess, weight: 3)
    case .mapLockHeld: Step.Facts(.retry, .retry)
    case .sizeChosen: Step.Facts(.choice, .mappingSize)
    case .retryAfterNotifier, .retryInvalidation: Step.Facts(.retry, .retry)
    case .locked, .unlocked: Step.Facts(.lock, .lock, .none)
    case .noMemory: Step.Facts(.retry, .brokenMap)
    }
  }

  /// What of L1's table gives it a fault.
  private static func reason(for status: FaultStatus) -> String {
    switch status.faultClass {
    case .permission: "L1's own table forbids it"
    case .accessFlag: "The access flag in L1's own entry is clear"
    case .addressSize: "L1's own table leads beyond the output size"
    case .external, .externalOnWalk:
      "L1's own table lies where KVM cannot read it, or not store the access flag"
    case .translation, nil: "L1's own table has no valid entry for it"
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .shadowFound(let vttbr, _):
      return Explanation(
        "shadow", "\(Phrase.table(step.table)) serves VTTBR \(Phrase.address(vttbr.bits))",
        "VTTBR and VTCR match (with stage 2 off, only the VMID must), so its leaves can be used.",
        .nested("lookup_s2_mmu"))
    case .shadowTaken(let vttbr, _):
      return Explanation(
        "shadow",
        "\(Phrase.table(step.table)), not used before, is assigned to VTTBR "
          + Phrase.address(vttbr.bits),
        "No shadow matches. They are assigned in turn; there are two for each vCPU.",
        .nested("get_s2_mmu_nested"))
    case .shadowRecycled(let vttbr, _):
      return Explanation(
        "recycle",
        "\(Phrase.table(step.table)) is taken from another context for VTTBR "
          + Phrase.address(vttbr.bits),
        "No shadow matches and none is free. All its leaves must be removed before it is used.",
        .nested("get_s2_mmu_nested"))
    case .guestRead(let entry, let ipa):
      return Explanation(
        "read L1",
        "level \(step.level) at canonical \(Phrase.address(ipa)): "
          + Phrase.entry(entry, level: step.level, in: .guests),
        "KVM walks L1's own table in software, as the hardware would if L1 were not virtual.",
        .nested("walk_nested_s2_pgd"))
    case .guestUnreadable(let ipa):
      return Explanation(
        "read L1", "level \(step.level) at canonical \(Phrase.address(ipa)) cannot be read",
        "L1's table lies where it has no memory: an external abort on the walk.",
        .nested("read_guest_s2_desc"))
    case .guestWalkRefused(let vtcr):
      let what = "VTCR_EL2 \(Phrase.address(vtcr.bits)) describes no table that can be walked"
      return vtcr.hasKnownInputSize
        ? Explanation(
          "read L1", what,
          "Granule, start level and input size do not fit together. KVM also warns in the host's log "
            + "(WARN_ON), though L1 has chosen them.", .nested("check_base_s2_limits"))
        : Explanation(
          "read L1", what,
          "It translates \(vtcr.geometry.inputBits) bits; KVM's walk takes 25 to 48. No fault status is set.",
          .nested("walk_nested_s2_pgd"))
    case .guestAccessFlag(_, let ipa):
      return Explanation(
        "AF in L1", "KVM sets the access flag in L1's entry at \(Phrase.address(ipa))",
        "L1 set VTCR_EL2.HA, so KVM does what the hardware would do.",
        .nested("swap_guest_s2_desc"))
    case .inject(let status, let kind, let isRefused):
      return Explanation(
        "inject",
        "L1 gets \(Phrase.withArticle(Phrase.status(status))) for the \(Phrase.access(kind)) at \(step.at)",
        isRefused
          ? "No entry of L1's was read: its VTCR_EL2 describes no table that KVM can walk. KVM_RUN also fails "
            + "with EFAULT."
          : Self.reason(for: status) + ", so L1 must handle it. The shadow does not change.",
        .nested("kvm_inject_s2_fault"))
    case .injectSize:
      return Explanation(
        "inject", "an address size fault at \(step.at)",
        "The address is above the largest that KVM supports.", .mmu("kvm_handle_guest_abort"))
    case .injectExternal where step.keeper == .realmManager:
      return Explanation(
        "inject", "an external abort at \(step.at)",
        "The RIPAS is EMPTY: the realm has said itself that there is no memory. The RMM does not ask the host.",
        .realmExit("handle_data_abort"))
    case .injectExternal:
      return Explanation(
        "inject", "an external abort at \(step.at)",
        "There is no memory there, and a fetch or an address outside the IPA space cannot be MMIO.",
        .mmu("kvm_handle_guest_abort"))
    case .mmioExit(let ipa):
      return Explanation(
        "MMIO", "exit to user space for canonical IPA \(Phrase.address(ipa))",
        "There is no memory slot, so it may be a device that the VMM emulates.",
        Source("arch/arm64/kvm/mmio.c", "io_mem_abort"))
    case .memslotFound(let ipa, let hva):
      return Explanation(
        "slot", "canonical \(Phrase.address(ipa)) is VMM address \(Phrase.address(hva))",
        "The memory slot says which of the VMM's memory backs it.",
        .mmu("kvm_handle_guest_abort"))
    case .noVMA:
      return Explanation(
        "EFAULT", "the VMM has nothing mapped at \(step.at)",
        "KVM maps for a guest only what the VMM can access itself.",
        .mmu("kvm_s2_fault_get_vma_info"))
    case .mapLockHeld:
      return Explanation(
        "blocked", "the fault at VMM \(step.at) waits for mmap_lock",
        "The paused event holds it for writing.", .mmu("kvm_s2_fault_get_vma_info"))
    case .hostRefused:
      return Explanation(
        "EFAULT", "the VMM's mapping at \(step.at) forbids the access",
        "KVM maps for a guest only what the VMM can access itself.", .kvm("hva_to_pfn_slow"))
    case .sizeChosen(let limit, let guestLeaf):
      let guest = guestLeaf.map { ", L1's leaf \(Phrase.size($0))" } ?? ""
      return Explanation(
        "size", "VMA \(Phrase.size(step.size)), at most \(Phrase.size(limit))\(guest)",
        "A leaf is no larger than the host's page, the slot and, in a shadow, L1's leaf.",
        .mmu("kvm_s2_resolve_vma_size"))
    case .retryAfterNotifier:
      return Explanation(
        "retry", "the host must replace the page first, so the notifier runs",
        "The sequence number will have changed, so the fault is abandoned and retried.",
        .mmu("kvm_s2_fault_map"))
    case .retryInvalidation:
      return Explanation(
        "retry", "an invalidation is in progress: nothing may be mapped",
        "A leaf mapped now could outlive the page that is being taken away.",
        Source("include/linux/kvm_host.h", "mmu_invalidate_retry"))
    case .locked(.read):
      return Explanation(
        "lock", "mmu_lock, read", "Other vCPUs may handle faults at the same time.",
        FaultStep.Lock.read.source)
    case .unlocked(.read):
      return Explanation(
        "unlock", "mmu_lock", "The guest runs again.", FaultStep.Lock.read.source)
    case .locked(let lock):
      return Explanation(
        "lock", "mmu_lock, write", "Nobody else may change a table of this VM.", lock.source)
    case .unlocked(let lock):
      return Explanation("unlock", "mmu_lock", "Faults can be handled again.", lock.source)
    case .noMemory:
      return Explanation(
        "ENOMEM", "the fault at \(step.at) fails", "This version returns the failure to the VMM.",
        .reverseMap("v1, kvm_record_nested_revmap"))
    }
  }
}
