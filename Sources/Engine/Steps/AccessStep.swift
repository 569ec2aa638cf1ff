/// An access of a CPU as the hardware makes it: its walk, and how it ends.
package enum AccessStep: StepFamily {
  /// A vCPU makes an access.
  case enter(AccessKind, by: Guest)
  /// An entry is read, by a CPU or the SMMU.
  case walk(Descriptor, slot: Int)
  /// The TLB has the leaf, as it was when cached, so nothing is walked; the table may have changed since.
  case cached(Descriptor, isStale: Bool)
  /// The walk ended in a fault, or the cached leaf forbids the access.
  case fault(FaultStatus, on: AccessKind)
  /// The hardware sets the access flag: the new entry.
  case accessFlagSet(Descriptor)
  /// The walk gave a physical address.
  case translated(to: UInt64)
  /// A load of a value from a physical address.
  case loaded(UInt64, from: UInt64)
  /// A store of a value to a physical address.
  case stored(UInt64, to: UInt64)
  /// A fetch from a physical address.
  case fetched(from: UInt64)
  /// The access is not retried: an invalidation is under way.
  case blocked
  /// The access is not retried: it takes the same fault for ever.
  case endless

  package var facts: Step.Facts {
    switch self {
    case .enter: Step.Facts(.access, .hardwareWalk)
    case .walk, .translated: Step.Facts(.walk, .hardwareWalk)
    case .cached(_, let isStale): Step.Facts(.walk, .hardwareWalk, weight: isStale ? 3 : 0)
    case .fault: Step.Facts(.fault, .hardwareWalk)
    case .accessFlagSet: Step.Facts(.accessFlag, .hardwareAccessFlag, weight: 2)
    case .loaded, .stored, .fetched: Step.Facts(.data, .hardwareWalk, weight: 1)
    case .blocked, .endless: Step.Facts(.remark, .retry, weight: 3)
    }
  }

  /// The entry that the step stores in the table; nil if it stores none.
  package var result: Descriptor? {
    switch self {
    case .accessFlagSet(let new): new
    case .enter, .walk, .cached, .fault, .translated, .loaded, .stored, .fetched, .blocked,
      .endless:
      nil
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .enter(let kind, let guest):
      let guest = guest == .l1 ? "L1" : "L2"
      return Explanation(
        "access", "\(guest) \(Phrase.verb(kind)) \(Phrase.input(step.table)) \(step.at)",
        "Stage 1 is off, so stage 2 translates the address as it is, by \(Phrase.table(step.table)).",
        .architecture("AArch64.S2Translate"))
    case .walk(let entry, _):
      if step.table?.kind.keeper == .iommu {
        return Explanation(
          "walk", "level \(step.level): \(Phrase.entry(entry, level: step.level))",
          "The SMMU's TLB has no translation, so its walker reads one entry per level.",
          .smmuArchitecture("3.4, translation table walk"))
      }
      return Explanation(
        "walk",
        "level \(step.level) of \(Phrase.table(step.table)): "
          + Phrase.entry(entry, level: step.level),
        "The hardware reads one entry per level, indexed by the address bits of that level.",
        .architecture("D8.2, translation table walk"))
    case .cached(let leaf, let isStale):
      return Explanation(
        "TLB", "level \(step.level) is cached: \(Phrase.entry(leaf, level: step.level))",
        isStale
          ? "The table has changed since. No TLBI has reached this entry, so the CPU uses it."
          : "The CPU holds the leaf under the table's VMID, and reads no table.",
        .architecture("D8.15, translation lookaside buffers"))
    case .fault(let status, let kind):
      let end =
        if step.keeper == .realmManager {
          "the realm exits to the RMM"
        } else if step.keeper != .pkvm {
          "the vCPU exits to KVM"
        } else if step.table == .pkvmHost {
          "the host exits to EL2"
        } else {
          "the guest exits to EL2"
        }
      return Explanation(
        "fault", "\(Phrase.status(status)) on a \(Phrase.access(kind)): \(end)",
        status.faultClass == .permission
          ? "The leaf does not permit the access." : "The walk found no leaf.",
        .architecture("D8.2, stage 2 faults"))
    case .accessFlagSet:
      return Explanation(
        "AF", "the hardware sets the access flag of the leaf at level \(step.level)",
        "VTCR_EL2.HA is set, so an old leaf becomes young without a fault.",
        .architecture("VTCR_EL2.HA"))
    case .translated(let physical):
      return Explanation(
        "translate", "\(step.at) → PA \(Phrase.address(physical)), into the TLB",
        "The leaf permits the access. The TLB keeps it under the table's VMID.",
        .architecture("AArch64.S2Translate"))
    case .loaded(let value, let physical):
      return Explanation(
        "load", "8 bytes at PA \(Phrase.address(physical)): \(Phrase.address(value))",
        "The access completes.", .architecture("AArch64.S2Translate"))
    case .stored(let value, let physical):
      return Explanation(
        "store", "8 bytes to PA \(Phrase.address(physical)): \(Phrase.address(value))",
        "The access completes.", .architecture("AArch64.S2Translate"))
    case .fetched(let physical):
      return Explanation(
        "fetch", "an instruction at PA \(Phrase.address(physical))", "The access completes.",
        .architecture("AArch64.S2Translate"))
    case .blocked:
      return Explanation(
        "blocked", "the vCPU faults again and again at \(step.at)",
        "An invalidation is in progress, and KVM maps nothing until it ends.",
        Source("include/linux/kvm_host.h", "mmu_invalidate_retry"))
    case .endless:
      return Explanation(
        "livelock", "the vCPU takes the same fault again and again at \(step.at)",
        "Nothing is in progress that could end it: each time the table stays as it is, and the guest is run "
          + "again.",
        .mmu("kvm_handle_guest_abort"))
    }
  }
}
