extension Machine {
  /// What a device's table maps, and what it takes.
  ///
  /// - Returns: bytes that its leaves map, and bytes of its pages; the latter are 0 for a table that is the
  ///   CPUs' as well.
  public func deviceTableSize(_ device: Int) -> (mapped: UInt64, table: UInt64) {
    guard let table = domainTable(ofDevice: device) else { return (0, 0) }
    var mapped: UInt64 = 0
    visit(.mapping, of: table) { mapped += table.geometry.size($0.level) }
    if configuration.iommu.table == .shared { return (mapped, 0) }
    var pages = UInt64(table.geometry.rootPages)
    visit(.tablePre, of: table) { _ in pages += 1 }
    return (mapped, pages * Memory.frameBytes)
  }

  /// Whether the SMMU would walk to the same translation as an entry of its TLB holds.
  public func isBorneOut(_ entry: TLB.Entry) -> Bool {
    if entry.context.isStage1 {
      let end = memory.walk(hostTable, entry.address)
      let permissions = HostEntry(bits: end.descriptor.bits).devicePermissions
      let size = hostTable.geometry.size(end.level)
      return end.isLeaf
        && end.descriptor.address | entry.address & (size - 1) == entry.descriptor.address
        && (permissions.write || !entry.descriptor.permissions.write)
    }
    return attachedDevices.contains { device in
      guard let table = domainTable(ofDevice: device), table.vmid == entry.vmid else {
        return false
      }
      let end = memory.walk(table, entry.address)
      return end.level == entry.level && end.descriptor.address == entry.descriptor.address
    }
  }
}
