import Canvas
import Engine
import Inquiry

/// Keys and the mouse in a table.
extension TablePane {
  func move(_ movement: Movement, in model: inout Model) {
    guard let rows = rows(in: model), let first = rows.first, let last = rows.last else {
      return model.refuse("The table is empty.")
    }
    let row: Row
    switch movement {
    case .first: row = first
    case .last: row = last
    case .rows(let distance):
      guard let now = cursorRow(of: rows, in: model) else {
        row = first
        break
      }
      row =
        distance < 0
        ? TableView.row(-distance, before: now, in: rows)
        : TableView.row(distance, after: now, in: rows)
    }
    put(cursor: row.position, in: &model)
  }

  func takeFocus(in model: inout Model) {
    model.lastTableFocus = pane
    model.isRangeSelected = false
    if model.views[pane]?.cursor != nil, let table = table(in: model) { model.selected = table }
  }

  /// Puts the cursor somewhere for the user: it stays there.
  private func put(cursor: Position, in model: inout Model) {
    model.views[pane]?.cursor = cursor
    model.selected = table(in: model)
    model.isFollowing = false
  }

  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool {
    let list = parts(of: rect, in: model).rows
    let line = (point.y - list.y) / model.rowPitch
    guard let rows = rows(in: model), let view = model.views[pane] else { return false }
    let visible = view.visible(rows, height: rowCount(height: rect.height, in: model))
    guard visible.indices.contains(line) else { return false }
    put(cursor: visible[line].position, in: &model)
    return true
  }

  func obstacle(to action: Action, in model: Model) -> SafeText? {
    switch action {
    case .nextTable, .previousTable:
      tables(in: model).count > 1 ? nil : obstacleOutsideTables(to: action, in: model)
    case .choose: rows(in: model)?.first == nil ? nothingToChoose(in: model) : nil
    default: nil
    }
  }

  func perform(_ action: Action, in model: inout Model) {
    switch action {
    case .left: fold(&model)
    case .right: unfold(&model)
    case .choose:
      guard let rows = rows(in: model), let row = cursorRow(of: rows, in: model) else { return }
      switch row.kind {
      case .table(isOpen: true): fold(&model)
      // If a lesson asks for an entry, Enter answers.
      case .leaf where model.lesson?.isPointing ?? false: model.pointAtSelection()
      case .table, .leaf, .removed, .coming, .absent: unfold(&model)
      }
    case .flat: toggleFace(&model)
    case .nextTable: show(1, &model)
    case .previousTable: show(-1, &model)
    default: break
    }
  }

  private func changeFolds(_ model: inout Model, _ change: (inout Folds) -> Void) {
    guard let id = table(in: model) else { return }
    change(&model.views[pane, default: TableView()].folds[id, default: Folds()])
  }

  /// Closes the item under the cursor, or goes to the table around it.
  private func fold(_ model: inout Model) {
    guard let rows = rows(in: model), let row = cursorRow(of: rows, in: model) else { return }
    if row.kind == .table(isOpen: true), rows.face == .tree {
      return changeFolds(&model) { $0.close(row.position) }
    }
    let path = rows.reader.path(to: row.address).filter { $0.page.level <= row.level }
    guard let page = path.last?.page else { return }
    let start = Position(page.address, level: page.level)
    if rows.folds.isUnfolded(start) {
      changeFolds(&model) { $0.fold(start) }
    } else if path.count > 1, rows.face == .tree {
      let parent = path[path.count - 2]
      let position = Position(parent.page.address(of: parent.index), level: parent.page.level)
      put(cursor: position, in: &model)
    } else {
      model.refuse("This is already the root table.")
    }
  }

  /// Opens the item under the cursor, or goes to its first entry.
  private func unfold(_ model: inout Model) {
    guard let rows = rows(in: model), let row = cursorRow(of: rows, in: model) else { return }
    switch row.kind {
    case .table(isOpen: false): changeFolds(&model) { $0.open(row.position) }
    case .table(isOpen: true):
      if let next = rows.next(after: row), next.level > row.level {
        put(cursor: next.position, in: &model)
      }
    case .leaf where row.count > 1:
      let path = rows.reader.path(to: row.address)
      guard let page = path.last(where: { $0.page.level == row.level })?.page else { return }
      changeFolds(&model) { $0.unfold(Position(page.address, level: page.level)) }
    case .leaf, .removed, .coming, .absent: model.refuse("There is nothing below this entry.")
    }
  }

  private func toggleFace(_ model: inout Model) {
    guard let face = model.views[pane]?.face else { return }
    model.views[pane]?.face = face == .tree ? .flat : .tree
    model.say(face == .flat ? "Shown as a tree." : "Shown as ranges.")
  }

  /// Shows another table of the kind.
  private func show(_ direction: Int, _ model: inout Model) {
    let choices = tables(in: model)
    guard let now = table(in: model), let index = choices.firstIndex(of: now) else { return }
    model.views[pane]?.pinned = choices[(index + direction + choices.count) % choices.count]
  }

  /// Finds the next row with the searched text, at full width or as shown now.
  func find(forward: Bool, in model: inout Model) {
    guard let rows = rows(in: model), let first = rows.first, let last = rows.last else {
      return model.refuse("The table is empty.")
    }
    let width = inside(model)?.width ?? 0
    let formats = [Self.widest, width].map { format(of: rows, in: model, width: $0) }
    let start = cursorRow(of: rows, in: model)
    var row = start
    var hasWrapped = false
    var isWhole = false
    for _ in 0..<Self.rowsAtMost {
      let following = row.flatMap { forward ? rows.next(after: $0) : rows.previous(before: $0) }
      if following == nil {
        if hasWrapped {
          isWhole = true
          break
        }
        hasWrapped = true
      }
      let next = following ?? (forward ? first : last)
      if formats.contains(where: {
        model.matches(($0.text(of: next, entries: 0) + $0.remarks(on: next)).string)
      }) {
        put(cursor: next.position, in: &model)
        return hasWrapped ? model.say("Search wrapped.") : ()
      }
      if hasWrapped, next == start {
        isWhole = true
        break
      }
      row = next
    }
    model.refuse(
      isWhole
        ? "No row of \(name(in: model)) has \"\(SafeText(model.searched))\"."
        : "None of the next \(Self.rowsAtMost) rows of \(name(in: model)) has "
          + "\"\(SafeText(model.searched))\".")
  }

  /// Maximum number of rows examined in one search.
  private static var rowsAtMost: Int { 50_000 }
  /// A width in columns at which nothing of a row is omitted.
  private static var widest: Int { 200 }
}
