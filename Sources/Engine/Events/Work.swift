/// A piece of an event that may have to wait for another piece: notifications around changes of the
/// host's memory, unmaps that may drop `mmu_lock`, an access that is retried.
///
/// An event is carried out by a stack of tasks: each is done at once, or pushes others to be done first.
enum Work: Equatable {
  /// The notifier's start: pushes the unmaps of all slots concerned.
  case beginInvalidation(Range<UInt64>)
  case endInvalidation(Range<UInt64>)
  /// Unmap canonical IPAs of the canonical table.
  case unmapCanonical(UnmapCause)
  /// Unmap canonical IPAs of all shadows, as the policy sees fit.
  case unmapShadows(UnmapCause)
  /// Unmap canonical IPAs of the shadow with this index, as the policy sees fit.
  case continueUnmap(Range<UInt64>, Int, UnmapCause)
  /// Unmap nested IPAs that L1 invalidated, in the shadow with this index, if that is valid when its turn
  /// comes, and has a VMID of L1's, if one is given.
  case invalidateShadow(Int, Range<UInt64>, vmid: UInt16?)
  /// Unmap a range of the context with this index; `mmu_lock` may be dropped between gigabytes.
  case sweep(Int, Range<UInt64>, UnmapCause)
  /// Ends an invalidation's sweep that may drop `mmu_lock`.
  case endSweep(Int)
  /// Unmap the whole shadow with this index, if it is valid when its turn comes.
  case emptyShadow(Int, TableStep.Emptied, UnmapCause)
  /// Before and after the sweep of a whole shadow.
  case beginUnmapAll(Int, TableStep.Emptied, UnmapCause)
  case endUnmapAll(Int)
  case finishRecycling(Int)
  /// Write-protect a range of the context with this index, if it is valid; `mmu_lock` may be dropped between
  /// gigabytes.
  case writeProtect(Int, Range<UInt64>)
  /// After the write protection of canonical IPAs; of the slot with this record, to start its dirty log.
  case endWriteProtection(Range<UInt64>)
  case endDirtyLogStart(Int)
  /// Split the canonical blocks of a range, chunk by chunk.
  case splitBlocks(Range<UInt64>)
  /// Fetch the dirty log of the slot with this record, from a word of the bitmap on; whether a word before it
  /// had dirty pages.
  case collectDirty(Int, from: UInt64, found: Bool)
  /// Drop KVM's translations of L1's VNCR pages at canonical IPAs.
  case dropVNCR(Range<UInt64>)
  /// Retry an access; or a DMA, by device and IOVA.
  case access(Access)
  case dma(Int, UInt64, write: Bool)
  /// Attach a device's stream to its table.
  case attach(Int)
  /// One effect of a pKVM hypercall.
  case pkvm(PKVMEffect)

  // Devices, by their numbers; IOVAs.
  /// Unmap a range, of which `done` bytes are already done, with its gathered TLB invalidations.
  case unmapIOVA(Int, Range<UInt64>, done: UInt64, Gather)
  /// Unmap and unpin a pinned area run by run, of which `done` bytes are unmapped, and of these a number of
  /// runs not yet synchronised.
  case unmapRuns(Int, Range<UInt64>, done: UInt64, Gather, runs: Int)
  /// Map a range, of which a part may be done.
  case mapIOVA(Int, IOMapping)
  /// Pin guest memory from an address on, and then map the unmapped part.
  case pin(Int, Range<UInt64>, Pinning)
  /// Map a batch of pinned pages, from a run of which `done` bytes are already mapped, up to an address.
  case mapPinned(Int, Range<UInt64>, run: UInt64, done: UInt64, end: UInt64)
  case unpin(Int, Range<UInt64>)
  /// An unmap of a range fails at an area, of which it has only a part.
  case refuseCut(Int, Range<UInt64>, area: Range<UInt64>)
  /// Unmap canonical IPAs that are about to be unpinned.
  case releaseLeaves(Int, Range<UInt64>)
  case freeDomain(Int)
  /// A part of a conversion of guest pages.
  case rmp(RMPAction, Range<UInt64>)
  /// The make of break-before-make in a realm's table: address, level and bits.
  case finishReplacing(UInt64, level: Int, UInt64)
  /// Free a page of a realm's table to which nothing points any more: its first slot.
  case freeRealmTable(UInt64, level: Int, Int)

  // The VMM's memory; addresses of the VMM.
  case touch(Range<UInt64>, write: Bool)
  case discard(Range<UInt64>)
  case protect(Range<UInt64>, write: Bool)
  case advise(Range<UInt64>, adding: VMAFlags, removing: VMAFlags)
  case collapseRegions(Range<UInt64>)
  case merge
  case zap(Range<UInt64>)
  case removeVMAs(Range<UInt64>)
  case freeHostTables(Range<UInt64>)
  case removeMemslot(Int)
  case setFlags(Range<UInt64>, VMAFlags)
  case changeProtection(Range<UInt64>, write: Bool)
  case protectForFork(Range<UInt64>)
  /// Invalidate the leaves of a range in the TLBs, or everything of the process.
  case flushHostLeaves(Range<UInt64>)
  case flushProcess
  case splitHugePage(UInt64)
  case replaceHugeZeroPage(UInt64)
  case copyOnWrite(UInt64)
  case unshareMerged(UInt64)
  case unlinkForCollapse(UInt64)
  /// Make a huge page of the pages in an unlinked table, by its first slot.
  case collapse(UInt64, table: Int)
  case writeProtectForMerge(UInt64)
  case makeMerged(UInt64)
  case replaceByMerged(UInt64, keeper: UInt64)
}

extension Machine {
  /// Pushes tasks before the remaining ones; the first of them is done first.
  mutating func push(_ first: [Work]) {
    tasks.append(contentsOf: first.reversed())
  }

  /// Runs the remaining tasks.
  mutating func runTasks() {
    // An event does at least one task before it can stop, at first and after each resume.
    var isFirst = true
    while let task = tasks.popLast() {
      if isFirst || !parks(before: task) { run(task) }
      isFirst = false
    }
  }

  private mutating func run(_ task: Work) {
    switch task {
    case .beginInvalidation(let range): push(beginInvalidation(range))
    case .endInvalidation(let range): endInvalidation(range)
    case .unmapCanonical(let cause): sweep(canonical, cause.canonical, cause)
    case .unmapShadows(let cause):
      if configuration.nested { push(policy.unmap(for: cause, in: &self)) }
    case .continueUnmap(let range, let index, let cause) where isValid(mmu(index)):
      push(policy.continueUnmap(range, of: mmu(index), for: cause, in: &self))
    case .continueUnmap: break
    case .invalidateShadow(let index, let range, let vmid):
      invalidateShadow(mmu(index), range, vmid: vmid)
    case .emptyShadow(let index, let reason, let cause):
      if isValid(mmu(index)) { push(Self.unmapAllTasks(mmu(index), reason, cause)) }
    case .sweep(let index, let range, let cause): sweep(mmu(index), range, cause)
    case .endSweep(let index): endSweep(mmu(index))
    case .beginUnmapAll(let index, let reason, let cause):
      beginUnmapAll(mmu(index), reason, cause)
    case .endUnmapAll(let index): endUnmapAll(mmu(index))
    case .dropVNCR(let range): dropVNCR(range)
    case .finishRecycling(let index): finishRecycling(mmu(index))
    case .writeProtect(let index, let range): writeProtect(mmu(index), range)
    case .endWriteProtection(let range): endWriteProtection(range)
    case .endDirtyLogStart(let base): endDirtyLogStart(Memslot(base: base))
    case .splitBlocks(let range): splitBlocks(range)
    case .collectDirty(let base, let start, let found):
      collectDirty(Memslot(base: base), from: start, found: found)
    case .access(let access): perform(access)
    case .dma(let device, let iova, let write): translateDMA(iova, write: write, device: device)
    case .unmapIOVA(let device, let range, let done, let gather):
      unmapIOVA(range, done: done, gather, device: device)
    case .unmapRuns(let device, let area, let done, let gather, let runs):
      unmapRuns(area, done: done, gather, runs: runs, device: device)
    case .mapIOVA(let device, let mapping): mapIOVA(mapping, device: device)
    case .pin(let device, let range, let pinning): pin(range, pinning, device: device)
    case .mapPinned(let device, let range, let run, let done, let end):
      mapPinned(range, run: run, done: done, end: end, device: device)
    case .unpin(let device, let range): unpin(range, device: device)
    case .refuseCut(let device, let range, let area): refuseCut(range, of: area, device: device)
    case .releaseLeaves(let device, let range): releaseLeaves(range, device: device)
    case .freeDomain(let device): freeDomain(device)
    case .rmp(let action, let range): perform(action, range)
    case .finishReplacing(let address, let level, let bits):
      finishReplacing(address, level: level, bits)
    case .freeRealmTable(let address, let level, let slot):
      freeRealmTable(address, level: level, slot)
    case .attach(let device): attach(device)
    case .pkvm(let effect): run(effect)
    case .touch(let range, let write): touch(range, write: write)
    case .discard(let range): push(discardTasks(range))
    case .protect(let range, let write): push(protectTasks(range, write: write))
    case .advise(let range, let added, let removed):
      push(adviseTasks(range, adding: added, removing: removed))
    case .collapseRegions(let range): push(collapseTasks(range))
    case .merge:
      // ksmd, after the VMM's madvise.
      mapLock = HeldMapLock(.read)
      push(mergeTasks())
    case .zap(let range): push(zap(range))
    case .removeVMAs(let range): removeVMAs(range)
    case .freeHostTables(let range): freeHostTables(range)
    case .removeMemslot(let base): removeMemslot(Memslot(base: base))
    case .setFlags(let range, let flags): setFlags(range, flags)
    case .changeProtection(let range, let write): push(changeProtection(range, write: write))
    case .protectForFork(let range): push(protectForFork(range))
    case .flushHostLeaves(let range): flushHostLeaves(in: range)
    case .flushProcess: invalidateProcess()
    case .splitHugePage(let start): splitHugePage(start)
    case .replaceHugeZeroPage(let start): replaceHugeZeroPage(start)
    case .copyOnWrite(let hva): copyOnWrite(hva)
    case .unshareMerged(let hva): unshareMerged(hva)
    case .unlinkForCollapse(let start): unlinkForCollapse(start)
    case .collapse(let start, let table): collapse(start, table: table)
    case .writeProtectForMerge(let hva): writeProtectForMerge(hva)
    case .makeMerged(let hva): makeMerged(hva)
    case .replaceByMerged(let hva, let keeper): replaceByMerged(hva, keeper: keeper)
    }
  }

  /// The VMM's own loads or stores, page by page.
  private mutating func touch(_ range: Range<UInt64>, write: Bool) {
    var hva = range.lowerBound
    while hva < range.upperBound {
      switch hostFault(hva, write: write) {
      case .badAddress:
        note(.host(.signal), .vmmStage1, at: hva)
        return
      case .first(let first):
        push(first + [.touch(hva..<range.upperBound, write: write)])
        return
      case .resolved(let entry, let level):
        let page = entry.address | (hva & (hostTable.geometry.size(level) - 1)).page
        if isBeyondHost(page) {
          note(.realm(.granuleFault(page: page)), .vmmStage1, at: hva, size: Page.size)
          note(.host(.granuleSignal), .vmmStage1, at: hva)
          return
        }
        note(.host(write ? .stored(page) : .loaded(page)), .vmmStage1, at: hva, size: Page.size)
        if write { storeUnknownContents(in: page) }
      }
      hva += Page.size
    }
  }
}
