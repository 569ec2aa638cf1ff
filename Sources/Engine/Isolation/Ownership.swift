/// Who keeps the owners of memory apart, so that a device reaches only what is its own.
public enum Isolation: Equatable, Sendable {
  /// Nobody does: all memory is the host's, and its devices may reach all of it.
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

  /// The account that is kept of owners.
  var ownership: any Ownership {
    switch self {
    case .none: OpenMemory()
    case .rmp: RMPOwnership()
    case .cca: RealmOwnership()
    case .pkvm: HostOwnership()
    }
  }
}

/// An account of the owners of memory: what decides whether a DMA is forbidden, and what else must hold of
/// the tables of CPUs and devices. All that it knows lies in the machine's memory.
protocol Ownership: HostHooks {
  /// Refuses events that make no sense where it keeps account.
  func admit(_ event: Event) throws(Refusal)

  /// What it hangs on the CPUs' tables, if anything.
  var tableHooks: (any TableHooks)? { get }

  /// The table of CPUs that devices share, or that theirs is compared with.
  var cpuTable: TableID { get }

  /// Whether somebody else than the kernel keeps the tables of devices: then the kernel makes no domains.
  var keepsDeviceTables: Bool { get }

  /// Whether a table stays when it has become empty, until it is asked to go.
  var keepsEmptyTables: Bool { get }

  /// The lowest level, and so the largest size, of what an IOMMU caches of a walk.
  var lowestCachedLevel: Int { get }

  /// Whether a fault of a DMA can be repaired, so that the DMA may wait for that.
  func canRepair(_ fault: DeviceFault) -> Bool

  /// The first entry of the account at or after a physical address.
  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange?

  /// The first page in a range of physical addresses that a device must not reach now: whose owner is not
  /// the device's and does not lend it. Nil if there is none.
  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64?

  /// What the hardware finds against a DMA to a physical address whose translation has a level and was
  /// cached, or walked for just now; nil if nothing.
  func check(
    _ physical: UInt64, level: Int, isCached: Bool, of machine: Machine
  ) -> DeviceFault?

  /// What the hardware finds against a DMA of a device of the host's own, to a physical address that is not
  /// translated; nil if nothing.
  func checkBypass(_ physical: UInt64, of machine: Machine) -> DeviceFault?

  /// Rules that do not hold now, other than `foreign-dma`.
  func violations(of machine: Machine) -> [Violation]

  /// Whether the VM's table is out of the host's hands, so that MMU notifiers take nothing from it.
  var keepsTable: Bool { get }

  /// Whether the memory of a leaf of the VM's table, of a size, is the VM's whatever the VMM has mapped there.
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

/// Without an account nothing is forbidden; what is kept for DMA is what is pinned in a shared table.
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

  /// Rules about devices that do not hold now.
  func deviceViolations() -> [Violation] {
    if !hasSMMU { return [] }
    let devices = attachedDevices
    return staleIOTLBViolations() + devices.flatMap(foreignDMAViolations)
      + usedDomains.flatMap(agreementViolations) + devices.flatMap(mirrorViolations)
      + ownership.violations(of: self)
  }

  /// Translations of a device, cached or in its table, that lead to what it must not reach.
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

  /// Entries of the SMMU's TLB that translate what the table of their VMID or ASID no longer maps there. While an
  /// event is paused, what a queued command will drop does not count.
  private func staleIOTLBViolations() -> [Violation] {
    let queued = isPaused ? pendingInvalidations : []
    let tables = attachedDevices.compactMap { domainTable(ofDevice: $0) }
    return iotlbEntries.compactMap { staleness(ofDMA: $0, in: tables, queued) }
  }

  /// What is wrong with an entry of the SMMU's TLB, or nil.
  ///
  /// - Parameters:
  ///   - tables: of the devices whose DMA is translated.
  ///   - queued: what the SMMU is still to forget.
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

  /// The same of an entry of the VMM's, which also must not permit more than its table.
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

  /// The physical addresses that the leaf maps, of which there are so many.
  func pages(_ size: UInt64) -> Range<UInt64> {
    let start = address & ~(size - 1)
    return start..<start + size
  }
}
