import Canvas
import Engine

extension Model {
  /// Carries an action out, or says why it cannot be.
  mutating func perform(_ command: Command) -> [Effect] {
    if overlay != nil { return performInOverlay(command) }
    switch command.action {
    case .nextEvent: move { $0.forward() } ?? refuse("This is the end. , goes back.")
    case .previousEvent: move { $0.back() } ?? refuse("This is the start. . goes forward.")
    case .nextStep: move { $0.stepForward() } ?? refuse("This is the end. S goes back.")
    case .previousStep: move { $0.stepBack() } ?? refuse("This is the start. s goes forward.")
    case .nextMark: goToMark(forward: true)
    case .previousMark: goToMark(forward: false)
    case .start: go(to: Moment(events: 0))
    case .end: go(to: Moment(events: timeline.events.count))
    case .goTo: goTo(command.argument)
    case .up: moveCursor(by: -1)
    case .down: moveCursor(by: 1)
    case .halfPageUp: moveCursor(by: -max(1, focusHeight / 2))
    case .halfPageDown: moveCursor(by: max(1, focusHeight / 2))
    case .pageUp: moveCursor(by: -max(1, focusHeight - 1))
    case .pageDown: moveCursor(by: max(1, focusHeight - 1))
    case .top: moveCursor(by: -Int.max)
    case .bottom: moveCursor(by: Int.max)
    case .left: fold()
    case .right: unfold()
    case .choose: choose()
    case .nextPane: focusNext(1)
    case .previousPane: focusNext(-1)
    case .pane: focusPane(command.argument)
    case .nextTable: showTable(1)
    case .previousTable: showTable(-1)
    case .maximise: isMaximised.toggle()
    case .layout: nextArrangement()
    case .flat: toggleFace()
    case .follow: toggleFollowing()
    case .unlink: toggleLink()
    case .help: overlay = .help(top: 0)
    case .command: refuse("The command line is not there yet.")
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .back: leave()
    case .quit, .quitNow: isFinished = true
    }
    return []
  }

  /// Moves in time by one step of some kind. Nil if that cannot be.
  private mutating func move(_ step: (inout Timeline) -> Bool) -> Void? {
    guard session.move(step) else { return nil }
    momentHasChanged()
    return ()
  }

  private mutating func leave() {
    if isMaximised { isMaximised = false }
  }

  private mutating func focusNext(_ direction: Int) {
    let panes = self.panes
    guard let index = panes.firstIndex(of: focus) else { return }
    setFocus(panes[(index + direction + panes.count) % panes.count])
  }

  private mutating func focusPane(_ number: String) {
    guard let number = Int(number), panes.indices.contains(number - 1) else {
      return refuse("There are panes 1 to \(panes.count).")
    }
    setFocus(panes[number - 1])
  }

  mutating func setFocus(_ pane: Pane) {
    focus = pane
    if pane.isTable { lastTableFocus = pane }
  }

  private mutating func nextArrangement() {
    let all = Arrangement.allCases
    let index = all.firstIndex(of: arrangement) ?? 0
    arrangement = all[(index + 1) % all.count]
    isMaximised = false
    say("Layout: \(SafeText(arrangement.rawValue))")
  }

  private mutating func toggleFollowing() {
    isFollowing.toggle()
    if isFollowing { noteMoment() }
    say(isFollowing ? "The cursor follows what happens." : "The cursor stays where it is.")
  }

  private mutating func toggleLink() {
    isLinked.toggle()
    say(isLinked ? "The cursors are linked." : "Each pane has a cursor of its own.")
  }
}
