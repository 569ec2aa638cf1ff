import Canvas

/// Which key asks for what.
public struct KeyMap: Equatable, Sendable {
  private var commands: [Key: Command] = [:]

  /// The keys as they are without a configuration.
  public init() {
    for action in Action.allCases {
      for key in action.defaultKeys { bind(key, to: action) }
    }
  }

  /// What a key asks for.
  public func command(for key: Key) -> Command? { commands[key] }

  /// The keys of an action: its own in their order, then others.
  public func keys(for action: Action) -> [Key] {
    let bound = commands.filter { $0.value.action == action }.keys
    let preferred = action.defaultKeys
    return bound.sorted { first, second in
      let places = [first, second].map { preferred.firstIndex(of: $0) ?? preferred.count }
      return places[0] != places[1] ? places[0] < places[1] : first.description < second.description
    }
  }

  /// The first key of an action as it is shown, or its name for the command line.
  func name(of action: Action) -> SafeText {
    keys(for: action).first.map(\.shortName) ?? ":" + SafeText(action.rawValue)
  }

  /// Lets a key ask for an action, and for nothing else.
  public mutating func bind(_ key: Key, to action: Action) {
    // The only action with an argument of its own for each key is told which key it was.
    commands[key] = Command(action, action == .pane ? key.description : "")
  }

  /// Takes all keys from an action.
  public mutating func unbind(_ action: Action) {
    commands = commands.filter { $0.value.action != action }
  }
}

extension Action {
  /// The keys of the action without a configuration.
  public var defaultKeys: [Key] {
    facts.keys.split(separator: " ").compactMap { Key(spelling: $0) }
  }
}
