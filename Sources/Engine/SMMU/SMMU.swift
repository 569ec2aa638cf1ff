/// The SMMU: streams with their table entries, of stage 2 or of stage 1, domains, a TLB, a
/// command queue and an event queue. All its state is records in memory.
///
/// Source: drivers/iommu/arm/arm-smmu-v3 for the bits; the SMMUv3 architecture for their meaning.
public enum SMMU {
  /// Streams, each a device, and as many domains.
  public static let devices = 4

  /// A word of a device's record.
  enum Field: Int, RecordField {
    /// The stream table entry, eight words.
    case streamEntry = 0
    /// The last recorded event, four words, and the number of events.
    case event = 8
    case events = 12
    /// Outcome of the last DMA: a code, and a physical address or a level.
    case outcome = 13
    /// The domain: slot of the root, bits of an input address, context that tags its translations.
    case root = 15
    case inputBits, context
    /// Tree of the pinned IOVAs, and a sparse array of their host pages; see Pinning.swift.
    case pinnedAreas = 18
    case pinnedPages = 21
    /// The device's domain: 1 + the first device in it, whose words above are the domain's. Whether other
    /// devices of the VM may not join it, also a word of the domain.
    case domain, isOwn
    /// The context descriptor, eight words.
    case contextDescriptor = 24

    static let count = 32

    var words: [WordClass] {
      switch self {
      // The table at an entry's root is derived from the other words and the configuration.
      case .streamEntry: [.entry, .state, .state, .history]
      case .event: .init(repeating: .history, count: 4)
      case .events, .root, .pinnedPages: [.history]
      case .outcome: [.history, .history]
      case .inputBits, .context, .domain, .isOwn: [.state]
      case .pinnedAreas: RangeTree.words
      case .contextDescriptor: [.state, .history]
      }
    }
  }

  /// The classes of the first frame: the devices' records and the command queue.
  static var classes: [WordClass] {
    var classes = FrameUse.classes(of: Field.self, each: Field.count)
    let commands = commandsOffset..<commandsOffset + Machine.commandCapacity * Machine.commandWords
    for word in commands { classes[word] = .state }
    return classes
  }

  /// The records of all devices and the command queue lie in one frame, the TLB in the next ones.
  static let commandsOffset = devices * Field.count
  static let tlbOffset = Memory.frameWords
  static let frames = 1 + TLB.frames

  // Word 0 of a stream table entry.
  static let entryValid: UInt64 = 1
  static let entryConfig: UInt64 = 7 << 1
  static let configAbort: UInt64 = 0 << 1
  static let configBypass: UInt64 = 4 << 1
  static let configStage1: UInt64 = 5 << 1
  static let configStage2: UInt64 = 6 << 1

  /// The StreamID of a device, as on the captured machine: PCI device 1 and up on bus 0.
  public static func streamID(_ device: Int) -> UInt64 { UInt64(device + 1) << 3 }
}

/// A stream table entry (STE), as `arm_smmu_make_s2_domain_ste` makes it.
public struct StreamEntry: Equatable, Sendable {
  /// The first four of its eight words; the others are zero.
  public let words: [UInt64]

  /// An entry; there must be four words.
  public init(words: [UInt64]) { self.words = words }

  /// The treatment of the stream's transactions.
  public enum Kind: Hashable, Sendable {
    /// Terminated, without an event.
    case abort
    /// Passed through untranslated.
    case bypass
    /// Translated by stage 1 alone.
    case stage1
    /// Translated by stage 2.
    case stage2
    /// No valid entry: C_BAD_STE.
    case invalid
  }

  /// Word 0, bits 3:1.
  public var kind: Kind {
    guard words[0] & SMMU.entryValid != 0 else { return .invalid }
    switch words[0] & SMMU.entryConfig {
    case SMMU.configAbort: return .abort
    case SMMU.configBypass: return .bypass
    case SMMU.configStage1: return .stage1
    case SMMU.configStage2: return .stage2
    default: return .invalid
    }
  }

  /// S2VMID, word 2 bits 15:0.
  public var vmid: UInt16 { UInt16(truncatingIfNeeded: words[2]) }
  /// Shape of the table in word 2: S2T0SZ in bits 37:32, S2SL0 in bits 39:38, and a granule of 4K.
  @inline(__always)
  static func geometry(_ word: UInt64) -> Geometry {
    Geometry(
      granuleShift: 12, inputBits: 64 &- Int(truncatingIfNeeded: word >> 32 & 0x3f),
      startLevel: 2 &- Int(truncatingIfNeeded: word >> 38 & 3))
  }
  /// S2TTB, word 3 bits 51:4.
  public var root: UInt64 { words[3] & 0xf_ffff_ffff_fff0 }

  /// Every DMA is refused.
  static let abort = StreamEntry(words: [SMMU.entryValid | SMMU.configAbort, 0, 0, 0])

  /// Input addresses are physical ones.
  static let bypass = StreamEntry(words: [SMMU.entryValid | SMMU.configBypass, 0, 0, 0])

  /// Stage-1 translation by a context descriptor at a physical address (`arm_smmu_make_cdtable_ste`):
  /// S1ContextPtr, and in word 1 S1DSS = SSID0, so that DMA without a substream is translated, write-back,
  /// shareable fetches of the descriptor, and STRW = EL2, as in a VHE host.
  static func stage1(contextAt address: UInt64) -> StreamEntry {
    StreamEntry(words: [
      SMMU.entryValid | SMMU.configStage1 | address,
      2 | 1 << 2 | 1 << 4 | 3 << 6 | 2 << 30, 0, 0,
    ])
  }

  /// Stage-2 translation by a table.
  static func stage2(_ table: Table, stalls: Bool) -> StreamEntry {
    // S2AA64, S2PTW and S2R; S2S if the device may be stalled.
    let flags: UInt64 = 1 << 51 | 1 << 54 | 1 << 58 | (stalls ? 1 << 57 : 0)
    let vtcr = VTCR.hypervisor(table.geometry).bits & 0x7_ffff
    return StreamEntry(words: [
      SMMU.entryValid | SMMU.configStage2, 0, UInt64(table.vmid) | vtcr << 32 | flags,
      table.rootAddress,
    ])
  }
}

extension Machine {
  /// Makes the SMMU's records, if there are none: every stream table entry says abort, as in Linux before
  /// a domain is attached.
  mutating func makeSMMU() {
    if hasSMMU { return }
    note(.domain(.reset))
    self[.smmu] = UInt64(
      memory.allocateFrames(SMMU.frames) {
        $0 == 0 ? FrameRole(.smmu) : FrameRole(.tlb, number: TLB.iotlbNumber, place: UInt64($0))
      })
    for device in 0..<SMMU.devices { setStreamEntry(.abort, ofDevice: device) }
  }

  /// Whether there are records of the SMMU.
  @inline(__always)
  var hasSMMU: Bool { self[.smmu] != 0 }

  /// The SMMU's TLB; there must be one.
  @inline(__always)
  var iotlb: TLB { TLB(base: Int(truncatingIfNeeded: self[.smmu]) &+ SMMU.tlbOffset) }

  /// Slot of the first command in the queue.
  var commands: Int { Int(self[.smmu]) + SMMU.commandsOffset }

  func slot(_ field: SMMU.Field, ofDevice device: Int) -> Int {
    Int(truncatingIfNeeded: self[.smmu]) &+ device &* SMMU.Field.count &+ field.rawValue
  }

  subscript(device: Int, field: SMMU.Field) -> UInt64 {
    @inline(__always) get { memory.load(slot(field, ofDevice: device)) }
    @inline(__always) set { memory.store(newValue, at: slot(field, ofDevice: device)) }
  }

  /// The stream table entry of a device, 0 to 3.
  public func streamEntry(ofDevice device: Int) -> StreamEntry {
    if !hasSMMU { return .abort }
    let slot = slot(.streamEntry, ofDevice: device)
    return StreamEntry(words: (slot..<slot + 4).map { memory.load($0) })
  }

  mutating func setStreamEntry(_ entry: StreamEntry, ofDevice device: Int) {
    let slot = slot(.streamEntry, ofDevice: device)
    for (index, word) in entry.words.enumerated() { memory.store(word, at: slot + index) }
  }

  /// The entries of the SMMU's TLB, in the order of their slots.
  public var iotlbEntries: [TLB.Entry] { hasSMMU ? memory.entries(of: iotlb) : [] }

  /// Whether the SMMU's walk would confirm an entry of its TLB: same translation, no fewer permissions.
  public func isBorneOut(_ entry: TLB.Entry) -> Bool {
    if entry.context == processContext {
      let end = memory.walk(hostTable, entry.address)
      let permissions = end.descriptor.permissions
      let size = hostTable.geometry.size(end.level)
      return end.isLeaf
        && end.descriptor.address | entry.address & (size - 1) == entry.descriptor.address
        && (permissions.write || !entry.descriptor.permissions.write)
    }
    return attachedDevices.contains { device in
      guard let table = domainTable(ofDevice: device), table.context == entry.context else {
        return false
      }
      let end = memory.walk(table, entry.address)
      return end.level == entry.level && end.descriptor.address == entry.descriptor.address
        && !entry.descriptor.permissions.exceed(end.descriptor.permissions)
    }
  }

  /// The domain of a device, by the number of its first device; nil before there is one.
  public func domain(ofDevice device: Int) -> Int? {
    guard hasSMMU, (0..<SMMU.devices).contains(device) else { return nil }
    let word = self[device, .domain]
    return word == 0 ? nil : Int(word) - 1
  }

  /// All domains, in order. The first device of a domain stays in it as long as the domain exists.
  var domains: [Int] { (0..<SMMU.devices).filter { domain(ofDevice: $0) == $0 } }

  /// The domains of devices whose DMA is translated, each once.
  var usedDomains: [Int] {
    let used = Set(attachedDevices.compactMap { domain(ofDevice: $0) })
    return domains.filter(used.contains)
  }

  /// The table of a device's domain, its own or the CPUs'; nil before there is one.
  func domainTable(ofDevice device: Int) -> Table? {
    guard let domain = domain(ofDevice: device) else { return nil }
    let context = TranslationContext(bits: self[domain, .context])
    return Table(
      id: .iommu(device), root: Int(self[domain, .root]),
      geometry: context.isStage1 ? .deviceStage1 : .stage2(bits: Int(self[domain, .inputBits])),
      vmid: context.number)
  }

  /// The tables that the kernel keeps only for devices, each once.
  var ownDomainTables: [Table] {
    if configuration.iommu.table == .shared { return [] }
    if ownership.keepsDeviceTables { return identityTable.map { [$0] } ?? [] }
    return domains.compactMap { domainTable(ofDevice: $0) }
  }

  /// Devices whose DMA is translated, in order.
  public var attachedDevices: [Int] {
    (0..<SMMU.devices).filter {
      [.stage1, .stage2].contains(streamEntry(ofDevice: $0).kind)
    }
  }

  /// The context that now tags a device's translations, or nil if its DMA is not translated.
  @inline(__always)
  func usedContext(ofDevice device: Int) -> TranslationContext? {
    let entry = slot(.streamEntry, ofDevice: device)
    let word = memory.load(entry)
    guard word & SMMU.entryValid != 0 else { return nil }
    switch word & SMMU.entryConfig {
    case SMMU.configStage1: return contextDescriptor(ofDevice: device).context
    case SMMU.configStage2:
      return .vmid(UInt16(truncatingIfNeeded: memory.load(entry &+ 2)))
    default: return nil
    }
  }

  /// The context that tags a device's cached translations.
  public func context(ofDevice device: Int) -> TranslationContext {
    let descriptor = contextDescriptor(ofDevice: device)
    return descriptor.isValid ? descriptor.context : .vmid(streamEntry(ofDevice: device).vmid)
  }
}
