/// The SMMU's hooks on the CPUs' tables: it may walk them, without snooping the CPUs' caches, and its TLB
/// may need their invalidations.
struct SMMUTableHooks: TableHooks {
  func willStore(_ bits: UInt64, at slot: Int, in machine: inout Machine) {
    if !machine.configuration.iommu.isCoherent { machine.keepUncleaned(slot, bits) }
  }

  func didStore(
    _ slots: Range<Int>, of table: TableID, at address: UInt64, level: Int,
    in machine: inout Machine
  ) {
    machine.clean(slots, table, at: address, level: level)
  }

  func didInvalidate(
    _ range: Range<UInt64>, of table: Table, isLocal: Bool, in machine: inout Machine
  ) {
    if machine.reachesSMMU { machine.invalidateIOTLB(after: range, of: table, isLocal: isLocal) }
  }

  /// As the CPUs allow. The SMMU's own level is not consulted.
  func replacesInPlace(_ table: Table, in machine: Machine) -> Bool {
    machine.configuration.iommu.replacesInPlace && table.id == machine.cpuTableID
  }
}

/// The devices' hooks on the host and on KVM: for a TLB that obeys broadcasts, a process's shared
/// addresses, and pinned pages.
struct SMMUHostHooks: HostHooks {
  func didInvalidate(
    _ range: Range<UInt64>, _ context: TranslationContext, in machine: inout Machine
  ) {
    if machine.hearsBroadcasts { machine.broadcast(range, context, of: nil) }
  }

  func didInvalidateAll(in machine: inout Machine) {
    if machine.hearsBroadcasts { machine.broadcastAll() }
  }

  func watchesProcess(in machine: Machine) -> Bool { machine.processContext != nil }

  func didFlushProcess(_ range: Range<UInt64>, isLocal: Bool, in machine: inout Machine) {
    machine.flushProcessForSMMU(range, isLocal: isLocal)
  }

  func keptPage(at ipa: UInt64, in machine: Machine) -> UInt64? { machine.pinnedPage(at: ipa) }

  func largestMapping(at ipa: UInt64, of page: UInt64, in machine: Machine) -> UInt64 {
    machine.largestBesidePins(ipa)
  }

  func unmappable(_ range: Range<UInt64>, in machine: Machine) -> [Range<UInt64>] {
    machine.unpinnedParts(of: range)
  }
}

extension IOMMUConfiguration {
  /// The hooks of the CPUs' tables that the SMMU needs; nil if it has its own table, walks coherently and
  /// obeys no broadcasts.
  var tableHooks: (any TableHooks)? {
    table == .shared || forwarding == .broadcast || !isCoherent ? SMMUTableHooks() : nil
  }
}
