/// What is done with a device and its domain: attaching (arm-smmu-v3.c), and mapping and unmapping as the
/// kernel's IOMMU API does it (`iommu_map` and `iommu_unmap` in drivers/iommu/iommu.c).
public enum IOMMUOperation: Equatable, Sendable {
  /// The device's stream is translated by its domain's table.
  case attach
  /// Every DMA of the device is refused (the blocking domain).
  case detach
  /// Input addresses to physical ones that follow each other.
  case map(Range<UInt64>, to: UInt64, write: Bool)
  /// Input addresses are taken back.
  case unmap(Range<UInt64>)
}

extension Machine {
  mutating func start(_ operation: IOMMUOperation, device: Int) throws(Refusal) {
    switch operation {
    case .map, .unmap:
      if configuration.iommu.table == .shared { throw Refusal(.sharedTable, operand: 0) }
    case .attach, .detach: break
    }
    makeSMMU()
    switch operation {
    case .attach: attach(device)
    case .detach:
      note(.streamBlocked, .iommu(device))
      setStreamEntry(.abort, ofDevice: device)
    case .map(let range, let physical, let write):
      map(range, to: physical, write: write, device: device)
    case .unmap(let range): unmap(range, device: device)
    }
  }

  /// `arm_smmu_attach_dev`: makes the domain if there is none, and points the stream to it.
  private mutating func attach(_ device: Int) {
    let table = makeDomain(device)
    note(.streamAttached, table.id, value: table.rootAddress, extra: UInt64(table.vmid))
    setStreamEntry(
      .stage2(table, stalls: configuration.iommu.faults == .stall), ofDevice: device)
  }

  /// The domain of a device, made if there is none (`arm_smmu_domain_finalise`).
  mutating func makeDomain(_ device: Int) -> Table {
    if let table = domainTable(ofDevice: device) { return table }
    if configuration.iommu.table == .shared {
      loadVMID(of: canonical, on: vcpu(0))
      let shared = table(of: canonical)
      setDomain(device, root: shared.root, shared.geometry, vmid: shared.vmid)
    } else {
      let geometry = Geometry.stage2(bits: Configuration.physicalBits)
      note(.allocateTable, .iommu(device), level: geometry.startLevel)
      let root = memory.allocateFrames(geometry.rootPages, .table)
      tally.tablesAllocated += geometry.rootPages
      self[.nextIOMMUVMID] += 1
      setDomain(device, root: root, geometry, vmid: UInt16(self[.nextIOMMUVMID]))
    }
    return domainTable(ofDevice: device) ?? table(of: canonical)
  }

  mutating func setDomain(_ device: Int, root: Int, _ geometry: Geometry, vmid: UInt16) {
    self[device, .root] = UInt64(root)
    self[device, .inputBits] = UInt64(geometry.inputBits)
    self[device, .vmid] = UInt64(vmid)
  }

  /// `iommu_map`: in as few calls as the sizes allow; after an error all that was mapped goes again.
  private mutating func map(
    _ range: Range<UInt64>, to physical: UInt64, write: Bool, device: Int
  ) {
    let table = makeDomain(device)
    if (range.lowerBound | range.upperBound | physical) & 4095 != 0 {
      return fail(.einval, table.id, at: range.lowerBound)
    }
    var mapped: UInt64 = 0
    let size = range.upperBound - range.lowerBound
    while mapped < size {
      let iova = range.lowerBound + mapped
      let call = Self.pageSize(iova, physical + mapped, size - mapped)
      note(
        .iommuMapCall, table.id, at: iova, size: call.size, value: physical + mapped,
        extra: call.count)
      let pages = IOPages(
        address: iova, physical: physical + mapped, size: call.size, count: call.count,
        permissions: Descriptor.read | (write ? Descriptor.write : 0))
      let done = mapPages(pages, in: table)
      mapped += done.bytes
      if let error = done.error {
        if mapped > 0 { unmap(range.lowerBound..<range.lowerBound + mapped, device: device) }
        return fail(error, table.id, at: iova + done.bytes, size: call.size)
      }
    }
  }

  /// `iommu_unmap`: until all is gone or a hole is met, then one invalidation, and a sync.
  private mutating func unmap(_ range: Range<UInt64>, device: Int) {
    let table = makeDomain(device)
    if (range.lowerBound | range.upperBound) & 4095 != 0 {
      return fail(.einval, table.id, at: range.lowerBound)
    }
    let size = range.upperBound - range.lowerBound
    var gather = Gather()
    var unmapped: UInt64 = 0
    while unmapped < size {
      let iova = range.lowerBound + unmapped
      let call = Self.pageSize(iova, iova, size - unmapped)
      note(.iommuUnmapCall, table.id, at: iova, size: call.size, extra: call.count)
      let done = unmapPages(iova, call.size, call.count, in: table, &gather)
      if done == 0 { break }
      unmapped += done
    }
    flush(&gather, table)
    if unmapped < size {
      note(
        .unmapStopped, table.id, at: range.lowerBound + unmapped, size: size - unmapped,
        value: unmapped)
      tally.error = .einval
    }
  }

  /// Sizes of leaves that a table may have.
  private static let pageSizes: [UInt64] = [1 << 30, 2 << 20, 4096]

  /// The largest size that the addresses and what is left allow, and how many of it until a larger one
  /// does (`iommu_pgsize`).
  static func pageSize(
    _ iova: UInt64, _ physical: UInt64, _ left: UInt64
  ) -> (size: UInt64, count: UInt64) {
    let merged = iova | physical
    let index = pageSizes.firstIndex { $0 <= left && merged & ($0 - 1) == 0 } ?? 2
    let size = pageSizes[index]
    guard index > 0, (iova ^ physical) & (pageSizes[index - 1] - 1) == 0 else {
      return (size, left / size)
    }
    // Up to the border of the larger size, if one of it fits behind that.
    let larger = pageSizes[index - 1]
    let offset = larger - merged & (larger - 1)
    let bytes = offset + larger <= left ? offset : left
    return (size, bytes / size)
  }
}

/// Invalidations that an unmap gathers (`struct iommu_iotlb_gather`): one range, of leaves of one size.
struct Gather {
  var range: Range<UInt64>?
  var size: UInt64 = 0
}

extension Machine {
  /// `iommu_iotlb_gather_add_page`: what does not follow what is gathered, or has another size, makes that
  /// be flushed first.
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
    queueInvalidation(range, of: table)
    syncCommands(table.id)
    gather = Gather()
  }
}
