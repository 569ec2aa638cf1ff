/// The progress of pinning a range; addresses are IOVAs.
struct Pinning: Equatable {
  /// End of the mapped part, and end of the pinned part.
  var mapped: UInt64
  var next: UInt64
  /// Number of runs of physically contiguous pages between the two.
  var runs = 0

  init(mapped: UInt64, next: UInt64, runs: Int) {
    self.mapped = mapped
    self.next = next
    self.runs = runs
  }

  /// Nothing is pinned yet from an address on.
  init(_ start: UInt64) {
    mapped = start
    next = start
  }
}

/// Pinned guest memory: memory that a VMM gives to a device through VFIO or iommufd. Its pages stay in
/// place until they are unpinned, whatever the VMM does with its own mappings (`pin_user_pages` with
/// FOLL_LONGTERM; drivers/iommu/iommufd/pages.c).
///
/// For each domain, by its first device: a tree of the areas pinned at once, and a word for each host
/// page in them, at its IOVA: its physical address, and its level in the low bits. For each host page:
/// its pin count.
extension Machine {
  func pinnedAreas(of device: Int) -> RangeTree {
    RangeTree(
      slot: slot(.pinnedAreas, ofDevice: device), number: Self.firstPinnedAreas + UInt64(device))
  }

  /// Number of the first device's tree.
  private static let firstPinnedAreas: UInt64 = 4

  func pinnedPages(of device: Int) -> SparseArray {
    SparseArray(root: slot(.pinnedPages, ofDevice: device), .pinnedPages(device))
  }

  private var pinCounts: SparseArray { SparseArray(root: Register.pinCounts.slot, .pinCounts) }

  private static func index(ofPage page: UInt64) -> UInt64 { (page - pagesBase) >> 12 }

  /// Whether a host page of a level is pinned, or is part of a pinned one.
  func isPinned(_ page: UInt64) -> Bool {
    if self[.pinCounts] == 0 { return false }
    return (1...Geometry.lastLevel).contains { level in
      let start = page & ~(hostTable.geometry.size(level) - 1)
      return start >= Self.pagesBase
        && pinCounts.load(Self.index(ofPage: start), from: memory) >> Self.countShift(level)
          & 0xffff != 0
    }
  }

  /// Whether any part of the page is pinned that an entry of a level of the VMM's table maps, or maps a part of:
  /// the kernel counts the pins of a huge page as a whole (`folio_maybe_dma_pinned`).
  func isFolioPinned(_ entry: HostEntry, level: Int) -> Bool {
    if self[.pinCounts] == 0 || entry.has(HostEntry.zero) { return false }
    let size =
      entry.has(HostEntry.part) ? Self.hugeSize : hostTable.geometry.size(level)
    let first = Self.index(ofPage: entry.address & ~(size - 1))
    return pinCounts.firstIndex(in: first..<first + size >> 12, of: memory) != nil
  }

  /// Pins are counted separately for each level, 16 bits each.
  private static func countShift(_ level: Int) -> UInt64 { UInt64(level - 1) * 16 }

  private mutating func changePins(_ page: UInt64, level: Int, by difference: Int) {
    let index = Self.index(ofPage: page)
    let old = pinCounts.load(index, from: memory)
    let one: UInt64 = 1 << Self.countShift(level)
    pinCounts.store(difference > 0 ? old + one : old - one, at: index, in: &memory)
  }

  /// Whether anything is pinned for a device in a range of its IOVAs.
  func isAnyPinned(in range: Range<UInt64>, of device: Int) -> Bool {
    pinnedPages(of: device)
      .firstIndex(in: range.lowerBound >> 12..<range.upperBound >> 12, of: memory) != nil
  }

  /// The pages pinned for a device in a range, by IOVA.
  func pinned(
    in range: Range<UInt64>, of device: Int
  ) -> [(iova: UInt64, page: UInt64, level: Int)] {
    let pages = pinnedPages(of: device)
    var found: [(UInt64, UInt64, Int)] = []
    var index = range.lowerBound >> 12
    while let next = pages.firstIndex(in: index..<range.upperBound >> 12, of: memory) {
      let word = pages.load(next, from: memory)
      found.append((next << 12, word.page, Int(word & 3)))
      index = next + 1
    }
    return found
  }

  mutating func startPinning(_ range: Range<UInt64>, device: Int) {
    guard let table = makeDomain(device), case .iommu(let domain) = table.id else { return }
    if memory.first(in: range, of: pinnedAreas(of: domain)) != nil {
      return fail(
        .eexist, table.id, at: range.lowerBound, size: range.size)
    }
    push([.pin(domain, range, Pinning(range.lowerBound))])
  }

  /// The subsystem that pins and maps; KVM itself maps all at once.
  var pinningChoice: IOMMUConfiguration.PinningChoice {
    pinsKeepLeaves ? .iommufd : configuration.iommu.pinning
  }

  /// Makes each page present and writable, and pins it, until a batch is full or the whole range is
  /// pinned; then maps the batch. A shared page is first copied, after a notification, and pinning
  /// continues there. It can be paused before each page, for VFIO before each call; another event may
  /// then unmap the memory not yet pinned.
  mutating func pin(_ range: Range<UInt64>, _ started: Pinning, device: Int) {
    guard let slot = usableMemslot(at: range.lowerBound) else {
      return failPinning(range, started, device: device)
    }
    let choice = pinningChoice
    var pinning = started
    pages: while pinning.next < range.upperBound {
      let ipa = pinning.next
      let isFirstOfCall = startsCall(pinning, in: range, choice, device)
      if isFirstOfCall, pinning.runs > choice.runsOfBatch { break }
      if ipa > started.next, choice == .iommufd || isFirstOfCall, isPauseAsked(at: ipa) {
        push([.pin(device, range, pinning)])
        return park(at: ipa, in: .iommu(device))
      }
      switch hostFault(hva(of: ipa, in: slot), write: true) {
      case .first(let first): return push(first + [.pin(device, range, pinning)])
      case .badAddress:
        // VFIO maps a run that ends before the last pinned page. Only then it needs more pages, and fails.
        if choice == .vfio, pinning.runs > 1 { break pages }
        return failPinning(range, pinning, device: device)
      case .resolved(let entry, let level):
        let size = hostTable.geometry.size(level)
        let isWhole =
          !pinsKeepLeaves && ipa & (size - 1) == 0 && ipa + size <= range.upperBound
        let page =
          isWhole ? entry.address : keptPage(at: ipa) ?? entry.address | ipa & (size - 1)
        let step = isWhole ? size : Page.size
        note(
          .domain(.pagePinned(page, by: choice)), .iommu(device), at: ipa, size: step, level: level)
        changePins(page, level: isWhole ? level : 3, by: 1)
        if ipa == pinning.mapped || pinnedEnd(before: ipa, device) != page { pinning.runs += 1 }
        pinnedPages(of: device).store(
          page | UInt64(isWhole ? level : 3), at: ipa >> 12, in: &memory)
        pinning.next += step
      }
    }
    push([mapping(of: range, from: pinning.mapped, choice, device)])
  }

  /// Whether the next page is the first one of a pinning call.
  private func startsCall(
    _ pinning: Pinning, in range: Range<UInt64>, _ choice: IOMMUConfiguration.PinningChoice,
    _ device: Int
  ) -> Bool {
    let size = choice.pagesOfCall << 12
    let done = pinning.next - range.lowerBound
    // A huge page may span the boundary between two calls.
    return done > 0
      && (done - pinnedSize(before: pinning.next, device)) / size != done / size
  }

  /// The tasks that map a pinned batch.
  private func mapping(
    of range: Range<UInt64>, from start: UInt64, _ choice: IOMMUConfiguration.PinningChoice,
    _ device: Int
  ) -> Work {
    let end =
      pinsKeepLeaves ? range.upperBound : batchEnd(from: start, in: range, choice, device)
    return .mapPinned(device, range, run: start, done: 0, end: end)
  }

  /// The end of the batch of pinned runs that begins at an IOVA.
  func batchEnd(
    from start: UInt64, in range: Range<UInt64>, _ choice: IOMMUConfiguration.PinningChoice,
    _ device: Int
  ) -> UInt64 {
    var end = start
    for _ in 0..<choice.runsOfBatch {
      guard let run = pinnedRun(from: end, in: range, device) else { break }
      end = run.range.upperBound
    }
    return end
  }

  /// Bytes of the pinned page that ends at an IOVA; 0 if there is none.
  private func pinnedSize(before iova: UInt64, _ device: Int) -> UInt64 {
    let pages = pinnedPages(of: device)
    for level in (1...Geometry.lastLevel).reversed() {
      let size = hostTable.geometry.size(level)
      guard iova >= size else { return 0 }
      let word = pages.load((iova - size) >> 12, from: memory)
      if word != 0, Int(word & 3) == level { return size }
    }
    return 0
  }

  /// Physical end of the pinned page that ends at an IOVA, or nil.
  private func pinnedEnd(before iova: UInt64, _ device: Int) -> UInt64? {
    let size = pinnedSize(before: iova, device)
    if size == 0 { return nil }
    return pinnedPages(of: device).load((iova - size) >> 12, from: memory).page + size
  }

  /// Undoes the pins, and the device's mappings. If pins keep leaves, a notifier may have skipped some
  /// while the event was paused.
  private mutating func failPinning(_ range: Range<UInt64>, _ pinning: Pinning, device: Int) {
    fail(.efault, .iommu(device), at: pinning.next)
    if pinsKeepLeaves { return push(unmapTasks(range, device)) }
    giveBack(range, mappedTo: pinning.mapped, device: device)
  }

  /// Unpins what is not mapped, and then unmaps and unpins the batches that are (the ends of
  /// `iopt_area_fill_domains` and `vfio_pin_map_dma`).
  private mutating func giveBack(
    _ range: Range<UInt64>, mappedTo end: UInt64, device: Int
  ) {
    unpin(end..<range.upperBound, device: device)
    if end > range.lowerBound { push(unmapTasks(range.lowerBound..<end, device)) }
  }

  /// A run could not be mapped: what is mapped of its batch is unmapped at once (`batch_to_domain`).
  private mutating func failMapping(
    of run: Range<UInt64>, in range: Range<UInt64>, _ table: Table, device: Int
  ) {
    let choice = pinningChoice
    var batch = range.lowerBound
    while case let end = batchEnd(from: batch, in: range, choice, device), end <= run.lowerBound,
      batch < end
    {
      batch = end
    }
    if batch < run.lowerBound { unmapAtOnce(batch..<run.lowerBound, in: table) }
    giveBack(range, mappedTo: batch, device: device)
  }

  /// Maps pinned pages up to the end of a batch, each physically contiguous run at once
  /// (`batch_to_domain`, `vfio_iommu_map`), starting with a run of which `done` bytes are mapped.
  mutating func mapPinned(
    _ range: Range<UInt64>, run start: UInt64, done: UInt64, end: UInt64, device: Int
  ) {
    if pinsKeepLeaves { return mapPinnedForCPUs(range, from: start, device: device) }
    guard let table = domainTable(ofDevice: device) else { return }
    let batch = range.lowerBound..<end
    var next = pinnedRun(from: start, in: batch, device)
    next?.done = done
    var isFirst = true
    while var run = next {
      switch map(&run, in: table, mayPause: !isFirst) {
      case .done: next = pinnedRun(from: run.range.upperBound, in: batch, device)
      case .paused:
        push([.mapPinned(device, range, run: run.range.lowerBound, done: run.done, end: end)])
        return park(at: run.next, in: table.id)
      case .failed: return failMapping(of: run.range, in: range, table, device: device)
      }
      isFirst = false
    }
    if end < range.upperBound { return push([afterBatch(range, from: end, device)]) }
    memory.store(1, for: range, in: pinnedAreas(of: device))
  }

  /// The task after a batch: the next batch of pages from the last call, or more pinning.
  private func afterBatch(_ range: Range<UInt64>, from start: UInt64, _ device: Int) -> Work {
    let choice = pinningChoice
    var pinning = Pinning(start)
    while pinning.runs <= choice.runsOfBatch,
      let run = pinnedRun(from: pinning.next, in: range, device)
    {
      pinning.next = run.range.upperBound
      pinning.runs += 1
    }
    return pinning.next == range.upperBound || pinning.runs > choice.runsOfBatch
      ? mapping(of: range, from: start, choice, device) : .pin(device, range, pinning)
  }

  /// The physically contiguous pinned pages from an IOVA on; nil at the end of the range.
  func pinnedRun(
    from start: UInt64, in range: Range<UInt64>, _ device: Int
  ) -> IOMapping? {
    let pages = pinnedPages(of: device)
    let first = pages.load(start >> 12, from: memory)
    if start >= range.upperBound || first == 0 { return nil }
    let physical = first.page
    var end = start
    while end < range.upperBound, case let word = pages.load(end >> 12, from: memory),
      word.page == physical + (end - start)
    {
      end += hostTable.geometry.size(Int(word & 3))
    }
    return IOMapping(range: start..<end, physical: physical, write: true)
  }

  /// Unpins the pages in a range, after nothing maps them any more.
  mutating func unpin(_ range: Range<UInt64>, device: Int) {
    let pages = pinned(in: range, of: device)
    if pages.isEmpty { return }
    let areCached = steps.isRecording && isAnyCached(in: range, of: device)
    note(
      .domain(.pagesUnpinned(pages.count, areCached: areCached)), .iommu(device), over: range)
    for (iova, page, level) in pages {
      changePins(page, level: level, by: -1)
      pinnedPages(of: device).store(0, at: iova >> 12, in: &memory)
    }
    memory.erase(range, in: pinnedAreas(of: device))
  }

  /// Whether the SMMU has a translation of a range cached for a domain.
  private func isAnyCached(in range: Range<UInt64>, of domain: Int) -> Bool {
    let context = domainTable(ofDevice: domain)?.context
    return iotlbEntries.contains { $0.context == context && $0.range.overlaps(range) }
  }

  /// The physical page pinned for a device at an input address, or nil.
  public func pinnedPage(at iova: UInt64, device: Int) -> UInt64? {
    let page = iova.page
    return domain(ofDevice: device).flatMap {
      pinned(in: page..<page + Page.size, of: $0).first?.page
    }
  }

  /// Pinned pages that the VM's own table no longer maps at their address: the device and the CPUs use
  /// different memory.
  func agreementViolations(_ domain: Int) -> [Violation] {
    pinned(in: 0..<1 << 48, of: domain).compactMap { iova, page, _ in
      disagreement(at: iova, page, domain)
    }
  }

  /// The violation if the VM's own table maps another page than the one pinned for a device, or nil.
  func disagreement(at iova: UInt64, _ page: UInt64, _ device: Int) -> Violation? {
    let table = table(of: canonical)
    guard iova < table.geometry.inputSize else { return nil }
    let end = memory.walk(table, iova)
    guard end.isLeaf else { return nil }
    let size = table.geometry.size(end.level)
    return end.descriptor.address | iova & (size - 1) == page
      ? nil : Violation(invariant: .tableAgreement, table: .iommu(device), address: iova)
  }
}
