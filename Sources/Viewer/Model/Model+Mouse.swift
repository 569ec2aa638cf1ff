import Canvas
import Engine

/// The mouse, if switched on. Nothing requires it.
extension Model {
  /// Rows by which one notch of the wheel moves.
  private static let wheelRows = 3

  mutating func use(_ mouse: Mouse) -> [Effect] {
    guard usesMouse, prompt == nil, run == nil else { return [] }
    message = nil
    pending = nil
    if sheet != nil { return useSheet(mouse) }
    if layout.timeline.contains(mouse.point) {
      useTimeline(mouse, in: layout.timeline)
    } else {
      usePane(mouse)
    }
    return []
  }

  private mutating func usePane(_ mouse: Mouse) {
    guard let (pane, rect) = layout.panes.first(where: { $0.rect.contains(mouse.point) }) else {
      return
    }
    setFocus(pane)
    let operations = pane.operations
    let inside = Layout.inside(rect)
    switch mouse.action {
    case .wheelUp: operations.move(.rows(-Self.wheelRows), in: &self)
    case .wheelDown: operations.move(.rows(Self.wheelRows), in: &self)
    case .doubleClick where mouse.point.y == rect.y: isMaximised.toggle()
    case .click, .doubleClick:
      guard inside.contains(mouse.point),
        operations.select(at: mouse.point, in: inside, of: &self), mouse.action == .doubleClick
      else { return }
      operations.perform(.choose, in: &self)
    }
  }

  /// On the timeline a click goes to the event, and the wheel to adjacent ones.
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

  /// The open sheet scrolls, follows its lines' links, and closes at a click beside it.
  private mutating func useSheet(_ mouse: Mouse) -> [Effect] {
    guard var sheet else { return [] }
    let inside = Layout.sheet(sheet, in: size)
    switch mouse.action {
    case .wheelUp: moveInSheet(.rows(-Self.wheelRows))
    case .wheelDown: moveInSheet(.rows(Self.wheelRows))
    case .click where !Layout.box(around: inside).contains(mouse.point):
      self.sheet = nil
    case .click, .doubleClick:
      let lines = sheet.view.visible(
        in: sheet.document, width: inside.width, height: inside.height)
      let line = mouse.point.y - inside.y
      guard lines.indices.contains(line) else { return [] }
      let isChoice = sheet.view.choose(item: lines[line].item, in: sheet.document)
      self.sheet = sheet
      if isChoice, mouse.action == .doubleClick, let target = sheet.view.target(in: sheet.document)
      {
        return follow(target)
      }
    }
    return []
  }
}
