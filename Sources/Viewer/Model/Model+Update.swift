import Canvas
import Engine

extension Model {
  /// Does what an input asks for. Returns what is left for the program to do.
  public mutating func update(_ input: Input) -> [Effect] {
    replay?.isRunning ?? false ? updateReplay(input) : updateSession(input)
  }

  /// Does what an input asks for, whatever is replayed.
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
      // Nothing but the line has changed: a long text that is pasted costs no more than that.
      if isTyped, isTyping, prompt?.kind != .narrow { return effects }
    }
    settle()
    return effects
  }

  /// Does what a whole line asks for that was typed where there is no screen: what `:`, the line and
  /// Enter do on one. What an earlier line has left open was read, and is closed.
  public mutating func update(line: String) -> [Effect] {
    (prompt, pending, sheet, difference) = (Prompt(.command, text: line), nil, nil, nil)
    completeHistory()
    return update(.key(Key(.enter)))
  }

  /// Does what a key asks for: of the line that is typed, of what waits for it, of what is open above the
  /// panes, else of the panes.
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

  /// Carries out what a key asks for: of what is open above the panes, else of the panes.
  mutating func begin(_ command: Command) -> [Effect] {
    if difference != nil { return performInDifference(command) }
    return sheet == nil ? performInPanes(command) : performInSheet(command)
  }

  /// Does what a key asks for where nothing is open above the panes.
  mutating func performInPanes(_ command: Command) -> [Effect] {
    if run != nil, command.action != .back, !command.action.isUrgent {
      refuse("Still looking. \(press(.back)) to stop that.")
      return []
    }
    if !command.action.needsNoHistory { completeHistory() }
    return perform(command)
  }

  /// Whether there is work to be done while no input comes.
  public var isBusy: Bool { hasWork && !(replay?.isRunning ?? false) }

  /// Whether there is work that ticks do.
  private var hasWork: Bool {
    !isFinished
      && (run != nil || !(link?.isComplete ?? true) || ahead != nil || isFilterDue || isAuditDue)
  }

  /// Whether a tick does something.
  public var usesTick: Bool { isBusy || playback.isPlaying }

  /// Does a piece of the work that is left.
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

  /// Does all of the work that is left: for frames that are not shown on a terminal.
  public mutating func finishWork() {
    while isBusy { work() }
    settle()
  }

  /// Brings cursors, scrolling and the answer in order after anything has changed.
  mutating func settle() {
    updateLink()
    layout = Layout(self)
    updateAnswer()
    for (pane, rect) in layout.panes {
      pane.operations.settle(&self, in: Layout.inside(rect))
    }
    settleSheet()
  }

  /// Says why nothing was done.
  public mutating func refuse(_ reason: SafeText) {
    message = Message(text: reason, isRefusal: true)
  }

  mutating func say(_ text: SafeText) {
    message = Message(text: text)
  }
}

extension Action {
  /// Whether it is done whatever else is under way.
  var isUrgent: Bool {
    switch self {
    case .quit, .quitNow, .redraw, .suspend: true
    default: false
    }
  }

  /// Whether it means the same with the beginning of a history as with all of it.
  var needsNoHistory: Bool {
    switch facts.group {
    case .moving, .panes, .program: self != .command
    case .time, .whatIf, .session, .answers, .finding: false
    }
  }
}
