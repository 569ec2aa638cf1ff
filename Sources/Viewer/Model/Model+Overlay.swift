import Canvas

/// Keys while something is open above the panes.
extension Model {
  mutating func performInOverlay(_ command: Command) -> [Effect] {
    switch command.action {
    case .back, .quit, .help: overlay = nil
    case .quitNow: isFinished = true
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .down: scrollOverlay(by: 1)
    case .up: scrollOverlay(by: -1)
    case .pageDown, .halfPageDown: scrollOverlay(by: size.height / 2)
    case .pageUp, .halfPageUp: scrollOverlay(by: -size.height / 2)
    case .top: scrollOverlay(by: -1_000)
    case .bottom: scrollOverlay(by: 1_000)
    default: refuse("Escape closes this first.")
    }
    return []
  }

  private mutating func scrollOverlay(by distance: Int) {
    guard case .help(let top) = overlay else { return }
    overlay = .help(top: min(max(0, top + distance), Action.allCases.count))
  }
}
