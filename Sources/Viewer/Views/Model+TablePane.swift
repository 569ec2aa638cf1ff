import Canvas
import Engine

extension Model {
  /// A table: a map of its address space, its rows, and the walk for the cursor's address.
  func drawTable(_ pane: Pane, in rect: Rect, of frame: inout Surface) {
    guard let rows = rows(of: pane), let view = views[pane] else {
      return drawAbsence(of: pane, in: rect, of: &frame)
    }
    let extra = Self.extraLines(paneHeight: rect.height + 1)
    let parts = rect.rows(.fixed(extra > 1 ? 1 : 0), .flexible, .fixed(extra > 0 ? 1 : 0))
    drawMap(of: pane, rows, in: parts[0], of: &frame)
    drawRows(of: pane, rows, view, in: parts[1], of: &frame)
    drawWalk(of: pane, rows, in: parts[2], of: &frame)
  }

  private func drawAbsence(of pane: Pane, in rect: Rect, of frame: inout Surface) {
    for (index, text) in absence(of: pane).enumerated() {
      frame.write(Line(text, .dim), at: Point(rect.x + 1, rect.y + index), clip: rect)
    }
  }

  /// Why a pane has no table to show.
  private func absence(of pane: Pane) -> [SafeText] {
    if case .iommu(let device) = tableID(of: pane), machine.sharesAddresses(device) {
      return ["Stage 1, by the VMM's own table.", "\(key(.tlb)) says what of it is cached."]
    }
    return [pane == .guest ? "L1 uses no stage-2 table now." : "There is no such table."]
  }

  private func drawRows(
    of pane: Pane, _ rows: Rows, _ view: TableView, in rect: Rect, of frame: inout Surface
  ) {
    let format = format(of: pane, rows, width: rect.width)
    let visible = view.visible(rows, height: rect.height)
    if visible.isEmpty {
      frame.write(Line(emptiness(of: pane), .dim), at: Point(rect.x + 1, rect.y), clip: rect)
    }
    let cursor = view.cursor.flatMap { rows.row(at: $0) } ?? rows.first
    let id = tableID(of: pane)
    for (index, row) in visible.enumerated() {
      let line = Rect(x: rect.x, y: rect.y + index, width: rect.width, height: 1)
      draw(
        row, of: id, rows, format, isCursor: row == cursor && pane == focus, in: line, of: &frame)
    }
  }

  private func emptiness(of pane: Pane) -> SafeText {
    guard let filter else { return "empty" }
    let isComplete = tableID(of: pane).map { filter.isComplete($0) } ?? true
    return isComplete
      ? "No entry has this. \(key(.clearFilter)) shows all." : "Looking for entries."
  }

  private func draw(
    _ row: Row, of id: TableID?, _ rows: Rows, _ format: RowFormat, isCursor: Bool, in rect: Rect,
    of frame: inout Surface
  ) {
    let (gutter, gutterRole) = gutter(of: row, id)
    var point = frame.write(gutter, at: rect.origin, style: Style(gutterRole), clip: rect)
    let text = format.text(of: row, entries: row.isTable ? entryCount(of: row, rows) : 0)
    let isLinked = isLinkedRow(row, of: id)
    let style = Style(isLinked ? .linked : role(of: row), isCursor ? .reverse : [])
    let start = point
    let end = rect.right - format.markColumns
    point = frame.write(text.truncated(to: end - point.x), at: point, style: style, clip: rect)
    point = frame.write(
      format.remarks(on: row).truncated(to: end - point.x), at: point,
      style: Style(role(of: row)), clip: rect)
    for (mark, role) in marks(of: row, id) {
      point = frame.write(" " + mark, at: point, style: Style(role), clip: rect)
    }
    // The bar covers the entry; the indentation before it shows nothing.
    let indent = text.string.prefix { $0 == " " }.utf8.count
    if isCursor || isLinked {
      frame.restyle(Rect(x: start.x, y: rect.y, width: indent, height: 1)) { $0 = .plain }
    }
  }

  private func gutter(of row: Row, _ id: TableID?) -> (SafeText, Role) {
    switch row.kind {
    case .removed: ("-", .changed)
    case .coming: (">", .warning)
    default:
      if let id, let forecast, row.kind == .leaf, forecast.touches(row, of: id) {
        (">", .warning)
      } else {
        row.isChanged ? (SafeText(.changed), .changed) : (" ", .text)
      }
    }
  }

  private func role(of row: Row) -> Role {
    switch row.kind {
    case .table: .dim
    case .removed, .coming, .absent: .invalid
    case .leaf: row.level < Geometry.lastLevel ? .block : .text
    }
  }

  /// Whether the selected page is in a row, other than as a table around it.
  private func isLinkedRow(_ row: Row, of id: TableID?) -> Bool {
    guard isLinked, let id, id != selected, let places = link?.places[id] else { return false }
    return places.contains { row.covers($0) }
  }

  /// States that a row is in.
  private func marks(of row: Row, _ id: TableID?) -> [(SafeText, Role)] {
    guard row.kind == .leaf, row.descriptor.isLeaf(row.level) else { return [] }
    switch id {
    case .shadow(let number):
      let isStale = machine.isStale(
        row.descriptor, at: row.address, level: row.level, inShadow: number)
      return isStale ? [(SafeText(.stale), .stale)] : []
    case .canonical, .protectedHost:
      return machine.attachedDevices.contains { disagrees(row, with: $0) }
        ? [(SafeText(.mismatch), .mismatch)] : []
    case .iommu(let device):
      return machine.disagreement(of: row, ofDevice: device).map { [($0.sign, $0.role)] } ?? []
    default: return []
    }
  }

  /// Whether a page that is pinned for a device at an end of a row is another than the row leads to.
  private func disagrees(_ row: Row, with device: Int) -> Bool {
    let last = row.entrySize * UInt64(row.count) - 4096
    return [0, last].contains { offset in
      machine.pinnedPage(at: row.address + offset, device: device)
        .map { $0 != row.descriptor.address + offset } ?? false
    }
  }

  /// Number of entries of the table that a row points to.
  private func entryCount(of row: Row, _ rows: Rows) -> Int {
    let path = rows.reader.path(to: row.address)
    return path.first { $0.page.level == row.level + 1 }?.page.usedCount ?? 0
  }

  /// The columns of a pane.
  func format(of pane: Pane, _ rows: Rows, width: Int) -> RowFormat {
    let slotsEnd = machine.memorySlots.last?.range.upperBound ?? 0
    let isCanonical = pane == .canonical
    return RowFormat(
      rows, inputEnd: isCanonical ? slotsEnd : rows.last?.end ?? 0,
      outputEnd: pane == .guest ? slotsEnd : machine.hostPagesEnd, width: width,
      markColumns: pane == .iommu ? 3 : 1,
      detail: detailLevel)
  }
}
