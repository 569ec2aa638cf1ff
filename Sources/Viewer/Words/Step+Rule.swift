import Engine

extension Step.Action {
  /// The rule that a step of this kind follows. A kind without one does not compile: a new kind of step
  /// goes with a rule that is there, or brings one, and its card.
  var rule: Rule {
    switch self {
    case .enter, .walk, .fault, .translated, .loaded, .stored, .fetched: .hardwareWalk
    case .hardwareAccessFlag: .hardwareAccessFlag
    case .context: .guestContext
    case .guestInvalidation: .guestInvalidation
    case .l2Invalidation: .stage1Invalidation
    case .vncrSet, .vncrTranslated, .vncrDropped: .vncr
    case .shadowFound, .shadowTaken, .shadowRecycled: .shadowChoice
    case .guestRead, .guestUnreadable, .guestWalkRefused, .guestAccessFlag: .guestWalk
    case .inject: .injection
    case .injectSize, .injectExternal: .addressCheck
    case .mmioExit, .memslotFound, .addMemslot, .deleteMemslot: .memslots
    case .noVMA, .hostRefused: .hostAccess
    case .sizeChosen: .mappingSize
    case .blocked, .mapLockHeld, .retryAfterNotifier, .retryInvalidation: .retry
    case .lockRead, .unlockRead, .lockWrite, .unlockWrite: .lock
    case .vcpuStays, .vcpuLeaves, .vmidTaken, .vmidKept, .vmidRollover, .vmidReserved, .vmidFlush:
      .vmidAllocation
    case .vmidPinned, .vmidUnpinned: .vmidPinning
    case .otherVMUnmap: .unmapping
    case .map, .mapUnneeded, .makeTable, .makeLeaf, .allocateTable: .mapping
    case .breakEntry, .entryLocked: .breakBeforeMake
    case .relax, .relaxLeaf, .relaxGone: .relaxing
    case .clearLeaf, .clearTable, .freeTable: .unmapping
    case .sweep, .pauseArmed, .pauseUnused, .parked, .resumed: .sweeping
    case .writeProtect: .writeProtection
    case .ageLeaf, .youngLeaf, .age, .idleSet, .idleTested: .ageing
    case .dirtyLogOn, .dirtyLogOff, .dirtyLogGet, .dirtyPages, .eagerSplit: .dirtyLogging
    case .record, .recordKnown, .recordKept: .recording
    case .recordUnknown: .fusing
    case .recordFailed, .recordSkipped, .noMemory, .lookUpBroken, .eraseFailed, .brokenCleared,
      .failuresArmed:
      .brokenMap
    case .recordOff: .stage2Off
    case .lookUpKnown, .lookUpUnknown, .lookUpNothing, .resetMap: .lookingUp
    case .lookUpSwept: .sharedSweep
    case .forget: .forgetting
    case .notifierStart, .notifierEnd: .notifier
    case .hostPage, .hostHugePage, .hostHugetlb, .hostZeroPage, .hostHugeZeroPage, .noHugePages:
      .hostPages
    case .asidTaken, .otherASIDTaken, .contextAttached, .contextCleared, .hostInvalidation,
      .otherProcessUnmap, .hostCleared:
      .sharedAddresses
    case .hostReuse, .hostCopy, .hostChanged, .hostFork: .copyOnWrite
    case .hostSplit, .hostZap, .hostFlags, .hostProtect: .hostMappings
    case .hostCollapse: .collapsing
    case .hostMergeProtect, .hostMerge: .merging
    case .hostStored, .hostLoaded, .signal: .hostUse
    case .smmuReset, .dma, .streamEntry, .iotlbHit, .dmaTranslated, .dmaLoaded, .dmaStored,
      .dmaFault,
      .dmaAborted, .streamAttached, .streamBlocked, .streamBypassed, .bypassShadowed:
      .deviceAccess
    case .iommuMapCall, .iommuUnmapCall, .partialUnmap, .unmapStopped: .ioTable
    case .iotlbCommand, .iotlbSync, .iotlbBroadcast, .iotlbBroadcastAll: .deviceInvalidation
    case .domainVMIDTaken, .domainFreed, .otherAttached, .otherDetached: .domainVMID
    case .fillTable, .swapEntry: .splitting
    case .dmaWaits: .stalling
    case .rmpAssigned, .rmpValidated, .rmpShared, .psmash, .rmpHeld, .dmaStalled, .dmaResumed:
      .reverseMapTable
    case .granule, .realmEntry, .granuleFault: .realm
    case .pagePinned, .pagesUnpinned, .pinnedKept: .pagePinning
    case .cleanEntry: .cleaning
    case .failed: .failing
    case .hostMemory, .hostAccess, .hostSizeChosen, .hostPoolEmpty, .mmioUnmap, .hostAbort:
      .protectedHost
    case .guestCreated, .guestDying, .guestAccess, .hypercall, .hostStateSet, .hypervisorStateSet,
      .sharesCounted, .referencesCounted, .pageZeroed:
      .pageOwnership
    case .faultStalled, .faultResumed, .faultTerminated: .stalling
    case .tlbConflict: .splitting
    case .snapshotEntry, .snapshotDone, .notForwarded: .identityMap
    case .invalidate(let reason): reason.rule
    case .noEffect(let reason): reason.rule
    }
  }
}

extension Step.Invalidation {
  fileprivate var rule: Rule {
    switch self {
    case .breakTable, .breakLeaf, .replaced: .breakBeforeMake
    case .unmapped, .tableFreed: .unmapping
    case .relaxed: .relaxing
    case .writeProtected: .writeProtection
    }
  }
}

extension Step.Idleness {
  fileprivate var rule: Rule {
    switch self {
    case .loggingUnchanged: .dirtyLogging
    case .nothingToCollapse: .collapsing
    case .mappingUnchanged, .partOfHugePage: .hostMappings
    case .nothingToMerge: .merging
    case .notTracked, .notIdle: .ageing
    case .nothingToShare: .copyOnWrite
    case .noShadow: .guestInvalidation
    case .stage1Only: .stage1Invalidation
    }
  }
}
