import Canvas
import Engine
import Inquiry
import Language

/// The answer pane.
extension Model {
  /// Maximum number of events carried out under every policy while the user waits.
  private static let eventsAtMost = 3_000

  /// Asks about a topic. An answer to be read, not just seen, gets the focus.
  ///
  /// - Parameters:
  ///   - text: the text typed after the question.
  ///   - other: another history, named by the text.
  mutating func ask(_ topic: Topic, _ text: String = "", other: Subject.Other? = nil) {
    if case .question(let question) = topic {
      do throws(Unanswerable) {
        try show(question, text, other: other)
      } catch {
        return refuse(SafeText(error.message))
      }
    }
    self.question = topic
    detail = DocumentView()
    updateAnswer()
    if let line = answer.current { detail.choose(item: line, in: answer) }
    // A topic may change the layout.
    layout = Layout(self)
    let isSeen = layout.rect(of: .answer) != nil
    if focus != .answer, topic.takesFocus || !isSeen && topic != .question(.explain) {
      focusBefore = focus
      setFocus(.answer)
    }
  }

  /// Finds the answer to a question at this moment, about the selection, and shows it.
  private mutating func show(
    _ question: Question, _ text: String, other: Subject.Other? = nil
  ) throws(Unanswerable) {
    var subject = Subject()
    switch question.facts.operand {
    case .address:
      subject.table = selected
      subject.address = place.position?.address
    case .other: subject.table = tableID(of: lastTable)
    case .nothing, .filter, .word: break
    }
    if question.facts.rangeAnswer != nil, let range = selectedRange {
      subject.reverseMap = mappedShadow
      subject.entry = range
    }
    subject.step = currentStep
    subject.text = text
    subject.other = other
    // At a moment at which tables were seen, these are the changes since the one before.
    if session.sight == nil { subject.changes = changes }
    subject.wantsWords = detailLevel == .bits
    subject.audit = branches[branch].audit
    subject.link = link
    subject.eventsAtMost = Self.eventsAtMost
    if answered?.branch == branch { subject.previous = value }
    let found = try question.answer(about: subject, in: &branches[branch].session)
    var document = Document(found.told(detailLevel))
    if question == .explain { addOwnWords(to: &document) }
    asked = text
    value = found
    answer = document
    answered = AnsweredFor(question, self)
  }

  /// The explanation of the moment as text, whatever the pane shows.
  package var explanation: String {
    var subject = Subject()
    subject.audit = branches[branch].audit
    var session = session
    return (try? Question.explain.answer(about: subject, in: &session))?.report(.engineer).text
      ?? ""
  }

  /// The forecast of the next event, if that was asked.
  var forecast: ForecastAnswer? { value as? ForecastAnswer }

  /// Updates the answer, unless it is kept.
  mutating func updateAnswer() {
    switch question {
    case .question(let question):
      if question.facts.follows == .nothing || answered == AnsweredFor(question, self) { return }
      do throws(Unanswerable) {
        try show(question, asked)
      } catch {
        value = nil
        answer = Document([Line(SafeText(error.message), .dim)])
        answered = AnsweredFor(question, self)
      }
      if focus != .answer, let line = answer.current { detail.choose(item: line, in: answer) }
    case .watches: showOwn(watchesAnswer)
    case .marks: showOwn(marksAnswer)
    case .branches: showOwn(branchesAnswer)
    case .lesson: showOwn(lessonDocument)
    }
  }

  /// Follows a line of the answer by its number among those with links.
  mutating func chooseLine(_ number: String) {
    let choices = answer.choices
    if choices.isEmpty { return refuse("No line of the answer leads anywhere.") }
    guard let number = Int(number), choices.indices.contains(number - 1),
      let target = answer.items[choices[number - 1]].target
    else { return refuse("Expected the number of a line of the answer: 1 to \(choices.count).") }
    follow(target)
  }

  /// Shows a list of the screen's own.
  private mutating func showOwn(_ document: Document) {
    answer = document
    value = nil
    answered = nil
  }

  /// Follows a line's link. Returns the effects left for the program.
  @discardableResult
  mutating func follow(_ target: Document.Target) -> [Effect] {
    switch target {
    case .moment(let moment): jump(to: moment)
    case .place(let table, let address):
      guard let pane = showing(table) else {
        refuse("\(SafeText(Phrase.table(table))) is in no pane now.")
        return []
      }
      noteJump()
      setFocus(pane)
      select(address, in: table)
      isFollowing = false
    case .branch(let index): showBranch("\(index + 1)")
    case .watch(let index): toggleWatch(index)
    case .action(let action):
      sheet = nil
      return perform(Command(action))
    case .term(let term): openGlossary(term)
    case .lesson(let choice): perform(choice)
    case .learn(let name):
      sheet = nil
      return [.learn(name)]
    case .open(let file, let moment):
      sheet = nil
      return [.open(file, at: moment)]
    case .discard(let file):
      unsaved = nil
      narrowSheet(sheet?.query ?? "")
      say("What was not saved is removed.")
      return [.discard(file)]
    case .typing(let text):
      sheet = nil
      open(.command, text)
    }
    return []
  }

  /// The pane that shows a table; makes one show it if needed.
  private mutating func showing(_ table: TableID) -> Pane? {
    if let pane = pane(showing: table) { return pane }
    let pane = panes.first { $0.operations.tables(in: self).contains(table) }
    if let pane { views[pane]?.pinned = table }
    return pane
  }
}
