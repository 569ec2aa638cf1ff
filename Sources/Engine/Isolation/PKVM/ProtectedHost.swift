/// pKVM: a hypervisor at EL2 that confines the host itself to a stage 2, and tracks the owner of every
/// page. All its state is records in memory, created with the machine.
public enum PKVM {
  /// Postings of the SMMU driver whose differences devices can see.
  public enum Version: String, CaseIterable, Sendable {
    /// The flag for a finished snapshot is inverted, so no later change of owner reaches
    /// the SMMU; MMIO is mapped as device memory.
    case v4
    /// The flag is right; everything is mapped cacheable, since the device's own attributes combine with it.
    case v5
  }

  /// Maximum number of guests.
  public static let guests = 8
  /// Maximum number of memory regions.
  public static let regions = 16

  /// A word of the record.
  enum Field: Int, RecordField {
    /// Slots of the roots of the host's stage 2 and of the identity map for SMMUs, 0 while there is none.
    case hostRoot = 0
    case identityRoot
    /// Whether a change of owner is forwarded to the SMMUs (`idmap_initialized`).
    case forwards
    /// Tables of the host's stage 2 below the root.
    case hostTables
    /// Regions of memory, in order: first address and end.
    case regionCount
    case regions = 8
    /// Guests: kind, slot of the root, whether it is being torn down, unused.
    case guests = 64

    var words: [WordClass] {
      switch self {
      case .hostRoot, .identityRoot: [.history]
      case .forwards, .hostTables, .regionCount: [.state]
      case .regions: .init(repeating: .state, count: 2 * PKVM.regions)
      case .guests:
        (0..<PKVM.guests).flatMap { _ in [.state, .history, .state, .history] }
      }
    }
  }

  static let guestWords = 4
  /// The handle of guest 0 (`HANDLE_OFFSET`).
  static let firstHandle: UInt64 = 0x1000
}

/// A guest of pKVM.
public struct ProtectedGuest: Equatable, Sendable {
  /// Its number, 0 to 7.
  public let number: Int
  /// Whether its memory is donated to it, and so no longer the host's; else the host shares it.
  public let isProtected: Bool
  /// Whether it is being torn down.
  public let isDying: Bool
  /// Slot of the root of its stage 2.
  let root: Int

  /// The hypervisor's name for it.
  public var handle: UInt64 { PKVM.firstHandle + UInt64(number) }
}

extension Machine {
  /// Creates the host's stage 2, with its records and no entries (`kvm_host_prepare_stage2`).
  mutating func createProtectedHost() {
    guard configuration.isolation.pkvm != nil else { return }
    self[.pkvm] = UInt64(memory.allocateFrame(FrameRole(.pkvm)))
    self[pkvm: .hostRoot] = UInt64(allocateProtectedRoot(of: .pkvmHost))
  }

  /// Allocates the root of a table of pKVM: the host's, a guest's and the SMMUs' have the same shape.
  mutating func allocateProtectedRoot(of table: TableID) -> Int {
    tally.tablesAllocated += protectedGeometry.rootPages
    return memory.allocateRoot(of: table, protectedGeometry)
  }

  /// Input bits equal the machine's physical address bits, which `vm ipa=` sets under pKVM.
  var protectedGeometry: Geometry { .stage2(bits: configuration.ipaBits) }

  subscript(pkvm field: PKVM.Field) -> UInt64 {
    get { memory.load(Int(self[.pkvm]) + field.rawValue) }
    set { memory.store(newValue, at: Int(self[.pkvm]) + field.rawValue) }
  }

  /// The host's stage 2: the identity, lazily filled. pKVM must be enabled. Its VMID is 0, which KVM
  /// assigns to no one else.
  var pkvmHostTable: Table {
    Table(
      id: .pkvmHost, root: Int(self[pkvm: .hostRoot]), geometry: protectedGeometry, vmid: 0,
      hasVMID: true)
  }

  /// The regions of memory of the host; all else is MMIO.
  public var hostMemory: [Range<UInt64>] {
    if configuration.isolation.pkvm == nil { return [] }
    let first = Int(self[.pkvm]) + PKVM.Field.regions.rawValue
    return (0..<Int(self[pkvm: .regionCount])).map {
      memory.load(first + 2 * $0)..<memory.load(first + 2 * $0 + 1)
    }
  }

  /// The region of memory that holds an address, or else the hole between regions (`find_mem_range`).
  func memoryRange(at physical: UInt64) -> (range: Range<UInt64>, isMemory: Bool) {
    var start: UInt64 = 0
    for region in hostMemory {
      if physical < region.lowerBound { return (start..<region.lowerBound, false) }
      if physical < region.upperBound { return (region, true) }
      start = region.upperBound
    }
    return (start..<protectedGeometry.inputSize, false)
  }

  /// Whether a physical address is memory of pKVM's host, not MMIO; false without pKVM.
  public func isHostMemory(_ physical: UInt64) -> Bool {
    configuration.isolation.pkvm != nil && memoryRange(at: physical).isMemory
  }

  /// Adds a region of memory, which must not overlap another.
  mutating func addHostMemory(_ range: Range<UInt64>) throws(Refusal) {
    try requireAligned(range.lowerBound, to: Page.size, operand: .address)
    try requireAligned(range.upperBound, to: Page.size, operand: .size)
    let regions = hostMemory
    if range.lowerBound < Self.pagesBase || range.upperBound > protectedGeometry.inputSize {
      throw Refusal(
        .outsidePhysicalMemory(Self.pagesBase..<max(Self.pagesBase, protectedGeometry.inputSize)),
        operand: range.lowerBound < Self.pagesBase ? .address : .size)
    }
    if regions.contains(where: { $0.overlaps(range) }) {
      throw Refusal(.memoryOverlaps(range.lowerBound), operand: .address)
    }
    if regions.count == PKVM.regions { throw Refusal(.tooManyRegions(PKVM.regions)) }
    // MMIO mappings of the range would have to be removed.
    var walk = TableWalk(of: pkvmHostTable, range, .used)
    if self[pkvm: .identityRoot] != 0 || memory.next(&walk) != nil {
      throw Refusal(.memoryTooLate)
    }
    note(.pkvm(.memory), .pkvmHost, over: range)
    let sorted = (regions + [range]).sorted { $0.lowerBound < $1.lowerBound }
    let first = Int(self[.pkvm]) + PKVM.Field.regions.rawValue
    for (index, region) in sorted.enumerated() {
      memory.store(region.lowerBound, at: first + 2 * index)
      memory.store(region.upperBound, at: first + 2 * index + 1)
    }
    self[pkvm: .regionCount] = UInt64(sorted.count)
  }
}

/// Guests.
extension Machine {
  private func guestSlot(_ number: Int) -> Int {
    Int(self[.pkvm]) + PKVM.Field.guests.rawValue + number * PKVM.guestWords
  }

  /// A guest of pKVM, or nil if it does not exist.
  public func protectedGuest(_ number: Int) -> ProtectedGuest? {
    guard configuration.isolation.pkvm != nil, (0..<PKVM.guests).contains(number) else {
      return nil
    }
    let slot = guestSlot(number)
    if memory.load(slot) == 0 { return nil }
    return ProtectedGuest(
      number: number, isProtected: memory.load(slot) == 1, isDying: memory.load(slot + 2) != 0,
      root: Int(memory.load(slot + 1)))
  }

  /// All guests of pKVM, in order.
  public var protectedGuests: [ProtectedGuest] {
    (0..<PKVM.guests).compactMap { protectedGuest($0) }
  }

  /// The stage 2 of a guest: guest's physical addresses to the machine's.
  func table(of guest: ProtectedGuest) -> Table {
    Table(
      id: .protectedGuest(guest.number), root: guest.root, geometry: protectedGeometry,
      vmid: UInt16(guest.number + 1))
  }

  /// All tables of pKVM but the identity map, the host's first.
  var protectedTables: [Table] {
    configuration.isolation.pkvm == nil
      ? [] : [pkvmHostTable] + protectedGuests.map { table(of: $0) }
  }

  /// `__pkvm_init_vm`.
  mutating func createGuest(_ number: Int, isProtected: Bool) {
    if protectedGuest(number) != nil {
      return fail(.einval, .protectedGuest(number), by: .creation)
    }
    let pages = protectedGeometry.rootPages
    note(
      .pkvm(.guestCreated(isProtected: isProtected, pages: pages)), .protectedGuest(number))
    let slot = guestSlot(number)
    memory.store(UInt64(allocateProtectedRoot(of: .protectedGuest(number))), at: slot + 1)
    memory.store(isProtected ? 1 : 2, at: slot)
  }

  /// `__pkvm_start_teardown_vm`: from now on its pages can be reclaimed, and none donated to it.
  mutating func tearDownGuest(_ number: Int) {
    guard let guest = protectedGuest(number), !guest.isDying else {
      return fail(.einval, .protectedGuest(number), by: .teardown)
    }
    note(.pkvm(.guestDying), .protectedGuest(number))
    memory.store(1, at: guestSlot(number) + 2)
  }

  /// The leaf of a guest's table for one of its addresses.
  func guestEntry(_ guest: ProtectedGuest, at address: UInt64) -> WalkEnd {
    memory.walk(table(of: guest), address)
  }

  /// The state of a guest's page.
  public func guestState(of address: UInt64, guest number: Int) -> PageState {
    guard let guest = protectedGuest(number), address < protectedGeometry.inputSize else {
      return .noPage
    }
    return guestEntry(guest, at: address).descriptor.pageState
  }
}
