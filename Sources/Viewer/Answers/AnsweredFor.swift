import Engine
import Inquiry

/// The dependencies of an answer on the screen: while they are the same, so is the answer.
struct AnsweredFor: Equatable {
  /// Index of the history.
  let branch: Int
  private let question: Question
  private let moment: Moment
  private let eventCount: Int
  private let chapterCount: Int
  /// Number of events whose rules were checked.
  private let checked: Int
  private let detailLevel: DetailLevel
  /// Columns of the screen, which decide what fits in the header.
  private let columns: Int
  /// The selection and the current micro-step, if the answer follows them; the selection also if the
  /// answer is kept.
  private let table: TableID?
  private let position: Position?
  private let link: Link?
  private let range: ReverseMapEntry?
  private let step: Int?

  /// The place and selection when it was asked.
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
