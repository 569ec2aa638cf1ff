import Canvas
import Engine

extension Model {
  /// Does what an input asks for. Returns what is left for the program to do.
  public mutating func update(_ input: Input) -> [Effect] {
    var effects: [Effect] = []
    switch input {
    case .resize(let width, let height): size = (width, height)
    case .end: isFinished = true
    case .tick: work()
    case .mouse: break
    case .key(let key):
      message = nil
      if let command = keyMap.command(for: key) {
        if !command.action.needsNoHistory { completeHistory() }
        effects = perform(command)
      } else {
        let name = SafeText(key.description)
        refuse("\(name) does nothing. ? lists the keys that do.")
      }
    }
    settle()
    return effects
  }

  /// Whether there is work to be done while no input comes.
  public var isBusy: Bool { !isFinished && (!(link?.isComplete ?? true) || ahead != nil) }

  /// Does a piece of the work that is left.
  private mutating func work() {
    if !searchLinks() { continueHistory() }
  }

  /// Does all of the work that is left: for frames that are not shown on a terminal.
  public mutating func finishWork() {
    while isBusy { work() }
    settle()
  }

  /// Says why nothing was done.
  mutating func refuse(_ reason: SafeText) {
    message = Message(text: reason, isRefusal: true)
  }

  mutating func say(_ text: SafeText) {
    message = Message(text: text)
  }
}
