import Engine
import Language

extension Step {
  /// Input addresses of devices whose DMA the step may change: its own, and all of the leaves that they
  /// are part of. A step that spans more than 1 GiB concerns the first GiB here.
  ///
  /// - Parameter machines: the machine before and after the event, whose leaves count.
  func concernedRanges(in machines: [Machine]) -> [Range<UInt64>] {
    guard changesTranslation, let table else { return [] }
    var start = address & ~4095
    // An address may be any number. The very last page, which no device's table reaches, has no end.
    let (last, isBeyond) = address.addingReportingOverflow(min(max(size, 1), 1 << 30) - 1)
    var end = ((isBeyond ? .max : last) | 4095) &+ 1
    if end <= start { end = ~4095 }
    if start == end { return [] }
    for machine in machines {
      guard let table = machine.table(table) else { continue }
      if let size = machine.leafSize(at: start, of: table) { start &= ~(size - 1) }
      if let size = machine.leafSize(at: end - 1, of: table) { end = (end - 1) | (size - 1) &+ 1 }
    }
    return [start..<end]
  }

  private var changesTranslation: Bool {
    switch stepClass {
    case .deviceAccess, .entryBroken, .entryReplaced, .leafMade, .leafRemoved, .leafRelaxed,
      .leafWeakened, .accessFlag, .deviceInvalidation, .ownership, .hostPage, .hostMapping,
      .refusal:
      true
    case .access, .walk, .data, .fault, .deviceFault, .injection, .setting, .choice, .trigger,
      .lookUp, .lookUpMiss, .lookUpFailure, .record, .recordLost, .mapState, .tableMade,
      .tableRemoved, .tableAllocated, .tableFilled, .tableFreed, .cleaning, .guestEntry, .sweep,
      .plan, .invalidation, .wait, .hostArea, .ageing, .lock, .pause, .pinning, .identifier,
      .retry, .remark:
      false
    }
  }
}

extension TableID {
  /// Whether a device's input addresses are those of the table.
  func isSeen(by device: Int, in machine: Machine) -> Bool {
    let shares = machine.sharesAddresses(device)
    switch self {
    case .canonical, .protectedHost: return !shares
    case .host: return shares
    case .iommu(let other): return shares == machine.sharesAddresses(other)
    case .shadow, .guest, .protectedGuest: return false
    }
  }
}
