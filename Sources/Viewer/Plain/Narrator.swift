import Canvas
import Engine
import Language
import Recording

/// The viewer as a conversation in lines: what is typed at the prompt goes in, what happens comes out in
/// words. For screen readers and for pipes; nothing that was said is ever changed.
public struct Narrator {
  private(set) var model: Model
  /// What was said last, so that only what is new is said.
  private var told = Told()
  private var lastLine = Action.nextEvent.rawValue
  /// What the last line asks to be opened: a file, or a scenario of the program.
  public private(set) var wanted: String?

  /// What the narrator has told already.
  private struct Told {
    var moment: Moment?
    var branch = 0
    var chapter: SafeText = ""
    var question = Topic.question(.explain)
    var answer: [SafeText] = []
    var focus = Pane.canonical
    var place: SafeText = ""
  }

  /// The size is that of no screen: only how far a page goes depends on it.
  public static let size = (width: 120, height: 40)

  /// What a model for a conversation is made with: where a text would name a key, it names the action.
  public static func settings(_ settings: Settings = Settings()) -> Settings {
    var settings = settings
    for action in Action.allCases { settings.keyMap.unbind(action) }
    return settings
  }

  /// A conversation about a session that stands at some moment.
  public init(_ session: Session, settings: Settings = Settings()) {
    self.init(
      Model(
        session, width: Self.size.width, height: Self.size.height,
        settings: Self.settings(settings)))
  }

  /// A conversation about a model that was made for one.
  public init(_ model: Model) {
    self.model = model
    finishWork()
  }

  /// Whether nothing more will be said.
  public var isFinished: Bool { model.isFinished }

  /// What could not be carried out, if that ended the conversation.
  public var failure: ScenarioError? { model.failure }

  /// What is said at first.
  public mutating func greeting() -> [SafeText] {
    let help: [SafeText] = [
      "Type the name of an action, a moment, or an event. help, or ?, lists them, help TEXT finds; look "
        + "describes where you are; detail plain says less; quit ends.",
      "An empty line does the last thing again; at first it goes to the next event. choose 2 goes where the "
        + "line with (2) leads.",
    ]
    return news() + help
  }

  /// Does what a line asks for. Returns what there is to say.
  ///
  /// A colon before an action is the prompt's, under which texts name actions.
  ///
  /// - Parameter keep: does what is wanted of files, and tells the model what became of it.
  public mutating func carryOut(
    _ line: String, keep: (FileWish, inout Model) -> Void = { _, _ in }
  ) -> [SafeText] {
    let typed = String(line.trimmed.drop { $0 == ":" }).trimmed
    let text = typed.isEmpty ? lastLine : typed
    lastLine = text
    var words = text.split(separator: " ", maxSplits: 1).map(String.init)
    if text == "look" { return description() }
    if words.first == "?" { words[0] = Action.help.rawValue }
    if let action = words.first.flatMap({ Action(rawValue: $0) }), let reason = action.needsScreen {
      return [reason]
    }
    // Nothing is open where lines are read, so that there is nothing to close first.
    let moment = model.timeline.moment
    let isQuit = text == Action.quit.rawValue
    let effects = model.update(
      line: isQuit ? Action.quitNow.rawValue : words.joined(separator: " "))
    wanted = nil
    for case .file(let wish) in effects { keep(wish, &model) }
    for case .open(let file, _) in effects { wanted = file }
    if wanted != nil { return [] }
    finishWork()
    if model.isFinished { return model.failure == nil ? [] : model.message.map { [$0.text] } ?? [] }
    // An answer that stays has been read; elsewhere in time the event is told.
    if model.timeline.moment != moment, model.question.isKept { model.ask(.question(.explain)) }
    let lines = asked() + sheet() + news()
    // What changes nothing that is said leaves one where one is.
    return lines.isEmpty ? [model.lineText] : lines
  }

  /// Goes on with another session. Returns what is said at first.
  public mutating func open(_ session: Session, saved: SavedSession? = nil) -> [SafeText] {
    model = model.opening(session, saved: saved)
    told = Told()
    lastLine = Action.nextEvent.rawValue
    finishWork()
    return news()
  }

  /// Tells what a recording does, thing by thing.
  public mutating func play(_ recording: Recording?, say: ([SafeText]) -> Void) {
    say(news())
    model.play(recording)
    while model.replayOn() {
      let lines = (model.message.map { [$0.text] } ?? []) + news()
      if !lines.isEmpty { say(lines) }
    }
  }

  /// Does what the model leaves for the time in which no input comes.
  private mutating func finishWork() {
    while model.isBusy { _ = model.update(.tick) }
  }

  /// What the model would ask for on a screen, and what it has to say.
  private func asked() -> [SafeText] {
    if let action = model.pending {
      return ["\(SafeText(action.rawValue)) takes a letter after it."]
    }
    if let message = model.message { return [message.text] }
    guard let prompt = model.prompt else { return [] }
    let name = prompt.text.split(separator: " ").first.map { SafeText(String($0)) }
    return ["\(name ?? SafeText("This")) takes a text after it."]
  }

  /// What is open above the panes; the next line closes it.
  private func sheet() -> [SafeText] {
    if let difference = model.difference { return difference.lines }
    guard let sheet = model.sheet else { return [] }
    // Where keys would stand at the beginning of a line there are none.
    let lines = sheet.document.text.map { SafeText($0.string.drop { $0 == " " }) }
    return [sheet.title + ":"] + lines.filter { !$0.isEmpty }
  }

  /// What has changed since something was said last.
  private mutating func news() -> [SafeText] {
    var lines: [SafeText] = []
    let moment = model.timeline.moment
    let hasMoved = moment != told.moment || model.branch != told.branch
    if hasMoved {
      if model.branch != told.branch {
        lines.append("History: \(model.branches[model.branch].name).")
      }
      let chapter = model.chapterText
      if chapter != told.chapter, !chapter.isEmpty { lines.append("Chapter: " + chapter) }
      told.chapter = chapter
      lines += model.momentLines
    }
    let answer = model.answerLines
    let isNew = answer != told.answer || model.question != told.question
    // What an event does is said for each, an answer that stays only where it differs.
    if hasMoved ? !model.question.isKept && (isNew || model.question == .question(.explain)) : isNew
    {
      if model.question != .question(.explain) { lines.append(model.question.title + ":") }
      // The event is named already.
      lines += answer.first == model.question.title ? answer.dropFirst() : answer[...]
    }
    let place = model.placeText
    if !hasMoved, model.focus != told.focus || place != told.place { lines.append(place) }
    if hasMoved { lines += model.stepLines + model.lockLines + model.violationLines }
    told = Told(
      moment: moment, branch: model.branch, chapter: told.chapter, question: model.question,
      answer: answer, focus: model.focus, place: place)
    return lines
  }

  /// All of what has the focus.
  private func description() -> [SafeText] {
    [model.placeText] + model.focus.operations.content(in: model)
  }
}

extension Action {
  /// Why the action means nothing where there is no screen; nil if it means something.
  fileprivate var needsScreen: SafeText? {
    switch self {
    case .maximise, .layout, .present, .redraw, .mouse, .command, .faster, .slower:
      "Only a screen has this."
    case .play, .playSteps: "Lines are not played. An empty line goes to the next event."
    case .suspend: "Ctrl-Z does this."
    default: nil
    }
  }
}
