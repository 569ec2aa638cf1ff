import Canvas
import Engine

/// The answer to a question: why, or one of the others.
struct AnswerPane: PaneOperations {
  var pane: Pane { .answer }
  var region: PaneRegion { .text }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool { true }

  func name(in model: Model) -> SafeText {
    if model.question == .lesson, let lesson = model.lesson { return SafeText(lesson.player.title) }
    return model.question.title
  }

  func context(in model: Model) -> [SafeText] { [] }

  var term: String { "explain" }

  func term(in model: Model) -> String {
    model.question == .question(.explain) ? model.termOfStep ?? term : model.question.title.string
  }

  // MARK: Drawing

  /// The text has a blank column at each side.
  private func text(_ rect: Rect) -> Rect { rect.inset(columns: 1, rows: 0) }

  func settle(_ model: inout Model, in rect: Rect) {
    model.detail.scroll(model.answer, width: text(rect).width, height: rect.height)
  }

  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText {
    let (answer, view, text) = (model.answer, model.detail, text(rect))
    frame.draw(answer, view, showsChoice: model.focus == pane, in: text)
    let count = answer.layout(width: text.width, height: text.height).count
    return (view.left > 0 ? SafeText(.left) : "")
      + .arrows(up: view.top > 0, down: view.top + text.height < count)
      + (view.left < answer.overhang(width: text.width) ? SafeText(.right) : "")
  }

  // MARK: Keys and mouse

  func move(_ movement: Movement, in model: inout Model) {
    model.detail.move(movement, in: model.answer)
  }

  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool {
    let lines = model.detail.visible(
      in: model.answer, width: text(rect).width, height: rect.height)
    guard lines.indices.contains(point.y - rect.y) else { return false }
    return model.detail.choose(item: lines[point.y - rect.y].item, in: model.answer)
  }

  func obstacle(to action: Action, in model: Model) -> SafeText? {
    switch action {
    case .left, .right:
      let width = inside(model).map { text($0).width } ?? model.size.width
      return model.answer.overhang(width: width) > 0
        ? nil : obstacleOutsideTables(to: action, in: model)
    case .choose: return model.answer.choices.isEmpty ? nothingToChoose(in: model) : nil
    default: return obstacleOutsideTables(to: action, in: model)
    }
  }

  /// Scrolls the table of an answer, or follows its line's link.
  func perform(_ action: Action, in model: inout Model) {
    switch action {
    case .left: model.detail.moveSideways(by: -1)
    case .right: model.detail.moveSideways(by: 1)
    case .choose where model.detail.linesToChoice > 0: move(.rows(1), in: &model)
    case .choose: if let target = model.detail.target(in: model.answer) { model.follow(target) }
    default: break
    }
  }

  func find(forward: Bool, in model: inout Model) {
    let choices = model.answer.choices
    let all = model.answer.text
    let texts = choices.isEmpty ? all : choices.map { all[$0] }
    let now = choices.isEmpty ? model.detail.top : model.detail.choice
    guard let found = model.find(in: texts.map(\.string), from: now, forward) else { return }
    if choices.isEmpty { model.detail.top = found } else { model.detail.choice = found }
  }

  // MARK: Words

  func place(in model: Model) -> SafeText { "" }

  func content(in model: Model) -> [SafeText] { model.answerLines }
}
