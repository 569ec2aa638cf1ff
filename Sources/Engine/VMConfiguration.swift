/// What the tables of a virtual machine are made of.
public enum Evidence: Equatable, Sendable {
  /// Events of the model.
  case events
  /// Calls that a real kernel made.
  case calls
  /// What dumps of a real kernel showed of them, in a format.
  case dumps(Descriptor.Format)

  /// What is known of the entries of the VM's tables.
  package var format: Descriptor.Format {
    switch self {
    case .events, .calls: .stage2
    case .dumps(let format): format
    }
  }
}

/// What a virtual machine is created with; never changes afterwards.
public struct VMConfiguration: Equatable, Sendable {
  /// Bits of the canonical IPA space, 32 to 48.
  public var ipaBits: Int
  /// Number of vCPUs, 1 to 64.
  public var vcpus: Int
  /// Whether L1 may run guests of its own: 2 shadow MMUs per vCPU (`S2_MMU_PER_VCPU`).
  public var nested: Bool
  /// How shadows are found when canonical pages go.
  public var reverseMap: ReverseMapVersion
  /// How devices are connected.
  public var iommu = IOMMUConfiguration()
  /// Who keeps the owners of memory apart.
  public var isolation = Isolation.none
  /// How an RMP is kept in step with the IOMMU.
  public var rmp = RMPConfiguration()

  /// Bytes of MMIO for which pKVM reserves host stage-2 tables, besides those for all memory
  /// (`host_s2_pgtable_pages`).
  public var mmioReserve: UInt64 = 1 << 30

  /// Bits of a hardware VMID. The architecture has 8 and 16; fewer bring a rollover on sooner.
  public var vmidBits = 16

  /// Whether a CPU's TLB entries survive until L2's next run.
  public var keepsTLB = false

  /// What its tables are made of.
  public var evidence = Evidence.events

  /// Whether its tables are those of a real kernel: what lies behind them is not known.
  public var isRecorded: Bool { evidence != .events }

  /// Whether only its tables were seen, at some moments: not what made them so.
  public var isSeen: Bool { if case .dumps = evidence { true } else { false } }

  /// Whether it is known where the entries of its tables lead.
  public var knowsOutputs: Bool { evidence.format.knowsOutputs }

  /// Legal values of `ipaBits`.
  public static let ipaBitsRange = 32...48
  /// Legal values of `vcpus`.
  public static let vcpusRange = 1...64
  /// Bits of a physical address, and of the nested IPA space: the PA range that L1 sees.
  public static let physicalBits = 48

  /// Legal values of `vmidBits`; there must be more VMIDs, without 0, than CPUs, and each vCPU has a CPU.
  public static let vmidBitsRange = 3...16

  /// Legal values of `mmioReserve`, multiples of 4K: at least one page of MMIO can be mapped.
  public static let mmioReserveRange: ClosedRange<UInt64> = Page.size...1 << 40

  /// A virtual machine; the values must be legal.
  public init(
    ipaBits: Int = 40, vcpus: Int = 1, nested: Bool = false,
    reverseMap: ReverseMapVersion = .none
  ) {
    self.ipaBits = ipaBits
    self.vcpus = vcpus
    self.nested = nested
    self.reverseMap = reverseMap
  }

  /// Number of shadow MMUs of the largest VM.
  public static let shadowsAtMost = 2 * vcpusRange.upperBound

  /// Number of shadow MMUs.
  public var shadows: Int { nested ? 2 * vcpus : 0 }
}
