/// How devices are connected, and how the kernel keeps their view in step with the CPUs'. Set by `policy`
/// statements before any event.
public struct IOMMUConfiguration: Equatable, Sendable {
  /// The table that a device uses.
  public enum TableChoice: String, CaseIterable, Sendable {
    /// Its own, which the kernel fills (io-pgtable-arm).
    case own
    /// The CPUs' table: the VM's stage 2, or under pKVM the host's.
    case shared
  }

  /// Which stage translates a device's DMA.
  public enum Stage: String, CaseIterable, Sendable {
    /// Stage 1: a context descriptor with an ASID.
    case stage1 = "1"
    /// Stage 2: a VMID in the stream table entry.
    case stage2 = "2"
  }

  /// How the SMMU's TLB learns of a CPU's invalidation in a table.
  public enum Forwarding: String, CaseIterable, Sendable {
    /// A hook puts the same invalidation into the SMMU's command queue, and a sync.
    case forward
    /// Broadcast TLB maintenance: the SMMU obeys the CPUs' TLBI for every VMID.
    case broadcast
    /// Not at all.
    case none
  }

  /// The handling of DMA without a translation.
  public enum FaultHandling: String, CaseIterable, Sendable {
    /// It is terminated, and the event reported.
    case abort
    /// The transaction stalls until the fault is handled.
    case stall
    /// All memory that DMA may reach is mapped in advance, and stays mapped.
    case pin
  }

  /// The subsystem that pins guest memory for a device, which decides how much is pinned before it is mapped.
  public enum PinningChoice: String, CaseIterable, Sendable {
    /// A batch at a time, of thousands of runs of pages.
    case iommufd
    /// Type 1: one run of physically contiguous pages at a time.
    case vfio

    /// Pages pinned by one call (`pin_user_pages`): as many pointers as fit into 64 KiB
    /// (`pfn_reader_user_pin`), or into a page (VFIO_BATCH_MAX_CAPACITY).
    var pagesOfCall: UInt64 {
      switch self {
      case .iommufd: 8192
      case .vfio: 512
      }
    }

    /// Number of runs mapped before more is pinned: as many as fit into 64 KiB (`struct pfn_batch`), or
    /// one (`vfio_pin_map_dma`).
    var runsOfBatch: Int {
      switch self {
      case .iommufd: 65536 / 12
      case .vfio: 1
      }
    }
  }

  /// The table that devices use.
  public var table = TableChoice.own
  /// The stage of a device's own table; nil for stage 1, as Linux prefers, unless a VMID is chosen, which
  /// only stage 2 has. The CPUs' tables, and tables under isolation, are always stage 2.
  public var stage: Stage?

  /// The effective stage of a device's own table.
  public var ownStage: Stage { stage ?? (vmids == nil ? .stage1 : .stage2) }

  /// How invalidations of a shared table reach the SMMU.
  public var forwarding = Forwarding.forward
  /// The handling of DMA without a translation.
  public var faults = FaultHandling.abort
  /// Whether the SMMU's walker snoops the CPUs' caches.
  public var isCoherent = true
  /// The subsystem that pins guest memory for devices.
  public var pinning = PinningChoice.iommufd
  /// The CPUs' level of FEAT_BBM, 0 to 3: from 2 on a block may become a table without a break, with 3
  /// there is no conflict abort.
  public var cpuBreakLevel = 0
  /// The SMMU's level of break-before-make (SMMU_IDR3.BBML), 0 to 2.
  public var smmuBreakLevel = 0
  /// Whether the SMMU updates access flags and dirty state itself (SMMU_IDR0.HTTU). Linux lets it do so only in
  /// a process's table: for a domain's it would be asked to, to track dirty pages.
  public var updatesFlags = false
  /// Whether an unmap waits for its invalidations (CMD_SYNC).
  public var syncs = true
  /// The VMID with which the SMMU tags translations; nil for that of the context whose table it shares,
  /// or one of the SMMU's own for a device's own table.
  public var vmids: VMIDChoice?

  /// The effective choice.
  public var vmidChoice: VMIDChoice { vmids ?? (table == .shared ? .kvm : .private) }

  /// The ASID with which the SMMU tags a process's translations.
  public var asids = ASIDChoice.private
  /// CD.ASET; nil for the value that matches the choice of the ASID.
  public var asidSet: Bool?
  /// Whether the notifier of a process whose addresses a device shares invalidates by commands.
  public var notifies = true

  /// Whether the ASID counts as the SMMU's own.
  public var hasPrivateASID: Bool { asidSet ?? (asids == .private) }

  /// Whether a block of a shared table becomes a table without a break, as the CPUs allow. The SMMU's own
  /// level is not consulted.
  var replacesInPlace: Bool { table == .shared && cpuBreakLevel >= 2 }

  /// Linux's current behaviour.
  public init() {}
}
