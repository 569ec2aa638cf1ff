/// A change of a table that the host kernel, the hypervisor or the RMM keeps.
package enum TableStep: StepFamily {
  /// Why a whole shadow is unmapped.
  package enum Emptied: UInt64, CaseIterable, Sendable {
    /// Nothing is recorded, so the nested IPAs of the memory are unknown.
    case noReverseMap
    /// The nested IPA of a range is unknown.
    case unknownRange
    /// The map is broken.
    case brokenMap
    /// Another sweep of the shadow is under way, and has emptied the map.
    case swept
    /// The policy asks its map only for notifiers, not when a slot is deleted or pins are released.
    case slotChange
    /// L1 invalidates all of its VMID, or everything.
    case guestInvalidation
    /// The shadow served another context.
    case recycled
  }

  /// A leaf is to be mapped.
  case map(Descriptor)
  /// A leaf is to get these permissions as well.
  case relax(Permissions)
  /// The leaf is there already.
  case mapUnneeded(Descriptor)
  /// Another walker holds the entry.
  case entryLocked(Descriptor)
  /// Break: the LOCKED marker replaces an entry.
  case breakEntry(Descriptor)
  /// Make: an entry that points to a table.
  case makeTable(Descriptor)
  /// Make: an entry that points to a full table, in place of a block.
  case linkTable(Descriptor)
  /// Make: the first of `count` adjacent leaves.
  case makeLeaf(Descriptor, count: UInt64)
  /// A page is allocated for a table whose entries have the step's level.
  case allocateTable
  /// The same for a table that will replace a block, before a fault asks for it.
  case allocateForSplit
  /// The page of a table, at a physical address, is freed, with so many leaves that were still in it.
  case freeTable(page: UInt64, leaves: UInt64)
  /// The same of a table that a leaf has replaced.
  case freeReplaced(page: UInt64, leaves: UInt64)
  /// Leaves are removed: the first of `count`, and the range that was asked for.
  case clearLeaf(Descriptor, count: UInt64, asked: Range<UInt64>)
  /// An entry that points to an empty table is removed.
  case clearTable(Descriptor)
  /// A leaf gets more permissions.
  case relaxLeaf(Descriptor, from: Descriptor)
  /// The leaf that was to get more permissions has them already.
  case relaxKept(Descriptor)
  /// The leaf that was to get more permissions is no longer there: the current entry.
  case relaxGone(Descriptor)
  /// A leaf loses its write permission.
  case writeProtect(Descriptor, from: Descriptor)
  /// A leaf loses its access flag.
  case ageLeaf(Descriptor, from: Descriptor)
  /// A leaf gets its access flag from KVM.
  case youngLeaf(Descriptor, from: Descriptor)
  /// A leaf gets other software bits, which no walker heeds.
  case restateLeaf(Descriptor, from: Descriptor)
  /// A range is unmapped.
  case sweep(UnmapCause)
  /// A whole shadow is unmapped.
  case emptyShadow(Emptied, UnmapCause)
  /// 512 entries fill a table that is not visible yet, to replace an entry: so many of them are leaves.
  case fillTable(Descriptor, leaves: UInt64)
  /// An entry replaces another in one store.
  case swapEntry(Descriptor, from: Descriptor)
  /// `count` entries from a physical address on are cleaned to the point of coherency.
  case cleanEntries(at: UInt64, count: UInt64)

  package var facts: Step.Facts {
    switch self {
    case .map: Step.Facts(.plan, .mapping)
    case .relax: Step.Facts(.plan, .relaxing)
    case .mapUnneeded: Step.Facts(.remark, .mapping)
    case .entryLocked: Step.Facts(.retry, .breakBeforeMake)
    case .breakEntry: Step.Facts(.entryBroken, .breakBeforeMake)
    case .makeTable: Step.Facts(.tableMade, .mapping)
    case .linkTable: Step.Facts(.tableMade, .splitting)
    case .makeLeaf: Step.Facts(.leafMade, .mapping, weight: 2)
    case .allocateTable: Step.Facts(.tableAllocated, .mapping)
    case .allocateForSplit: Step.Facts(.tableAllocated, .splitting)
    case .freeTable: Step.Facts(.tableFreed, .unmapping)
    case .freeReplaced: Step.Facts(.tableFreed, .mapping)
    case .clearLeaf: Step.Facts(.leafRemoved, .unmapping, weight: 2)
    case .clearTable: Step.Facts(.tableRemoved, .unmapping)
    case .relaxLeaf: Step.Facts(.leafRelaxed, .relaxing, weight: 2)
    case .relaxKept: Step.Facts(.remark, .relaxing)
    case .relaxGone: Step.Facts(.retry, .relaxing)
    case .writeProtect: Step.Facts(.leafWeakened, .writeProtection, weight: 2)
    case .ageLeaf: Step.Facts(.leafWeakened, .ageing, weight: 2)
    case .youngLeaf: Step.Facts(.accessFlag, .ageing, weight: 2)
    case .restateLeaf: Step.Facts(.entryReplaced, .pageOwnership, weight: 2)
    case .sweep: Step.Facts(.sweep, .sweeping, .none)
    case .emptyShadow(let reason, _):
      Step.Facts(.wholeShadow, reason.convention, .none, weight: 3)
    case .fillTable: Step.Facts(.tableFilled, .splitting)
    case .swapEntry: Step.Facts(.entryReplaced, .splitting)
    case .cleanEntries: Step.Facts(.cleaning, .cleaning)
    }
  }

  /// The entry that the step stores in the table, or the first of them; nil if it stores none.
  package var result: Descriptor? {
    switch self {
    case .makeTable(let new), .linkTable(let new), .makeLeaf(let new, _), .relaxLeaf(let new, _),
      .writeProtect(let new, _), .ageLeaf(let new, _), .youngLeaf(let new, _),
      .restateLeaf(let new, _), .swapEntry(let new, _):
      new
    case .clearLeaf, .clearTable: Descriptor(0)
    case .breakEntry: Descriptor(Descriptor.locked)
    case .map, .relax, .mapUnneeded, .entryLocked, .allocateTable, .allocateForSplit, .freeTable,
      .freeReplaced, .relaxKept, .relaxGone, .sweep, .emptyShadow, .fillTable, .cleanEntries:
      nil
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch step.keeper {
    case .iommu, .pkvmDriver, .amdDriver: deviceExplanation(step)
    case .realmManager: realmExplanation(step)
    case .kvm, .amdKVM, .pkvm, .guestHypervisor, .hostMemory, nil: processorExplanation(step)
    }
  }

  /// In a table that CPUs walk.
  func processorExplanation(_ step: Step) -> Explanation {
    let level = step.level
    let place = "level \(level) at \(step.at)"
    switch self {
    case .map(let leaf):
      return Explanation(
        "map", "\(step.span) in \(Phrase.table(step.table)): \(Phrase.entry(leaf, level: level))",
        "The leaf that the fault asks for is to be installed.",
        .pgtable("kvm_pgtable_stage2_map"))
    case .relax(let permissions):
      return Explanation(
        "relax", "\(step.span) in \(Phrase.table(step.table)): \(permissions.text)",
        "A leaf of the right size is there: at most its permissions have to change.",
        .pgtable("kvm_pgtable_stage2_relax_perms"))
    case .mapUnneeded where step.keeper == .pkvm:
      return Explanation(
        "no change", "level \(level) holds this leaf already",
        "Nothing is stored where no more than permissions would change.",
        .pgtable("stage2_map_walker_try_leaf"))
    case .mapUnneeded:
      return Explanation(
        "no change", "level \(level) holds this leaf already, or one with other permissions",
        "Only a leaf of another address or size is replaced here. The guest retries; if it still lacks a "
          + "permission, its next fault relaxes the leaf.",
        .pgtable("stage2_map_walker_try_leaf"))
    case .entryLocked:
      return Explanation(
        "locked", "level \(level) is LOCKED: the walk is retried",
        "Another walker is between break and make.", .pgtable("stage2_try_break_pte"))
    case .breakEntry(let old):
      return Explanation(
        "break", "\(place): \(Phrase.entry(old, level: level)) → LOCKED",
        old.isValid
          ? "Break before make: an entry is never changed from one valid value to another."
          : step.keeper == .pkvm
            ? "Nothing valid was there, so nothing is invalidated. The hypervisor holds the table's lock."
            : "Of several faults under the read lock one claims the entry. Nothing valid was there, so nothing "
              + "is invalidated.",
        .pgtable("stage2_try_break_pte"))
    case .makeTable(let new):
      return Explanation(
        "make", "\(place): \(Phrase.entry(new, level: level))",
        "The new, empty table replaces the entry.", .pgtable("stage2_make_pte"))
    case .linkTable(let new):
      return Explanation(
        "make", "\(place): \(Phrase.entry(new, level: level))",
        "The table is full, and maps what the block mapped.", .pgtable("stage2_split_walker"))
    case .makeLeaf(let new, _):
      return Explanation(
        "make", "\(place): \(Phrase.entry(new, level: level))",
        new.isValid
          ? "The leaf becomes visible to the hardware."
          : "The hardware finds nothing there; software finds the note.",
        .pgtable("stage2_make_pte"))
    case .allocateTable:
      let (why, source): (String, Source) =
        if step.keeper != .pkvm {
          (
            "It comes from the vCPU's cache, filled before any lock was taken.",
            .pgtable("stage2_map_walk_leaf")
          )
        } else if step.table == .pkvmHost {
          (
            "It comes from the host's pool, which was reserved at boot.",
            .memoryProtection("host_s2_zalloc_page")
          )
        } else {
          (
            "It comes from what the host has donated to the guest for that.",
            .memoryProtection("guest_s2_zalloc_page")
          )
        }
      return Explanation("allocate", "a page for a table of level \(level) entries", why, source)
    case .allocateForSplit:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "It comes from the VM's cache for splitting, which is filled between two chunks, without mmu_lock.",
        .mmu("kvm_mmu_split_huge_pages"))
    case .freeTable(let page, _):
      return Explanation(
        "free", "the table page at PA \(Phrase.address(page))", "No entry points to it any longer.",
        .pgtable("stage2_unmap_walker"))
    case .freeReplaced(let page, _):
      let isShared = step.keeper != .pkvm
      return Explanation(
        "free", "the table page at PA \(Phrase.address(page))",
        isShared
          ? "A leaf has taken its place. Another fault may still be walking it, so it is freed after an RCU "
            + "grace period; here at once."
          : "A leaf has taken its place. The hypervisor holds the table's lock, so nobody else walks it.",
        isShared
          ? .mmu("stage2_free_unlinked_table") : .memoryProtection("host_s2_free_unlinked_table"))
    case .clearLeaf(let old, _, let asked):
      let part = asked.clamped(to: step.address..<step.address &+ step.size)
      let size = part.size
      return Explanation(
        "unmap", "\(place): \(Phrase.entry(old, level: level)) → empty",
        size == step.size
          ? "The leaf lies in the range that is unmapped."
          : "Only \(Phrase.size(size)) of it was asked for, but a leaf is removed as a whole; the rest is "
            + "mapped again by faults.",
        .pgtable("stage2_unmap_put_pte"))
    case .clearTable:
      return Explanation(
        "unmap", "\(place): the table is empty and is unlinked",
        "A table without entries is freed on the way up.", .pgtable("stage2_unmap_walker"))
    case .relaxLeaf(let new, let old):
      return Explanation(
        "relax",
        "\(place): \(old.permissions.text) → \(new.permissions.text)",
        "More permission needs no break before make.", .pgtable("stage2_attr_walker"))
    case .relaxKept(let old):
      return Explanation(
        "no change", "\(place): \(old.permissions.text) already",
        "Another vCPU was faster. This CPU had the leaf cached as it was before, so the TLBI alone is needed.",
        .pgtable("stage2_attr_walker"))
    case .relaxGone:
      return Explanation(
        "relax", "there is no leaf at \(step.at) any more",
        "It was unmapped in the meantime; the guest retries.",
        .pgtable("kvm_pgtable_stage2_relax_perms"))
    case .writeProtect(let new, let old):
      return Explanation(
        "protect",
        "\(place) in \(Phrase.table(step.table)): "
          + "\(old.permissions.text) → \(new.permissions.text)",
        "The next write will fault, and will be logged.",
        .pgtable("kvm_pgtable_stage2_wrprotect"))
    case .ageLeaf:
      return Explanation(
        "age", "\(place): the access flag is cleared",
        "If it is set again later, the page was used. Shadow leaves are not aged.",
        .mmu("kvm_age_gfn"))
    case .youngLeaf:
      return Explanation(
        "AF", "\(place): KVM sets the access flag",
        "A CPU would set it itself (VTCR_EL2.HA); the SMMU is not configured to (S2HA is clear).",
        .mmu("handle_access_fault"))
    case .restateLeaf(let new, let old):
      return Explanation(
        "state", "\(place): \(old.pageState.name) → \(new.pageState.name)",
        "The state is in software bits, which no walker heeds. So it is stored alone, without a break and "
          + "a TLBI.",
        .pgtable("stage2_map_walker_try_leaf"))
    case .sweep(let cause):
      let spansGigabytes =
        step.size > 0 && step.address >> 30 != (step.address &+ step.size &- 1) >> 30
      return Explanation(
        "sweep", "unmap \(step.span) of \(Phrase.table(step.table))",
        cause.sentence
          + (spansGigabytes ? " mmu_lock may be dropped at each border between gigabytes." : ""),
        .mmu("stage2_apply_range"))
    case .emptyShadow(let reason, let cause):
      return Explanation(
        "full unmap", "all of \(Phrase.table(step.table)), because \(cause.clause)",
        reason.sentence, reason.source)
    case .fillTable(let block, _):
      return Self.filling(block, step, .pgtable("kvm_pgtable_stage2_create_unlinked"))
    case .swapEntry(let new, _):
      return Self.swapping(new, step, .architecture("D8.16, FEAT_BBM"))
    case .cleanEntries(let page, let count): return Self.cleaning(page, count)
    }
  }

  static func filling(_ block: Descriptor, _ step: Step, _ source: Source) -> Explanation {
    Explanation(
      "fill",
      "512 entries for \(Phrase.entry(block, level: step.level - 1)), in a table that is not linked yet",
      "With the same pages and permissions. Nobody can see it before it is complete.", source)
  }

  static func swapping(_ new: Descriptor, _ step: Step, _ source: Source) -> Explanation {
    Explanation(
      "swap", "level \(step.level) at \(step.at): \(Phrase.entry(new, level: step.level))",
      "One store: a walk finds either the old entry or the new one. Cached translations remain for now.",
      source)
  }

  static func cleaning(_ page: UInt64, _ count: UInt64) -> Explanation {
    Explanation(
      "clean", "\(Phrase.count(count, "entry", "entries")) from PA \(Phrase.address(page)) on",
      "The SMMU's walker does not snoop the CPUs' caches.", .ioTable("__arm_lpae_sync_pte"))
  }

  /// The number of entries beyond the one described, as text.
  static func others(_ count: UInt64) -> String {
    count > 1 ? ", and \(count - 1) more" : ""
  }
}

extension TableStep.Emptied {
  fileprivate var convention: Convention {
    switch self {
    case .noReverseMap, .unknownRange: .lookingUp
    case .brokenMap: .brokenMap
    case .swept: .sharedSweep
    case .slotChange: .memslots
    case .guestInvalidation: .guestInvalidation
    case .recycled: .shadowChoice
    }
  }

  fileprivate var sentence: String {
    switch self {
    case .noReverseMap:
      "Nothing records which nested IPAs lead to that memory, so the whole shadow is unmapped."
    case .unknownRange:
      "The reverse map only says that the memory is mapped somewhere in this shadow."
    case .brokenMap:
      "The reverse map lacks an entry that could not be stored: it cannot be trusted."
    case .swept: "Another sweep of this shadow is under way, and the map was emptied for it."
    case .slotChange:
      "This version asks its map only when a notifier calls. Whatever else takes memory empties every shadow."
    case .guestInvalidation: "L1 takes back all translations of its VMID, or of every VMID."
    case .recycled: "Its leaves belong to the context that it served before."
    }
  }

  fileprivate var source: Source {
    switch self {
    case .noReverseMap: .nested("kvm_nested_s2_unmap")
    case .unknownRange, .brokenMap: .reverseMap("unmap_mmu_ipa_range")
    case .swept: .project("repaired")
    case .slotChange: .reverseMap("reset_revmap_and_unmap")
    case .guestInvalidation: .sysRegs("handle_vmalls12e1is, handle_alle1is")
    case .recycled: .nested("check_nested_vcpu_requests")
    }
  }
}
