@testable import Engine

/// A step of every kind there is, with operands that its words must cope with.
enum StepSamples {
  private static let page: UInt64 = 0x4_0000_0000
  private static let leaf = Descriptor(0x4_0000_0000 | 0x7c3)
  private static let table = Descriptor(0x4_0000_1003)
  private static let vttbr = VTTBR(1 << 48 | 0x8000_0000)
  private static let vtcr = VTCR.hypervisor(.stage2(bits: 48))
  /// Of 24 input bits.
  private static let narrowVTCR = VTCR(0x8002_3568)
  private static let stage2 = TranslationContext.vmid(1)
  private static let contexts = [stage2, .asid(2, isPrivate: true), .asid(2, isPrivate: false)]
  private static let kinds: [AccessKind] = [.read, .write, .execute]

  static let actions: [Step.Action] = {
    var actions: [Step.Action] = []
    for step in access { actions.append(.access(step)) }
    for step in guest { actions.append(.guest(step)) }
    for step in fault { actions.append(.fault(step)) }
    for step in tables { actions.append(.table(step)) }
    for step in tlb { actions.append(.tlb(step)) }
    for step in reverseMap { actions.append(.reverseMap(step)) }
    for step in host { actions.append(.host(step)) }
    for step in slot { actions.append(.slot(step)) }
    for step in identifier { actions.append(.identifier(step)) }
    for step in pause { actions.append(.pause(step)) }
    for step in dma { actions.append(.dma(step)) }
    for step in domain { actions.append(.domain(step)) }
    for step in rmp { actions.append(.rmp(step)) }
    for step in realm { actions.append(.realm(step)) }
    for step in pkvm { actions.append(.pkvm(step)) }
    for step in sight { actions.append(.sight(step)) }
    for step in end { actions.append(.end(step)) }
    return actions
  }()

  private static let access: [AccessStep] = {
    var steps: [AccessStep] = [
      .walk(Descriptor(0), slot: 512), .walk(leaf, slot: 512), .walk(table, slot: 512),
      .walk(Descriptor(Descriptor.locked), slot: 512), .accessFlagSet(leaf),
      .cached(leaf, isStale: false), .cached(leaf, isStale: true),
      .translated(to: page), .loaded(1, from: page), .stored(1, to: page), .fetched(from: page),
      .blocked, .endless,
    ]
    for kind in kinds {
      steps += [.enter(kind, by: .l1), .enter(kind, by: .l2)]
      steps.append(.fault(FaultStatus(.translation, level: 0), on: kind))
      steps.append(.fault(FaultStatus(.permission, level: 3), on: kind))
      steps.append(.fault(FaultStatus(0x3f), on: kind))
    }
    return steps
  }()
  private static let guest: [GuestStep] = [
    .context(vttbr, vtcr), .invalidation(vmid: 1), .invalidation(vmid: nil),
    .rangeTaken(granules: 1, ranges: 0, single: true),
    .rangeTaken(granules: 65, ranges: 1, single: true),
    .rangeTaken(granules: 66, ranges: 2, single: false), .stage1Invalidation, .vncrSet,
    .vncrTranslated(to: page), .vncrOutside, .vncrUnbacked, .vncrDropped(page),
  ]
  private static let fault: [FaultStep] = [
    .shadowFound(vttbr, vtcr), .shadowTaken(vttbr, vtcr), .shadowRecycled(vttbr, vtcr),
    .guestRead(leaf, at: page), .guestUnreadable(at: page), .guestWalkRefused(vtcr),
    .guestAccessFlag(leaf, at: page), .inject(FaultStatus(.permission, level: 2), on: .write),
    .inject(FaultStatus(.translation, level: 0), on: .read, isRefused: true),
    .guestWalkRefused(narrowVTCR),
    .injectSize, .injectExternal(ipa: nil), .injectExternal(ipa: page), .mmioExit(ipa: page),
    .memslotFound(ipa: page, hva: page), .noVMA, .mapLockHeld, .hostRefused,
    .sizeChosen(limit: 4096, guestLeaf: nil), .sizeChosen(limit: 2 << 20, guestLeaf: 4096),
    .retryAfterNotifier, .retryInvalidation, .locked(.read), .locked(.write), .locked(.dirtyLog),
    .locked(.split), .unlocked(.read), .unlocked(.write), .unlocked(.dirtyLog), .unlocked(.split),
    .noMemory,
  ]
  private static let causes: [UnmapCause] = {
    var causes = [UnmapCause(.recycling), UnmapCause(.guestInvalidation)]
    for kind in UnmapCause.Kind.allCases {
      causes.append(UnmapCause(kind, 0x8000_0000..<0x8000_1000))
    }
    return causes
  }()
  private static let tables: [TableStep] = {
    var steps = plainTables
    for cause in causes {
      steps.append(.sweep(cause))
      for reason in TableStep.Emptied.allCases { steps.append(.emptyShadow(reason, cause)) }
    }
    return steps
  }()
  private static let plainTables: [TableStep] = [
    .map(leaf), .relax(leaf.permissions), .mapUnneeded(leaf),
    .entryLocked(Descriptor(Descriptor.locked)), .breakEntry(leaf), .breakEntry(Descriptor(0)),
    .makeTable(table), .linkTable(table), .makeLeaf(leaf, count: 1), .makeLeaf(leaf, count: 2),
    .allocateTable, .allocateForSplit, .freeTable(page: page, leaves: 0),
    .freeReplaced(page: page, leaves: 0),
    .clearLeaf(leaf, count: 1, asked: 0x8000_0000..<0x8000_1000),
    .clearLeaf(leaf, count: 512, asked: 0..<1 << 48),
    .clearTable(table), .relaxLeaf(leaf, from: leaf), .relaxKept(leaf), .relaxGone(Descriptor(0)),
    .writeProtect(leaf, from: leaf), .ageLeaf(leaf, from: leaf), .youngLeaf(leaf, from: leaf),
    .restateLeaf(leaf, from: leaf),
    .fillTable(leaf, leaves: 512), .swapEntry(table, from: leaf), .cleanEntries(at: page, count: 1),
    .cleanEntries(at: page, count: 2),
  ]
  private static let sight: [SightStep] = [
    .seen(Descriptor(0x7c3, .dump(.words)), count: 1),
    .seen(Descriptor(0, .dump(.marks)), count: 512), .unseen, .serves(vttbr, vtcr, isOn: true),
    .serves(vttbr, vtcr, isOn: false), .unused, .entry(nested: 0x1000), .entry(nested: nil),
    .noEntry, .mapUnseen,
  ]
  private static let tlb: [TLBStep] = {
    var steps: [TLBStep] = [
      .flush, .otherVM(2, vmid: 3), .host(asid: 1, isLocal: false), .host(asid: 1, isLocal: true),
      .hostAll(asid: 1),
      .otherProcess(7, asid: 2),
      .sync(commands: 1), .sync(commands: 2), .broadcastAll(dropped: 3),
    ]
    let reasons: [TLBStep.Reason] = [
      .breakTable, .breakLeaf, .replaced, .unmapped, .swept(4), .tableFreed, .relaxed,
      .writeProtected(1), .writeProtected(4),
      .realmEntry,
    ]
    for reason in reasons { steps.append(.invalidate(reason, vmid: 1)) }
    for context in contexts {
      steps += [
        .command(context), .commandAll(context), .commandAll(context, isDetached: false),
        .noCommand(context),
        .broadcast(context, dropped: 0), .broadcast(context, dropped: 2),
      ]
    }
    return steps
  }()
  private static let reverseMap: [ReverseMapStep] = [
    .record(nested: page), .recordKnown(nested: page), .recordKept(nested: page),
    .recordUnknown(replacing: 1), .recordUnknown(replacing: 2), .recordFailed,
    .recordSkipped(nested: page), .recordOff(nested: page),
    .lookUpKnown(nested: page, asked: 0x8000_0000..<0x8000_1000),
    .lookUpKnown(nested: page, asked: 0..<1 << 48),
    .lookUpUnknown, .lookUpNothing, .lookUpBroken, .lookUpSwept, .eraseFailed, .resetMap,
    .brokenCleared, .forget(isEmpty: false), .forget(isEmpty: true),
    .failuresArmed(insertions: 1, erasures: 0),
  ]
  private static let host: [HostStep] = [
    .notifierStart(.slots), .notifierStart(.nothing), .notifierStart(.owners),
    .notifierEnd(.slots), .notifierEnd(.nothing), .pinnedKept(pages: 1), .pinnedKept(pages: 2),
    .page(page),
    .hugePage(page), .hugetlbPage(page), .zeroPage, .hugeZeroPage, .reuse,
    .copy(to: page, from: 0), .changed, .split, .hugeZeroReplaced(page), .zap(.pages),
    .zap(.pinnedPages), .zap(.nothing),
    .cleared, .flags, .areasRemoved, .protect(write: false),
    .protect(write: true), .fork(copiesPinned: false), .fork(copiesPinned: true),
    .collapse(to: page, copied: 1), .collapse(to: page, copied: 512), .mergeProtect, .mergeRefused,
    .merge(to: page, from: 0), .unshared(to: page, from: 0),
    .stored(page), .loaded(page), .signal, .granuleSignal, .noHugePages, .age, .idleSet,
    .idleTested(isIdle: true), .idleTested(isIdle: false),
  ]
  private static let slot: [SlotStep] = [
    .added(0, hva: page), .deleted, .dirtyLogOn, .dirtyLogOff, .dirtyLogGet, .dirtyPages(mask: 5),
    .eagerSplit,
  ]
  private static let identifier: [IdentifierStep] = {
    var steps: [IdentifierStep] = [
      .vmidRollover(generation: 2, limit: 255), .vmidReserved(vmid: 1, cpu: 0),
      .asidTaken(asid: 1), .otherASIDTaken(process: 2, asid: 3),
    ]
    for context in contexts { steps += [.domainTagged(context), .domainFreed(context)] }
    let holders: [IdentifierStep.Holder] = [
      .context(.canonical), .context(.shadow(1)), .otherVM(2),
    ]
    for holder in holders {
      steps.append(.vcpuStays(holder, vmid: 1, cpu: 0))
      steps.append(.vcpuLeaves(holder, cpu: 0))
      steps.append(.vmidTaken(holder, vmid: 1, generation: 2))
      steps.append(.vmidPinned(holder, vmid: 1))
      steps.append(.vmidUnpinned(holder, vmid: 1))
      for reason: IdentifierStep.Kept in [.reserved, .pinned, .free] {
        steps.append(.vmidKept(holder, vmid: 1, generation: 2, reason))
      }
    }
    return steps
  }()
  private static let pause: [PauseStep] = [
    .armed, .unused, .parked(dropsLock: true), .parked(dropsLock: false), .resumed,
  ]
  private static let dma: [DMAStep] = {
    var steps: [DMAStep] = [
      .begin(write: false, streamID: 8), .begin(write: true, streamID: 8),
      .fault(.translation, write: false), .loaded(0, from: page), .stored(0, to: page), .aborted,
      .waits(for: .firmware), .waits(for: .handler), .resumed(by: .host), .resumed(by: .kvm),
      .resumed(by: .hypervisor), .terminated, .accessFlagSet,
    ]
    let entries: [StreamEntry.Kind] = [.abort, .bypass, .stage1, .stage2, .invalid]
    for context in contexts {
      steps += [.cached(page, context), .translated(to: page, context)]
      for entry in entries { steps.append(.streamEntry(entry, context)) }
    }
    for fault in DeviceFault.allCases {
      steps += [
        .fault(fault, write: true), .stalled(fault, isStage1: false),
        .stalled(fault, isStage1: true),
      ]
    }
    return steps
  }()
  private static let domain: [DomainStep] = {
    var steps: [DomainStep] = [
      .reset, .joined(1), .blocked, .bypassed, .bypassShadowed,
      .mapCall(physical: page, count: 1), .unmapCall(count: 2), .partialUnmap(leaf),
      .unmapStopped(done: 4096), .areaCut(0x8000_0000..<0x8000_4000, by: .iommufd),
      .areaCut(0x8000_0000..<0x8000_4000, by: .vfio), .pagePinned(page, by: .iommufd),
      .pagePinned(page, by: .vfio), .unmapUnaligned,
      .pagesUnpinned(1, areCached: false), .pagesUnpinned(2, areCached: true),
      .rootAllocated(isStage1: true, pages: 1), .rootAllocated(isStage1: false, pages: 1),
      .otherAttached(vm: 1, vmid: 2), .otherDetached(vm: 1, vmid: 2),
    ]
    for context in contexts {
      steps += [.attached(root: page, context), .bound(root: page, context), .unbound(context)]
    }
    return steps
  }()
  private static let rmp: [RMPStep] = [
    .overlap,
    .assigned(RMPEntry(1), page: page), .validated(RMPEntry(1), page: page),
    .rescinded(RMPEntry(1), page: page), .tooSmall(page: page),
    .shared(RMPEntry(1), page: page), .psmash(.done, page: page), .psmash(.inUse, page: page),
    .psmash(.badAddress, page: page), .held(true, page: page), .held(false, page: page),
    .dmaStalled, .dmaResumed,
  ]
  private static let realm: [RealmStep] =
    [
      .granule(.undelegated, page: page), .granule(.delegated, page: page),
      .granule(.data, page: page), .granule(.table, page: page), .zeroed(page: page),
      .destroyedAccess, .granuleFault(page: page),
    ] + RealmCall.allCases.map { .entry(leaf, from: Descriptor(0), by: $0) }
    + [.entry(Descriptor(1 << 5), from: leaf, by: .destroyData)]

  /// Edits of a table that another than KVM makes: who keeps the table, and the table.
  static let kept: [(TableKind.Keeper, TableID, [Step.Action])] = [
    (
      .realmManager, .canonical,
      edits + [
        .tlb(.invalidate(.breakTable, vmid: 1)), .tlb(.invalidate(.realmEntry, vmid: 1)),
        .tlb(.command(stage2)), .access(.fault(FaultStatus(.translation, level: 0), on: .read)),
        .fault(.injectExternal(ipa: nil)),
      ]
    ),
    (.amdKVM, .canonical, amdSteps),
    (.amdDriver, .iommu(0), deviceEdits + amdDeviceSteps),
    (.iommu, .iommu(0), deviceEdits),
    (
      .pkvmDriver, .iommu(0),
      [
        .domain(.mapCall(physical: page, count: 1)), .domain(.unmapCall(count: 1)),
        .tlb(.command(stage2)),
      ]
    ),
  ]
  /// What KVM, CPUs and guests do on a machine with an RMP, whose guest has no guests: all but what names another
  /// kind of machine.
  private static let amdSteps: [Step.Action] = {
    let others: Set = [
      "shadowFound", "shadowTaken", "shadowRecycled", "guestRead", "guestUnreadable",
      "guestWalkRefused", "guestAccessFlag", "inject", "noMemory", "youngLeaf", "restateLeaf",
      "emptyShadow", "cleanEntries", "host", "hostAll", "otherProcess", "command", "commandAll",
      "noCommand", "broadcast", "broadcastAll", "vmidPinned", "vmidUnpinned", "domainTagged",
      "domainFreed", "asidTaken", "otherASIDTaken",
    ]
    let families: [[Step.Action]] = [
      access.map { .access($0) }, fault.map { .fault($0) }, plainTables.map { .table($0) },
      [.table(.sweep(UnmapCause(.notifier, 0x8000_0000..<0x8000_1000)))], tlb.map { .tlb($0) },
      identifier.map { .identifier($0) }, slot.map { .slot($0) }, pause.map { .pause($0) },
      rmp.map { .rmp($0) },
    ]
    return families.joined().filter { !others.contains($0.caseName) }
  }()
  /// What is said of a device's table and its DMA there.
  private static let amdDeviceSteps: [Step.Action] = [
    .domain(.reset), .domain(.attached(root: page, stage2)), .domain(.joined(1)), .domain(.blocked),
    .domain(.bypassed), .domain(.mapCall(physical: page, count: 1)),
    .domain(.unmapCall(count: 2)), .domain(.partialUnmap(leaf)),
    .domain(.unmapStopped(done: 4096)), .domain(.unmapUnaligned),
    .domain(.pagePinned(page, by: .iommufd)),
    .domain(.pagesUnpinned(2, areCached: false)),
    .domain(.otherAttached(vm: 1, vmid: 2)), .domain(.otherDetached(vm: 1, vmid: 2)),
    .tlb(.command(stage2)), .tlb(.commandAll(stage2)), .tlb(.noCommand(stage2)),
    .tlb(.sync(commands: 2)), .identifier(.domainTagged(stage2)), .identifier(.domainFreed(stage2)),
    .access(.walk(leaf, slot: 512)), .dma(.begin(write: true, streamID: 8)),
    .dma(.streamEntry(.abort, stage2)), .dma(.streamEntry(.bypass, stage2)),
    .dma(.streamEntry(.stage2, stage2)), .dma(.streamEntry(.invalid, stage2)),
    .dma(.cached(page, stage2)), .dma(.translated(to: page, stage2)), .dma(.loaded(0, from: page)),
    .dma(.stored(0, to: page)), .dma(.fault(.translation, write: false)),
    .dma(.fault(.rmp, write: true)), .dma(.aborted), .dma(.waits(for: .firmware)),
    .end(.failed(.eexist)),
  ]
  private static let edits: [Step.Action] = [
    .table(.allocateTable), .table(.fillTable(leaf, leaves: 512)),
    .table(.fillTable(Descriptor(1 << 5), leaves: 0)),
    .table(.breakEntry(leaf)),
    .table(.makeTable(table)), .table(.makeLeaf(leaf, count: 1)),
    .table(.swapEntry(leaf, from: table)), .table(.freeTable(page: page, leaves: 0)),
  ]
  private static let deviceEdits: [Step.Action] = [
    .table(.allocateTable), .table(.makeTable(table)), .table(.makeLeaf(leaf, count: 2)),
    .table(.clearLeaf(leaf, count: 2, asked: 0x8000_0000..<0x8000_2000)),
    .table(.clearTable(table)), .table(.freeTable(page: page, leaves: 0)),
    .table(.freeReplaced(page: page, leaves: 0)),
    .table(.fillTable(leaf, leaves: 512)),
    .table(.swapEntry(table, from: leaf)),
  ]
  private static let pkvm: [PKVMStep] = {
    var steps: [PKVMStep] = [
      .memory, .guestCreated(isProtected: true, pages: 1),
      .guestCreated(isProtected: false, pages: 1), .guestDying,
      .hostSizeChosen(isMemory: true), .hostSizeChosen(isMemory: false),
      .hostPoolEmpty(tables: 3, needed: 1), .mmioUnmap, .hostAbort(Descriptor(0)),
      .hostBlocked, .tlbConflict, .sharesCounted(0), .sharesCounted(1),
      .referencesCounted(1), .referencesCounted(2), .pageZeroed, .snapshotEntry(leaf),
      .snapshotEntry(Descriptor(0)), .snapshotEntry(.poisoned), .snapshotDone(isForwarding: true),
      .snapshotDone(isForwarding: false), .notForwarded,
    ]
    for state in PageState.allCases { steps += [.hostState(state), .hypervisorState(state)] }
    for kind in kinds { steps += [.hostAccess(kind), .guestAccess(kind)] }
    for call in calls { steps.append(.hypercall(call)) }
    return steps
  }()
  private static let calls: [PKVMCall] = [
    .hostShareHyp(page), .hostUnshareHyp(page), .hostPin(page..<page + 4096),
    .hostUnpin(page..<page + 4096), .hostDonateHyp(page..<page + 4096),
    .hypDonateHost(page..<page + 4096), .hypPin(page), .hypUnpin(page),
    .hostShareFFA(page..<page + 4096), .hostUnshareFFA(page..<page + 4096),
    .hostDonateGuest(1, page, at: 0), .hostShareGuest(1, page..<page + 4096, at: 0, write: true),
    .hostUnshareGuest(1, 0..<4096), .guestShareHost(1, 0), .guestUnshareHost(1, 0),
    .reclaimGuest(1, 0), .forceReclaim(page),
  ]
  private static let checks: [(KernelError, PKVMCheck)] = [
    (.einval, .alignment), (.einval, .pageNumbers), (.einval, .hostMemory), (.eperm, .hostMemory),
    (.eperm, .hostState), (.eperm, .hypervisorState), (.ebusy, .hypervisorUse), (.ebusy, .pins),
    (.einval, .references), (.eperm, .firmware), (.einval, .guestKind), (.eperm, .guestState),
    (.enoent, .guestLeaf), (.e2big, .guestLeaf), (.ehwpoison, .guestLeaf), (.eperm, .sharedLeaf),
    (.einval, .transitionSize), (.erange, .walk), (.efault, .guestInfo), (.eagain, .guestInfo),
    (.eperm, .guestInfo), (.eperm, .call("__pkvm_host_share_guest")), (.einval, .dying),
    (.einval, .creation), (.einval, .teardown), (.eexist, .snapshot), (.enoent, .guestExit),
    (.efault, .guestExit), (.eperm, .guestExit), (.erange, .guestExit),
  ]
  private static let end: [EndStep] = {
    var steps: [EndStep] = []
    for error in KernelError.allCases { steps.append(.failed(error)) }
    for (error, check) in checks { steps.append(.failed(error, by: check)) }
    for reason in EndStep.Idleness.allCases { steps.append(.noEffect(reason)) }
    return steps
  }()
}
