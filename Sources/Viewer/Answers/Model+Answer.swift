import Canvas
import Engine
import Inquiry
import Language

/// The pane of answers.
extension Model {
  /// Asks a question. An answer that is to be read, and not only seen, gets the focus.
  mutating func ask(_ question: Question) {
    self.question = question
    detail = DocumentView()
    lookAhead()
    switch question {
    case .provenance: answer = selectedRange.map { origin(of: $0) } ?? provenance()
    case .costs: answer = costs()
    case .differences: break
    default: answer = currentAnswer
    }
    chooseStepOfWindows()
    // A question may change the layout.
    layout = Layout(self)
    let isSeen = layout.rect(of: .answer) != nil
    if focus != .answer, question.takesFocus || !isSeen && question != .why {
      focusBefore = focus
      setFocus(.answer)
    }
  }

  /// Finds out what an answer needs of other moments.
  mutating func lookAhead() {
    forecast = question == .forecast ? Forecast(of: &session) : nil
    if question != .windows {
      windows = nil
    } else if let event = timeline.currentEvent, windows?.event != event + 1 {
      windows = WindowChart(ofEvent: event, in: &session)
    }
  }

  /// Asks a question whose answer is there already.
  mutating func show(_ document: Document, as question: Question) {
    answer = document
    ask(question)
  }

  /// Brings the answer up to date.
  mutating func refreshAnswer() {
    if !question.isKept { answer = currentAnswer }
    if focus != .answer { chooseStepOfWindows() }
  }

  /// The answer to a question whose answer follows the moment and the selection.
  private var currentAnswer: Document {
    switch question {
    case .why: explanation
    case .entry: selectedRange.map { entryAnswer(for: $0) } ?? entryAnswer
    case .forecast: forecastAnswer
    case .aliases: aliasAnswer
    case .tlb: tlbAnswer
    case .shadows: shadowsAnswer
    case .windows: windowsAnswer
    case .owners: ownersAnswer
    case .counters: countersAnswer
    case .rules: rulesAnswer
    case .watches: watchesAnswer
    case .marks: marksAnswer
    case .branches: branchesAnswer
    case .provenance, .costs, .differences: answer
    }
  }

  /// Goes where a line of the answer leads that is named by its number among those that lead somewhere.
  mutating func chooseLine(_ number: String) {
    let choices = answer.choices
    if choices.isEmpty { return refuse("No line of the answer leads anywhere.") }
    guard let number = Int(number), choices.indices.contains(number - 1),
      let target = answer.items[choices[number - 1]].target
    else { return refuse("Expected the number of a line of the answer: 1 to \(choices.count).") }
    follow(target)
  }

  /// Goes where the selected line of an answer leads.
  mutating func follow(_ target: Document.Target) {
    switch target {
    case .moment(let moment): jump(to: moment)
    case .place(let table, let address):
      guard let pane = showing(table) else {
        return refuse("\(SafeText(Phrase.table(table))) is in no pane now.")
      }
      noteJump()
      setFocus(pane)
      select(address, in: table)
      isFollowing = false
    case .branch(let index): showBranch("\(index + 1)")
    case .watch(let index): watches[index].isOn.toggle()
    case .action(let action):
      sheet = nil
      _ = perform(Command(action))
    case .term(let term): openGlossary(term)
    }
  }

  /// The pane that shows a table, after making one show it.
  private mutating func showing(_ table: TableID) -> Pane? {
    if let pane = pane(showing: table) { return pane }
    switch table {
    case .shadow(let number) where number < machine.configuration.shadows:
      views[.shadow]?.pinned = table
      return .shadow
    case .guest where machine.reader(of: table) != nil:
      views[.guest]?.pinned = table
      return .guest
    default: return nil
    }
  }
}
