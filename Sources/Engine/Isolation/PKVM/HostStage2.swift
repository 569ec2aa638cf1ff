/// The host's stage 2 under pKVM: the identity, filled by faults with the largest blocks that fit, and
/// unmapped only for pages that the host gives away (mem_protect.c).
extension Machine {
  /// MemAttr: take the type from stage 1 (`MT_S2_FWB_AS_S1`).
  private static let memoryTypeOfStage1: UInt64 = 7

  /// A leaf of the host's table: memory for everything, MMIO not for execution
  /// (`PKVM_HOST_MEM_PROT`, `PKVM_HOST_MMIO_PROT`).
  private func hostLeaf(at physical: UInt64, level: Int, isMemory: Bool) -> Descriptor {
    .leaf(
      at: physical, level: level, memAttr: Self.memoryTypeOfStage1,
      permissions: Permissions(read: true, write: true, executeNever: isMemory ? 0 : 2),
      guestLevel: 0)
  }

  /// Handles a fault of the host (`host_stage2_idmap`).
  ///
  /// - Returns: whether to retry the access; if not, the host gets an abort.
  mutating func handleHostFault(_ address: UInt64) -> Bool {
    let table = pkvmHostTable
    let end = memory.walk(table, address)
    // Another CPU was faster and has mapped it.
    if end.descriptor.isValid { return true }
    if end.descriptor.bits != 0 { return false }
    let (range, isMemory) = memoryRange(at: address)
    let level = hostLevel(for: address, from: end.level, in: range)
    let size = table.geometry.size(level)
    let start = address & ~(size - 1)
    note(
      .pkvm(.hostSizeChosen(isMemory: isMemory)), table.id, at: start, size: size, level: level)
    mapInHost(hostLeaf(at: start, level: level, isMemory: isMemory), at: start, level: level)
    return true
  }

  /// The highest level, from that of the empty entry down, whose leaf lies inside the range
  /// (`host_stage2_adjust_range`).
  private func hostLevel(for address: UInt64, from first: Int, in range: Range<UInt64>) -> Int {
    let geometry = protectedGeometry
    for level in first..<Geometry.lastLevel where geometry.allowsLeaf(level) {
      let start = address & ~(geometry.size(level) - 1)
      if range.lowerBound <= start, start + geometry.size(level) <= range.upperBound {
        return level
      }
    }
    return Geometry.lastLevel
  }

  /// Writes an annotation for every page of a range (`kvm_pgtable_stage2_annotate`): always pages, since the
  /// table is its only record.
  mutating func annotateHost(_ range: Range<UInt64>, _ annotation: Descriptor) {
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      mapInHost(annotation, at: page, level: Geometry.lastLevel)
    }
  }

  /// Gives every page of a range its own leaf, so that none is lost when a neighbour is given away.
  mutating func keepHost(_ range: Range<UInt64>) {
    let table = pkvmHostTable
    let level = Geometry.lastLevel
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      let end = memory.walk(table, page)
      if end.level == level, end.descriptor.isValid { continue }
      mapInHost(hostLeaf(at: page, level: level, isMemory: true), at: page, level: level)
    }
  }

  /// Maps a range of memory (`host_stage2_idmap_locked`), in the largest leaves that fit.
  mutating func mapHost(_ range: Range<UInt64>) {
    let table = pkvmHostTable
    var address = range.lowerBound
    while address < range.upperBound {
      let level = hostLevel(for: address, from: table.geometry.startLevel, in: range)
      mapInHost(hostLeaf(at: address, level: level, isMemory: true), at: address, level: level)
      address += table.geometry.size(level)
    }
  }
}
