import Canvas
import Engine
import Inquiry
import Language

/// A pane that shows a table: a map of its address space, its rows, and the walk for the cursor's address.
///
/// Everything that table panes share is here and in the adjacent files; the requirements below are what
/// differs.
protocol TablePane: PaneOperations {
  /// The table's context in the title line, the most important first.
  func tableContext(in model: Model) -> [SafeText]
  /// Why there is no table to show, in lines.
  func absence(in model: Model) -> [SafeText]
  /// Columns for marks after a row.
  var markColumns: Int { get }
  /// The states of a leaf, as marks after its row.
  func marks(of row: Row, in model: Model) -> [(SafeText, Role)]
  /// The end of the input addresses that occur, for the width of a column.
  func inputEnd(of rows: Rows, in model: Model) -> UInt64
  /// The end of the output addresses that occur.
  func outputEnd(in model: Model) -> UInt64
}

extension TablePane {
  var markColumns: Int { 1 }

  func absence(in model: Model) -> [SafeText] { ["There is no such table."] }

  func reader(in model: Model) -> TableReader? {
    table(in: model).flatMap { model.machine.table($0) }.map { TableReader($0, in: model.machine) }
  }

  func marks(of row: Row, in model: Model) -> [(SafeText, Role)] { [] }

  func inputEnd(of rows: Rows, in model: Model) -> UInt64 { rows.last?.end ?? 0 }
  func outputEnd(in model: Model) -> UInt64 { model.machine.hostPagesEnd }

  func context(in model: Model) -> [SafeText] {
    (model.filter.map { filter in
      [filter.context(isCut: table(in: model).map { filter.isCut($0) } ?? false)]
    } ?? [])
      + (table(in: model).flatMap { model.age(of: $0) }.map { [$0] } ?? [])
      + tableContext(in: model)
  }

  // MARK: Rows

  /// The rows; nil if there is no table.
  func rows(in model: Model) -> Rows? {
    guard let view = model.views[pane], let id = table(in: model), let reader = reader(in: model)
    else { return nil }
    if let filter = model.filter {
      return Rows(
        reader, face: .flat, past: model.changes.past, extras: filter.found[id]?.rows ?? [],
        showsEntries: false)
    }
    let folds = view.folds[id] ?? Folds()
    var rows = Rows(
      reader, folds: folds, face: view.face, past: model.changes.past,
      extras: model.extraRows[id] ?? [], ranges: view.ranges(of: id, folds))
    if let cursor = view.cursor, cursor.address < reader.geometry.inputSize,
      model.selected == id || model.isLinked && model.link?.places[id] != nil
    {
      rows.addCursor(cursor)
    }
    return rows
  }

  /// The row under the cursor.
  func cursorRow(of rows: Rows, in model: Model) -> Row? {
    model.views[pane]?.cursor.flatMap { rows.row(at: $0) }
  }

  /// The lines of the inside: the map, the rows, the walk. The first and the last are present only if the
  /// rows leave room for them, and not on a projector.
  func parts(of rect: Rect, in model: Model) -> (map: Rect, rows: Rect, walk: Rect) {
    let height = model.isPresenting ? 0 : rect.height
    let parts = rect.rows(.fixed(height >= 13 ? 1 : 0), .flexible, .fixed(height >= 5 ? 1 : 0))
    return (parts[0], parts[1], parts[2])
  }

  func rowCount(height: Int, in model: Model) -> Int {
    let inside = Rect(x: 0, y: 0, width: 0, height: max(0, height))
    return (parts(of: inside, in: model).rows.height + model.rowPitch - 1) / model.rowPitch
  }

  func settle(_ model: inout Model, in rect: Rect) {
    guard var view = model.views[pane], let id = table(in: model) else { return }
    view.keepRanges(of: id, model.filter == nil ? view.folds[id] ?? Folds() : Folds())
    model.views[pane] = view
    guard let rows = rows(in: model) else { return }
    view.scroll(rows, height: rowCount(height: rect.height, in: model))
    model.views[pane] = view
  }

  // MARK: Words

  func place(in model: Model) -> SafeText {
    guard let rows = rows(in: model) else { return "no table." }
    guard let row = cursorRow(of: rows, in: model) ?? rows.first else { return "empty." }
    return words(of: row, in: model)
  }

  func content(in model: Model) -> [SafeText] {
    guard let rows = rows(in: model), var row = rows.first else { return [] }
    var lines = [words(of: row, in: model)]
    while let next = rows.next(after: row) {
      if lines.count == Spoken.linesAtMost {
        lines.append("More rows follow: use down, page-down or goto 0xADDRESS.")
        break
      }
      lines.append(words(of: next, in: model))
      row = next
    }
    return lines
  }

  /// A row as a sentence.
  private func words(of row: Row, in model: Model) -> SafeText {
    var text: SafeText = "level \(row.level), \(hex: row.address)"
    let entry = row.descriptor
    let geometry = reader(in: model)?.geometry ?? .stage2(bits: VMConfiguration.physicalBits)
    let isLeaf = geometry.kind(of: entry, at: row.level).isLeaf
    switch row.kind {
    case .table(let isOpen): text += ": a table, " + (isOpen ? "open" : "closed")
    case .absent: text += ": not mapped"
    case .leaf, .removed, .coming:
      if isLeaf {
        text +=
          geometry.format.knowsOutputs
          ? " maps to \(hex: geometry.output(of: entry, at: row.level))"
          : " is mapped, where to is not known"
        text +=
          ", "
          + SafeText(
            model.detailLevel == .plain
              ? entry.permissions.shortWords : entry.permissions.text)
        text += ", " + SafeText(Phrase.size(row.entrySize))
        if row.count > 1 { text += ", and \(row.count - 1) more that follow on" }
      } else {
        text += ": " + SafeText(Phrase.entry(entry, level: row.level, in: geometry))
      }
    }
    switch row.kind {
    case .removed: text += ", removed by this"
    case .coming: text += ", comes with the next event"
    case .table, .leaf, .absent: if row.isChanged { text += ", changed by this" }
    }
    if row.kind == .leaf, isLeaf, case .shadow(let number) = table(in: model),
      model.machine.isStale(entry, at: row.address, level: row.level, inShadow: number)
    {
      text += ", stale"
    }
    if let id = table(in: model), row.isBroken(at: model.brokenPlaces(in: id)) {
      text += ", breaks a rule"
    }
    return text + "."
  }
}

extension Model {
  /// Makes the rows of removed and future entries, ascending. A future entry hides a removed one.
  ///
  /// - Complexity: O(n log n) in these entries, so not for each frame.
  mutating func makeExtraRows() {
    extraRows = changes.removed.mapValues { $0.map { Row(removed: $0) } }
    for (id, coming) in forecast?.rows ?? [:] {
      let removed = (extraRows[id] ?? []).filter { row in
        let next = coming.indices.partitioningIndex { coming[$0].address >= row.address }
        return next == coming.count || coming[next].address >= row.end
      }
      extraRows[id] = (removed + coming).sorted { $0.position < $1.position }
    }
  }

  /// The number of entries of a table that the last event or micro-step changed, as a part of a title.
  func changeCount(of table: TableID) -> [SafeText] {
    let gone = changes.tablesGone[table].map { $0 == 1 ? "-1 table" : "-\($0) tables" as SafeText }
    return (changes.counts[table].map { ["\(Glyph.changed)\($0)"] } ?? [])
      + (gone.map { [$0] } ?? [])
  }

  /// The end of the VM's memory.
  var memorySlotsEnd: UInt64 { machine.memorySlots.last?.range.upperBound ?? 0 }
}
