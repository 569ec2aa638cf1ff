extension Machine {
  /// The size of a device's table.
  ///
  /// - Returns: bytes that its leaves map, and bytes of its pages; the latter are 0 for a table shared
  ///   with the CPUs.
  public func deviceTableSize(_ device: Int) -> (mapped: UInt64, table: UInt64) {
    guard let table = domainTable(ofDevice: device) else { return (0, 0) }
    var mapped: UInt64 = 0
    visit(.mapping, of: table) { mapped += table.geometry.size($0.level) }
    if configuration.iommu.table == .shared { return (mapped, 0) }
    var pages = UInt64(table.geometry.rootPages)
    visit(.tablePre, of: table) { _ in pages += 1 }
    return (mapped, pages * Memory.frameBytes)
  }
}
