/// Pinned guest memory where the device walks the VM's own table: nothing copies the pages into another
/// table, so KVM itself must keep them mapped (`policy iommu=shared` with `iommu-fault=pin`).
///
/// A proposal, not in Linux: it does for the pages that a VM's devices use what Linux does for guests of
/// pKVM, whose memory is pinned and unaffected by notifiers. Each page gets its own leaf, so that no
/// block around it is ever broken.
extension Machine {
  /// Whether pinned pages stay mapped in the CPUs' table.
  var pinsKeepLeaves: Bool {
    configuration.iommu.table == .shared && configuration.iommu.faults == .pin
      && !checksDMA
  }

  /// Maps pinned pages from a start on, as KVM would at the guest's first store to each. It can be paused
  /// before each page but the first.
  mutating func mapPinnedForCPUs(_ range: Range<UInt64>, from start: UInt64, device: Int) {
    for (ipa, _, _) in pinned(in: start..<range.upperBound, of: device) {
      if ipa > start, isPauseAsked(at: ipa) {
        push([.mapPinned(device, range, run: ipa, done: 0, end: range.upperBound)])
        return park(at: ipa, in: .iommu(device))
      }
      if mapPinnedForCPUs(ipa) { continue }
      fail(.eagain, .iommu(device), at: ipa)
      return push(unmapTasks(range, device))
    }
    memory.store(1, for: range, in: pinnedAreas(of: device))
  }

  /// Maps a page; false while an invalidation is under way.
  private mutating func mapPinnedForCPUs(_ ipa: UInt64) -> Bool {
    let table = table(of: canonical)
    let end = memory.walk(table, ipa)
    let isPage = end.isLeaf && end.level == Geometry.lastLevel
    if isPage, end.descriptor.permissions.write { return true }
    guard let slot = usableMemslot(at: ipa) else { return false }
    let fault = MemoryFault(
      kind: .write, mmu: canonical, cpu: 0, page: ipa, ipa: ipa, slot: slot, guestLeaf: nil,
      permissionGranule: isPage ? Page.size : nil)
    if case .again = mapMemory(fault) { return translate(ipa, by: table, for: .write).fault == nil }
    return false
  }

  /// The parts of a range of canonical IPAs that a notifier may unmap: those without pins.
  ///
  /// - Parameter released: a device whose pins do not count, since they are about to be released.
  func unpinnedParts(of range: Range<UInt64>, released: Int? = nil) -> [Range<UInt64>] {
    if !pinsKeepLeaves || !hasSMMU { return [range] }
    let kept = (0..<SMMU.devices).filter { $0 != released }
      .flatMap { pinned(in: range, of: $0).map(\.iova) }.sorted()
    var parts: [Range<UInt64>] = []
    var start = range.lowerBound
    for page in kept where page + Page.size > start {
      if start < page { parts.append(start..<page) }
      start = page + Page.size
    }
    if start < range.upperBound { parts.append(start..<range.upperBound) }
    return parts
  }

  /// The page pinned at a canonical IPA, which KVM keeps using whatever the VMM has there now; else nil.
  func pinnedPage(at ipa: UInt64) -> UInt64? {
    if !pinsKeepLeaves || !hasSMMU { return nil }
    return (0..<SMMU.devices).lazy.compactMap { pinnedPage(at: ipa, device: $0) }.first
  }

  /// The largest leaf that KVM may install at a canonical IPA, so that none covers a pinned page.
  func largestBesidePins(_ ipa: UInt64) -> UInt64 {
    if !pinsKeepLeaves || !hasSMMU { return .max }
    let larger: [UInt64] = [1 << 30, 2 << 20]
    return larger.first { size in
      let start = ipa & ~(size - 1)
      return !(0..<SMMU.devices).contains { isAnyPinned(in: start..<start + size, of: $0) }
    } ?? Page.size
  }

  /// Unmaps pages before they are unpinned, since notifiers skipped them; except pages that another
  /// device has also pinned.
  mutating func releaseLeaves(_ range: Range<UInt64>, device: Int) {
    push(
      unpinnedParts(of: range, released: device).map { UnmapCause(.unpin, $0) }.flatMap {
        [.unmapCanonical($0), .unmapShadows($0)]
      })
  }

  /// Whether all pages of a leaf are pinned, so that it stays whatever the VMM has there now.
  func isKeptByPins(_ leaf: Descriptor, size: UInt64) -> Bool {
    pinsKeepLeaves
      && stride(from: leaf.address, to: leaf.address + size, by: Page.stride).allSatisfy {
        isPinned($0)
      }
  }

  /// Pages pinned for a device to which it cannot write, except pages being pinned or unpinned.
  func pinViolations(_ device: Int) -> [Violation] {
    if !pinsKeepLeaves { return [] }
    let changing = changingPins.filter { $0.device == device }
    return pinned(in: 0..<1 << 48, of: device).compactMap { iova, _, _ in
      changing.contains { $0.range.contains(iova) } ? nil : hole(atPinned: iova, device)
    }
  }

  /// The ranges that a paused event is about to pin or unpin.
  var changingPins: [(device: Int, range: Range<UInt64>)] {
    parkedTaskList.compactMap { task in
      switch task {
      case .unpin(let device, let range), .pin(let device, let range, _),
        .mapPinned(let device, let range, _, _, _):
        (device, range)
      default: nil
      }
    }
  }

  /// The violation if devices cannot write to a page pinned for their domain, or nil.
  func hole(atPinned iova: UInt64, _ domain: Int) -> Violation? {
    guard
      let device = attachedDevices.first(where: { self.domain(ofDevice: $0) == domain }),
      case .fault = deviceOutcome(of: iova, write: true, device: device)
    else { return nil }
    return Violation(invariant: .dmaHole, table: .iommu(domain), address: iova)
  }
}
