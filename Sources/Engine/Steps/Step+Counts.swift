/// What micro-steps add to the counters. The machine counts without recording steps; this is the same count, of what
/// was recorded.
extension Step {
  /// How much the step adds to a counter.
  package func count(_ counter: Counter) -> Int {
    switch counter {
    case .canonicalFaults: isFault && table == .canonical ? 1 : 0
    case .shadowFaults: isFault && isOfShadow ? 1 : 0
    case .protectedFaults: isFault && table != .canonical && !isOfShadow ? 1 : 0
    case .injected: stepClass == .injection ? 1 : 0
    case .maps: leavesMade
    case .relaxes: stepClass == .leafRelaxed ? 1 : 0
    case .unmaps: leavesRemoved
    case .notifiers: reachesVM ? 1 : 0
    case .fullUnmaps: stepClass == .wholeShadow ? 1 : 0
    case .invalidations: if case .tlb(let step) = action { step.invalidations } else { 0 }
    case .tablesAllocated: pagesAllocated
    case .tablesFreed: stepClass == .tableFreed ? 1 : 0
    case .mmioExits: if case .fault(.mmioExit) = action { 1 } else { 0 }
    }
  }

  private var isFault: Bool { stepClass == .fault }

  /// Whether it is a notifier for memory of the VM.
  private var reachesVM: Bool {
    if case .host(.notifierStart(let notified)) = action { notified != .nothing } else { false }
  }

  private var isOfShadow: Bool { if case .shadow = table { true } else { false } }

  /// Leaves that map memory from now on: made one by one or in runs, or in a table that takes a block's place.
  private var leavesMade: Int {
    switch action {
    case .table(.makeLeaf(let leaf, let count)): leaf.isValid ? Int(count) : 0
    case .table(.fillTable(_, let leaves)): Int(leaves)
    case .table(.swapEntry(let new, _)): new.isLeaf(level) ? 1 : 0
    case .realm(.entry(let new, _, _)): new.isValid ? 1 : 0
    default: 0
    }
  }

  /// Leaves that mapped memory and no longer do, also where a table or another leaf takes their place.
  private var leavesRemoved: Int {
    switch action {
    case .table(.clearLeaf(let old, let count, _)): old.isValid ? Int(count) : 0
    case .table(.breakEntry(let old)), .table(.swapEntry(_, let old)),
      .realm(.entry(_, let old, _)):
      old.isLeaf(level) ? 1 : 0
    case .table(.freeTable(_, let leaves)), .table(.freeReplaced(_, let leaves)): Int(leaves)
    default: 0
    }
  }

  private var pagesAllocated: Int {
    switch action {
    case .pkvm(.guestCreated(_, let pages)), .domain(.rootAllocated(_, let pages)): pages
    default: stepClass == .tableAllocated ? 1 : 0
    }
  }
}
