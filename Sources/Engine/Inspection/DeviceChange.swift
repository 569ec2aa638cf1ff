/// What some stores can have changed of what a device's DMA gets.
package enum DeviceChange {
  /// Anything.
  case anything
  /// What DMA to these input addresses gets, not in order; none if there are none.
  case addresses([Range<UInt64>])
}

extension Machine {
  /// What stores can have changed of what a device's DMA gets. Rather too much than too little.
  ///
  /// - Parameter stores: the last stores that are done.
  package func deviceChange(by stores: Range<Int>, device: Int) -> DeviceChange {
    // What was not cleaned may lead a walker that is not coherent into any table.
    guard hasSMMU, configuration.iommu.isCoherent else { return .anything }
    let tables = tableNumbers(ofDevice: device)
    var addresses: [Range<UInt64>] = []
    for index in stores {
      let (slot, old) = memory.journalEntry(index)
      let role = memory.role(ofFrameAt: slot)
      switch FrameUse(rawValue: role.use) {
      case .table, .lastTable:
        if tables.contains(role.number) { addresses.append(role.addresses(ofEntry: slot)) }
      case .tlb:
        if role.number != TLB.iotlbNumber { continue }
        let tag = slot & ~1
        addresses += [memory.load(tag), slot == tag ? old : 0].compactMap(TLB.addresses(ofTag:))
      case .smmu:
        if slot < commands { return .anything }
      case .registers:
        if slot == Register.dmaStalled.slot { return .anything }
      case .elements:
        let owners: [SparseArray.Number] = [.rmp, .granules, .vmemmap, .parkedTasks]
        if owners.contains(where: { $0.rawValue == role.number }) { return .anything }
      case .pkvm: return .anything
      // Nothing of these decides what a DMA gets.
      case .free, .sparse, .mmus, .vcpus, .vmids, .vmidMaps, .contents, .dirty, .memslots,
        .contentsIndex, .nodes, nil:
        continue
      }
    }
    return .addresses(addresses)
  }

  /// The tables that a device's stream and its domain lead to, as their frames' roles number them.
  private func tableNumbers(ofDevice device: Int) -> [UInt64] {
    let entry = streamEntry(ofDevice: device)
    let streamRoot =
      entry.kind == .stage2 ? Memory.firstSlot(ofFrameAt: entry.root) : nil
    return [streamRoot, walkedTable(ofDevice: device)?.root].compactMap { root in
      root.map { memory.role(ofFrameAt: $0).number }
    }
  }
}
