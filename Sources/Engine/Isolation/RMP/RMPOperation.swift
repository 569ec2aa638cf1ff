/// Operations on the pages of an SEV-SNP guest. Ranges are guest addresses, which are canonical IPAs.
public enum RMPOperation: Equatable, Sendable {
  /// The host assigns memory to the guest, in pages of 4K or regions of 2M, and the guest accepts it.
  case assign(Range<UInt64>, large: Bool)
  /// The guest makes pages shared with the host, or private again.
  case convert(Range<UInt64>, shared: Bool)
  /// PSMASH of the region of 2M that holds an address.
  case smash(UInt64)
  /// Another instruction locks the entry of an address, or releases it.
  case hold(UInt64, Bool)
}

extension RMPOperation {
  /// The first guest address that it concerns.
  public var address: UInt64 {
    switch self {
    case .assign(let range, _), .convert(let range, _): range.lowerBound
    case .smash(let ipa), .hold(let ipa, _): ipa
    }
  }
}

/// A part of a conversion, which can be paused between parts.
enum RMPAction: UInt64 {
  /// The IOMMU's 2M entries become tables.
  case splitIOMMU
  /// The IOMMU's TLB entries for the region are dropped.
  case flush
  /// PSMASH.
  case smash
  /// Firmware stalls all DMA, and resumes it.
  case stall, unstall
  /// RMPUPDATE of the pages, to the hypervisor, or to the guest.
  case share, assign
  /// The guest's PVALIDATE of pages that it will share.
  case rescind
}

extension Machine {
  private static let regionSize: UInt64 = 2 << 20

  mutating func start(_ operation: RMPOperation) throws(Refusal) {
    guard configuration.isolation == .rmp else { throw Refusal(.noRMP) }
    switch operation {
    case .assign(let range, let large):
      _ = try hostRange(range)
      assign(range, large: large)
    case .convert(let range, let shared):
      _ = try hostRange(range)
      if (range.upperBound - 1) / Self.regionSize != range.lowerBound / Self.regionSize {
        throw Refusal(.beyondRegion, operand: .size)
      }
      convert(range, shared: shared)
    case .smash(let ipa):
      guard let page = privatePage(at: ipa) else { return fail(.enoent, .canonical, at: ipa) }
      let region = ipa & ~(Self.regionSize - 1)
      if !smash(page, at: region..<region + Self.regionSize) {
        fail(rmpEntry(of: page).entry.isInUse ? .eagain : .einval, .canonical, at: ipa)
      }
    case .hold(let ipa, let holds):
      guard let page = privatePage(at: ipa) else { return fail(.enoent, .canonical, at: ipa) }
      var (entry, start) = rmpEntry(of: page)
      note(.rmp(.held(holds, page: start)), .canonical, at: ipa)
      entry.bits = entry.bits & ~RMPEntry.inUse | (holds ? RMPEntry.inUse : 0)
      setRMP(entry, at: start)
    }
  }

  /// The host page behind a guest address, if the guest owns it.
  private func privatePage(at ipa: UInt64) -> UInt64? {
    backingPage(at: ipa).flatMap { rmpEntry(of: $0.page).entry.isAssigned ? $0.page : nil }
  }

  /// `rmp_make_private` of each page or region, and the guest's PVALIDATE. The memory must be present, in
  /// pieces of that size, and unassigned.
  private mutating func assign(_ range: Range<UInt64>, large: Bool) {
    let size = large ? Self.regionSize : Page.size
    for ipa in stride(from: range.lowerBound, to: range.upperBound, by: Int(size)) {
      guard let (page, level) = backingPage(at: ipa) else {
        return fail(.enoent, .canonical, at: ipa, size: size)
      }
      let fits = !large || level < 3 && ipa & (size - 1) == 0 && ipa + size <= range.upperBound
      if !fits { return fail(.einval, .canonical, at: ipa, size: size) }
      if rmpEntry(of: page).entry.isAssigned || firstRMPEntry(in: page..<page + size) != nil {
        note(.rmp(.overlap), .canonical, at: ipa, size: size)
        return fail(.eexist, .canonical, at: ipa, size: size)
      }
    }
    for ipa in stride(from: range.lowerBound, to: range.upperBound, by: Int(size)) {
      guard let (page, _) = backingPage(at: ipa) else { continue }
      give(page, at: ipa, large: large)
    }
  }

  private mutating func give(_ page: UInt64, at ipa: UInt64, large: Bool) {
    let size = large ? Self.regionSize : Page.size
    var entry = RMPEntry(guestAddress: ipa, isLarge: large)
    let assigned = entry
    note(.rmp(.assigned(assigned, page: page)), .canonical, at: ipa, size: size)
    setRMP(entry, at: page)
    entry.bits |= RMPEntry.validated
    let validated = entry
    note(.rmp(.validated(validated, page: page)), .canonical, at: ipa, size: size)
    setRMP(entry, at: page)
  }

  /// The guest changes the state of pages (`__set_pages_state`): before it asks to share them, it rescinds their
  /// validation; pages that become private it validates afterwards. PVALIDATE of 4K where the RMP has an entry of 2M
  /// ends in a fault, for which KVM splits the entry (`sev_handle_rmp_fault`): RMP and IOMMU must both be split, in
  /// the order of the policy. For the request the pages are unmapped from the CPUs' table
  /// (KVM_SET_MEMORY_ATTRIBUTES), before RMPUPDATE, and fault in again.
  private mutating func convert(_ range: Range<UInt64>, shared: Bool) {
    let pages = stride(from: range.lowerBound, to: range.upperBound, by: Page.stride).map {
      ($0, backingPage(at: $0)?.page)
    }
    for (ipa, page) in pages {
      guard let page else { return fail(.enoent, .canonical, at: ipa) }
      let (entry, _) = rmpEntry(of: page)
      if entry.isInUse {
        note(.rmp(.psmash(.inUse, page: page)), .canonical, at: ipa)
        return fail(.eagain, .canonical, at: ipa)
      }
      if entry.isAssigned != shared { return fail(.einval, .canonical, at: ipa) }
    }
    let first = pages[0].1 ?? 0
    let isWhole = range.size == Self.regionSize
    let (entry, start) = rmpEntry(of: first)
    let isSplit = shared && entry.isLarge && !isWhole
    var work: [Work] = []
    if isSplit {
      note(.rmp(.tooSmall(page: start)), .canonical, at: range.lowerBound, size: Page.size)
      let end = min(range.lowerBound + Self.regionSize, inputRange(of: canonical).upperBound)
      work =
        smashActions.map { .rmp($0, range) }
        + [.unmapCanonical(UnmapCause(.splitOwner, range.lowerBound..<end))]
    }
    if shared { work.append(.rmp(.rescind, range)) }
    work.append(.unmapCanonical(UnmapCause(.conversion, range)))
    if !(shared && entry.isLarge), hasIOMMUBlock(at: range.lowerBound) {
      work += [.rmp(.splitIOMMU, range), .rmp(.flush, range)]
    }
    push(work + [.rmp(shared ? .share : .assign, range)])
  }

  /// Splits both from 2M to 4K.
  private var smashActions: [RMPAction] {
    switch configuration.rmp.order {
    case .iommuFirst: [.splitIOMMU, .flush, .smash]
    case .rmpFirst: [.smash, .splitIOMMU, .flush]
    case .firmware: [.stall, .splitIOMMU, .smash, .flush, .unstall]
    }
  }

  /// One part of a conversion; the conversion may be paused after each but the last.
  mutating func perform(_ action: RMPAction, _ range: Range<UInt64>) {
    carryOut(action, range)
    if !tasks.isEmpty, isPauseAsked(at: range.lowerBound) {
      park(at: range.lowerBound, in: .canonical)
    }
  }

  private mutating func carryOut(_ action: RMPAction, _ range: Range<UInt64>) {
    let start = range.lowerBound & ~(Self.regionSize - 1)
    let region = start..<start + Self.regionSize
    switch action {
    case .splitIOMMU:
      for device in domains {
        guard let table = domainTable(ofDevice: device) else { continue }
        splitBlocks(at: start, in: table)
      }
    case .flush:
      for device in domains {
        guard let table = domainTable(ofDevice: device) else { continue }
        invalidate(region, of: table)
      }
    case .smash:
      guard let (page, _) = backingPage(at: range.lowerBound) else { return }
      if !smash(page, at: region), rmpEntry(of: page).entry.isInUse {
        // Again, when the event resumes.
        push([.rmp(action, range)])
        park(at: range.lowerBound, in: .canonical)
      }
    case .stall, .unstall:
      note(
        .rmp(action == .stall ? .dmaStalled : .dmaResumed), .canonical, at: start,
        size: Self.regionSize)
      self[.dmaStalled] = action == .stall ? 1 : 0
    case .rescind: rescind(range)
    case .share: share(range)
    case .assign:
      for ipa in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
        if let (page, _) = backingPage(at: ipa) { give(page, at: ipa, large: false) }
      }
    }
  }

  /// Whether a device maps an address by a leaf larger than a page.
  private func hasIOMMUBlock(at ipa: UInt64) -> Bool {
    domains.contains { device in
      guard let table = domainTable(ofDevice: device) else { return false }
      return leafSize(at: ipa, of: table).map { $0 > Page.size } ?? false
    }
  }

  /// The guest's PVALIDATE without validation: page by page, or a region at once.
  private mutating func rescind(_ range: Range<UInt64>) {
    var ipa = range.lowerBound
    while ipa < range.upperBound {
      guard let (page, _) = backingPage(at: ipa) else { return }
      let (entry, start) = rmpEntry(of: page)
      let rescinded = RMPEntry(entry.bits & ~RMPEntry.validated)
      let size = entry.isLarge ? Self.regionSize : Page.size
      note(.rmp(.rescinded(rescinded, page: start)), .canonical, at: ipa, size: size)
      setRMP(rescinded, at: start)
      ipa += size
    }
  }

  /// RMPUPDATE to the hypervisor (`rmp_make_shared`): page by page, or a region at once.
  private mutating func share(_ range: Range<UInt64>) {
    var ipa = range.lowerBound
    while ipa < range.upperBound {
      guard let (page, _) = backingPage(at: ipa) else { return }
      let (entry, start) = rmpEntry(of: page)
      let size = entry.isLarge ? Self.regionSize : Page.size
      note(.rmp(.shared(entry, page: start)), .canonical, at: ipa, size: size)
      setRMP(RMPEntry(0), at: start)
      ipa += size
    }
  }

  /// PSMASH: replaces a 2M entry by 512 4K ones with the same validation. False if another instruction
  /// has locked it, or there is none.
  private mutating func smash(_ page: UInt64, at region: Range<UInt64>) -> Bool {
    let (entry, start) = rmpEntry(of: page)
    let result: RMPStep.Result = entry.isInUse ? .inUse : entry.isLarge ? .done : .badAddress
    note(
      .rmp(.psmash(result, page: start)), .canonical, at: region.lowerBound, size: Self.regionSize)
    if result != .done { return false }
    for index in 0..<UInt64(512) {
      setRMP(
        RMPEntry(entry.bits & ~RMPEntry.large + index << 12), at: start + index << 12)
    }
    return true
  }

  /// The largest leaf that KVM installs for a page of the guest (`sev_gmem_max_mapping_level`).
  func largestMapping(of page: UInt64) -> UInt64 {
    let (entry, _) = rmpEntry(of: page)
    if entry.isLarge { return Self.regionSize }
    let start = page & ~(Self.regionSize - 1)
    return firstRMPEntry(in: start..<start + Self.regionSize) == nil ? .max : Page.size
  }
}
