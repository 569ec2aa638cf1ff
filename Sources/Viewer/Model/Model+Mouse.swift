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
    case .click: select(line: mouse.point.y - rect.y - 1, of: pane, in: rect)
    case .doubleClick: if obstacle(to: .choose) == nil { choose() }
    }
  }

  /// Puts the cursor of a pane on a line of it, not counting its title.
  private mutating func select(line: Int, of pane: Pane, in rect: Rect) {
    guard line >= 0 else { return }
    switch pane {
    case .steps:
      let inside = Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1)
      let lines = visibleStepLines(in: inside)
      if lines.indices.contains(line) { steps.cursor = lines[line].step }
    case .canonical, .guest, .shadow, .iommu:
      let map = Self.extraLines(paneHeight: rect.height) > 1 ? 1 : 0
      let rows = visibleRows(of: pane, height: Self.rowCount(paneHeight: rect.height))
      if rows.indices.contains(line - map) { put(cursor: rows[line - map].position) }
    case .detail:
      let lines = detail.visible(in: answer, width: rect.width - 2, height: rect.height - 1)
      guard lines.indices.contains(line) else { return }
      detail.choose(item: lines[line].item, in: answer)
    case .reverseMap: break
    }
  }
}
