import Engine
import Language

extension Step {
  /// Input addresses of a table at which the step may change the outcome of a device's DMA, or nil. A
  /// step that spans more than 1 GiB concerns the first GiB here.
  var concerned: Concern? {
    guard changesTranslation, let table else { return nil }
    // An invalidation of all of a context names no address; what changed the context concerns what it reached.
    if stepClass == .deviceInvalidation, size == 0 { return nil }
    let start = address.page
    // An address may be any number. The very last page, beyond any device's table, has no end address.
    let (last, isBeyond) = address.addingReportingOverflow(min(max(size, 1), 1 << 30) - 1)
    let end = ((isBeyond ? .max : last) | (Page.size - 1)) &+ 1
    return end > start ? Concern(table: table, range: start..<end) : nil
  }

  /// The device whose stream table entry gets other contents, so that all that it reaches may change.
  var redirectedDevice: Int? {
    guard case .iommu(let device) = table, case .domain(let step) = action else { return nil }
    return switch step {
    case .attached, .joined, .bound, .unbound, .blocked, .bypassed, .bypassShadowed: device
    case .reset, .mapCall, .unmapCall, .partialUnmap, .unmapStopped, .areaCut, .unmapUnaligned,
      .pagePinned, .pagesUnpinned, .rootAllocated, .otherAttached, .otherDetached:
      nil
    }
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

extension Machine {
  /// Input addresses that a device's table maps, the first GiB of them, or that the SMMU has cached for it.
  func reached(by device: Int) -> [Range<UInt64>] {
    let context = context(ofDevice: device)
    var ranges = iotlbEntries.filter { $0.context == context }.map(\.range)
    guard let reader = reader(of: .iommu(device)) else { return ranges }
    var (next, left): (UInt64, UInt64) = (0, 1 << 30)
    while left > 0, let leaf = reader.mappedRange(from: next) {
      ranges.append(leaf.range)
      next = leaf.range.upperBound
      left -= min(left, leaf.size)
    }
    return ranges
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
