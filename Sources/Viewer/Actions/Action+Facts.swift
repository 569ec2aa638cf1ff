import Canvas
import Inquiry

/// What help, the key map and the manual say about an action.
public struct ActionFacts: Sendable {
  /// The kind of thing it does.
  public enum Group: String, CaseIterable, Sendable {
    case time = "Time"
    case whatIf = "What if"
    case session = "The session"
    case answers = "Answers"
    case finding = "Finding"
    case moving = "Moving"
    case panes = "Panes"
    case program = "The program"
  }

  /// The kind of thing it does.
  public let group: Group
  /// What it does, as a line of help.
  public let summary: SafeText
  /// Keys, in their spelling, separated by blanks.
  let keys: String
  /// Its argument, if it takes one.
  public let argument: SafeText?
  /// The question that it asks, if it asks one.
  let question: Question?

  init(_ group: Group, _ summary: SafeText, keys: String = "", argument: SafeText? = nil) {
    self.group = group
    self.summary = summary
    self.keys = keys
    self.argument = argument
    question = nil
  }

  /// An action that asks a question, from its row in the table of questions.
  init(_ question: Question) {
    let facts = question.facts
    group = .answers
    summary = SafeText(facts.summary)
    keys = facts.key
    self.question = question
    argument =
      switch facts.operand {
      case .word: "WORD"
      case .other: "LETTER, a moment or a history; the newest mark without it"
      // It is asked about the selection.
      case .nothing, .address, .filter: nil
      }
  }
}

extension Action {
  /// The only table for keys, help and completion.
  public var facts: ActionFacts {
    switch self {
    case .nextEvent: ActionFacts(.time, "one event forward", keys: ". shift-right")
    case .previousEvent: ActionFacts(.time, "one event back, exactly undone", keys: ", shift-left")
    case .nextStep: ActionFacts(.time, "one micro-step forward", keys: "s")
    case .previousStep: ActionFacts(.time, "one micro-step back", keys: "S")
    case .nextMark: ActionFacts(.time, "to the next chapter or mark", keys: "}")
    case .previousMark: ActionFacts(.time, "to the previous chapter or mark", keys: "{")
    case .start: ActionFacts(.time, "to the start", keys: "0")
    case .end: ActionFacts(.time, "to the end", keys: "$")
    case .goTo:
      ActionFacts(
        .time, "to a moment or an address",
        argument: "EVENT, EVENT.STEP, chapter:LABEL, N%, start, end or 0xADDRESS")
    case .run:
      ActionFacts(.time, "forward to the next stop", keys: "c", argument: "a condition, or nothing")
    case .runBack:
      ActionFacts(.time, "back to the next stop", keys: "C", argument: "a condition, or nothing")
    case .nextTouch: ActionFacts(.time, "to the next event that touches the selection", keys: "]")
    case .previousTouch:
      ActionFacts(.time, "to the previous event that touches the selection", keys: "[")
    case .play: ActionFacts(.time, "play the events, or pause", keys: "space")
    case .playSteps: ActionFacts(.time, "play the micro-steps, or pause", keys: "p")
    case .faster: ActionFacts(.time, "faster", keys: "+")
    case .slower: ActionFacts(.time, "slower", keys: "-")
    case .watch:
      ActionFacts(
        .time, "stop there when running", keys: "W",
        argument: "a condition; without one the selected entry's changes")
    case .unwatch: ActionFacts(.time, "do not stop there", argument: "NUMBER of the watch, or all")
    case .setMark: ActionFacts(.time, "mark this moment", keys: "m", argument: "LETTER")
    case .goToMark: ActionFacts(.time, "to a mark", keys: "'", argument: "LETTER")
    case .jumpBack: ActionFacts(.time, "to where you were before", keys: "ctrl-o")
    case .jumpForward: ActionFacts(.time, "back to where you were after", keys: "ctrl-t")
    case .policy:
      ActionFacts(
        .whatIf, "the same events under another policy, at the same moment", keys: "P",
        argument: "KEY=VALUE")
    case .branch:
      ActionFacts(.whatIf, "to another history", argument: "NAME")
    case .compare:
      ActionFacts(
        .whatIf, "this history and another one side by side", keys: "=",
        argument: "NAME; without it the one that this one began in")
    case .nameBranch: ActionFacts(.whatIf, "name this history", argument: "NAME")
    case .mute:
      ActionFacts(
        .whatIf, "a history without an event, in which the later ones follow",
        argument: "EVENT; without it the one of this moment")
    case .write:
      ActionFacts(
        .session, "keep the session: histories, marks, notes and the screen",
        argument: "FILE; without it the file that is open")
    case .note: ActionFacts(.session, "a text at this moment", argument: "\"TEXT\"")
    case .record:
      ActionFacts(.session, "record what is done from now on", argument: "FILE, or off")
    case .export:
      ActionFacts(
        .session, "write this history as a scenario", argument: "scenario FILE")
    case .shot:
      ActionFacts(
        .session, "write this frame", argument: "FILE.txt, FILE.ans, FILE.svg or FILE.html")
    case .here: ActionFacts(.session, "a word that names this moment for others")
    case .resumePlay:
      ActionFacts(.session, "go on with the recording, where a key took over")
    case .explain: ActionFacts(.explain)
    case .why: ActionFacts(.provenance)
    case .preview: ActionFacts(.forecast)
    case .bits: ActionFacts(.entry)
    case .aliases: ActionFacts(.aliases)
    case .shadows: ActionFacts(.shadows)
    case .tlb: ActionFacts(.tlb)
    case .windows: ActionFacts(.windows)
    case .owners: ActionFacts(.owners)
    case .counters: ActionFacts(.counters)
    case .rules: ActionFacts(.rules)
    case .costs: ActionFacts(.costs)
    case .diff: ActionFacts(.diff)
    case .glossary: ActionFacts(.glossary)
    case .watches: ActionFacts(.answers, "where does running stop?", keys: "ctrl-w")
    case .marks: ActionFacts(.answers, "chapters, marks and jumps", keys: "\"")
    case .branches: ActionFacts(.answers, "which histories are there?", keys: "B")
    case .diffPanes:
      ActionFacts(
        .answers, "this table, and another one", keys: "D",
        argument: "canonical, guestVMID or shadowN; the next pane without it")
    case .reference: ActionFacts(.answers, "where does this rule come from?", keys: "R")
    case .detail:
      ActionFacts(
        .answers, "say less, or more", keys: "e", argument: SafeText(DetailLevel.names))
    case .search:
      ActionFacts(.finding, "find in this pane", keys: "/", argument: "TEXT or 0xADDRESS")
    case .nextMatch: ActionFacts(.finding, "the next place", keys: "n")
    case .previousMatch: ActionFacts(.finding, "the previous place", keys: "N")
    case .filter:
      ActionFacts(.finding, "show some entries only", keys: "f", argument: "a condition")
    case .clearFilter: ActionFacts(.finding, "show all entries", keys: "F")
    case .up: ActionFacts(.moving, "up", keys: "k up")
    case .down: ActionFacts(.moving, "down", keys: "j down")
    case .left:
      ActionFacts(
        .moving, "fold, or go to the parent table; scroll left", keys: "h left")
    case .right:
      ActionFacts(.moving, "unfold, or go into the table; scroll right", keys: "l right")
    case .halfPageUp: ActionFacts(.moving, "half a page up", keys: "ctrl-u")
    case .halfPageDown: ActionFacts(.moving, "half a page down", keys: "ctrl-d")
    case .pageUp: ActionFacts(.moving, "a page up", keys: "pageup ctrl-b")
    case .pageDown: ActionFacts(.moving, "a page down", keys: "pagedown ctrl-f")
    case .top: ActionFacts(.moving, "to the top", keys: "g home")
    case .bottom: ActionFacts(.moving, "to the bottom", keys: "G end")
    case .choose:
      ActionFacts(
        .moving, "fold or unfold; go where a line leads", keys: "enter",
        argument: "NUMBER of a line of the answer")
    case .nextPane: ActionFacts(.panes, "to the next pane", keys: "tab")
    case .previousPane: ActionFacts(.panes, "to the previous pane", keys: "shift-tab")
    case .pane: ActionFacts(.panes, "to a pane", keys: "1 2 3 4 5 6 7 8 9", argument: "NUMBER")
    case .nextTable: ActionFacts(.panes, "show the next table of this kind", keys: ">")
    case .previousTable: ActionFacts(.panes, "show the previous table of this kind", keys: "<")
    case .maximise: ActionFacts(.panes, "the pane alone, or all again", keys: "z")
    case .layout: ActionFacts(.panes, "another layout", keys: "Z")
    case .present:
      ActionFacts(
        .panes, "the layout for a projector, or back: two panes and one sentence", keys: "*")
    case .flat: ActionFacts(.panes, "the table as a tree, or as ranges", keys: "r")
    case .follow: ActionFacts(.panes, "let the cursor follow what happens, or not", keys: "o")
    case .unlink: ActionFacts(.panes, "link the panes' cursors, or not", keys: "u")
    case .help:
      ActionFacts(
        .program, "all keys and what they do", keys: "? F1",
        argument: "TEXT to look for, or nothing")
    case .open:
      ActionFacts(
        .program, "open something else", keys: "E",
        argument: "FILE or SCENARIO; the list without it")
    case .command: ActionFacts(.program, "type an action, a moment or an event", keys: ":")
    case .mouse: ActionFacts(.program, "use the mouse, or not", keys: "M")
    case .redraw: ActionFacts(.program, "draw the screen anew", keys: "ctrl-l")
    case .suspend: ActionFacts(.program, "stop until `fg`")
    case .back: ActionFacts(.program, "close what is open", keys: "escape")
    case .quitNow: ActionFacts(.program, "quit at once", keys: "Q")
    case .quit: ActionFacts(.program, "close what is open, or quit", keys: "q")
    }
  }
}
