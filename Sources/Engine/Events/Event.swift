/// Something that happens to the machine: one statement of the event language that can change it.
public enum Event: Equatable, Sendable {
  /// A memory slot is added.
  case addMemslot(id: UInt64, Range<UInt64>, Backing)
  /// The VMM, or the host kernel, acts on memory.
  case host(HostOperation)
  /// A guest makes an access. `value` is the stored value, if known.
  case access(Guest, vcpu: Int, AccessKind, UInt64, value: UInt64?)
  /// L1 writes VTTBR_EL2, VTCR_EL2 and HCR_EL2.
  case context(vcpu: Int, vttbr: UInt64, vtcr: UInt64, hcr: UInt64)
  /// L1 invalidates.
  case invalidate(vcpu: Int, GuestInvalidation)
  /// L2 executes TLBI VMALLE1IS.
  case l2Invalidate(vcpu: Int)
  /// L1 writes VNCR_EL2 for a guest hypervisor of its own: the canonical IPA of the page, which KVM
  /// translates when L2 next runs.
  case vncr(vcpu: Int, UInt64)
  /// L1 runs on a vCPU, and stays on the CPU until the vCPU's next event.
  case run(vcpu: Int)
  /// L1 executes WFI on a vCPU that stays on its CPU: the vCPU leaves it.
  case wait(vcpu: Int)
  /// Another VM of the host, by its number, does something.
  case otherVM(UInt64, OtherVMOperation)
  /// Another process of the host, by its number, does something.
  case otherProcess(UInt64, OtherProcessOperation)
  /// The next event that may drop `mmu_lock` stops at the first place at or above an address where it may.
  case pause(UInt64)
  /// The paused event resumes: to its end, or to the next place where it may stop.
  case resume(next: Bool)
  /// A device is attached or detached, or its domain changes.
  case iommu(device: Int, IOMMUOperation)
  /// A device makes a DMA of 8 bytes at an input address.
  case dma(device: Int, UInt64, write: Bool)
  /// A page of the guest changes owner, under an RMP.
  case rmp(RMPOperation)
  /// The host asks the RMM to do something with a realm.
  case realm(RealmOperation)
  /// Something happens under pKVM.
  case pkvm(PKVMOperation)
  /// A call that a real kernel made, from a recording.
  case recorded(RecordedCall)
  /// The given numbers of insertions into a reverse map, and erasures from it, will fail for want of memory.
  case failReverseMap(insertions: UInt64, erasures: UInt64)
}

/// What another VM does. Only its VMID is modelled.
public enum OtherVMOperation: Equatable, Sendable {
  /// It runs on a CPU, and stays there until another runs there, or it waits.
  case run(cpu: Int)
  /// It leaves every CPU.
  case wait
  /// The notifier unmaps a range of its IPAs: its TLB entries are invalidated.
  case unmap(Range<UInt64>)
  /// One of its devices is attached to the SMMU, or detached; in between, the device's domain has a VMID.
  case attach, detach
}

/// What the host does. Ranges are canonical IPAs and lie in one memory slot.
public enum HostOperation: Equatable, Sendable {
  /// The VMM stores to each page, or loads from it.
  case touch(Range<UInt64>, write: Bool)
  /// MADV_DONTNEED.
  case discard(Range<UInt64>)
  /// munmap.
  case unmap(Range<UInt64>)
  /// mprotect to read-only or read-write.
  case protect(Range<UInt64>, write: Bool)
  /// MADV_HUGEPAGE or MADV_NOHUGEPAGE.
  case hugePages(Range<UInt64>, Bool)
  /// MADV_COLLAPSE.
  case collapse(Range<UInt64>)
  /// MADV_MERGEABLE, and ksmd runs until it has settled.
  case merge(Range<UInt64>)
  /// fork, and the child exits.
  case fork
  /// The idle flag of the page is set.
  case idle(UInt64)
  /// The idle flag of the page is read.
  case testIdle(UInt64)
  /// Dirty logging of the slot at an IPA is switched.
  case dirtyLog(UInt64, Bool)
  /// The dirty log of the slot at an IPA is fetched.
  case getDirtyLog(UInt64)
  /// Size in bytes of the chunks in which dirty logging splits blocks; 0 for no splitting.
  case eagerSplit(UInt64)
  /// The slot at an IPA is deleted, with its memory.
  case deleteMemslot(UInt64)
  /// From now on huge pages are unavailable there.
  case noHugePages(Range<UInt64>)
}
