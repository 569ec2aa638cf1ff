import Canvas
import Engine

/// One of L1's tables.
struct GuestPane: TablePane {
  var pane: Pane { .guest }
  var region: PaneRegion { .table(rank: 3) }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool {
    configuration.nested && !configuration.isSeen
  }

  func table(in model: Model) -> TableID? { guest(in: model).map { .guest($0.vttbr.vmid) } }

  func tables(in model: Model) -> [TableID] {
    // They are in the order of their VMIDs; L1 may use one VMID with several VTCRs.
    model.machine.guestTables.reduce(into: []) { tables, table in
      let id = TableID.guest(table.vttbr.vmid)
      if tables.last != id { tables.append(id) }
    }
  }

  /// The table shown: the chosen one, else the one that the shadow serves, else any.
  func guest(in model: Model) -> GuestTable? {
    let tables = model.machine.guestTables
    if case .guest(let vmid) = model.views[pane]?.pinned {
      return tables.first { $0.vttbr.vmid == vmid }
    }
    if case .shadow(let number) = model.tableID(of: .shadow),
      let table = model.machine.guestTable(ofShadow: number)
    {
      return table
    }
    return tables.first
  }

  func reader(in model: Model) -> TableReader? {
    guest(in: model).map { TableReader($0, in: model.machine) }
  }

  func name(in model: Model) -> SafeText {
    guest(in: model).map { "Guest \($0.vttbr.vmid)" } ?? "Guest"
  }

  func tableContext(in model: Model) -> [SafeText] {
    guard let table = guest(in: model) else { return ["nIPA \(Glyph.right) IPA"] }
    return ["nIPA \(Glyph.right) IPA"] + strangeness(of: table, in: model)
      + model.changeCount(of: .guest(table.vttbr.vmid)) + [
        "\(1 << (table.vtcr.granuleShift - 10))K", "root \(hex: table.root)",
        "VTCR \(hex: table.vtcr.bits)",
      ]
  }

  /// A remark if the user chose another table than the one that the adjacent shadow serves.
  private func strangeness(of table: GuestTable, in model: Model) -> [SafeText] {
    guard case .shadow(let number) = model.tableID(of: .shadow),
      let served = model.machine.guestTable(ofShadow: number), served != table
    else { return [] }
    return ["not shadow \(number)'s"]
  }

  var term: String { "guest table" }

  func absence(in model: Model) -> [SafeText] { ["L1 uses no stage-2 table now."] }

  func outputEnd(in model: Model) -> UInt64 { model.memorySlotsEnd }
}
