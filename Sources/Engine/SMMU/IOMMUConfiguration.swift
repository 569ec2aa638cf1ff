/// How devices are connected, and how the kernel keeps what they see in step with what CPUs see. Set by
/// statements `policy`, before anything happens.
public struct IOMMUConfiguration: Equatable, Sendable {
  /// Which table a device is given.
  public enum TableChoice: String, CaseIterable, Sendable {
    /// One of its own, which the kernel fills (io-pgtable-arm).
    case own
    /// The one that CPUs use: the VM's stage 2, or under pKVM the host's.
    case shared
  }

  /// Which stage translates a device's DMA.
  public enum Stage: String, CaseIterable, Sendable {
    /// Stage 1: a context descriptor with an ASID.
    case stage1 = "1"
    /// Stage 2: a VMID in the stream table entry.
    case stage2 = "2"
  }

  /// How the SMMU's TLB learns of an invalidation that a CPU makes in a table.
  public enum Forwarding: String, CaseIterable, Sendable {
    /// A hook puts the same invalidation into the SMMU's command queue, and a sync.
    case forward
    /// Broadcast TLB maintenance: the SMMU obeys the CPUs' TLBI for every VMID.
    case broadcast
    /// Not at all.
    case none
  }

  /// What happens to DMA that finds no translation.
  public enum FaultHandling: String, CaseIterable, Sendable {
    /// It is terminated, and the event reported.
    case abort
    /// The transaction stalls until the fault is handled.
    case stall
    /// All that DMA may reach was mapped before, and stays so.
    case pin
  }

  /// Who pins guest memory for a device, and so how much is pinned before it is mapped.
  public enum PinningChoice: String, CaseIterable, Sendable {
    /// All of a batch, which takes thousands of runs of pages.
    case iommufd
    /// Run by run, type 1: pages that follow each other in memory.
    case vfio

    /// Pages that one call pins (`pin_user_pages`): as many pointers as fit into 64 KiB
    /// (`pfn_reader_user_pin`), or into a page (VFIO_BATCH_MAX_CAPACITY).
    var pagesOfCall: UInt64 {
      switch self {
      case .iommufd: 8192
      case .vfio: 512
      }
    }

    /// Runs that are mapped before more is pinned: as many as fit into 64 KiB (`struct pfn_batch`), or one
    /// (`vfio_pin_map_dma`).
    var runsOfBatch: Int {
      switch self {
      case .iommufd: 65536 / 12
      case .vfio: 1
      }
    }
  }

  /// Which table devices are given.
  public var table = TableChoice.own
  /// Which stage a table of a device's own is of; nil for stage 1, which Linux prefers, unless a VMID is chosen,
  /// which stage 2 alone has. What CPUs use, and what is kept where memory has owners, is of stage 2 in any case.
  public var stage: Stage?

  /// The stage of a table of a device's own.
  var ownStage: Stage { stage ?? (vmids == nil ? .stage1 : .stage2) }

  /// How invalidations of a shared table reach the SMMU.
  public var forwarding = Forwarding.forward
  /// What becomes of DMA without a translation.
  public var faults = FaultHandling.abort
  /// Whether the SMMU's walker sees the CPUs' caches.
  public var isCoherent = true
  /// Who pins guest memory for devices.
  public var pinning = PinningChoice.iommufd
  /// Level of FEAT_BBM that the CPUs have, 0 to 3: from 2 on a block may become a table without a break,
  /// with 3 no conflict abort comes of it.
  public var cpuBreakLevel = 0
  /// Level of break-before-make that the SMMU has (SMMU_IDR3.BBML), 0 to 2.
  public var smmuBreakLevel = 0
  /// Whether an unmap waits for its invalidations (CMD_SYNC).
  public var syncs = true
  /// Which VMID the SMMU tags translations with; nil for that of the context whose table it is given, or
  /// one of its own for a table of the device's own.
  public var vmids: VMIDChoice?

  /// The choice that counts.
  public var vmidChoice: VMIDChoice { vmids ?? (table == .shared ? .kvm : .private) }

  /// Which ASID the SMMU tags a process' translations with.
  public var asids = ASIDChoice.private
  /// CD.ASET; nil for what goes with the choice of the ASID.
  public var asidSet: Bool?
  /// Whether the notifier of a process whose addresses a device shares invalidates by commands.
  public var notifies = true

  /// Whether the ASID counts as the SMMU's own.
  public var hasPrivateASID: Bool { asidSet ?? (asids == .private) }

  /// Whether a block of a shared table becomes a table without a break, as the CPUs allow it. What the SMMU
  /// allows nobody asks.
  var replacesInPlace: Bool { table == .shared && cpuBreakLevel >= 2 }

  /// Everything as Linux does it today.
  public init() {}
}
