extension Step {
  /// What a micro-step does. The comments say what the operands hold; `address` is an input address of
  /// the step's table unless they say otherwise.
  public enum Action: Hashable, Sendable {
    // A guest runs.
    /// A vCPU makes an access: kind in `value`, guest in `extra`.
    case enter
    /// The hardware reads an entry: its bits in `value`, its slot in `extra`.
    case walk
    /// The walk ended in a fault: status in `value`, kind of access in `extra`.
    case fault
    /// The hardware sets the access flag: the new bits in `value`.
    case hardwareAccessFlag
    /// The walk gave a physical address: `value`.
    case translated
    /// A load: what in `value`, the physical address in `extra`.
    case loaded
    /// A store: what in `value`, the physical address in `extra`.
    case stored
    /// A fetch: the physical address in `extra`.
    case fetched
    /// The access is not tried again: an invalidation is under way.
    case blocked

    // L1.
    /// L1 writes its registers: VTTBR in `value`, VTCR in `extra`.
    case context
    /// L1 invalidates under a virtual VMID: `value`.
    case guestInvalidation
    /// L2 invalidates its stage 1.
    case l2Invalidation
    /// L1 writes VNCR_EL2; `address` is a canonical IPA.
    case vncrSet
    /// KVM translates L1's VNCR page: physical address in `value`.
    case vncrTranslated
    /// KVM forgets that translation: physical address in `value`.
    case vncrDropped
    /// A shadow serves L1's VTTBR (`value`) and VTCR (`extra`) already.
    case shadowFound
    /// A shadow that nobody used is taken.
    case shadowTaken
    /// A shadow that served another context is taken.
    case shadowRecycled
    /// KVM reads an entry of L1's table: bits in `value`, canonical IPA of the entry in `extra`.
    case guestRead
    /// L1's memory cannot be read: canonical IPA in `value`.
    case guestUnreadable
    /// L1's VTCR (`value`) describes no table that can be walked.
    case guestWalkRefused
    /// KVM sets the access flag in L1's entry: bits in `value`, canonical IPA in `extra`.
    case guestAccessFlag

    // KVM handles a fault.
    /// An abort is given to L1: status in `value`, kind of access in `extra`.
    case inject
    /// An address size fault is given to the guest.
    case injectSize
    /// An external abort is given to the guest; for a fetch from no slot, the canonical IPA in `value`.
    case injectExternal
    /// Exit to user space for MMIO at a canonical IPA: `value`.
    case mmioExit
    /// The slot is found: canonical IPA in `value`, the VMM's address in `extra`.
    case memslotFound
    /// The VMM has no mapping at an address of its own.
    case noVMA
    /// The paused event holds `mmap_lock`, which the fault needs.
    case mapLockHeld
    /// The VMM's mapping forbids the access, at an address of its own.
    case hostRefused
    /// Size of the mapping: of the VMA in `size`, the limit in `value`, of L1's leaf in `extra`.
    case sizeChosen
    /// The host's copy-on-write called the notifier, so the fault is given up and tried again.
    case retryAfterNotifier
    /// An invalidation is under way, so the fault is given up and tried again.
    case retryInvalidation
    /// `mmu_lock` is taken or dropped, for reading or writing.
    case lockRead, unlockRead, lockWrite, unlockWrite

    // Hardware VMIDs. Where the step has no table, `address` is the number of another VM.
    /// A vCPU stays on CPU `extra`, under the VMID in `value`; or leaves it.
    case vcpuStays, vcpuLeaves
    /// A holder gets a VMID: it in `value`, its generation in `extra`.
    case vmidTaken
    /// A holder has the same VMID in the new generation: it in `value`, the generation in `extra`.
    case vmidKept(VMIDReason)
    /// No VMID up to the one in `extra` is free: the generation in `value` begins.
    case vmidRollover
    /// The VMID in `value` runs on CPU `extra` and stays taken.
    case vmidReserved
    /// The TLB is emptied.
    case vmidFlush
    /// A holder's VMID, in `value`, is pinned, or unpinned.
    case vmidPinned, vmidUnpinned
    /// The notifier takes a range of another VM: its number in `extra`, its VMID in `value`.
    case otherVMUnmap

    // A table changes.
    /// A leaf is to be mapped: its bits in `value`.
    case map
    /// A leaf is to get more permissions: those of a descriptor in `value`.
    case relax
    /// The leaf is there already: its bits in `value`.
    case mapUnneeded
    /// Another walker holds the entry.
    case entryLocked
    /// Break: the LOCKED marker replaces the bits in `value`.
    case breakEntry
    /// Make: a table entry, or a leaf, with the bits in `value`.
    case makeTable, makeLeaf
    /// A page for a table whose entries have the step's level.
    case allocateTable
    /// The page at the physical address `value` is given back.
    case freeTable
    /// A leaf is removed: the bits in `value` are replaced by 0.
    case clearLeaf
    /// An entry that points to an empty table is removed.
    case clearTable
    /// A leaf gets more permissions: new bits in `value`, old in `extra`.
    case relaxLeaf
    /// The leaf that was to get more permissions is gone.
    case relaxGone
    /// A leaf loses its write permission: new bits in `value`, old in `extra`.
    case writeProtect
    /// A leaf loses its access flag, or gets it from KVM: new bits in `value`, old in `extra`.
    case ageLeaf, youngLeaf
    /// A TLB invalidation of a range, under the hardware VMID in `value`.
    case invalidate(Invalidation)
    /// A range of a table is unmapped.
    case sweep

    // The reverse map of the step's shadow; canonical ranges in `address` and `size`.
    /// A leaf is about to be mapped at the nested IPA in `value`: what is recorded for its memory?
    case record
    /// A known entry is stored: the payload in `value`.
    case recordKnown
    /// The entry is there already: nested IPA in `value`.
    case recordKept
    /// Overlapping ranges fuse into one whose nested IPA is unknown: the payload in `value`.
    case recordUnknown
    /// The insertion fails for want of memory.
    case recordFailed
    /// The map is broken, so nothing is recorded: nested IPA in `value`.
    case recordSkipped
    /// With stage 2 off, nothing is recorded: nested IPA in `value`.
    case recordOff
    /// The fault fails for want of memory.
    case noMemory
    /// Looking up a range: an entry with the nested IPA in `value`, one that is unknown, none.
    case lookUpKnown, lookUpUnknown, lookUpNothing
    /// Looking up is of no use: the map is broken, or the shadow is being swept.
    case lookUpBroken, lookUpSwept
    /// An erasure fails for want of memory.
    case eraseFailed
    /// All entries are thrown away.
    case resetMap
    /// The map counts as whole again.
    case brokenCleared
    /// Entries of nested IPAs, in `address` and `size`, are forgotten.
    case forget
    /// Insertions (`value`) and erasures (`extra`) will fail.
    case failuresArmed

    // Pausing.
    /// The next event that may drop `mmu_lock` at or above an address will stop there.
    case pauseArmed
    /// No event came to such a place, and none will stop any more.
    case pauseUnused
    /// The event stops before an address of the step's table; 1 in `value` if it drops `mmu_lock` for that.
    case parked
    /// The event that stopped goes on.
    case resumed

    // The host; addresses of the VMM.
    /// The notifier tells KVM of a range.
    case notifierStart, notifierEnd
    /// A page comes to be: its physical address in `value`.
    case hostPage, hostHugePage, hostHugetlb
    /// A read of absent memory maps the (huge) zero page.
    case hostZeroPage, hostHugeZeroPage
    /// A write-protected page that nobody shares is made writable.
    case hostReuse
    /// A shared page is copied: the new one in `value`, the old in `extra`.
    case hostCopy
    /// The entry that was to be changed is another by now.
    case hostChanged
    /// A huge page's mapping becomes 512 of pages.
    case hostSplit
    /// The table is emptied for a range.
    case hostZap
    /// The VMA of a range gets other flags.
    case hostFlags
    /// The permissions of a range change: 1 in `value` for read-write.
    case hostProtect
    /// A range is write-protected for the child.
    case hostFork
    /// Pages become a huge page: `value`.
    case hostCollapse
    /// KSM write-protects a page.
    case hostMergeProtect
    /// KSM puts the page in `value` in the place of that in `extra`.
    case hostMerge
    /// The VMM stores to, or loads from, a page: `value`.
    case hostStored, hostLoaded
    /// The VMM gets SIGSEGV.
    case signal
    /// Huge pages cannot be had in a range.
    case noHugePages
    /// The access flags of a page are cleared.
    case age
    /// The idle flag of a page is set.
    case idleSet
    /// The idle flag of a page was read: 1 in `value` if it stays.
    case idleTested

    // Slots.
    /// A slot is added: its number in `value`, the VMM's address in `extra`; `address` is an IPA.
    case addMemslot
    /// A slot goes; `address` is an IPA.
    case deleteMemslot
    /// Dirty logging of a slot is switched on or off, or its log is fetched; `address` is an IPA.
    case dirtyLogOn, dirtyLogOff, dirtyLogGet
    /// 64 pages with dirty ones among them: the mask in `value`.
    case dirtyPages
    /// Blocks will be split in chunks of `size`.
    case eagerSplit

    // Devices; addresses are IOVAs.
    /// The SMMU's records are made: every stream's entry says abort.
    case smmuReset
    /// A device makes a DMA: 1 in `value` for a write, its StreamID in `extra`.
    case dma
    /// The SMMU reads the stream table entry: its word 0 in `value`, the context in `extra`.
    case streamEntry
    /// The SMMU's TLB holds a translation: physical address in `value`, context in `extra`.
    case iotlbHit
    /// The SMMU's walk gave a physical address, into its TLB: `value`, context in `extra`.
    case dmaTranslated
    /// The data: what in `value`, physical address in `extra`.
    case dmaLoaded, dmaStored
    /// The DMA faults, and the event with the number in `value` is recorded; 1 in `extra` for a write.
    case dmaFault
    /// The stream table entry says abort: no event is recorded.
    case dmaAborted
    /// The stream table entry is written: root in `value`, VMID in `extra`.
    case streamAttached
    /// The stream table entry points to a context descriptor of the VMM's table: root in `value`, context in
    /// `extra`.
    case contextAttached
    /// The context descriptor is cleared: context in `extra`.
    case contextCleared
    /// The VMM, or another process whose number is `address`, gets the ASID in `value`.
    case asidTaken, otherASIDTaken
    /// The host invalidates the VMM's own translations, under the ASID in `value`.
    case hostInvalidation
    /// Entries of the VMM's table are cleared before others take their place.
    case hostCleared
    /// Another process, whose number is in `extra`, invalidates under the ASID in `value`.
    case otherProcessUnmap
    /// The stream table entry is set to abort.
    case streamBlocked
    /// It is set to bypass; or under pKVM the host asked for that, and gets the identity map.
    case streamBypassed, bypassShadowed
    /// One call of `map_pages`: leaves of `size`, physical address in `value`, how many in `extra`.
    case iommuMapCall
    /// One call of `unmap_pages`: leaves of `size`, how many in `extra`.
    case iommuUnmapCall
    /// A leaf larger than what is to be unmapped: its bits in `value`. Nothing is done.
    case partialUnmap
    /// The unmap ends before its end: bytes that are done in `value`, that are not in `size`.
    case unmapStopped
    /// Entries are cleaned to the point of coherency: physical address of the first in `value`, how many in
    /// `extra`.
    case cleanEntry
    /// An invalidation is put into the SMMU's command queue: context in `value`.
    case iotlbCommand
    /// The kernel waits until the commands that are queued, `value` of them, are done.
    case iotlbSync
    /// The SMMU obeys a TLBI of a CPU: context in `value`, how many entries it drops in `extra`. Without a
    /// table it was meant for another VM or process.
    case iotlbBroadcast
    /// The SMMU obeys a TLBI of everything: how many entries it drops in `extra`.
    case iotlbBroadcastAll
    /// A domain gets the VMID in `value` from the SMMU's own allocator.
    case domainVMIDTaken
    /// A domain goes, and its VMID, in `value`, is given back.
    case domainFreed
    /// A host page is pinned: its physical address in `value`; `address` is a canonical IPA.
    case pagePinned
    /// Host pages are unpinned: how many in `value`.
    case pagesUnpinned
    /// A notifier passes over pinned pages of the canonical table: how many in `value`.
    case pinnedKept
    /// 512 leaves are put into a table that nobody sees yet, for the block with the bits in `value`.
    case fillTable
    /// A table takes a block's place in one store: the new bits in `value`, the old in `extra`.
    case swapEntry
    /// A device of another VM, whose number is `address`, is attached or detached: VMID in `value`.
    case otherAttached, otherDetached
    /// All DMA is held up, or goes on.
    case dmaStalled, dmaResumed
    /// A DMA waits: 1 in `value` if all DMA is held up, 0 if its own fault is not handled yet.
    case dmaWaits
    /// A DMA ends in the fault with the number in `value`, and the device waits.
    case faultStalled
    /// The fault was handled, and the device tries again: 2 in `value` if the host did it, 1 if KVM, 0 if the
    /// hypervisor.
    case faultResumed
    /// The fault is none that can be repaired, and the device waits no longer.
    case faultTerminated

    // AMD's RMP; `address` is a guest address, the physical one is in `extra`.
    /// RMPUPDATE gives a page to the guest, the guest accepts it (PVALIDATE), RMPUPDATE takes it back: the
    /// entry in `value`.
    case rmpAssigned, rmpValidated, rmpShared
    /// PSMASH, with the result in `value`.
    case psmash
    /// Another instruction takes an entry into its hands (1 in `value`) or lets it go.
    case rmpHeld

    // A realm's memory; `address` is the realm's.
    /// A granule gets the state in `value`; its physical address in `extra`.
    case granule
    /// An entry that the hardware does not use: its bits in `value`, the old ones in `extra`.
    case realmEntry
    /// The granule protection stops the host at the page in `value`; `address` is the VMM's.
    case granuleFault
    /// The kernel returns an error.
    case failed(KernelError)

    // pKVM; addresses of the host are physical ones, of a guest its own.
    /// A region of the host's memory is added.
    case hostMemory
    /// A guest is made, a protected one if 1 in `value`; or begins to be torn down.
    case guestCreated, guestDying
    /// The host, or a guest, makes an access: kind in `value`.
    case hostAccess, guestAccess
    /// The largest leaf for a fault of the host: 1 in `value` for memory, 0 for MMIO.
    case hostSizeChosen
    /// No table for the host's stage 2 is left: how many there are in `value`, how many it takes in `extra`.
    /// All of its MMIO goes.
    case hostPoolEmpty
    /// A range of the host's MMIO is unmapped.
    case mmioUnmap
    /// The host is given an abort: the entry in `value`.
    case hostAbort
    /// A CPU's TLB finds two entries of different sizes for the host's access.
    case tlbConflict
    /// A hypercall that changes who may use pages.
    case hypercall(PKVMCall)
    /// The host's, or the hypervisor's, state of pages: `value`.
    case hostStateSet, hypervisorStateSet
    /// With how many guests pages are shared, or how many references a page has: `value`.
    case sharesCounted, referencesCounted
    /// A page of the host's, or of a realm with its physical address in `extra`, is filled with zeros.
    case pageZeroed
    /// The snapshot comes to an entry of the host's table: its bits in `value`.
    case snapshotEntry
    /// The snapshot is over: 1 in `value` if changes of owners are passed on from now on.
    case snapshotDone
    /// A change of an owner is not passed on to the SMMUs.
    case notForwarded

    /// Nothing happens, for a reason.
    case noEffect(Idleness)
  }
}
