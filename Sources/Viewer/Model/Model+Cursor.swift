import Engine

/// Moving the cursor of the pane that has the focus.
extension Model {
  /// Rows that the pane in focus shows.
  var focusHeight: Int {
    guard let rect = Layout(self).rect(of: focus) else { return 1 }
    return focus.isTable ? Self.rowCount(paneHeight: rect.height) : rect.height - 1
  }

  /// Moves by rows; by a number that is too large, to the first or last.
  mutating func moveCursor(by distance: Int) {
    switch focus {
    case .steps: moveStepCursor(by: distance)
    case .detail: detail.move(by: distance, in: answer)
    case .reverseMap: moveReverseMapCursor(by: distance)
    case .canonical, .guest, .shadow, .iommu: moveTableCursor(by: distance)
    }
  }

  private mutating func moveTableCursor(by distance: Int) {
    guard let rows = rows(of: focus), let first = rows.first, let last = rows.last else {
      return refuse("The table is empty.")
    }
    let row: Row
    switch distance {
    case -Int.max: row = first
    case Int.max: row = last
    default:
      guard let now = cursorRow(rows) else {
        row = first
        break
      }
      row =
        distance < 0
        ? TableView.row(-distance, before: now, in: rows)
        : TableView.row(distance, after: now, in: rows)
    }
    put(cursor: row.position)
  }

  /// The row of the cursor in the pane in focus.
  func cursorRow(_ rows: Rows) -> Row? {
    views[focus]?.cursor.flatMap { rows.row(at: $0) }
  }

  /// Puts the cursor of the pane in focus somewhere, by a person's wish: it stays there.
  mutating func put(cursor: Position) {
    views[focus]?.cursor = cursor
    selected = tableID(of: focus)
    isFollowing = false
  }

  private mutating func changeFolds(_ change: (inout Folds) -> Void) {
    guard let id = tableID(of: focus) else { return }
    change(&views[focus, default: TableView()].folds[id, default: Folds()])
  }

  /// Closes what the cursor is on, or goes to the table around it; scrolls the table of an answer.
  mutating func fold() {
    if focus == .detail { return detail.moveSideways(by: -1) }
    guard let rows = rows(of: focus), let row = cursorRow(rows) else { return }
    if row.kind == .table(isOpen: true), rows.face == .tree {
      return changeFolds { $0.close(row.position) }
    }
    let path = rows.reader.path(to: row.address).filter { $0.page.level <= row.level }
    guard let page = path.last?.page else { return }
    let start = Position(page.address, level: page.level)
    if rows.folds.isUnfolded(start) {
      changeFolds { $0.fold(start) }
    } else if path.count > 1, rows.face == .tree {
      let parent = path[path.count - 2]
      put(cursor: Position(parent.page.address(of: parent.index), level: parent.page.level))
    } else {
      refuse("The root is around this.")
    }
  }

  /// Opens what the cursor is on, or goes to its first entry; scrolls the table of an answer.
  mutating func unfold() {
    if focus == .detail { return detail.moveSideways(by: 1) }
    guard let rows = rows(of: focus), let row = cursorRow(rows) else { return }
    switch row.kind {
    case .table(isOpen: false): changeFolds { $0.open(row.position) }
    case .table(isOpen: true):
      if let next = rows.next(after: row), next.level > row.level { put(cursor: next.position) }
    case .leaf where row.count > 1:
      let path = rows.reader.path(to: row.address)
      guard let page = path.last(where: { $0.page.level == row.level })?.page else { return }
      changeFolds { $0.unfold(Position(page.address, level: page.level)) }
    case .leaf, .removed, .coming, .absent: refuse("There is nothing below this entry.")
    }
  }

  /// Folds, unfolds, or goes to the moment of a step.
  mutating func choose() {
    switch focus {
    case .canonical, .guest, .shadow, .iommu:
      guard let rows = rows(of: focus), let row = cursorRow(rows) else { return }
      if row.kind == .table(isOpen: true) { fold() } else { unfold() }
    case .steps: goToStep()
    case .detail: if let target = detail.target(in: answer) { follow(target) }
    case .reverseMap: chooseReverseMapEntry()
    }
  }

  mutating func toggleFace() {
    guard var view = views[focus] else { return }
    view.face = view.face == .tree ? .flat : .tree
    views[focus] = view
    say(view.face == .tree ? "Shown as a tree." : "Shown as ranges.")
  }

  /// Shows another table of the kind that the pane in focus shows.
  mutating func showTable(_ direction: Int) {
    let choices = tables(like: focus)
    guard let now = tableID(of: focus), let index = choices.firstIndex(of: now) else { return }
    views[focus]?.pinned = choices[(index + direction + choices.count) % choices.count]
  }
}
