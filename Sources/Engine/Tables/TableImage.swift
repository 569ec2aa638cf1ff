/// The frames of one table, as hardware would read them.
public struct TableImage: Sendable {
  /// Addresses of its pages, ascending, and their words.
  public let pages: [(address: UInt64, words: [UInt64])]
  /// The registers to set to walk it, by name: VTTBR_EL2 and VTCR_EL2, or for a device's stage 1 words 0
  /// and 1 of the context descriptor.
  public let registers: [(name: String, value: UInt64)]

  /// Lowest address of a page.
  public var base: UInt64 { pages.first?.address ?? 0 }
}

extension Machine {
  /// The pages of a table of a VM or a device, or nil if there is none.
  public func image(of id: TableID) -> TableImage? {
    if let guest = guestTable(id) { return image(of: guest) }
    return id.kind == .vmmStage1 ? nil : table(id).map { image(of: $0) }
  }

  /// The frames of a table that the host keeps.
  public func image(of table: Table) -> TableImage {
    var frames = (0..<table.geometry.rootPages).map { table.root + $0 * Memory.frameWords }
    visit(.tablePre, of: table) {
      frames.append(Memory.firstSlot(ofFrameAt: $0.descriptor.address))
    }
    let registers: [(name: String, value: UInt64)]
    switch table.geometry.format {
    case .stage2, .dump:
      registers = [
        ("VTTBR", table.rootAddress | UInt64(table.vmid) << 48),
        ("VTCR", VTCR.hypervisor(table.geometry).bits),
      ]
    case .stage1, .process:
      let descriptor = ContextDescriptor(
        table, table.context, stalls: configuration.iommu.faults == .stall)
      registers = [("CD0", descriptor.control), ("CD1", descriptor.root)]
    }
    return TableImage(
      pages: frames.sorted().map { frame in
        (
          Memory.address(ofSlot: frame),
          (frame..<frame + Memory.frameWords).map { memory.load($0) }
        )
      },
      registers: registers)
  }

  /// The pages of a table that L1 keeps, at their canonical IPAs. Omits pages for which L1 has no memory.
  public func image(of guest: GuestTable) -> TableImage {
    let geometry = guest.geometry
    var pages: [UInt64: [UInt64]] = [:]
    /// Keeps a page, and says whether it is new and can be read.
    func keep(_ place: UInt64, _ entries: Int) -> Bool {
      if pages[place] != nil || pages.count >= Self.guestTableLimit { return false }
      guard peekGuestMemory(at: place) != nil else { return false }
      pages[place] = (0..<UInt64(entries)).map { peekGuestMemory(at: place + $0 * 8) ?? 0 }
      return true
    }
    if keep(guest.root, geometry.rootEntries) {
      var walk = TableWalk(of: guest, 0..<geometry.inputSize, .tablePre)
      while let entry = walk.next({ peekGuestMemory(at: $0) ?? 0 }) {
        let table = entry.descriptor.address(granuleShift: geometry.granuleShift)
        if !keep(table, geometry.tableEntries) { walk.skip() }
      }
    }
    return TableImage(
      pages: pages.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
      registers: [("VTTBR", guest.vttbr.bits), ("VTCR", guest.vtcr.bits)])
  }
}
