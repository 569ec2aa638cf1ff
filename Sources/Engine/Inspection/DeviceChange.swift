/// The effect that some stores can have on a device's DMA.
package enum DeviceChange {
  /// Anything.
  case anything
  /// DMA to these input addresses, in no order; no DMA if empty.
  case addresses([Range<UInt64>])
}

extension Machine {
  /// The effect that stores can have on a device's DMA. May err on the side of too much.
  ///
  /// - Parameter stores: the last stores done.
  package func deviceChange(by stores: Range<Int>, device: Int) -> DeviceChange {
    // Uncleaned words may lead an incoherent walker into any table.
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
      // None of these affects a DMA.
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
