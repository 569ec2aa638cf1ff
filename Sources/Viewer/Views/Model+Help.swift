import Canvas

extension Model {
  /// All actions with their keys, by group.
  func drawHelp(over rect: Rect, of frame: inout Surface) {
    guard case .help(let top) = overlay else { return }
    let box = Rect(
      x: rect.x + max(0, (rect.width - 76) / 2), y: rect.y + 1, width: min(76, rect.width),
      height: max(0, rect.height - 2))
    frame.fill(box)
    let inside = frame.box(box, title: " Help ", focused: true)
    let lines = helpLines
    let first = min(top, max(0, lines.count - inside.height))
    for (y, line) in lines.dropFirst(first).prefix(inside.height).enumerated() {
      frame.write(line, at: Point(inside.x + 1, inside.y + y), clip: inside)
    }
  }

  private var helpLines: [Line] {
    var lines: [Line] = []
    for group in ActionFacts.Group.allCases {
      lines.append(Line(SafeText(group.rawValue), .heading))
      for action in Action.allCases where action.facts.group == group {
        let keys = keyMap.keys(for: action).map(\.shortName)
        let text = keys.dropFirst().reduce(keys.first ?? "") { $0 + " " + $1 }
        lines.append(
          Line("  " + text.padded(to: 18), .key).adding(action.facts.summary)
            .adding("  :" + SafeText(action.rawValue), .dim))
      }
      lines.append(Line())
    }
    return lines
  }
}
