import Canvas
import Engine

extension Model {
  /// Handles an input. Returns the effects left for the program.
  public mutating func update(_ input: Input) -> [Effect] {
    replay?.isRunning ?? false ? updateReplay(input) : updateSession(input)
  }

  /// Handles an input, regardless of a replay.
  mutating func updateSession(_ input: Input) -> [Effect] {
    var effects: [Effect] = []
    switch input {
    case .resize(let width, let height):
      size = (min(width, Rect.limit), min(height, Rect.limit))
      _ = difference?.update(input)
    case .end: isFinished = true
    case .mouse where difference != nil, .paste where difference != nil: break
    case .tick: if hasWork { work() } else if playback.isPlaying { playOn() }
    case .mouse(let mouse): effects = use(mouse)
    case .paste(let text):
      message = nil
      pending = nil
      paste(text)
    case .key(let key):
      message = nil
      let isTyped = isTyping && key != Key(.enter)
      effects = press(key)
      // Only the line has changed, so a long pasted text costs no more than that.
      if isTyped, isTyping, prompt?.kind != .narrow { return effects }
    }
    settle()
    return effects
  }

  /// Carries out a whole line typed without a screen, like `:`, the line and Enter on one. Closes
  /// whatever an earlier line left open.
  public mutating func update(line: String) -> [Effect] {
    (prompt, pending, sheet, difference) = (Prompt(.command, text: line), nil, nil, nil)
    completeHistory()
    return update(.key(Key(.enter)))
  }

  /// Handles a key: in the line being typed, for a pending action, in the open sheet, else in the panes.
  private mutating func press(_ key: Key) -> [Effect] {
    if prompt != nil { return type(key) }
    if let action = pending {
      pending = nil
      guard case .character(let letter) = key.base, key.modifiers.isEmpty else {
        replacement = nil
        return []
      }
      return perform(Command(action, String(letter)))
    }
    guard let command = keyMap.command(for: key) else {
      refuse(
        "\"\(SafeText(key.description))\" does nothing. \(press(.help)) for the keys that do.")
      return []
    }
    return begin(command)
  }

  /// Carries out a key's command: in the open sheet, else in the panes.
  mutating func begin(_ command: Command) -> [Effect] {
    if difference != nil { return performInDifference(command) }
    return sheet == nil ? performInPanes(command) : performInSheet(command)
  }

  /// Carries out a key's command in the panes.
  mutating func performInPanes(_ command: Command) -> [Effect] {
    if run != nil, command.action != .back, !command.action.isUrgent {
      refuse("Still looking. \(press(.back)) to stop that.")
      return []
    }
    if !command.action.needsNoHistory { completeHistory() }
    return perform(command)
  }

  /// Whether there is background work.
  public var isBusy: Bool { hasWork && !(replay?.isRunning ?? false) }

  /// Whether there is work for ticks.
  private var hasWork: Bool {
    !isFinished
      && (run != nil || !(link?.isComplete ?? true) || ahead != nil || isFilterDue || isAuditDue)
  }

  /// Whether a tick does something.
  public var usesTick: Bool { isBusy || playback.isPlaying }

  /// The same also while a recording gives the ticks.
  var tickDoesSomething: Bool { hasWork || playback.isPlaying }

  /// Does a piece of the background work.
  private mutating func work() {
    if run != nil {
      continueRun()
    } else if searchLinks() {
    } else if ahead != nil {
      continueHistory()
    } else if isFilterDue {
      continueFilter()
    } else {
      continueAudit()
    }
  }

  /// Does all background work, for frames that are not shown on a terminal.
  public mutating func finishWork() {
    while isBusy { work() }
    settle()
  }

  /// Updates cursors, scrolling and the answer after any change.
  mutating func settle() {
    updateLink()
    layout = Layout(self)
    updateAnswer()
    for (pane, rect) in layout.panes {
      pane.operations.settle(&self, in: Layout.inside(rect))
    }
    settleSheet()
  }

  /// Reports why nothing was done.
  public mutating func refuse(_ reason: SafeText) {
    message = Message(text: reason, isRefusal: true)
  }

  mutating func say(_ text: SafeText) {
    message = Message(text: text)
  }
}

extension Action {
  /// Whether it is done even during other work.
  var isUrgent: Bool {
    switch self {
    case .quit, .quitNow, .redraw, .suspend: true
    default: false
    }
  }

  /// Whether it works the same with only the beginning of a history.
  var needsNoHistory: Bool {
    switch facts.group {
    case .moving, .panes, .program: self != .command
    case .time, .whatIf, .session, .answers, .finding: false
    }
  }
}
