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
      note(.domain(.unmapUnaligned), table.id, over: range)
      tally.error = .einval
      return
    }
    let areas = memory.entries(in: range, of: pinnedAreas(of: domain)).map(\.range)
    if areas.isEmpty {
      return push([
        pinsKeepLeaves
          ? .releaseLeaves(domain, range) : .unmapIOVA(domain, range, done: 0, Gather())
      ])
    }
    // Type 1 looks for a part of an area before it unmaps anything, iommufd when it comes to it.
    guard let cut = areas.first(where: { $0.clamped(to: range) != $0 }) else {
      return push(unmapTasks(areas, between: range, domain))
    }
    if pinningChoice == .vfio { return refuseCut(range, of: cut, device: domain) }
    let before = range.lowerBound..<max(range.lowerBound, cut.lowerBound)
    push(
      unmapTasks(areas.prefix { $0 != cut }, between: before, domain)
        + [.refuseCut(domain, range, area: cut)])
  }

  /// An unmap ends at an area of which only a part is asked for: what was pinned as a whole is unpinned
  /// as a whole (`iopt_unmap_iova_range`, `vfio_dma_do_unmap`).
  mutating func refuseCut(_ range: Range<UInt64>, of area: Range<UInt64>, device: Int) {
    let part = area.clamped(to: range)
    let choice = pinningChoice
    note(.domain(.areaCut(area, by: choice)), .iommu(device), over: part)
    fail(
      choice == .vfio ? .einval : .enoent, .iommu(device), at: part.lowerBound, size: part.size)
  }

  /// The tasks that unmap pinned areas one by one, each unpinned after nothing maps it any more
  /// (`iopt_unmap_iova_range`, `vfio_dma_do_unmap`); and what else is mapped between them in a range.
  private func unmapTasks(
    _ areas: some Sequence<Range<UInt64>>, between range: Range<UInt64>, _ device: Int
  ) -> [Work] {
    guard let table = domainTable(ofDevice: device) else { return [] }
    var tasks: [Work] = []
    var start = range.lowerBound
    func addOther(upTo end: UInt64) {
      var walk = TableWalk(of: table, start..<end, .mapping)
      if start < end, !pinsKeepLeaves, memory.next(&walk) != nil {
        tasks.append(.unmapIOVA(device, start..<end, done: 0, Gather()))
      }
    }
    for area in areas {
      addOther(upTo: area.lowerBound)
      tasks += unmapTasks(area, device)
      start = area.upperBound
    }
    addOther(upTo: range.upperBound)
    return tasks
  }

  /// The tasks that unmap a pinned area, and unpin it. VFIO does both run by run, iommufd batch by batch, and
  /// waits after each (`iopt_area_unpin_domain`).
  func unmapTasks(_ area: Range<UInt64>, _ device: Int) -> [Work] {
    if pinsKeepLeaves { return [.releaseLeaves(device, area), .unpin(device, area)] }
    if configuration.iommu.pinning == .vfio {
      return [.unmapRuns(device, area, done: 0, Gather(), runs: 0)]
    }
    var tasks: [Work] = []
    var start = area.lowerBound
    while start < area.upperBound {
      let batch = batchEnd(from: start, in: area, pinningChoice, device)
      let end = batch > start ? batch : area.upperBound
      tasks += [
        .unmapIOVA(device, start..<end, done: 0, Gather()), .unpin(device, start..<end),
      ]
      start = end
    }
    return tasks
  }

  /// `vfio_unmap_unpin`: the pages of an area, each physically contiguous run with an unmap of its own. Their
  /// invalidations are gathered; after so many runs, and at the end, the SMMU is synchronised and the pages
  /// are unpinned. It can be paused before each run and before the last synchronisation.
  ///
  /// - Parameters:
  ///   - done: bytes unmapped, from the start of the area.
  ///   - runs: of these, the number of runs since the last synchronisation.
  mutating func unmapRuns(
    _ area: Range<UInt64>, done: UInt64, _ gathered: Gather, runs: Int, device: Int
  ) {
    guard let table = domainTable(ofDevice: device) else { return }
    var (gather, runs) = (gathered, runs)
    var next = area.lowerBound + done
    while next < area.upperBound {
      if next > area.lowerBound + done, isPauseAsked(at: next) {
        push([.unmapRuns(device, area, done: next - area.lowerBound, gather, runs: runs)])
        return park(at: next, in: table.id)
      }
      // The addresses behind what was pinned but not mapped have nothing to unmap.
      guard let run = pinnedRun(from: next, in: area, device)?.range else { break }
      unmapRun(run, in: table, &gather)
      next = run.upperBound
      runs += 1
      if runs == Self.runsOfSync {
        flush(&gather, table)
        unpin(area.lowerBound..<next, device: device)
        runs = 0
      }
    }
    if done < area.size, isPauseAsked(at: area.lowerBound) {
      push([.unmapRuns(device, area, done: area.size, gather, runs: runs)])
      return park(at: area.lowerBound, in: table.id)
    }
    flush(&gather, table)
    unpin(area, device: device)
  }

  /// VFIO_IOMMU_TLB_SYNC_MAX.
  private static let runsOfSync = 512

  /// Unmaps a run by as many calls as its sizes need (`iommu_unmap_fast`).
  private mutating func unmapRun(
    _ run: Range<UInt64>, in table: Table, _ gather: inout Gather
  ) {
    var iova = run.lowerBound
    while iova < run.upperBound {
      let bytes = callUnmap(iova, left: run.upperBound - iova, in: table, &gather)
      if bytes == 0 { return }
      iova += bytes
    }
  }

  /// One call of `unmap_pages`, with as many leaves of one size as fit. Returns the bytes unmapped.
  private mutating func callUnmap(
    _ iova: UInt64, left: UInt64, in table: Table, _ gather: inout Gather
  ) -> UInt64 {
    let call = Self.pageSize(iova, iova, left)
    note(.domain(.unmapCall(count: call.count)), table.id, at: iova, size: call.size)
    return unmapPages(iova, call.size, call.count, in: table, &gather)
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
      let bytes = callUnmap(iova, left: size - unmapped, in: table, &gather)
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
