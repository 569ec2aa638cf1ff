import Engine
import Inquiry

/// What an answer on the screen depends on: while it is the same, so is the answer.
struct AnsweredFor: Equatable {
  /// Index of the history.
  let branch: Int
  private let question: Question
  private let moment: Moment
  private let eventCount: Int
  /// Events whose rules were checked.
  private let checked: Int
  private let detailLevel: DetailLevel
  /// Columns of the screen, which decide what the header has room for.
  private let columns: Int
  /// The selection, and the micro-step that is looked at, if the answer follows them.
  private let table: TableID?
  private let position: Position?
  private let link: Link?
  private let range: ReverseMapEntry?
  private let step: Int?

  /// Where it was asked.
  var place: Place { Place(branch: branch, moment: moment) }

  init(_ question: Question, _ model: Model) {
    self.question = question
    branch = model.branch
    moment = model.timeline.moment
    eventCount = model.timeline.events.count
    checked = model.branches[branch].audit.checked
    detailLevel = model.detailLevel
    columns = model.size.width
    let follows = question.facts.follows
    table = follows == .selection ? model.selected : nil
    position = follows == .selection ? model.place.position : nil
    link = follows == .selection ? model.link : nil
    range = follows == .selection ? model.selectedRange : nil
    step = follows == .step ? model.currentStep : nil
  }
}
