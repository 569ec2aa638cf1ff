import Engine

/// Which table a pane shows, and its rows.
extension Model {
  /// The table of a pane; nil if it has none now.
  func tableID(of pane: Pane) -> TableID? {
    switch pane {
    case .canonical: machine.cpuTableID
    case .shadow:
      views[pane]?.pinned
        ?? (machine.configuration.nested ? .shadow(recentShadow) : recentProtectedGuest)
    case .guest: guestTable.map { .guest($0.vttbr.vmid) }
    case .iommu:
      views[pane]?.pinned ?? machine.attachedDevices.first.map { .iommu($0) } ?? .iommu(0)
    case .reverseMap, .steps, .detail: nil
    }
  }

  /// The table of L1's that is shown: the chosen one, else the one that the shadow serves, else any.
  var guestTable: GuestTable? {
    let tables = machine.guestTables
    if case .guest(let vmid) = views[.guest]?.pinned {
      return tables.first { $0.vttbr.vmid == vmid }
    }
    if case .shadow(let number) = tableID(of: .shadow),
      let table = machine.guestTable(ofShadow: number)
    {
      return table
    }
    return tables.first
  }

  /// The tables of the kind that a pane shows.
  func tables(like pane: Pane) -> [TableID] {
    switch pane {
    case .guest: machine.guestTables.map { .guest($0.vttbr.vmid) }
    case .shadow:
      (0..<machine.configuration.shadows).map { .shadow($0) }
        + machine.protectedGuests.map { .protectedGuest($0.number) }
    case .iommu: machine.attachedDevices.map { .iommu($0) }
    case .canonical, .reverseMap, .steps, .detail: []
    }
  }

  /// The guest of pKVM that the current event is about, or the first.
  private var recentProtectedGuest: TableID? {
    let guests = timeline.steps.compactMap { step -> TableID? in
      if case .protectedGuest = step.table { step.table } else { nil }
    }
    return guests.last ?? machine.protectedGuests.first.map { .protectedGuest($0.number) }
  }

  /// The pane that shows a table.
  func pane(showing id: TableID) -> Pane? {
    panes.first { $0.isTable && tableID(of: $0) == id }
  }

  /// The table that has the focus, or had it last.
  var lastTable: Pane { focus.isTable ? focus : lastTableFocus }

  func reader(of pane: Pane) -> TableReader? {
    if pane == .guest { return guestTable.map { TableReader($0, in: machine) } }
    return tableID(of: pane).flatMap { machine.table($0) }.map { TableReader($0, in: machine) }
  }

  /// The rows of a pane; nil if it has no table.
  func rows(of pane: Pane) -> Rows? {
    guard let view = views[pane], let id = tableID(of: pane), let reader = reader(of: pane)
    else { return nil }
    if let filter {
      return Rows(
        reader, face: .flat, past: changes.past, extras: filter.found[id]?.rows ?? [],
        showsEntries: false)
    }
    let folds = view.folds[id] ?? Folds()
    var rows = Rows(
      reader, folds: folds, face: view.face, past: changes.past, extras: extraRows(of: id),
      ranges: view.ranges.belong(to: id, folds))
    if let cursor = view.cursor, cursor.address < reader.geometry.inputSize,
      selected == id || isLinked && link?.places[id] != nil
    {
      rows.addCursor(cursor)
    }
    return rows
  }

  /// Entries that are gone, or will come, ascending. What will come hides what is gone.
  private func extraRows(of id: TableID) -> [Row] {
    let removed = changes.removed[id] ?? []
    guard let coming = forecast?.rows(of: id), !coming.isEmpty else { return removed }
    return (removed.filter { row in !coming.contains { row.covers($0.address) } } + coming)
      .sorted { $0.position < $1.position }
  }

  /// The rows of a pane that are in its rectangle.
  func visibleRows(of pane: Pane, height: Int) -> [Row] {
    guard let rows = rows(of: pane), let view = views[pane] else { return [] }
    return view.visible(rows, height: height)
  }

  /// Number of rows of a table for a pane of a height, its title included.
  static func rowCount(paneHeight: Int) -> Int {
    max(0, paneHeight - 1 - extraLines(paneHeight: paneHeight))
  }

  /// Lines of a table pane besides its title and its rows: the walk, and above some height the map.
  static func extraLines(paneHeight: Int) -> Int {
    paneHeight >= 14 ? 2 : paneHeight >= 6 ? 1 : 0
  }

  /// Brings cursors and scrolling in order after anything has changed.
  mutating func settle() {
    updateLink()
    let layout = Layout(self)
    for (pane, rect) in layout.panes where pane.isTable {
      guard var view = views[pane], let rows = rows(of: pane) else { continue }
      view.scroll(rows, height: Self.rowCount(paneHeight: rect.height))
      views[pane] = view
    }
    if let rect = layout.rect(of: .steps) {
      scrollSteps(width: rect.width, height: rect.height - 1)
    }
    refreshAnswer()
    settleReverseMap(layout)
    settleSheet()
  }
}
