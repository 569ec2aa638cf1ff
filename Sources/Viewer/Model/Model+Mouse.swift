import Canvas
import Engine

/// The mouse, for whoever has asked for it. Nothing needs it.
extension Model {
  /// Rows by which one notch of the wheel moves.
  private static let wheelRows = 3

  mutating func use(_ mouse: Mouse) {
    guard usesMouse, prompt == nil, run == nil else { return }
    message = nil
    pending = nil
    if sheet != nil { return useSheet(mouse) }
    let layout = Layout(self)
    if layout.timeline.contains(mouse.point) { return useTimeline(mouse, in: layout.timeline) }
    guard let (pane, rect) = layout.panes.first(where: { $0.rect.contains(mouse.point) }) else {
      return
    }
    setFocus(pane)
    switch mouse.action {
    case .wheelUp: moveCursor(by: -Self.wheelRows)
    case .wheelDown: moveCursor(by: Self.wheelRows)
    case .click: select(at: mouse.point, of: pane, in: rect)
    case .doubleClick where mouse.point.y == rect.y: isMaximised.toggle()
    case .doubleClick: if select(at: mouse.point, of: pane, in: rect) { choose() }
    }
  }

  /// On the timeline a click goes to the event, and the wheel to those beside it.
  private mutating func useTimeline(_ mouse: Mouse, in rect: Rect) {
    completeHistory()
    switch mouse.action {
    case .wheelUp: _ = perform(Command(.previousEvent))
    case .wheelDown: _ = perform(Command(.nextEvent))
    case .click, .doubleClick:
      let scale = TimeScale(count: timeline.events.count, width: rect.width - 2)
      let column = mouse.point.x - rect.x - 1
      guard (0..<scale.columns).contains(column) else { return }
      jump(to: Moment(events: scale.events(in: column).lowerBound + 1))
    }
  }

  /// What is open above the panes scrolls, leads where its lines lead, and closes at a click beside it.
  private mutating func useSheet(_ mouse: Mouse) {
    guard var sheet else { return }
    let inside = Layout.sheet(sheet, in: size)
    switch mouse.action {
    case .wheelUp: moveInSheet(by: -Self.wheelRows)
    case .wheelDown: moveInSheet(by: Self.wheelRows)
    case .click where !Layout.box(around: inside).contains(mouse.point):
      self.sheet = nil
    case .click, .doubleClick:
      let lines = sheet.view.visible(
        in: sheet.document, width: inside.width, height: inside.height)
      let line = mouse.point.y - inside.y
      guard lines.indices.contains(line) else { return }
      let isChoice = sheet.view.choose(item: lines[line].item, in: sheet.document)
      self.sheet = sheet
      if isChoice, mouse.action == .doubleClick, let target = sheet.view.target(in: sheet.document)
      {
        follow(target)
      }
    }
  }

  /// Puts the cursor of a pane where a point of it is. Returns whether there is anything.
  @discardableResult
  private mutating func select(at point: Point, of pane: Pane, in rect: Rect) -> Bool {
    let inside = Layout.inside(rect)
    guard inside.contains(point) else { return false }
    let line = point.y - inside.y
    switch pane {
    case .steps:
      let lines = visibleStepLines(in: inside)
      guard lines.indices.contains(line) else { return false }
      steps.cursor = lines[line].step
    case .canonical, .guest, .shadow, .iommu:
      let map = Self.extraLines(paneHeight: rect.height) > 1 ? 1 : 0
      let rows = visibleRows(of: pane, height: Self.rowCount(paneHeight: rect.height))
      guard rows.indices.contains(line - map) else { return false }
      put(cursor: rows[line - map].position)
    case .detail:
      let lines = detail.visible(in: answer, width: rect.width - 2, height: inside.height)
      guard lines.indices.contains(line) else { return false }
      return detail.choose(item: lines[line].item, in: answer)
    case .reverseMap:
      guard let entry = mappedEntry(at: point, in: inside) else { return false }
      reverseMap.cursor = entry
    }
    return true
  }
}
