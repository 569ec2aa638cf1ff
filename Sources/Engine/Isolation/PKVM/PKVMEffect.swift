/// One effect of a hypercall whose checks have passed. An event can be paused between two effects.
enum PKVMEffect: Equatable {
  /// The blocks of the host's table that cover pages become tables, in place; and the blocks are
  /// invalidated in the TLBs.
  case splitHost(Range<UInt64>)
  case invalidateHost(Range<UInt64>)
  /// Pages get an annotation in the host's table.
  case annotate(Range<UInt64>, Descriptor)
  /// Pages are mapped in the host's table; or kept there, each by its own leaf.
  case mapHost(Range<UInt64>)
  case keepHost(Range<UInt64>)
  /// Pages are mapped in, or removed from, the SMMUs' identity map.
  case mapDevices(Range<UInt64>)
  case unmapDevices(Range<UInt64>)
  /// Pages are invalidated in the SMMUs, with a sync.
  case invalidateDevices(Range<UInt64>)
  /// The hypervisor's record of pages.
  case setHost(Range<UInt64>, PageState)
  case setHypervisor(Range<UInt64>, PageState)
  /// One more guest with which pages are shared, or one less.
  case addShare(Range<UInt64>)
  case removeShare(Range<UInt64>)
  /// One more reference to pages, or one less.
  case addReference(Range<UInt64>)
  case removeReference(Range<UInt64>)
  /// A leaf in a guest's table: its guest, its address there, its bits.
  case mapGuest(Int, UInt64, Descriptor)
  /// Leaves of a guest's table are unmapped.
  case unmapGuest(Int, Range<UInt64>)
  /// A page is zeroed, and cleaned to memory.
  case zero(UInt64)
  /// The snapshot continues at an address, and ends.
  case snapshot(UInt64)
  case finishSnapshot
}

extension Machine {
  /// Carries out one effect.
  mutating func run(_ effect: PKVMEffect) {
    switch effect {
    case .splitHost(let range):
      for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
        reserveHostTables(to: Geometry.lastLevel, at: page)
        splitBlocks(at: page, in: pkvmHostTable)
      }
    case .invalidateHost(let range): invalidate(pkvmHostTable, range, .replaced)
    case .annotate(let range, let annotation): annotateHost(range, annotation)
    case .mapHost(let range): mapHost(range)
    case .keepHost(let range): keepHost(range)
    case .mapDevices(let range): mapDevices(range)
    case .unmapDevices(let range): unmapDevices(range)
    case .invalidateDevices(let range): invalidateDevices(range)
    case .setHost(let range, let state): changeRecords(range, .hostState(state)) { $0.host = state }
    case .setHypervisor(let range, let state):
      changeRecords(range, .hypervisorState(state)) { $0.hypervisor = state }
    case .addShare(let range): changeShares(range, add: true)
    case .removeShare(let range): changeShares(range, add: false)
    case .addReference(let range): changeReferences(range, add: true)
    case .removeReference(let range): changeReferences(range, add: false)
    case .mapGuest(let number, let address, let leaf): mapGuest(number, address, leaf)
    case .unmapGuest(let number, let range):
      if let guest = protectedGuest(number) { unmap(range, in: table(of: guest)) }
    case .zero(let page):
      note(.pkvm(.pageZeroed), .pkvmHost, at: page, size: Page.size)
      storeZeros(in: page)
    case .snapshot(let address): continueSnapshot(at: address)
    case .finishSnapshot: finishSnapshot()
    }
  }

  private mutating func changeShares(_ range: Range<UInt64>, add: Bool) {
    let shares = hypPage(at: range.lowerBound).shares
    changeRecords(range, .sharesCounted(add ? shares + 1 : shares - 1)) { record in
      record.shares = add ? record.shares + 1 : record.shares - 1
      // The last unshare also resets the state.
      if record.shares == 0 { record.host = .owned }
    }
  }

  private mutating func changeReferences(_ range: Range<UInt64>, add: Bool) {
    let references = hypPage(at: range.lowerBound).references
    changeRecords(range, .referencesCounted(add ? references + 1 : references - 1)) {
      $0.references = add ? $0.references + 1 : $0.references - 1
    }
  }

  /// Changes the hypervisor's record of every page of a range, as one step.
  private mutating func changeRecords(
    _ range: Range<UInt64>, _ step: PKVMStep, _ change: (inout HypPage) -> Void
  ) {
    note(.pkvm(step), .pkvmHost, over: range)
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      var record = hypPage(at: page)
      change(&record)
      setHypPage(record, at: page)
    }
  }

  private mutating func mapGuest(_ number: Int, _ address: UInt64, _ leaf: Descriptor) {
    guard let guest = protectedGuest(number) else { return }
    let end = guestEntry(guest, at: address)
    if end.isLeaf, (end.descriptor.bits ^ leaf.bits) & ~Descriptor.softwareMask == 0 {
      // "If we're only changing software bits, then store them and go!" (`stage2_map_walker_try_leaf`)
      note(
        .table(.restateLeaf(leaf, from: end.descriptor)), table(of: guest).id, at: address,
        size: protectedGeometry.size(end.level), level: end.level)
      return storeEntry(leaf.bits, at: end.slot)
    }
    // A block lacks the page bit.
    let level = leaf.isValid && leaf.bits & Descriptor.tableOrPage == 0 ? 2 : Geometry.lastLevel
    map(leaf, at: address, level: level, in: table(of: guest))
  }
}

/// An effect as words: a number for its case, and its operands.
extension PKVMEffect {
  var words: [UInt64] {
    switch self {
    case .annotate(let range, let annotation):
      [1, range.lowerBound, range.upperBound, annotation.bits]
    case .mapHost(let range): [2, range.lowerBound, range.upperBound]
    case .mapDevices(let range): [3, range.lowerBound, range.upperBound]
    case .unmapDevices(let range): [4, range.lowerBound, range.upperBound]
    case .invalidateDevices(let range): [5, range.lowerBound, range.upperBound]
    case .setHost(let range, let state): [6, range.lowerBound, range.upperBound, state.rawValue]
    case .setHypervisor(let range, let state):
      [7, range.lowerBound, range.upperBound, state.rawValue]
    case .addShare(let range): [8, range.lowerBound, range.upperBound]
    case .removeShare(let range): [9, range.lowerBound, range.upperBound]
    case .addReference(let range): [10, range.lowerBound, range.upperBound]
    case .removeReference(let range): [11, range.lowerBound, range.upperBound]
    case .mapGuest(let number, let address, let leaf): [12, address, UInt64(number), leaf.bits]
    case .unmapGuest(let number, let range):
      [13, range.lowerBound, range.upperBound, UInt64(number)]
    case .zero(let page): [14, page]
    case .snapshot(let address): [15, address]
    case .keepHost(let range): [16, range.lowerBound, range.upperBound]
    case .finishSnapshot: [17]
    case .splitHost(let range): [18, range.lowerBound, range.upperBound]
    case .invalidateHost(let range): [19, range.lowerBound, range.upperBound]
    }
  }

  /// The effect that words encode; there must be at least four.
  init(words: some RandomAccessCollection<UInt64>) {
    let words = Array(words)
    let range = words[1]..<max(words[1], words[2])
    switch words[0] {
    case 1: self = .annotate(range, Descriptor(words[3]))
    case 2: self = .mapHost(range)
    case 3: self = .mapDevices(range)
    case 4: self = .unmapDevices(range)
    case 5: self = .invalidateDevices(range)
    case 6: self = .setHost(range, .decoded(words[3]))
    case 7: self = .setHypervisor(range, .decoded(words[3]))
    case 8: self = .addShare(range)
    case 9: self = .removeShare(range)
    case 10: self = .addReference(range)
    case 11: self = .removeReference(range)
    case 12: self = .mapGuest(Int(words[2]), words[1], Descriptor(words[3]))
    case 13: self = .unmapGuest(Int(words[3]), range)
    case 14: self = .zero(words[1])
    case 15: self = .snapshot(words[1])
    case 16: self = .keepHost(range)
    case 17: self = .finishSnapshot
    case 18: self = .splitHost(range)
    case 19: self = .invalidateHost(range)
    default: preconditionFailure("no effect has the number \(words[0])")
    }
  }

  /// Table and address of the effect, where an event can be paused.
  var place: (table: TableID, address: UInt64) {
    switch self {
    case .annotate(let range, _), .mapHost(let range), .setHost(let range, _),
      .setHypervisor(let range, _), .addShare(let range), .removeShare(let range),
      .addReference(let range), .removeReference(let range), .keepHost(let range),
      .splitHost(let range), .invalidateHost(let range):
      (.pkvmHost, range.lowerBound)
    case .mapDevices(let range), .unmapDevices(let range), .invalidateDevices(let range):
      (.iommu(0), range.lowerBound)
    case .zero(let page): (.pkvmHost, page)
    case .mapGuest(let number, let address, _): (.protectedGuest(number), address)
    case .unmapGuest(let number, let range): (.protectedGuest(number), range.lowerBound)
    case .snapshot(let address): (.iommu(0), address)
    case .finishSnapshot: (.iommu(0), .max)
    }
  }
}
