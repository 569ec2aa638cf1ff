import Canvas

extension Model {
  /// The last line: what there is to say, or the keys that are worth most now.
  func drawFooter(in rect: Rect, of frame: inout Surface) {
    if let message {
      let line = Line(" " + message.text, message.isRefusal ? .warning : .text)
      return frame.write(line, at: rect.origin, clip: rect)
    }
    var line = Line(" ")
    for (action, text) in hints {
      let keys = keyMap.keys(for: action)
      guard let key = keys.first else { continue }
      let name = key.shortName
      if line.columns + name.columns + text.columns + 3 > rect.width { break }
      line.add(name, .key)
      line.add(" " + text + "  ")
    }
    frame.write(line, at: rect.origin, clip: rect)
  }

  /// Keys that are worth a hint, the most valuable first.
  private var hints: [(Action, SafeText)] {
    var hints: [(Action, SafeText)] = [
      (.nextEvent, "next"), (.previousEvent, "back"), (.help, "help"), (.nextStep, "micro-step"),
      (.nextPane, "pane"), (.nextMark, "chapter"), (.maximise, isMaximised ? "all panes" : "zoom"),
      (.quit, "quit"),
    ]
    if focus.isTable { hints.insert((.right, "unfold"), at: 5) }
    if focus == .steps { hints.insert((.choose, "go there"), at: 3) }
    return hints
  }
}

extension Key {
  /// The key as it is shown where there is little room.
  var shortName: SafeText {
    switch base {
    case .up where modifiers.isEmpty: SafeText(.up)
    case .down where modifiers.isEmpty: SafeText(.down)
    case .left where modifiers.isEmpty: SafeText(.left)
    case .right where modifiers.isEmpty: SafeText(.right)
    case .escape where modifiers.isEmpty: "Esc"
    case .tab where modifiers.isEmpty: "Tab"
    case .enter where modifiers.isEmpty: "Enter"
    default: SafeText(description)
    }
  }
}
