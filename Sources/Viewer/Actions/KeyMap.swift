import Canvas

/// Which key asks for what.
public struct KeyMap: Equatable, Sendable {
  private var commands: [Key: Command] = [:]

  /// The keys as they are without a configuration.
  public init() {
    for action in Action.allCases { bind(action.defaultKeys, to: action) }
  }

  /// What a key asks for.
  func command(for key: Key) -> Command? { commands[key] }

  /// The keys of an action, in the order in which they were given.
  func keys(for action: Action) -> [Key] {
    let bound = commands.filter { $0.value.action == action }.keys
    let preferred = action.defaultKeys
    return bound.sorted { first, second in
      let places = [first, second].map { preferred.firstIndex(of: $0) ?? preferred.count }
      return places[0] != places[1] ? places[0] < places[1] : first.description < second.description
    }
  }

  private mutating func bind(_ keys: [Key], to action: Action) {
    for key in keys {
      // The only action with an argument of its own for each key is told which key it was.
      commands[key] = Command(action, action == .pane ? key.description : "")
    }
  }
}

extension Action {
  /// The keys of the action without a configuration.
  var defaultKeys: [Key] {
    facts.keys.split(separator: " ").compactMap { Key(spelling: $0) }
  }
}
