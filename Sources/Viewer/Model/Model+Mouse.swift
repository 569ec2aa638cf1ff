import Canvas
import Engine

/// The mouse, for whoever has asked for it. Nothing needs it.
extension Model {
  mutating func use(_ mouse: Mouse) {
    guard usesMouse, prompt == nil, run == nil else { return }
    if sheet != nil {
      scrollSheet(by: mouse.action == .wheelUp ? -3 : mouse.action == .wheelDown ? 3 : 0)
      return
    }
    let layout = Layout(self)
    if layout.timeline.contains(mouse.point), mouse.action == .click {
      completeHistory()
      let scale = TimeScale(count: timeline.events.count, width: layout.timeline.width - 2)
      let column = mouse.point.x - layout.timeline.x - 1
      guard (0..<scale.columns).contains(column) else { return }
      return jump(to: Moment(events: scale.events(in: column).lowerBound + 1))
    }
    guard let (pane, rect) = layout.panes.first(where: { $0.rect.contains(mouse.point) }) else {
      return
    }
    setFocus(pane)
    switch mouse.action {
    case .wheelUp: moveCursor(by: -3)
    case .wheelDown: moveCursor(by: 3)
    case .click: select(line: mouse.point.y - rect.y - 1, of: pane, height: rect.height)
    case .doubleClick: if obstacle(to: .choose) == nil { choose() }
    }
  }

  /// Puts the cursor of a pane on a line of it.
  private mutating func select(line: Int, of pane: Pane, height: Int) {
    guard line >= 0 else { return }
    switch pane {
    case .steps:
      if timeline.steps.indices.contains(steps.top + line) { steps.cursor = steps.top + line }
    case .canonical, .guest, .shadow, .iommu:
      let map = Self.extraLines(paneHeight: height) > 1 ? 1 : 0
      let rows = visibleRows(of: pane, height: Self.rowCount(paneHeight: height))
      if rows.indices.contains(line - map) { put(cursor: rows[line - map].position) }
    case .reverseMap, .detail: break
    }
  }
}
