import Canvas

extension Preferences {
  /// Every value, a line each: as in the file, with the origin at the end.
  public var text: String { text { _ in true } }

  /// The same for values that are not defaults.
  public var chosenText: String { text { $0 != .standard } }

  private func text(of isShown: (Origin) -> Bool) -> String {
    var rows = Setting.allCases.map { setting in
      let (text, origin) = value(of: setting)
      return ("\(setting.rawValue) = \(text)", origin)
    }
    let map = keyMap
    for action in Action.allCases {
      let now = map.keys(for: action)
      // A default key that the file gives to another action is removed by that line.
      let taker = action.defaultKeys.lazy.filter { !now.contains($0) }
        .compactMap { map.command(for: $0) }.first
      let origin = keys[action]?.origin ?? taker.flatMap { keys[$0.action]?.origin } ?? .standard
      rows.append(
        ("key \(action.rawValue) = " + now.map(\.description).joined(separator: " "), origin))
    }
    rows = rows.filter { isShown($0.1) }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { row, origin in
      SafeText(row).padded(to: width + 2).string + SafeText(origin.description).string + "\n"
    }.joined()
  }
}
