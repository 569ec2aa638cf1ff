import Engine
import Language

extension Step {
  /// Input addresses of a table at which the step may change the outcome of a device's DMA, or nil. A
  /// step that spans more than 1 GiB concerns the first GiB here.
  var concerned: Concern? {
    guard changesTranslation, let table else { return nil }
    let start = address.page
    // An address may be any number. The very last page, beyond any device's table, has no end address.
    let (last, isBeyond) = address.addingReportingOverflow(min(max(size, 1), 1 << 30) - 1)
    let end = ((isBeyond ? .max : last) | (Page.size - 1)) &+ 1
    return end > start ? Concern(table: table, range: start..<end) : nil
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
      .plan, .wholeShadow, .invalidation, .wait, .hostArea, .ageing, .lock, .pause, .pinning,
      .identifier,
      .retry, .remark, .seen:
      false
    }
  }
}

/// Input addresses of a table that a step concerns.
struct Concern {
  let table: TableID
  private(set) var range: Range<UInt64>

  init(table: TableID, range: Range<UInt64>) {
    self.table = table
    self.range = range
  }

  /// Extends the ends to whole leaves of a machine.
  mutating func addWholeLeaves(of machine: Machine) {
    guard let table = machine.table(table) else { return }
    var start = range.lowerBound
    var end = range.upperBound
    if let size = machine.leafSize(at: start, of: table) { start &= ~(size - 1) }
    if let size = machine.leafSize(at: end - 1, of: table) { end = (end - 1) | (size - 1) &+ 1 }
    range = start..<end
  }
}

extension TableID {
  /// Whether a device's input addresses are those of the table.
  func isSeen(by device: Int, in machine: Machine) -> Bool {
    let shares = machine.sharesAddresses(device)
    if case .iommu(let other) = self { return shares == machine.sharesAddresses(other) }
    return switch kind.input {
    case .canonicalIPA, .physical: !shares
    case .hostVirtual: shares
    case .nestedIPA, .guestIPA, .iova: false
    }
  }
}
