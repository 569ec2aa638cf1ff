import Engine

extension Event {
  /// What happens, as a sentence.
  public var sentence: String {
    switch self {
    case .addMemslot(let id, let range, let backing):
      let memory =
        switch backing {
        case .pages: "in 4K pages"
        case .transparentHuge: "with huge pages where they fit"
        case .hugetlb1G: "in 1G pages"
        }
      return "The VMM adds memory slot \(id): \(Self.canonical(range)), \(memory)."
    case .host(let operation): return operation.sentence
    case .access(let guest, let vcpu, let kind, let address, let value):
      let verb =
        switch kind {
        case .read: "reads"
        case .write: "writes"
        case .execute: "executes"
        }
      let stored = value.map { ", value \(Phrase.address($0))" } ?? ""
      let place = guest == .l1 ? "canonical" : "nested"
      return "\(Self.name(guest, vcpu)) \(verb) \(place) IPA \(Phrase.address(address))\(stored)."
    case .context(let vcpu, let vttbr, _, let hcr):
      let name = Self.name(.l1, vcpu)
      if hcr & 1 == 0 { return "\(name) switches stage 2 of its guest off." }
      return "\(name) points stage 2 of its guest to the table at canonical "
        + "\(Phrase.address(VTTBR(vttbr).base)), VMID \(VTTBR(vttbr).vmid)."
    case .invalidate(let vcpu, let operation):
      return "\(Self.name(.l1, vcpu)) invalidates \(operation.sentence)."
    case .l2Invalidate(let vcpu):
      return "\(Self.name(.l2, vcpu)) invalidates its stage 1 (TLBI VMALLE1IS)."
    case .vncr(let vcpu, let ipa):
      return "\(Self.name(.l1, vcpu)) puts its VNCR page at canonical IPA \(Phrase.address(ipa))."
    case .run(let vcpu): return "\(Self.name(.l1, vcpu)) runs, and stays on CPU \(vcpu)."
    case .wait(let vcpu): return "\(Self.name(.l1, vcpu)) waits (WFI): the vCPU leaves its CPU."
    case .otherVM(let number, let operation):
      switch operation {
      case .run(let cpu): return "VM \(number) runs, and stays on CPU \(cpu)."
      case .wait: return "VM \(number) waits: its vCPUs leave their CPUs."
      case .unmap(let range):
        return "The host takes \(Phrase.size(range.upperBound - range.lowerBound)) at "
          + "\(Phrase.address(range.lowerBound)) from VM \(number)."
      case .attach: return "A device of VM \(number) is attached to the SMMU."
      case .detach: return "The device of VM \(number) is detached from the SMMU."
      }
    case .otherProcess(let number, .run): return "Process \(number) of the host runs."
    case .otherProcess(let number, .unmap(let range)):
      return "Process \(number) of the host unmaps "
        + "\(Phrase.size(range.upperBound - range.lowerBound)) at \(Phrase.address(range.lowerBound))."
    case .pause(let address):
      return address == 0
        ? "The next event that can be stopped in the middle will stop there."
        : "The next event that can be stopped at or above \(Phrase.address(address)) will stop."
    case .resume(let next):
      return "The event that stopped goes on\(next ? " to the next place where it may stop" : "")."
    case .iommu(let device, let operation): return operation.sentence(of: device)
    case .pkvm(let operation): return operation.sentence
    case .dma(let device, let iova, let write):
      return "\(Phrase.device(device)) \(write ? "writes" : "reads") IOVA \(Phrase.address(iova))."
    case .rmp(let operation): return operation.sentence
    case .realm(let operation): return operation.sentence
    case .failReverseMap(let insertions, let erasures):
      return insertions > 0
        ? "The next \(insertions) insertions into a reverse map will fail."
        : "The next \(erasures) erasures from a reverse map will fail."
    }
  }

  private static func name(_ guest: Guest, _ vcpu: Int) -> String {
    (guest == .l1 ? "L1" : "L2") + (vcpu > 0 ? " on vCPU \(vcpu)" : "")
  }

  fileprivate static func canonical(_ range: Range<UInt64>) -> String {
    "\(Phrase.size(range.upperBound - range.lowerBound)) at canonical "
      + Phrase.address(range.lowerBound)
  }
}

extension HostOperation {
  fileprivate var sentence: String {
    switch self {
    case .touch(let range, let write):
      "The VMM \(write ? "writes" : "reads") \(Event.canonical(range))."
    case .discard(let range): "The host frees \(Event.canonical(range)) (MADV_DONTNEED)."
    case .unmap(let range): "The VMM unmaps \(Event.canonical(range)) (munmap)."
    case .protect(let range, let write):
      "The VMM makes \(Event.canonical(range)) \(write ? "read-write" : "read-only") (mprotect)."
    case .hugePages(let range, let on):
      "The VMM \(on ? "wants" : "does not want") huge pages for \(Event.canonical(range))."
    case .collapse(let range): "The host collapses \(Event.canonical(range)) to huge pages."
    case .merge(let range): "KSM merges what is equal in \(Event.canonical(range))."
    case .fork: "The VMM forks, and the child exits."
    case .idle(let ipa): "The host marks the page at canonical \(Phrase.address(ipa)) idle."
    case .testIdle(let ipa):
      "The host asks whether the page at canonical \(Phrase.address(ipa)) is still idle."
    case .dirtyLog(let ipa, let on):
      "The VMM switches dirty logging of the slot at \(Phrase.address(ipa)) \(on ? "on" : "off")."
    case .getDirtyLog(let ipa):
      "The VMM fetches the dirty log of the slot at \(Phrase.address(ipa))."
    case .eagerSplit(let size):
      "The VMM asks for blocks to be split in chunks of \(Phrase.size(size))."
    case .deleteMemslot(let ipa): "The VMM deletes the memory slot at \(Phrase.address(ipa))."
    case .noHugePages(let range): "No huge page can be had for \(Event.canonical(range))."
    }
  }
}

extension GuestInvalidation {
  fileprivate var sentence: String {
    switch self {
    case .address(let address, let ttl):
      "nested IPA \(Phrase.address(address)) (TLBI IPAS2E1IS"
        + (ttl == 0 ? ", no level hint)" : ", level hint \(ttl & 3))")
    case .range(let address, let pages, let shift):
      "\(Phrase.size(pages << UInt64(shift))) from nested IPA \(Phrase.address(address)) "
        + "(TLBI RIPAS2E1IS)"
    case .currentVMID: "all of its VMID (TLBI VMALLS12E1IS)"
    case .all: "everything (TLBI ALLE1IS)"
    case .stage1: "stage 1 only (TLBI VMALLE1IS)"
    }
  }
}
