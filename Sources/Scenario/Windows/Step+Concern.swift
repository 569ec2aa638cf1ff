import Engine

extension Step {
  /// Input addresses of devices whose DMA the step may change: its own, and all of the leaves that they
  /// are part of. A step that spans more than 1 GiB concerns the first GiB here.
  ///
  /// - Parameter machines: the machine before and after the event, whose leaves count.
  func concernedRanges(in machines: [Machine]) -> [Range<UInt64>] {
    guard changesTranslation, let table, table.isSeenByDevices else { return [] }
    var start = address & ~4095
    var end = (address + min(max(size, 1), 1 << 30) + 4095) & ~4095
    for machine in machines {
      guard let table = machine.table(table) else { continue }
      if let size = machine.leafSize(at: start, of: table) { start &= ~(size - 1) }
      if let size = machine.leafSize(at: end - 1, of: table) { end = (end - 1) | (size - 1) &+ 1 }
    }
    return [start..<end]
  }

  private var changesTranslation: Bool {
    switch action {
    case .dma, .breakEntry, .makeLeaf, .clearLeaf, .relaxLeaf, .writeProtect, .ageLeaf,
      .youngLeaf, .partialUnmap, .unmapStopped, .iotlbCommand, .iotlbBroadcast, .swapEntry,
      .dmaStalled, .dmaResumed, .rmpAssigned, .rmpValidated, .rmpShared, .psmash, .realmEntry,
      .failed, .hostStateSet:
      true
    default: false
    }
  }
}

extension TableID {
  /// Whether a device's input addresses are those of the table.
  fileprivate var isSeenByDevices: Bool {
    switch self {
    case .canonical, .iommu, .protectedHost: true
    case .shadow, .guest, .host, .protectedGuest: false
    }
  }
}
