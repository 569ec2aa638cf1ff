/// Operations on a device and its domain: attaching (arm-smmu-v3.c), and mapping and unmapping as in the
/// kernel's IOMMU API (`iommu_map` and `iommu_unmap` in drivers/iommu/iommu.c).
public enum IOMMUOperation: Equatable, Sendable {
  /// The device's stream is translated by its domain's table; without a domain it joins that of the VM.
  case attach
  /// The same, with a domain that other devices do not join.
  case attachOwn
  /// The device works with the VMM's own addresses, by the page table of the process.
  case shareAddresses
  /// Every DMA of the device is refused (the blocking domain).
  case detach
  /// The device is the host's own, and its stream is not translated (the identity domain).
  case bypass
  /// The domain of a detached device is freed, with its table and its VMID or ASID.
  case free
  /// Input addresses are mapped to contiguous physical addresses.
  case map(Range<UInt64>, to: UInt64, write: Bool)
  /// Input addresses are unmapped.
  case unmap(Range<UInt64>)
  /// Guest memory is pinned and mapped at its canonical IPAs, as VFIO and iommufd do for a VMM.
  case pin(Range<UInt64>)
  /// The entries that translate input addresses are cleaned to the point of coherency.
  case clean(Range<UInt64>)
}

extension IOMMUOperation {
  /// What an operation needs; one that needs it elsewhere is refused.
  fileprivate struct Needs {
    /// Whose table it edits.
    enum Table {
      /// Nobody's.
      case none
      /// The device's own.
      case own
      /// The device's own; or that of the CPUs, where it holds on to what is pinned.
      case pinned
    }

    /// The domain that the device joins, or is given.
    enum Domain {
      case none, any, own
    }

    var table = Table.none
    var domain = Domain.none
    /// Whether the host's kernel keeps the tables of devices.
    var isHosts = false
    /// Whether the device works with the addresses of a process.
    var isProcess = false
    /// The addresses that it goes through page by page, if it does.
    var pages: Range<UInt64>?
    /// Whether they are a guest's, behind which the VMM has memory.
    var isOfGuest = false
  }

  fileprivate var needs: Needs {
    switch self {
    case .attach: return Needs(domain: .any)
    case .attachOwn: return Needs(domain: .own)
    case .shareAddresses: return Needs(isProcess: true)
    case .detach, .bypass, .clean: return Needs()
    case .free: return Needs(isHosts: true)
    case .map(let range, let physical, _):
      let hasBlocks = (range.lowerBound ^ physical) & (1 << 30 - 1) == 0
      return Needs(table: .own, domain: .any, isHosts: true, pages: hasBlocks ? nil : range)
    case .unmap: return Needs(table: .pinned, domain: .any, isHosts: true)
    case .pin(let range):
      return Needs(table: .pinned, domain: .any, isHosts: true, pages: range, isOfGuest: true)
    }
  }
}

extension Machine {
  mutating func start(_ operation: IOMMUOperation, device: Int) throws(Refusal) {
    let needs = operation.needs
    if configuration.iommu.table == .shared,
      needs.table == .own || needs.table == .pinned && !pinsKeepLeaves
    {
      throw Refusal(.sharedTable)
    }
    if needs.isProcess { try requireProcess() }
    if needs.isHosts, ownership.keepsDeviceTables { throw Refusal(.hypervisorTable) }
    if let pages = needs.pages {
      try requirePageByPage(pages)
      if needs.isOfGuest { _ = try hostRange(pages) }
    }
    if needs.domain != .none { try requireOneTable(device, isOwn: needs.domain == .own) }
    makeSMMU()
    switch operation {
    case .attach:
      push([.attach(device)])
      if needsSnapshot { startSnapshot() }
    case .attachOwn: attachOwn(device)
    case .shareAddresses: shareAddresses(device)
    case .detach:
      note(.domain(.blocked), .iommu(device))
      replaceStreamEntry(.abort, ofDevice: device)
    case .bypass: bypass(device)
    case .free: startFreeing(device)
    case .map(let range, let physical, let write):
      startMapping(range, to: physical, write: write, device: device)
    case .unmap(let range): startUnmapping(range, device: device)
    case .pin(let range): startPinning(range, device: device)
    case .clean(let range): cleanEntries(for: range, device: device)
    }
  }

  /// The devices of a guest that the host does not own are the guest's, and a process' table is kept for
  /// walkers that see caches (`arm_smmu_sva_supported`).
  private func requireProcess() throws(Refusal) {
    if checksDMA || !configuration.iommu.isCoherent {
      throw Refusal(.noSharedAddresses)
    }
  }

  /// Two tables under the CPUs' VMID would mix in the SMMU's TLB.
  private func requireOneTable(_ device: Int, isOwn: Bool) throws(Refusal) {
    let iommu = configuration.iommu
    if ownership.keepsDeviceTables || iommu.table == .shared || iommu.vmidChoice == .private {
      return
    }
    let old = domain(ofDevice: device)
    let makesOne = isOwn ? old != device : old == nil && sharedDomain == nil
    if makesOne, !domains.isEmpty { throw Refusal(.oneTableOfVMID) }
  }

  /// The domain that a device of the VM without one joins: VFIO and iommufd share a domain among all
  /// devices that it fits (`vfio_iommu_type1_attach_group`, `iommufd_device_auto_get_domain`).
  private var sharedDomain: Int? {
    ownership.keepsDeviceTables ? nil : domains.first { self[$0, .isOwn] == 0 }
  }

  /// `arm_smmu_attach_dev`: creates the domain if there is none, and points the stream to it.
  mutating func attach(_ device: Int) {
    guard let table = makeDomain(device) else { return }
    note(.domain(.attached(root: table.rootAddress, table.context)), .iommu(device))
    let stalls = configuration.iommu.faults == .stall
    switch table.geometry.format {
    case .stage2, .dump:
      replaceStreamEntry(.stage2(table, stalls: stalls), ofDevice: device)
    case .stage1, .process:
      replaceStreamEntry(
        stage1Entry(ofDevice: device), ContextDescriptor(table, table.context, stalls: stalls),
        ofDevice: device)
    }
  }

  /// A device alone in its domain keeps it; one that has joined another's leaves it. One whose domain others have
  /// joined stays: its number is the domain's, which no kernel's is.
  private mutating func attachOwn(_ device: Int) {
    if !ownership.keepsDeviceTables {
      if domain(ofDevice: device) == device {
        if devices(ofDomain: device).count > 1 {
          return note(.end(.noEffect(.firstOfDomain)), .iommu(device))
        }
      } else if makeDomain(device, isOwn: true) == nil {
        return
      }
      self[device, .isOwn] = 1
    }
    push([.attach(device)])
    if needsSnapshot { startSnapshot() }
  }

  private func devices(ofDomain number: Int) -> [Int] {
    (0..<SMMU.devices).filter { domain(ofDevice: $0) == number }
  }

  /// `arm_smmu_attach_dev_identity`. Under pKVM the host may request it, but gets the identity map.
  private mutating func bypass(_ device: Int) {
    if ownership.keepsDeviceTables {
      note(.domain(.bypassShadowed), .iommu(device))
      push([.attach(device)])
      if needsSnapshot { startSnapshot() }
      return
    }
    note(.domain(.bypassed), .iommu(device))
    replaceStreamEntry(.bypass, ofDevice: device)
  }

  /// The domain of a device, the VM's or a new one if it has none (`arm_smmu_domain_finalise`): of stage 1 or
  /// 2, as `arm_smmu_domain_alloc_paging_flags` chooses. Nil, and the event fails, if no VMID is left, or the
  /// device works with the VMM's addresses.
  ///
  /// - Parameter isOwn: whether the device always gets a new one.
  mutating func makeDomain(_ device: Int, isOwn: Bool = false) -> Table? {
    if sharesAddresses(device) {
      fail(.ebusy, .iommu(device))
      return nil
    }
    if !isOwn, let domain = domain(ofDevice: device) { return domainTable(ofDevice: domain) }
    if ownership.keepsDeviceTables {
      let host = pkvmHostTable
      setDomain(device, root: host.root, host.geometry, host.context)
      return domainTable(ofDevice: device)
    }
    if !isOwn, let domain = sharedDomain {
      note(.domain(.joined(domain)), .iommu(device))
      self[device, .domain] = UInt64(domain + 1)
      return domainTable(ofDevice: domain)
    }
    // An SMMU's own domain has its table (`alloc_io_pgtable_ops`) before its number (`arm_smmu_domain_finalise_s1`,
    // `_s2`); one of AMD's IOMMU its number first (`protection_domain_alloc`).
    let isShared = configuration.iommu.table == .shared
    var context: TranslationContext?
    if isShared || configuration.isolation == .rmp {
      context = takeDomainContext(device)
      if context == nil {
        fail(.enospc, .iommu(device))
        return nil
      }
    }
    if isShared, let context {
      let shared = table(of: canonical)
      setDomain(device, root: shared.root, shared.geometry, context)
      return domainTable(ofDevice: device)
    }
    let isStage1 = makesStage1
    let geometry =
      isStage1 ? .deviceStage1 : Geometry.stage2(bits: VMConfiguration.physicalBits)
    note(
      .domain(.rootAllocated(isStage1: isStage1, pages: geometry.rootPages)), .iommu(device),
      level: geometry.startLevel)
    let root = memory.allocateRoot(of: .iommu(device), geometry)
    tally.tablesAllocated += geometry.rootPages
    guard let context = context ?? takeDomainContext(device) else {
      freeRoot(root, geometry, device: device)
      fail(.enospc, .iommu(device))
      return nil
    }
    setDomain(device, root: root, geometry, context)
    return domainTable(ofDevice: device)
  }

  /// The root of a domain for which no number is left is freed again (`free_io_pgtable_ops`).
  private mutating func freeRoot(_ root: Int, _ geometry: Geometry, device: Int) {
    let table = Table(id: .iommu(device), root: root, geometry: geometry, vmid: 0)
    freeSubtree(root, of: table, at: 0, level: geometry.startLevel)
  }

  mutating func setDomain(
    _ device: Int, root: Int, _ geometry: Geometry, _ context: TranslationContext
  ) {
    self[device, .domain] = UInt64(device + 1)
    self[device, .root] = UInt64(root)
    self[device, .inputBits] = UInt64(geometry.inputBits)
    self[device, .context] = context.bits
  }

  /// Unmaps all pinned memory first; then frees the domain.
  private mutating func startFreeing(_ device: Int) {
    if sharesAddresses(device) {
      if streamEntry(ofDevice: device).kind == .stage1 {
        return fail(.ebusy, .iommu(device))
      }
      return unshareAddresses(device)
    }
    guard let domain = domain(ofDevice: device) else { return fail(.enoent, .iommu(device)) }
    if usedDomains.contains(domain) { return fail(.ebusy, .iommu(domain)) }
    let areas = memory.entries(in: 0..<1 << 48, of: pinnedAreas(of: domain)).map(\.range)
    push(areas.flatMap { unmapTasks($0, domain) } + [.freeDomain(domain)])
  }

  /// `arm_smmu_domain_free_paging`: frees the table's pages (`free_io_pgtable_ops`), then the VMID or
  /// ASID. Nothing of it is cached since the last device was detached.
  mutating func freeDomain(_ device: Int) {
    guard let table = domainTable(ofDevice: device) else { return }
    if configuration.iommu.table == .own {
      freeSubtree(table.root, of: table, at: 0, level: table.geometry.startLevel)
    }
    for member in devices(ofDomain: device) { self[member, .domain] = 0 }
    for field: SMMU.Field in [.root, .inputBits, .context, .isOwn] { self[device, field] = 0 }
    returnDomainContext(table.context, device)
  }
}
