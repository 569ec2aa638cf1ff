/// The hypervisor's identity map for SMMUs: their devices reach what the host may use. It is filled
/// completely at once, since devices cannot wait for faults, and kept in step with every change of owner.
///
/// Source: "KVM: arm64: iommu: Shadow host stage-2 page table", v4 to v6, and the driver's map and unmap.
extension Machine {
  /// The map, or nil before there is one. All devices share it.
  var identityTable: Table? {
    guard configuration.isolation.pkvm != nil, self[pkvm: .identityRoot] != 0 else { return nil }
    return Table(
      id: .iommu(0), root: Int(self[pkvm: .identityRoot]), geometry: protectedGeometry, vmid: 0)
  }

  /// Whether devices need the map, and there is none.
  var needsSnapshot: Bool {
    configuration.isolation.pkvm != nil && configuration.iommu.table == .own
      && self[pkvm: .identityRoot] == 0
  }

  /// Begins the snapshot (`kvm_iommu_snapshot_host_stage2`): one task for each entry of the host's table.
  mutating func startSnapshot() {
    makeSMMU()
    let geometry = protectedGeometry
    note(
      .domain(.rootAllocated(isStage1: false, pages: geometry.rootPages)), .iommu(0),
      level: geometry.startLevel)
    self[pkvm: .identityRoot] = UInt64(allocateProtectedRoot(of: .iommu(0)))
    for device in 0..<SMMU.devices {
      setDomain(device, root: Int(self[pkvm: .identityRoot]), geometry, .vmid(0))
    }
    push([.pkvm(.snapshot(0)), .pkvm(.finishSnapshot)])
  }

  /// One entry of the host's table: if annotated, it is skipped; if valid, or empty, it is mapped for the
  /// device, since the host may touch it at any time.
  mutating func continueSnapshot(at address: UInt64) {
    guard let identity = identityTable else { return }
    let table = pkvmHostTable
    let end = memory.walk(table, address)
    let next = address & ~(table.geometry.size(end.level) - 1) + table.geometry.size(end.level)
    note(
      .pkvm(.snapshotEntry(end.descriptor)), identity.id, at: address, size: next - address,
      level: end.level)
    if next < table.geometry.inputSize { push([.pkvm(.snapshot(next))]) }
    if end.descriptor.bits != 0, !end.descriptor.isValid { return }
    // Map memory and MMIO under one empty entry separately.
    var start = address
    while start < next {
      let part = start..<min(next, memoryRange(at: start).range.upperBound)
      mapIdentity(part, in: identity)
      start = part.upperBound
    }
  }

  /// Sets the flag that forwards changes of owner. v4 stored the walk's return value, and 0 is success.
  mutating func finishSnapshot() {
    let isForwarding = configuration.isolation.pkvm != .v4
    note(.pkvm(.snapshotDone(isForwarding: isForwarding)), .iommu(0))
    self[pkvm: .forwards] = isForwarding ? 1 : 0
  }

  /// Maps a range that is all memory or all MMIO: memory in pages, since a page may change owner and a
  /// block cannot be broken here; MMIO, which never does, in the largest blocks. A failed map hurts only
  /// the host, and is ignored.
  private mutating func mapIdentity(_ range: Range<UInt64>, in table: Table) {
    let isMemory = memoryRange(at: range.lowerBound).isMemory
    let isDevice = !isMemory && configuration.isolation.pkvm == .v4
    var address = range.lowerBound
    while address < range.upperBound {
      let left = range.upperBound - address
      let call =
        isMemory
        ? (size: Page.size, count: left / Page.size) : Self.pageSize(address, address, left)
      let start = address
      note(
        .domain(.mapCall(physical: start, count: call.count)), table.id, at: start, size: call.size)
      let done = mapPages(
        IOPages(
          address: address, physical: address, size: call.size, count: call.count,
          isWritable: true, isDevice: isDevice),
        in: table)
      address += done.error == nil ? done.bytes : call.size
    }
  }
}

/// The effect of a change of owner on the map (`kvm_iommu_host_stage2_idmap`).
extension Machine {
  /// The host may use pages of memory, and so may its devices.
  mutating func mapDevices(_ range: Range<UInt64>) {
    if let table = forwardingTable(for: range) { mapIdentity(range, in: table) }
  }

  /// Unmaps pages of memory from the map; their entries may still be cached.
  mutating func unmapDevices(_ range: Range<UInt64>) {
    guard let table = forwardingTable(for: range) else { return }
    var gather = Gather()
    var address = range.lowerBound
    while address < range.upperBound {
      let count = (range.upperBound - address) / Page.size
      note(.domain(.unmapCall(count: count)), table.id, at: address, size: Page.size)
      address += max(Page.size, unmapPages(address, Page.size, count, in: table, &gather))
    }
  }

  /// Invalidates pages in the SMMUs and waits, before the new owner may use them.
  mutating func invalidateDevices(_ range: Range<UInt64>) {
    guard self[pkvm: .forwards] != 0, let table = identityTable else { return }
    invalidate(range, of: table)
  }

  /// The map, if there is one and changes of owner are forwarded to it.
  private mutating func forwardingTable(for range: Range<UInt64>) -> Table? {
    guard let table = identityTable else { return nil }
    if self[pkvm: .forwards] != 0 { return table }
    note(.pkvm(.notForwarded), table.id, over: range)
    return nil
  }
}
