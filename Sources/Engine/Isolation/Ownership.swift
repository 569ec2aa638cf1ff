/// The mechanism that isolates the owners of memory, so that a device reaches only its own.
public enum Isolation: Equatable, Sendable {
  /// None: all memory is the host's, and its devices may reach all of it.
  case none
  /// AMD's RMP.
  case rmp
  /// Arm CCA: the VM is a realm, and the RMM owns its tables.
  case cca
  /// pKVM, with one of the postings of its SMMU driver.
  case pkvm(PKVM.Version)

  /// The posting of pKVM's SMMU driver, or nil without pKVM.
  public var pkvm: PKVM.Version? {
    if case .pkvm(let version) = self { version } else { nil }
  }

  /// The records of owners.
  var ownership: any Ownership {
    switch self {
    case .none: OpenMemory()
    case .rmp: RMPOwnership()
    case .cca: RealmOwnership()
    case .pkvm: HostOwnership()
    }
  }
}

/// Records of the owners of memory. They decide whether a DMA is forbidden, and add rules for the tables
/// of CPUs and devices. All their state is in the machine's memory.
protocol Ownership: HostHooks {
  /// Refuses events that make no sense under this isolation.
  func admit(_ event: Event) throws(Refusal)

  /// Its hooks on the CPUs' tables, or nil.
  var tableHooks: (any TableHooks)? { get }

  /// The CPUs' table that devices share, or with which theirs is compared.
  var cpuTable: TableID { get }

  /// Whether someone other than the kernel keeps the devices' tables: then the kernel creates no domains.
  var keepsDeviceTables: Bool { get }

  /// Whether an empty table stays until its destruction is requested.
  var keepsEmptyTables: Bool { get }

  /// The lowest level, and so the largest size, at which an IOMMU caches a walk.
  var lowestCachedLevel: Int { get }

  /// Whether a fault of a DMA can be repaired, so that the DMA may stall for it.
  func canRepair(_ fault: DeviceFault) -> Bool

  /// The first recorded range at or after a physical address, or nil.
  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange?

  /// The first page in a range of physical addresses that a device must not reach now: because its owner
  /// is not the device's and does not lend it. Nil if there is none.
  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64?

  /// The fault that the hardware raises for a DMA to a physical address, given the level of its
  /// translation and whether that was cached; nil if none.
  func check(
    _ physical: UInt64, level: Int, isCached: Bool, of machine: Machine
  ) -> DeviceFault?

  /// The fault that the hardware raises for an untranslated DMA of a host device to a physical address;
  /// nil if none.
  func checkBypass(_ physical: UInt64, of machine: Machine) -> DeviceFault?

  /// Rules broken now, other than `foreign-dma`.
  func violations(of machine: Machine) -> [Violation]

  /// Whether the VM's table is not the host's, so that MMU notifiers unmap nothing from it.
  var keepsTable: Bool { get }

  /// Whether the `size` bytes of a leaf of the VM's table are the VM's, whatever the VMM maps there.
  func keeps(_ leaf: TableEntry, size: UInt64, of machine: Machine) -> Bool
}

extension Ownership {
  /// Without pKVM there is no hypervisor to call.
  func admit(_ event: Event) throws(Refusal) {
    if case .pkvm = event { throw Refusal(.notProtected) }
  }

  var tableHooks: (any TableHooks)? { nil }
  var cpuTable: TableID { .canonical }
  var keepsDeviceTables: Bool { false }
  var keepsEmptyTables: Bool { false }
  var lowestCachedLevel: Int { TLB.levels.lowerBound }
  func canRepair(_ fault: DeviceFault) -> Bool { false }

  func check(
    _ physical: UInt64, level: Int, isCached: Bool, of machine: Machine
  ) -> DeviceFault? { nil }

  func checkBypass(_ physical: UInt64, of machine: Machine) -> DeviceFault? { nil }

  var keepsTable: Bool { false }
  func keeps(_ leaf: TableEntry, size: UInt64, of machine: Machine) -> Bool { false }
}

/// Without isolation nothing is forbidden; only pages pinned in a shared table are kept for DMA.
private struct OpenMemory: Ownership {
  func canRepair(_ fault: DeviceFault) -> Bool {
    [.translation, .permission, .accessFlag].contains(fault)
  }
  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange? { nil }
  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64? { nil }
  func violations(of machine: Machine) -> [Violation] {
    machine.usedDomains.flatMap(machine.pinViolations)
  }
}

extension Machine {
  /// Whether a device may reach a page of memory now: whether the page's owner is the device's, or lends
  /// it.
  public func mayReach(_ physical: UInt64, device: Int) -> Bool {
    let page = physical.page
    return ownership.firstForeign(in: page..<page + Page.size, device: device, of: self) == nil
  }

  /// Rules about devices that are broken now.
  func deviceViolations() -> [Violation] {
    if !hasSMMU { return [] }
    let devices = attachedDevices
    return staleIOTLBViolations() + devices.flatMap(foreignDMAViolations)
      + usedDomains.flatMap(agreementViolations) + devices.flatMap(mirrorViolations)
      + ownership.violations(of: self)
  }

  /// Translations of a device, cached or in its table, to memory that it must not reach.
  func foreignDMAViolations(_ device: Int) -> [Violation] {
    if !checksDMA { return [] }
    var found: [Violation] = []
    func check(_ iova: UInt64, _ leaf: Descriptor, _ size: UInt64) {
      let pages = leaf.pages(size)
      guard leaf.permitsDMA,
        let page = ownership.firstForeign(in: pages, device: device, of: self)
      else { return }
      found.append(
        Violation(
          invariant: .foreignDMA, table: .iommu(device), address: iova + (page - pages.lowerBound)))
    }
    let vmid = streamEntry(ofDevice: device).vmid
    for entry in iotlbEntries where entry.vmid == vmid {
      check(entry.address, entry.descriptor, TLB.geometry.size(entry.level))
    }
    if let table = domainTable(ofDevice: device) {
      visit(.mapping, of: table) { check($0.address, $0.descriptor, table.geometry.size($0.level)) }
    }
    return found
  }

  /// Entries of the SMMU's TLB that the table of their VMID or ASID no longer confirms. While an event is
  /// paused, entries that a queued command will drop do not count.
  private func staleIOTLBViolations() -> [Violation] {
    let queued = isPaused ? pendingInvalidations : []
    let tables = attachedDevices.compactMap { domainTable(ofDevice: $0) }
    return iotlbEntries.compactMap { staleness(ofDMA: $0, in: tables, queued) }
  }

  /// The violation by an entry of the SMMU's TLB, or nil.
  ///
  /// - Parameters:
  ///   - tables: of the devices whose DMA is translated.
  ///   - queued: the invalidations still queued for the SMMU.
  func staleness(
    ofDMA entry: TLB.Entry, in tables: [Table],
    _ queued: [(range: Range<UInt64>, context: TranslationContext)]
  ) -> Violation? {
    if entry.context == processContext { return staleProcessEntry(entry, queued) }
    guard let table = tables.first(where: { $0.context == entry.context }),
      !queued.contains(where: { $0.context == entry.context && $0.range.overlaps(entry.range) })
    else { return nil }
    let end = memory.walk(table, entry.address)
    let isMapped =
      end.isLeaf
      && end.descriptor.address | entry.address & (table.geometry.size(end.level) - 1)
        == entry.descriptor.address
    return isMapped && !entry.descriptor.permissions.exceed(end.descriptor.permissions)
      ? nil : Violation(invariant: .staleIOTLB, table: table.id, address: entry.address)
  }

  /// The same for an entry of the VMM's table, which also must not permit more than the table.
  private func staleProcessEntry(
    _ entry: TLB.Entry, _ queued: [(range: Range<UInt64>, context: TranslationContext)]
  ) -> Violation? {
    guard let device = (0..<SMMU.devices).first(where: sharesAddresses),
      !queued.contains(where: { $0.context == entry.context && $0.range.overlaps(entry.range) }),
      !isBorneOut(entry)
    else { return nil }
    return Violation(invariant: .staleIOTLB, table: .iommu(device), address: entry.address)
  }
}

extension Descriptor {
  /// Whether a device may read or write by this leaf.
  var permitsDMA: Bool { permissions.read || permissions.write }

  /// The physical addresses that the leaf, of `size` bytes, maps.
  func pages(_ size: UInt64) -> Range<UInt64> {
    let start = address & ~(size - 1)
    return start..<start + size
  }
}
