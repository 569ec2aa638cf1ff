import Canvas

/// What help, the key map and the manual say about an action.
struct ActionFacts {
  /// The kind of thing it does.
  enum Group: String, CaseIterable {
    case time = "Time"
    case moving = "Moving"
    case panes = "Panes"
    case program = "The program"
  }

  let group: Group
  /// What it does, as a line of help.
  let summary: SafeText
  /// Keys, in their spelling, separated by blanks.
  let keys: String
  /// What its argument is, if it takes one.
  let argument: SafeText?

  init(_ group: Group, _ summary: SafeText, keys: String, argument: SafeText? = nil) {
    self.group = group
    self.summary = summary
    self.keys = keys
    self.argument = argument
  }
}

extension Action {
  /// The one table that keys, help and completion are made from.
  var facts: ActionFacts {
    switch self {
    case .nextEvent:
      ActionFacts(.time, "one event forward", keys: ". shift-right")
    case .previousEvent:
      ActionFacts(.time, "one event back, exactly undone", keys: ", shift-left")
    case .nextStep: ActionFacts(.time, "one micro-step forward", keys: "s")
    case .previousStep: ActionFacts(.time, "one micro-step back", keys: "S")
    case .nextMark: ActionFacts(.time, "to the next chapter or mark", keys: "}")
    case .previousMark: ActionFacts(.time, "to the previous chapter or mark", keys: "{")
    case .start: ActionFacts(.time, "to the start", keys: "0")
    case .end: ActionFacts(.time, "to the end", keys: "$")
    case .goTo:
      ActionFacts(
        .time, "to a moment or an address", keys: "",
        argument: "EVENT, EVENT.STEP, step:LABEL, N%, start, end or 0xADDRESS")
    case .up: ActionFacts(.moving, "up", keys: "k up")
    case .down: ActionFacts(.moving, "down", keys: "j down")
    case .left: ActionFacts(.moving, "fold, or to the table around", keys: "h left")
    case .right: ActionFacts(.moving, "unfold, or into the table", keys: "l right")
    case .halfPageUp: ActionFacts(.moving, "half a page up", keys: "ctrl-u")
    case .halfPageDown: ActionFacts(.moving, "half a page down", keys: "ctrl-d")
    case .pageUp: ActionFacts(.moving, "a page up", keys: "pageup ctrl-b")
    case .pageDown: ActionFacts(.moving, "a page down", keys: "pagedown ctrl-f")
    case .top: ActionFacts(.moving, "to the top", keys: "g home")
    case .bottom: ActionFacts(.moving, "to the bottom", keys: "G end")
    case .choose: ActionFacts(.moving, "fold or unfold; go to the moment", keys: "enter")
    case .nextPane: ActionFacts(.panes, "to the next pane", keys: "tab")
    case .previousPane: ActionFacts(.panes, "to the previous pane", keys: "shift-tab")
    case .pane:
      ActionFacts(.panes, "to a pane", keys: "1 2 3 4 5 6 7 8 9", argument: "NUMBER")
    case .nextTable: ActionFacts(.panes, "show the next table of this kind", keys: ">")
    case .previousTable: ActionFacts(.panes, "show the previous table of this kind", keys: "<")
    case .maximise: ActionFacts(.panes, "the pane alone, or all again", keys: "z")
    case .layout: ActionFacts(.panes, "another layout", keys: "Z")
    case .flat: ActionFacts(.panes, "the table as a tree, or as ranges", keys: "r")
    case .follow: ActionFacts(.panes, "let the cursor follow what happens, or not", keys: "o")
    case .unlink: ActionFacts(.panes, "link the panes' cursors, or not", keys: "u")
    case .help: ActionFacts(.program, "all keys and what they do", keys: "? F1")
    case .command: ActionFacts(.program, "type an action or an event", keys: ":")
    case .redraw: ActionFacts(.program, "draw the screen anew", keys: "ctrl-l")
    case .suspend: ActionFacts(.program, "stop until `fg`", keys: "")
    case .back: ActionFacts(.program, "leave what is open", keys: "escape")
    case .quit: ActionFacts(.program, "close what is open, or quit", keys: "q")
    case .quitNow: ActionFacts(.program, "quit at once", keys: "Q")
    }
  }
}
