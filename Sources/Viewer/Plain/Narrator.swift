import Canvas
import Engine
import Inquiry
import Language
import Recording

/// The viewer as a conversation in lines: prompt lines go in, and descriptions of what happens come out.
/// For screen readers and pipes; text once output never changes.
public struct Narrator {
  private(set) var model: Model
  /// The last output, so that only news is said.
  private var told = Told()
  private var lastLine = Action.nextEvent.rawValue
  /// What the last line asked to open: a file, or a scenario of the program.
  public private(set) var wanted: String?

  /// What the narrator has already said.
  private struct Told {
    var moment: Moment?
    var branch = 0
    var chapter: SafeText = ""
    var question = Topic.question(.explain)
    var answer: [SafeText] = []
    var focus = Pane.canonical
    var place: SafeText = ""
  }

  /// A nominal screen size, which only sets the length of a page.
  public static let size = (width: 120, height: 40)

  /// The settings of a model for a conversation: texts name actions instead of keys.
  public static func settings(_ settings: Settings = Settings()) -> Settings {
    var settings = settings
    for action in Action.allCases { settings.keyMap.unbind(action) }
    return settings
  }

  /// A conversation about a session at some moment.
  public init(_ session: Session, settings: Settings = Settings()) {
    self.init(
      Model(
        session, width: Self.size.width, height: Self.size.height,
        settings: Self.settings(settings)))
  }

  /// A conversation about a model made for one.
  public init(_ model: Model) {
    self.model = model
    finishWork()
  }

  /// Whether nothing more will be said.
  public var isFinished: Bool { model.isFinished }

  /// The error, if a failure ended the conversation.
  public var failure: ScenarioError? { model.failure }

  /// The first output.
  public mutating func greeting() -> [SafeText] {
    let help: [SafeText] = [
      "Type the name of an action, a moment, or an event. help, or ?, lists them, help TEXT finds; look "
        + "describes where you are; detail plain says less; quit ends.",
      "An empty line does the last thing again; at first it goes to the next event. choose 2 goes where the "
        + "line with (2) leads.",
    ]
    return news() + help
  }

  /// Carries out a line. Returns the output.
  ///
  /// A colon before an action is allowed, as at the screen's prompt.
  ///
  /// - Parameter keep: carries out file requests, and reports the result to the model.
  public mutating func carryOut(
    _ line: String, keep: (FileWish, inout Model) -> Void = { _, _ in }
  ) -> [SafeText] {
    let typed = String(line.trimmed.drop { $0 == ":" }.trimmed)
    let text = typed.isEmpty ? lastLine : typed
    lastLine = text
    var words = text.split(separator: " ", maxSplits: 1).map(String.init)
    if text == "look" { return description() }
    if words.first == "?" { words[0] = Action.help.rawValue }
    if let action = words.first.flatMap({ Action(rawValue: $0) }), let reason = action.needsScreen {
      return [reason]
    }
    // In line mode nothing is open that would have to be closed first.
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
    // A kept answer has been read; at another moment explain the event.
    if model.timeline.moment != moment, model.question.isKept { model.ask(.question(.explain)) }
    let lines = asked() + sheet() + news()
    // If nothing new is said, repeat the current line.
    return lines.isEmpty ? [model.lineText] : lines
  }

  /// Changes the model other than by a line, as when its work is kept in a file.
  public mutating func change<Failure: Error>(
    _ change: (inout Model) throws(Failure) -> Void
  ) throws(Failure) {
    try change(&model)
  }

  /// Continues with another session. Returns the first output.
  public mutating func open(_ session: Session, saved: SavedSession? = nil) -> [SafeText] {
    model = model.opening(session, saved: saved)
    told = Told()
    lastLine = Action.nextEvent.rawValue
    finishWork()
    return news()
  }

  /// Narrates a recording, item by item.
  public mutating func play(_ recording: Recording?, say: ([SafeText]) -> Void) {
    say(news())
    model.play(recording)
    while model.replayOn() {
      let lines = (model.message.map { [$0.text] } ?? []) + news()
      if !lines.isEmpty { say(lines) }
    }
  }

  /// Does the model's background work.
  private mutating func finishWork() {
    while model.isBusy { _ = model.update(.tick) }
  }

  /// The model's pending requests and messages.
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
    // Lines have no keys at their beginning here.
    let lines = sheet.document.text.map { SafeText($0.string.drop { $0 == " " }) }
    return [sheet.title + ":"] + lines.filter { !$0.isEmpty }
  }

  /// The changes since the last output.
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
    // The explanation is said for each event, a kept answer only if it differs.
    if hasMoved ? !model.question.isKept && (isNew || model.question == .question(.explain)) : isNew
    {
      if model.question != .question(.explain) { lines.append(model.question.title + ":") }
      // The event has already been named.
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

  /// The whole contents of the focus.
  private func description() -> [SafeText] {
    [model.placeText] + model.focus.operations.content(in: model)
  }
}

extension Action {
  /// Why the action is meaningless without a screen; nil if it is meaningful.
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
