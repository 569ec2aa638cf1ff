/// Input addresses being mapped to contiguous physical addresses (`iommu_map`).
struct IOMapping: Equatable {
  let range: Range<UInt64>
  let physical: UInt64
  let write: Bool
  /// Bytes already mapped, from the start of the range.
  var done: UInt64 = 0

  /// The next input address to map.
  var next: UInt64 { range.lowerBound + done }
  /// Bytes left to map.
  var left: UInt64 { range.upperBound - next }
}

/// The progress of a mapping.
enum IOMapProgress {
  case done
  /// The event must pause here.
  case paused
  /// A call failed: the mapped part is unmapped again, and the event fails.
  case failed
}

/// `iommu_map` and `iommu_unmap`: a range in as few page table calls as its sizes allow.
extension Machine {
  mutating func startMapping(
    _ range: Range<UInt64>, to physical: UInt64, write: Bool, device: Int
  ) {
    guard let table = makeDomain(device), case .iommu(let domain) = table.id else { return }
    if (range.lowerBound | range.upperBound | physical).pageOffset != 0 {
      return fail(.einval, table.id, at: range.lowerBound)
    }
    push([.mapIOVA(domain, IOMapping(range: range, physical: physical, write: write))])
  }

  mutating func mapIOVA(_ started: IOMapping, device: Int) {
    guard let table = domainTable(ofDevice: device) else { return }
    var mapping = started
    if map(&mapping, in: table) == .paused {
      push([.mapIOVA(device, mapping)])
      park(at: mapping.next, in: table.id)
    }
  }

  /// Calls `map_pages` until all is mapped; after an error, unmaps everything again. It can be paused
  /// before each call.
  ///
  /// - Parameter mayPause: whether that includes the first call.
  mutating func map(
    _ mapping: inout IOMapping, in table: Table, mayPause: Bool = false
  ) -> IOMapProgress {
    var mayPause = mayPause
    while mapping.left > 0 {
      let iova = mapping.next
      if mayPause, isPauseAsked(at: iova) { return .paused }
      mayPause = true
      let physical = mapping.physical + mapping.done
      let call = Self.pageSize(iova, physical, mapping.left)
      note(
        .domain(.mapCall(physical: physical, count: call.count)), table.id, at: iova,
        size: call.size)
      let pages = IOPages(
        address: iova, physical: physical, size: call.size, count: call.count,
        isWritable: mapping.write)
      let result = mapPages(pages, in: table)
      mapping.done += result.bytes
      if let error = result.error {
        if mapping.done > 0 { unmapAtOnce(mapping.range.lowerBound..<mapping.next, in: table) }
        fail(error, table.id, at: mapping.next, size: call.size)
        return .failed
      }
    }
    return .done
  }

  mutating func startUnmapping(_ range: Range<UInt64>, device: Int) {
    guard let table = makeDomain(device), case .iommu(let domain) = table.id else { return }
    if (range.lowerBound | range.upperBound).pageOffset != 0 {
      return fail(.einval, table.id, at: range.lowerBound)
    }
    // An area pinned as a whole is unpinned as a whole (`iopt_unmap_iova_range`).
    let areas = memory.entries(in: range, of: pinnedAreas(of: domain)).map(\.range)
    if let part = areas.first(where: { $0.clamped(to: range) != $0 }) {
      return fail(
        .enoent, table.id, at: part.lowerBound, size: part.size)
    }
    push(unmapTasks(range, domain))
  }

  /// The tasks that unmap a range and unpin what was pinned for it.
  func unmapTasks(_ range: Range<UInt64>, _ device: Int) -> [Work] {
    [
      pinsKeepLeaves
        ? .releaseLeaves(device, range) : .unmapIOVA(device, range, done: 0, Gather()),
      .unpin(device, range),
    ]
  }

  /// `iommu_unmap` at once.
  mutating func unmapAtOnce(_ range: Range<UInt64>, in table: Table) {
    guard case .iommu(let device) = table.id else { return }
    unmapIOVA(range, done: 0, Gather(), device: device, mayPause: false)
  }

  /// `iommu_unmap`: unmaps up to the end or a hole, then one invalidation, and a sync. It can be paused
  /// before each call and before the invalidation.
  mutating func unmapIOVA(
    _ range: Range<UInt64>, done: UInt64, _ gathered: Gather, device: Int, mayPause: Bool = true
  ) {
    guard let table = domainTable(ofDevice: device) else { return }
    var gather = gathered
    var unmapped = done
    let size = range.size
    while unmapped < size {
      let iova = range.lowerBound + unmapped
      if mayPause, unmapped > done, isPauseAsked(at: iova) {
        push([.unmapIOVA(device, range, done: unmapped, gather)])
        return park(at: iova, in: table.id)
      }
      let call = Self.pageSize(iova, iova, size - unmapped)
      note(.domain(.unmapCall(count: call.count)), table.id, at: iova, size: call.size)
      let bytes = unmapPages(iova, call.size, call.count, in: table, &gather)
      if bytes == 0 { break }
      unmapped += bytes
    }
    if mayPause, unmapped == size, done < size, isPauseAsked(at: range.lowerBound) {
      push([.unmapIOVA(device, range, done: unmapped, gather)])
      return park(at: range.lowerBound, in: table.id)
    }
    flush(&gather, table)
    if unmapped < size {
      let done = unmapped
      note(
        .domain(.unmapStopped(done: done)), table.id,
        over: range.lowerBound + done..<range.upperBound)
      tally.error = .einval
    }
  }

  /// Sizes of leaves that a table may have.
  private static let pageSizes: [UInt64] = [1 << 30, 2 << 20, Page.size]

  /// The largest size that the addresses and the rest allow, and the number of such leaves until a larger
  /// size fits (`iommu_pgsize`).
  static func pageSize(
    _ iova: UInt64, _ physical: UInt64, _ left: UInt64
  ) -> (size: UInt64, count: UInt64) {
    let merged = iova | physical
    let index = pageSizes.firstIndex { $0 <= left && merged & ($0 - 1) == 0 } ?? 2
    let size = pageSizes[index]
    guard index > 0, (iova ^ physical) & (pageSizes[index - 1] - 1) == 0 else {
      return (size, left / size)
    }
    // Up to the boundary of the larger size, if one leaf of it fits after that.
    let larger = pageSizes[index - 1]
    let offset = larger - merged & (larger - 1)
    let bytes = offset + larger <= left ? offset : left
    return (size, bytes / size)
  }
}

/// Invalidations gathered by an unmap (`struct iommu_iotlb_gather`): one range, of leaves of one size.
struct Gather: Equatable {
  var range: Range<UInt64>?
  var size: UInt64 = 0
}

extension Machine {
  /// `iommu_iotlb_gather_add_page`: a range that is not contiguous with the gathered one, or has another
  /// size, flushes that first.
  mutating func gather(
    _ range: Range<UInt64>, leaves size: UInt64, _ table: Table, _ gather: inout Gather
  ) {
    if let old = gather.range,
      gather.size != size || range.lowerBound > old.upperBound || range.upperBound < old.lowerBound
    {
      flush(&gather, table)
    }
    let start = min(gather.range?.lowerBound ?? range.lowerBound, range.lowerBound)
    gather.range = start..<max(gather.range?.upperBound ?? range.upperBound, range.upperBound)
    gather.size = size
  }

  /// `arm_smmu_iotlb_sync`.
  mutating func flush(_ gather: inout Gather, _ table: Table) {
    guard let range = gather.range else { return }
    invalidate(range, of: table)
    gather = Gather()
  }
}
