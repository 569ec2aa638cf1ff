import Engine
import Inquiry

/// What an answer on the screen depends on: while it is the same, so is the answer.
struct AnsweredFor: Equatable {
  /// Index of the history.
  let branch: Int
  private let question: Question
  private let moment: Moment
  private let eventCount: Int
  private let chapterCount: Int
  /// Events whose rules were checked.
  private let checked: Int
  private let detailLevel: DetailLevel
  /// Columns of the screen, which decide what the header has room for.
  private let columns: Int
  /// The selection, and the micro-step that is looked at, if the answer follows them; the selection also if
  /// the answer stays.
  private let table: TableID?
  private let position: Position?
  private let link: Link?
  private let range: ReverseMapEntry?
  private let step: Int?

  /// Where it was asked, and what was selected there.
  var place: Place { Place(branch: branch, moment: moment, table: table, position: position) }

  init(_ question: Question, _ model: Model) {
    self.question = question
    branch = model.branch
    moment = model.timeline.moment
    eventCount = model.timeline.events.count
    chapterCount = model.session.chapters.count
    checked = model.branches[branch].audit.checked
    detailLevel = model.detailLevel
    columns = model.size.width
    let follows = question.facts.follows
    let hasSelection = follows == .selection || follows == .nothing
    table = hasSelection ? model.selected : nil
    position = hasSelection ? model.place.position : nil
    link = follows == .selection ? model.link : nil
    range = follows == .selection ? model.selectedRange : nil
    step = follows == .step ? model.currentStep : nil
  }
}
