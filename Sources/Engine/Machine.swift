/// The machine: a host with Linux 7.3.4, one VM under KVM, its vCPUs, tables, and TLB.
///
/// All that can change is in `memory`; the rest is fixed at creation, or lives only while an event is
/// carried out. Time, randomness and I/O do not exist here: the same events give the same words.
public struct Machine: Sendable {
  /// What the VM was created with.
  public let configuration: VMConfiguration
  /// Every word that can change.
  public package(set) var memory: Memory
  /// Micro-steps of the event last carried out.
  package internal(set) var steps = StepLog()
  /// The tasks that the event under way still has to do, the next one last.
  var tasks: [Work] = []
  /// Who carries out the event under way, as `parkedOwner` holds it.
  var owner: UInt64 = 0
  /// How that event holds the lock of the VMM's address space, if it does.
  var mapLock = HeldMapLock()
  /// What the event under way has counted.
  var tally = Tally()
  /// How shadows are found when canonical pages are unmapped.
  let policy: any ReverseMapPolicy
  /// Who owns what.
  let ownership: any Ownership
  /// Whether memory has owners, so that each DMA must be checked.
  let checksDMA: Bool
  /// The hooks on the CPUs' tables, and whether there are any.
  let tableHooks: [any TableHooks]
  let hasTableHooks: Bool
  /// The hooks on the host and on KVM.
  let hostHooks: [any HostHooks]
  /// Slots of the records.
  let layout: Layout

  /// A machine in which the VM exists and has no memory yet.
  public init(_ configuration: VMConfiguration) {
    self.configuration = configuration
    policy = configuration.reverseMap.policy
    ownership = configuration.isolation.ownership
    checksDMA = configuration.isolation != .none
    tableHooks = [ownership.tableHooks, configuration.iommu.tableHooks].compactMap { $0 }
    hasTableHooks = !tableHooks.isEmpty
    hostHooks = (checksDMA ? [ownership] : []) + [SMMUHostHooks()]
    var memory = Memory.boot()
    layout = Layout(configuration, in: &memory)
    self.memory = memory
    createVCPUs()
    createStage2()
    createVMIDs()
    createAddressSpace()
    createProtectedHost()
    storeTally()
    // The stores so far create the machine; nobody steps through them.
    self.memory.forgetPast()
  }
}

/// Words at fixed places, in frame 1.
extension Machine {
  /// A word of the machine itself.
  enum Register: Int, RecordField {
    /// First free range-tree node.
    case freeNode
    /// Trees: memory slots by IPA, VMAs by HVA, regions where huge pages are unavailable.
    case memslots
    case vmas = 4
    case noHugePages = 7
    /// Page contents, two words a page.
    case contents = 10
    /// Root of the VMM's own stage-1 table.
    case hostRoot
    /// Next free host page, and top of the free part of the VMM's address space.
    case nextPage, nextHVA
    /// Number of unknown contents made so far.
    case unknownContents
    /// `kvm->mmu_invalidate_seq` and `mmu_invalidate_in_progress`.
    case invalidateSequence, invalidateInProgress
    /// `kvm->arch.nested_mmus_next`.
    case nextShadow
    /// `kvm->arch.mmu.split_page_chunk_size`.
    case splitChunk
    /// What `expect` asks for: the last access and more, see `PastAccesses`; the value of the last read.
    case lastAccess, lastValue
    /// How many of the next insertions into, and erasures from, a reverse map fail.
    case failInsertions, failErasures
    /// Number of tree changes under `mmu_lock` for reading only, while other vCPUs could change it as well;
    /// of allocations that could sleep there; and the last place: canonical IPA and shadow number.
    case unlockedRecords, sleepingRecords, unsafeRecord
    /// Where the next event that may drop `mmu_lock` stops: that address + 1, or 0.
    case pauseAt
    /// Who stopped, what it holds of `mmap_lock`, how many of its tasks are left, and the tasks.
    case parkedOwner, parkedLock, parkedCount, parkedTasks
    /// Table words not yet cleaned to the point of coherency.
    case uncleaned
    /// Slot of the SMMU's records, 0 before there is a device; commands in its queue.
    case smmu, commandCount
    /// Sparse arrays: VMIDs that the SMMU driver has assigned, 64 a word; those of other VMs' devices;
    /// how often each host page is pinned.
    case smmuVMIDs, otherDevices, pinCounts
    /// AMD's RMP, a sparse array by page; whether firmware is holding up all DMA.
    case rmp, dmaStalled
    /// States of granules under CCA, a sparse array.
    case granules
    /// Device of the last DMA + 1; error of the last event.
    case lastDevice, lastError
    /// L1's last invalidation: nested IPAs, and the number of invalidations so far above the shadows
    /// covered (see `Coverage`).
    case coveredStart, coveredEnd, coveredShadows
    /// ASIDs: the VMM's, the last one assigned, and a sparse array of other processes' ASIDs.
    case processASID, lastASID, otherASIDs
    /// pKVM: slot of its record, and what the hypervisor knows of each page (`hyp_vmemmap`).
    case pkvm, vmemmap
    /// Counters, in the order of `Counter`.
    case counters = 64

    var slot: Int { Memory.firstRegister + rawValue }

    var words: [WordClass] {
      switch self {
      case .invalidateInProgress, .nextShadow, .splitChunk, .failInsertions, .failErasures,
        .pauseAt, .parkedOwner, .parkedLock, .parkedCount, .commandCount, .dmaStalled,
        .processASID:
        [.state]
      // Derived from other state: slots of frames and records.
      case .freeNode, .hostRoot, .parkedTasks, .uncleaned, .smmu, .smmuVMIDs, .otherDevices,
        .pinCounts, .rmp, .granules, .otherASIDs, .pkvm, .vmemmap:
        [.history]
      // Positions of the supplies of fresh names.
      case .nextPage, .nextHVA, .unknownContents, .lastASID: [.history]
      // Answers about the past.
      case .invalidateSequence, .lastAccess, .lastValue, .lastDevice, .lastError,
        .unlockedRecords, .sleepingRecords, .unsafeRecord, .coveredStart, .coveredEnd,
        .coveredShadows:
        [.history]
      case .counters: .init(repeating: .history, count: Counter.allCases.count)
      case .memslots, .vmas, .noHugePages: RangeTree.words
      // The root of a sparse array.
      case .contents: [.history]
      }
    }
  }

  subscript(register: Register) -> UInt64 {
    @inline(__always) get { memory.load(register.slot) }
    @inline(__always) set { memory.store(newValue, at: register.slot) }
  }

  /// The value of a counter, as of the last event.
  public subscript(counter: Counter) -> UInt64 {
    memory.load(counter.slot)
  }

  /// Adds what the event counted to the counters.
  mutating func storeTally() {
    for counter in Counter.allCases {
      memory.store(memory.load(counter.slot) &+ UInt64(tally[counter]), at: counter.slot)
    }
    self[.lastError] = UInt64(tally.error?.rawValue ?? 0)
    tally = Tally()
  }
}

/// What the machine counts since its creation.
public enum Counter: Int, CaseIterable, Sendable {
  /// Stage-2 faults taken by KVM on the canonical table and on shadow tables.
  case canonicalFaults, shadowFaults
  /// Exceptions injected into L1.
  case injected
  /// Leaves that map memory from an event on, leaves that gain permissions, and leaves that no longer map it. A split
  /// or a collapse removes what it replaces, so that the first less the last are the leaves of all tables but the
  /// VMM's.
  case maps, relaxes, unmaps
  /// MMU notifier invalidations, and complete unmaps of a shadow table.
  case notifiers, fullUnmaps
  /// TLB invalidations by the host kernel.
  case invalidations
  /// Table pages allocated and freed.
  case tablesAllocated, tablesFreed
  /// Exits to user space for MMIO.
  case mmioExits
  /// Stage-2 faults that pKVM's hypervisor takes, of its host or of guests.
  case protectedFaults

  /// Slot of its word.
  var slot: Int { Machine.Register.counters.slot + rawValue }
}

/// The counts of one event, kept outside the words until it ends, so that a big event stores
/// each counter once.
struct Tally: Equatable {
  var canonicalFaults = 0
  var shadowFaults = 0
  var injected = 0
  var maps = 0
  var relaxes = 0
  var unmaps = 0
  var notifiers = 0
  var fullUnmaps = 0
  var invalidations = 0
  var tablesAllocated = 0
  var tablesFreed = 0
  var mmioExits = 0
  var protectedFaults = 0
  /// What the event fails with, if it does.
  var error: KernelError?

  subscript(counter: Counter) -> Int {
    switch counter {
    case .canonicalFaults: canonicalFaults
    case .shadowFaults: shadowFaults
    case .injected: injected
    case .maps: maps
    case .relaxes: relaxes
    case .unmaps: unmaps
    case .notifiers: notifiers
    case .fullUnmaps: fullUnmaps
    case .invalidations: invalidations
    case .tablesAllocated: tablesAllocated
    case .tablesFreed: tablesFreed
    case .mmioExits: mmioExits
    case .protectedFaults: protectedFaults
    }
  }
}

/// Slots of the record arrays, which creation allocates.
struct Layout: Sendable {
  let mmus: Int
  let vcpus: Int
  let memslots: Int
  let tlb: TLB
  let vmids: VMIDAllocator

  static let memslotCount = Memory.frameWords / Memslot.Field.count

  init(_ configuration: VMConfiguration, in memory: inout Memory) {
    func frames(_ words: Int, _ role: (Int) -> FrameRole) -> Int {
      var count = 1
      while count * Memory.frameWords < words { count *= 2 }
      return memory.allocateFrames(count, role)
    }
    func records(_ words: Int, _ use: FrameUse) -> Int {
      frames(words) { FrameRole(use, place: UInt64($0)) }
    }
    mmus = records((1 + configuration.shadows) * MMU.Field.count, .mmus)
    vcpus = records(configuration.vcpus * VCPU.Field.count, .vcpus)
    memslots = records(Self.memslotCount * Memslot.Field.count, .memslots)
    tlb = TLB(base: records(TLB.words, .tlb))
    vmids = VMIDAllocator(
      base: frames(VMIDAllocator.words(bits: configuration.vmidBits)) {
        $0 == 0 ? FrameRole(.vmids) : FrameRole(.vmidMaps, place: UInt64($0))
      },
      bits: configuration.vmidBits, cpus: configuration.vcpus)
  }
}
