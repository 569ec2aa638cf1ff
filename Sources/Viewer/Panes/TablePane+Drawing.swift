import Canvas
import Engine
import Inquiry
import Language

/// Drawing a table.
extension TablePane {
  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText {
    guard let rows = rows(in: model) else {
      for (y, text) in absence(in: model).enumerated() {
        frame.write(Line(text, .dim), at: Point(rect.x + 1, rect.y + y), clip: rect)
      }
      return ""
    }
    let parts = parts(of: rect, in: model)
    drawMap(model, rows, in: parts.map, of: &frame)
    let visible =
      model.views[pane]?.visible(rows, height: rowCount(height: rect.height, in: model)) ?? []
    draw(visible, of: rows, model, in: parts.rows, of: &frame)
    drawWalk(model, rows, in: parts.walk, of: &frame)
    guard let first = visible.first, let last = visible.last else { return "" }
    return .arrows(
      up: rows.previous(before: first) != nil, down: rows.next(after: last) != nil)
  }

  // MARK: Rows

  private func draw(
    _ visible: [Row], of rows: Rows, _ model: Model, in rect: Rect, of frame: inout Surface
  ) {
    if visible.isEmpty {
      frame.write(
        Line(emptiness(in: model), .dim), at: Point(rect.x + 1, rect.y), clip: rect)
      return
    }
    let style = RowStyle(model, self, format(of: rows, in: model, width: rect.width), rows)
    let cursor = cursorRow(of: rows, in: model) ?? rows.first
    for (index, row) in visible.enumerated() {
      let line = Rect(x: rect.x, y: rect.y + index * model.rowPitch, width: rect.width, height: 1)
      draw(row, style, isCursor: row == cursor && pane == model.focus, in: line, of: &frame)
    }
  }

  private func emptiness(in model: Model) -> SafeText {
    guard let filter = model.filter else {
      return model.machine.configuration.isSeen && model.timeline.moment.events == 0
        ? "? not told" : "empty"
    }
    let isComplete = table(in: model).map { filter.isComplete($0) } ?? true
    return isComplete
      ? "No entry matches. \(model.quoted(.clearFilter)) shows all." : "Looking for entries."
  }

  /// The columns of the rows.
  func format(of rows: Rows, in model: Model, width: Int) -> RowFormat {
    RowFormat(
      rows, inputEnd: inputEnd(of: rows, in: model), outputEnd: outputEnd(in: model), width: width,
      markColumns: markColumns, detail: model.detailLevel)
  }

  private func draw(
    _ row: Row, _ style: RowStyle, isCursor: Bool, in rect: Rect, of frame: inout Surface
  ) {
    let (gutter, gutterRole) = style.gutter(of: row)
    var point = frame.write(gutter, at: rect.origin, style: Style(gutterRole), clip: rect)
    let text = style.format.text(of: row, entries: row.isTable ? style.entryCount(of: row) : 0)
    let isLinked = style.isLinked(row)
    let start = point
    let end = rect.right - markColumns
    point = frame.write(
      text.truncated(to: end - point.x), at: point,
      style: Style(isLinked ? .linked : style.role(of: row), isCursor ? .reverse : []), clip: rect)
    point = frame.write(
      style.format.remarks(on: row).truncated(to: end - point.x), at: point,
      style: Style(style.role(of: row)), clip: rect)
    let states =
      row.kind == .leaf && style.format.isLeaf(row) ? marks(of: row, in: style.model) : []
    // A broken rule there says more than any legal state.
    let breaks = style.breaksRule(row) && !states.contains { $0.1 == .mismatch }
    for (mark, role) in breaks ? [(SafeText(.mismatch), .mismatch)] : states {
      point = frame.write(" " + mark, at: point, style: Style(role), clip: rect)
    }
    // The bar covers the entry; the indentation before it shows nothing.
    let indent = text.string.prefix { $0 == " " }.utf8.count
    if isCursor || isLinked {
      frame.restyle(Rect(x: start.x, y: rect.y, width: indent, height: 1)) { $0 = .plain }
    }
  }

  // MARK: Map and walk

  /// A map of the address space: a column for each power of two from 4K on, whose height shows how much
  /// is mapped there.
  private func drawMap(_ model: Model, _ rows: Rows, in rect: Rect, of frame: inout Surface) {
    guard rect.width > 8, rect.height > 0 else { return }
    let map = AddressMap(rows.reader)
    let labels: (SafeText, SafeText) = (
      "4K ", " \(SafeText(Phrase.size(rows.reader.geometry.inputSize)))"
    )
    let columns = min(map.cells.count, rect.width - labels.0.columns - labels.1.columns - 2)
    var point = frame.write(labels.0, at: Point(rect.x + 1, rect.y), style: Style(.dim), clip: rect)
    let cursor = shownCursor(in: model).map { map.cell(of: $0.address) }
    for (index, height) in map.cells.prefix(max(0, columns)).enumerated() {
      let glyph: Glyph = height == 0 ? .middleDot : Glyph.bars[height - 1]
      let isCursor = index == cursor
      point = frame.write(
        SafeText(glyph), at: point,
        style: Style(height == 0 ? .dim : .valid, isCursor ? .reverse : []), clip: rect)
    }
    frame.write(labels.1, at: point, style: Style(.dim), clip: rect)
  }

  /// The cursor, if it is at the selected page, or the pane has the focus; otherwise it is left over
  /// from another moment.
  private func shownCursor(in model: Model) -> Position? {
    guard let cursor = model.views[pane]?.cursor, let selected = model.selected,
      let id = table(in: model)
    else { return nil }
    let isLinked = model.link?.places[id]?.contains(cursor.address) ?? false
    let isWatched = pane == model.focus && !model.isFollowing
    return id == selected || isLinked || isWatched || !model.isLinked ? cursor : nil
  }

  /// The walk of the table for the cursor's address: the index at each level, and how it ends.
  private func drawWalk(_ model: Model, _ rows: Rows, in rect: Rect, of frame: inout Surface) {
    guard rect.height > 0, let cursor = shownCursor(in: model) else { return }
    let path = rows.reader.path(to: cursor.address)
    let isPlain = model.detailLevel == .plain
    var line = Line(isPlain ? " entries" : " walk", .dim)
    for (page, index) in path {
      line.add(isPlain ? " \(index)" : " L\(page.level)[\(index)]", .text)
    }
    if let (page, index) = path.last {
      let entry = page[index]
      line.add(" \(Glyph.right) ", .dim)
      if page.kind(of: index).isLeaf {
        let rights = entry.permissions
        line.add(SafeText(isPlain ? rights.shortWords : rights.text), .permission)
      } else {
        line.add(
          SafeText(Phrase.entry(entry, level: page.level, in: rows.reader.geometry)), .invalid)
      }
    }
    frame.write(line, at: rect.origin, clip: rect)
  }
}

/// How the rows of a table look in one frame.
private struct RowStyle {
  let model: Model
  let format: RowFormat
  private let id: TableID?
  private let rows: Rows
  /// Input addresses of the linked page, if its rows are highlighted in this table.
  private let linked: [UInt64]
  /// Input addresses at which rules are broken, ascending.
  private let broken: [UInt64]

  init(_ model: Model, _ pane: some TablePane, _ format: RowFormat, _ rows: Rows) {
    self.model = model
    self.format = format
    self.rows = rows
    id = pane.table(in: model)
    let isElsewhere = model.isLinked && (id != model.selected || model.selectedRange != nil)
    linked = isElsewhere ? id.flatMap { model.link?.places[$0] } ?? [] : []
    broken = id.map { model.brokenPlaces(in: $0) } ?? []
  }

  /// Whether a rule is broken at an entry of the row, or below it if it is closed.
  func breaksRule(_ row: Row) -> Bool { row.isBroken(at: broken) }

  /// Whether the selected page is in a row, other than as a table around it.
  func isLinked(_ row: Row) -> Bool { linked.contains { row.covers($0) } }

  func gutter(of row: Row) -> (SafeText, Role) {
    switch row.kind {
    case .removed: return ("-", .changed)
    case .coming: return (SafeText(.coming), .warning)
    case .table, .leaf, .absent:
      if let id, let forecast = model.forecast, row.kind == .leaf, forecast.touches(row, of: id) {
        return (SafeText(.coming), .warning)
      }
      return row.isChanged ? (SafeText(.changed), .changed) : (" ", .text)
    }
  }

  func role(of row: Row) -> Role {
    switch row.kind {
    case .table: .dim
    case .removed, .coming, .absent: .invalid
    case .leaf where row.descriptor.isUnseen: .unknown
    case .leaf: row.level < Geometry.lastLevel ? .block : .text
    }
  }

  /// Number of entries of the table that a row points to.
  func entryCount(of row: Row) -> Int {
    guard
      let page = rows.reader.path(to: row.address).first(where: { $0.page.level == row.level + 1 })?
        .page
    else { return 0 }
    // Of a table that was seen those that no dump told are not known to be there.
    return model.machine.configuration.isSeen
      ? (0..<page.count).count { page[$0].bits != 0 && !page[$0].isUnseen } : page.usedCount
  }
}
