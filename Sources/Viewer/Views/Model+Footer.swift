import Canvas

extension Model {
  /// The last line: the line being typed, a message, or the most useful keys now.
  func drawFooter(in rect: Rect, of frame: inout Surface) {
    if let replay, replay.isRunning, replay.showsBar { return draw(replay, in: rect, of: &frame) }
    if let prompt { return draw(prompt, in: rect, of: &frame) }
    if let message {
      // A long message takes more lines, growing upward.
      let lines = Line(" " + message.text, message.isRefusal ? .warning : .text)
        .wrapped(to: rect.width, indent: 1).prefix(max(1, frame.height / 3))
      let top = rect.y - lines.count + 1
      frame.fill(Rect(x: rect.x, y: top, width: rect.width, height: lines.count))
      for (y, line) in lines.enumerated() {
        frame.write(line, at: Point(rect.x, top + y), clip: frame.bounds)
      }
      return
    }
    if isPresenting, sheet == nil { return }
    var line = Line(" ")
    for (name, text) in hints {
      if line.columns + name.columns + text.columns + 3 > rect.width { break }
      line.add(name, .key)
      line.add(" " + text + "  ")
    }
    frame.write(line, at: rect.origin, clip: rect)
  }

  /// The line being typed, and above it the completions of its word, or what was wrong.
  private func draw(_ prompt: Prompt, in rect: Rect, of frame: inout Surface) {
    frame.fill(rect)
    let label = prompt.label
    var point = frame.write(label, at: rect.origin, style: Style(.prompt), clip: rect)
    let before = SafeText(prompt.textBeforeCaret)
    let text = SafeText(prompt.text)
    // A long line scrolls to the left, so that the caret stays visible.
    let room = max(1, rect.width - label.columns - 1)
    let hidden = max(0, before.columns - room)
    let clip = Rect(x: point.x, y: rect.y, width: rect.right - point.x, height: 1)
    frame.write(text, at: Point(point.x - hidden, rect.y), clip: clip)
    point.x += before.columns - hidden
    frame.caret = point
    let hint: Line
    if let message {
      hint = Line(" " + message.text, message.isRefusal ? .warning : .text)
    } else {
      // While Tab cycles through candidates they stay, with the taken one highlighted.
      let cycle = prompt.cycle.flatMap { $0.text == prompt.text ? $0 : nil }
      let candidates = cycle?.candidates ?? completions(of: prompt)
      if candidates.isEmpty { return }
      let taken = cycle?.index ?? 0
      var line = Line(" ")
      for (index, candidate) in candidates.enumerated().dropFirst(max(0, taken - 3)) {
        let name = SafeText(candidate)
        if line.columns + name.columns + 3 > rect.width {
          line.add(SafeText(.ellipsis), .dim)
          break
        }
        line.add(name, cycle != nil && index == taken ? .linked : .dim)
        line.add("  ")
      }
      hint = line
    }
    let lines = hint.wrapped(to: rect.width, indent: 1).prefix(4)
    let top = rect.y - lines.count
    frame.fill(Rect(x: rect.x, y: top, width: rect.width, height: lines.count))
    for (y, line) in lines.enumerated() {
      frame.write(line, at: Point(rect.x, top + y), clip: frame.bounds)
    }
  }

  /// Keys worth a hint, the most useful first, with what each does.
  private var hints: [(key: SafeText, text: SafeText)] {
    if run != nil { return keys([(.back, "stop looking")]) }
    if let sheet {
      var hints: [(Action, SafeText)] = [(.back, "close"), (.down, "down"), (.up, "up")]
      if sheet.isNarrowed { hints.append((.search, "find")) }
      if !sheet.document.choices.isEmpty {
        hints.append((.choose, sheet.kind == .help ? "carry out" : "open"))
      }
      return keys(hints)
    }
    if let hints = lessonHints { return keys(hints) }
    var first: [(Action, SafeText)] = [
      (.nextEvent, "next"), (.previousEvent, "back"), (.help, "help"), (.quit, "quit"),
    ]
    if question != home { first.append((.back, "done")) }
    if question == .branches, branches.count > 1 { first.append((.compare, "compare")) }
    if !focus.isTable, focus != .answer || !answer.choices.isEmpty {
      first.append((.choose, "go there"))
    }
    let others: [(Action, SafeText)] = [
      (.why, "why"), (.nextStep, "micro-step"), (.nextPane, "pane"), (.command, "type"),
      (.nextMark, "chapter"), (.run, "run"), (.preview, "preview"), (.search, "find"),
      (.maximise, isMaximised ? "all panes" : "zoom"),
    ]
    return keys(first.filter { obstacle(to: $0.0) == nil }) + hiddenPanes
      + keys(others.filter { obstacle(to: $0.0) == nil })
  }

  private func keys(_ hints: [(Action, SafeText)]) -> [(key: SafeText, text: SafeText)] {
    hints.compactMap { action, text in
      keyMap.keys(for: action).first.map { ($0.shortName, text) }
    }
  }

  /// Tables that do not fit on the screen, with the keys that show them.
  private var hiddenPanes: [(key: SafeText, text: SafeText)] {
    if isMaximised || arrangement != .overview { return [] }
    return panes.enumerated().compactMap { index, pane in
      let number = "\(index + 1)"
      guard pane.isTable, layout.rect(of: pane) == nil,
        let key = keyMap.keys(for: .pane).first(where: {
          keyMap.command(for: $0)?.argument == number
        })
      else { return nil }
      return (key.shortName, pane.operations.name(in: self))
    }
  }
}

extension Key {
  /// The short form of the key.
  var shortName: SafeText {
    switch base {
    case .up where modifiers.isEmpty: SafeText(.up)
    case .down where modifiers.isEmpty: SafeText(.down)
    case .left where modifiers.isEmpty: SafeText(.left)
    case .right where modifiers.isEmpty: SafeText(.right)
    case .escape where modifiers.isEmpty: "Esc"
    case .tab where modifiers.isEmpty: "Tab"
    case .enter where modifiers.isEmpty: "Enter"
    case .character(" ") where modifiers.isEmpty: "Space"
    case .tab where modifiers == .shift: "S-Tab"
    case .left where modifiers == .shift: "S-\(Glyph.left)"
    case .right where modifiers == .shift: "S-\(Glyph.right)"
    case .pageUp where modifiers.isEmpty: "PgUp"
    case .pageDown where modifiers.isEmpty: "PgDn"
    case .home where modifiers.isEmpty: "Home"
    case .end where modifiers.isEmpty: "End"
    case .character(let letter) where modifiers == .control && letter.isASCII:
      SafeText("^" + String(letter).uppercased())
    default: SafeText(description)
    }
  }
}
