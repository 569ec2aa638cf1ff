/// The state of a granule of memory as the RMM tracks it (RMM specification, granule attributes). The
/// hardware's granule protection follows it: only undelegated granules are accessible to the host.
public enum GranuleState: UInt64, Sendable {
  /// The host's.
  case undelegated = 0
  /// The RMM's, and unused.
  case delegated = 1
  /// Memory of the realm.
  case data = 2
  /// A table of the realm (RTT).
  case table = 3

  /// Its name in the specification.
  public var name: String {
    switch self {
    case .undelegated: "UNDELEGATED"
    case .delegated: "DELEGATED"
    case .data: "DATA"
    case .table: "RTT"
    }
  }
}

extension Machine {
  /// For each granule a word: its state, and for data the realm's address. Granules below the host's
  /// pages are realm tables, whose states are derived from them.
  private var granules: SparseArray {
    SparseArray(root: Register.granules.slot, .granules, firstState: Self.pagesBase >> 12)
  }

  /// State of the granule at a physical address.
  public func granule(at physical: UInt64) -> GranuleState {
    GranuleState(rawValue: granules.load(physical >> 12, from: memory) & 3) ?? .undelegated
  }

  /// The first granule in a range of physical addresses that is not undelegated.
  func firstGranule(in range: Range<UInt64>) -> UInt64? {
    granules.firstIndex(in: range.lowerBound >> 12..<range.upperBound >> 12, of: memory)
      .map { $0 << 12 }
  }

  /// - Parameter ipa: the realm's address of the page; nil if it is not the realm's memory.
  mutating func setGranule(_ state: GranuleState, at physical: UInt64, ipa: UInt64? = nil) {
    note(
      .realm(.granule(state, page: physical)), ipa == nil ? nil : .canonical, at: ipa ?? 0,
      size: Page.size)
    granules.store(
      state.rawValue | (state == .data ? (ipa ?? 0).page : 0), at: physical >> 12, in: &memory)
  }

  /// Whether a granule is the realm's memory at an address of the realm.
  func isRealmData(_ physical: UInt64, at ipa: UInt64) -> Bool {
    granules.load(physical >> 12, from: memory) == GranuleState.data.rawValue | ipa.page
  }

  /// The realm's pages: the realm's and the physical address of each.
  var realmData: [(ipa: UInt64, physical: UInt64)] {
    var found: [(UInt64, UInt64)] = []
    var index: UInt64 = 0
    while let next = granules.firstIndex(in: index..<SparseArray.capacity, of: memory) {
      let word = granules.load(next, from: memory)
      if word & 3 == GranuleState.data.rawValue { found.append((word.page, next << 12)) }
      index = next + 1
    }
    return found
  }
}

/// The RMM's records: a device of the realm reaches all of the realm's pages and nothing else; a host
/// device reaches undelegated memory.
struct RealmOwnership: Ownership {
  /// The VMM's memory behind a realm is not swapped, merged or moved, and the realm does not use the
  /// VMM's mappings: the host may do only what the RMM offers.
  func admit(_ event: Event) throws(Refusal) {
    switch event {
    case .pkvm: throw Refusal(.notProtected)
    case .host(.touch), .host(.noHugePages), .host(.hugePages): break
    case .host: throw Refusal(.realmMemory)
    case .addMemslot, .access, .context, .invalidate, .l2Invalidate, .vncr, .run, .wait, .otherVM,
      .otherProcess, .pause, .resume, .iommu, .dma, .rmp, .realm, .recorded, .failReverseMap:
      break
    }
  }

  var keepsEmptyTables: Bool { true }

  func handle(_ fault: MemoryFault, in machine: inout Machine) -> Attempt? {
    machine.mapRealm(fault)
  }

  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange? {
    machine.firstGranule(in: physical..<1 << UInt64(VMConfiguration.physicalBits)).map {
      OwnedRange(
        range: $0..<$0 + Memory.frameBytes, state: .granule(machine.granule(at: $0)))
    }
  }

  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64? {
    stride(from: physical.lowerBound, to: physical.upperBound, by: Page.stride).first {
      machine.granule(at: $0) != .data
    }
  }

  /// Only the RMM edits it, on the host's RMI calls: a notifier about the VMM's mapping concerns only
  /// memory that the host shares with the realm (`KVM_FILTER_SHARED`).
  var keepsTable: Bool { true }

  func keeps(_ leaf: TableEntry, size: UInt64, of machine: Machine) -> Bool {
    stride(from: 0, to: size, by: Page.stride).allSatisfy {
      machine.isRealmData(leaf.descriptor.address + $0, at: leaf.address + $0)
    }
  }

  /// The granule protection check of a normal-world transaction.
  func checkBypass(_ physical: UInt64, of machine: Machine) -> DeviceFault? {
    machine.granule(at: physical) == .undelegated ? nil : .granule
  }

  func violations(of machine: Machine) -> [Violation] {
    machine.attachedDevices.flatMap { device in
      machine.realmData.compactMap { ipa, _ in
        machine.lacksRealmPage(at: ipa, device: device)
          ? Violation(invariant: .dmaHole, table: .iommu(device), address: ipa) : nil
      }
    }
  }
}

extension Machine {
  /// Whether a device's DMA to memory of the realm fails.
  func lacksRealmPage(at ipa: UInt64, device: Int) -> Bool {
    if RealmEntry(walk(ipa, in: table(of: canonical)).descriptor).isAssignedUnused { return false }
    if case .fault = deviceOutcome(of: ipa, write: true, device: device) { return true }
    return false
  }
}
