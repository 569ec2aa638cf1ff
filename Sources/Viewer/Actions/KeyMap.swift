import Canvas

/// The commands of keys.
public struct KeyMap: Equatable, Sendable {
  private var commands: [Key: Command] = [:]

  /// The default keys.
  public init() {
    for action in Action.allCases {
      for key in action.defaultKeys { bind(key, to: action) }
    }
  }

  /// The command of a key, or nil.
  public func command(for key: Key) -> Command? { commands[key] }

  /// The keys of an action: its default ones in their order, then others.
  public func keys(for action: Action) -> [Key] {
    let bound = commands.filter { $0.value.action == action }.keys
    let preferred = action.defaultKeys
    return bound.sorted { first, second in
      let places = [first, second].map { preferred.firstIndex(of: $0) ?? preferred.count }
      return places[0] != places[1] ? places[0] < places[1] : first.description < second.description
    }
  }

  /// The first key of an action as displayed, or its name for the command line.
  func name(of action: Action) -> SafeText {
    keys(for: action).first.map(\.shortName) ?? ":" + SafeText(action.rawValue)
  }

  /// Binds a key to an action, and to nothing else.
  public mutating func bind(_ key: Key, to action: Action) {
    // The only action with an argument per key gets the key.
    commands[key] = Command(action, action == .pane ? key.description : "")
  }

  /// Removes all keys of an action.
  public mutating func unbind(_ action: Action) {
    commands = commands.filter { $0.value.action != action }
  }
}

extension Action {
  /// The default keys of the action.
  public var defaultKeys: [Key] {
    facts.keys.split(separator: " ").compactMap { Key(spelling: $0) }
  }
}
