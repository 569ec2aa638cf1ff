import Canvas
import Engine
import Inquiry
import Language

/// The micro-steps of the current event; those that are not done yet are dim.
struct StepsPane: PaneOperations {
  var pane: Pane { .steps }
  var region: PaneRegion { .text }

  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool { true }

  func name(in model: Model) -> SafeText { "Steps" }

  func context(in model: Model) -> [SafeText] {
    let steps = model.timeline.steps
    let count: [SafeText] = steps.isEmpty ? [] : ["\(model.timeline.stepsDone)/\(steps.count)"]
    return count + model.changes.cost.parts.map { SafeText($0) }
  }

  var term: String { "micro-step" }

  func term(in model: Model) -> String { model.termOfStep ?? term }

  // MARK: Drawing

  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText {
    let steps = model.timeline.steps
    if steps.isEmpty {
      let line = Line("\(model.press(.nextEvent)) to go to the first event.", .dim)
      frame.write(line, at: Point(rect.x + 1, rect.y), clip: rect)
      return ""
    }
    let locks = locks(of: model)
    let parts = parts(of: rect, with: locks)
    frame.write(locks, at: parts.locks.origin, clip: parts.locks)
    let rect = parts.list
    let lines = visibleLines(model, in: rect)
    for (y, (step, line)) in lines.enumerated() {
      let place = Rect(x: rect.x, y: rect.y + y, width: rect.width, height: 1)
      frame.write(line, at: place.origin, clip: place)
      if model.focus == pane, step == model.currentStep {
        // The bar covers the text; the indentation before it shows nothing.
        let indent = max(1, line.text.string.prefix { $0 == " " }.utf8.count)
        let bar = Rect(x: rect.x + indent, y: place.y, width: line.columns - indent, height: 1)
        frame.restyle(bar) { $0.attributes.formSymmetricDifference(.reverse) }
      }
    }
    guard let last = lines.last else { return "" }
    let rest = self.lines(ofStep: last.step, model, width: rect.width).last
    return .arrows(
      up: model.steps.top > 0, down: last.step + 1 < steps.count || rest != last.line)
  }

  /// The minimum height of a pane with a line for locks.
  private static let heightWithLocks = 4

  /// Where the steps are, and below them the line for locks; the latter is empty if none are held, or the
  /// pane is too low.
  private func parts(of rect: Rect, with locks: Line) -> (list: Rect, locks: Rect) {
    let hasLine = rect.height >= Self.heightWithLocks && !locks.parts.isEmpty
    let parts = rect.rows(.flexible, .fixed(hasLine ? 1 : 0))
    return (parts[0], parts[1])
  }

  private func list(of model: Model, in rect: Rect) -> Rect {
    parts(of: rect, with: locks(of: model)).list
  }

  /// The locks that are held: which, how, and by which event; empty if none are held and no event is paused.
  func locks(of model: Model) -> Line {
    let timeline = model.timeline
    let locks = timeline.heldLocks
    let paused = timeline.pausedEvent
    var line = Line()
    if locks.isEmpty, paused == nil { return line }
    line.add(" locks", .dim)
    for held in locks {
      line.add("  " + SafeText(held.lock.rawValue), .heading)
      line.add(" \(SafeText(held.mode.rawValue)): \(SafeText(timeline.events[held.event].actor))")
      line.add(held.event == paused ? ", event \(held.event + 1) (paused)" : "", .warning)
    }
    if let paused, !locks.contains(where: { $0.event == paused }) {
      line.add("  none: event \(paused + 1) is paused and has dropped mmu_lock", .warning)
    }
    return line
  }

  /// The visible lines, each with its step.
  private func visibleLines(_ model: Model, in rect: Rect) -> [(step: Int, line: Line)] {
    var visible: [(step: Int, line: Line)] = []
    var step = model.steps.top
    while visible.count < rect.height, step < model.timeline.steps.count {
      visible += lines(ofStep: step, model, width: rect.width).map { (step, $0) }
      step += 1
    }
    return Array(visible.prefix(max(0, rect.height)))
  }

  /// Columns of the word for what a step does.
  private static let labelColumns = 10

  /// A step in lines of at most `width` columns.
  private func lines(ofStep index: Int, _ model: Model, width: Int) -> [Line] {
    let step = model.timeline.steps[index]
    let digits = String(model.timeline.steps.count).utf8.count
    var line = Line()
    line.add(index == model.currentStep ? SafeText(.selected) : " ", .key)
    line.add(SafeText("\(index + 1)").padded(to: digits, .right) + " ", .dim)
    let role: Role = index < model.timeline.stepsDone ? .text : .dim
    if model.detailLevel == .plain {
      return line.adding(SafeText(step.plainFact), role)
        .wrapped(to: width - 1, indent: digits + 2)
    }
    let explanation = step.explanation
    line.add(
      SafeText(explanation.label).padded(to: Self.labelColumns) + " "
        + SafeText(explanation.what), role)
    // The rest continues below the text, or below the word if there is little room.
    let indent = digits + 2 + Self.labelColumns + 1
    return line.wrapped(to: width - 1, indent: width < 3 * indent ? digits + 2 : indent)
  }

  /// Scrolls so that the current step is visible with one on either side, with as few empty lines as
  /// possible.
  func settle(_ model: inout Model, in rect: Rect) {
    let rect = list(of: model, in: rect)
    let steps = model.timeline.steps
    guard rect.height > 0, !steps.isEmpty else { return model.steps.top = 0 }
    let step = max(0, model.currentStep ?? 0)
    let last = steps.count - 1
    let margin = rect.height > 4 ? 1 : 0
    let first = firstStep(showing: min(step + margin, last), model, in: rect)
    let end = firstStep(showing: last, model, in: rect)
    model.steps.top = min(max(model.steps.top, first), max(0, step - margin), end)
  }

  /// The first step from which everything up to another is visible.
  private func firstStep(showing end: Int, _ model: Model, in rect: Rect) -> Int {
    var start = end
    var count = lines(ofStep: end, model, width: rect.width).count
    while start > 0 {
      count += lines(ofStep: start - 1, model, width: rect.width).count
      if count > rect.height { break }
      start -= 1
    }
    return start
  }

  // MARK: Keys and mouse

  func move(_ movement: Movement, in model: inout Model) {
    let last = model.timeline.steps.count - 1
    guard last >= 0 else { return model.refuse(model.nothingYet) }
    model.steps.cursor = movement.target(from: model.currentStep ?? 0, last: last)
    model.detail = DocumentView()
  }

  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool {
    let lines = visibleLines(model, in: list(of: model, in: rect))
    guard lines.indices.contains(point.y - rect.y) else { return false }
    model.steps.cursor = lines[point.y - rect.y].step
    return true
  }

  func obstacle(to action: Action, in model: Model) -> SafeText? {
    guard action == .choose else { return obstacleOutsideTables(to: action, in: model) }
    return model.timeline.steps.isEmpty ? nothingToChoose(in: model) : nil
  }

  /// Goes to the moment after the chosen step.
  func perform(_ action: Action, in model: inout Model) {
    guard action == .choose else { return }
    guard let step = model.currentStep, let event = model.timeline.currentEvent else {
      return model.refuse(model.nothingYet)
    }
    model.go(to: Moment(events: event, steps: step + 1))
  }

  func find(forward: Bool, in model: inout Model) {
    let texts = model.timeline.steps.map {
      "\($0.explanation.label) \($0.explanation.what) \($0.explanation.why)"
    }
    guard let found = model.find(in: texts, from: model.currentStep ?? -1, forward) else { return }
    model.steps.cursor = found
  }

  // MARK: Words

  func place(in model: Model) -> SafeText {
    guard let index = model.currentStep, model.timeline.steps.indices.contains(index) else {
      return "no step."
    }
    return "step \(index + 1), " + words(ofStep: index, in: model)
  }

  func content(in model: Model) -> [SafeText] {
    Spoken.shortened(model.timeline.steps.indices.map { line(ofStep: $0, in: model) })
  }

  /// A step with its number, for reading out.
  func line(ofStep index: Int, in model: Model) -> SafeText {
    "Step \(index + 1), " + words(ofStep: index, in: model)
  }

  private func words(ofStep index: Int, in model: Model) -> SafeText {
    let explanation = model.timeline.steps[index].explanation
    return SafeText(explanation.label) + ": " + SafeText(explanation.what) + "."
  }
}

/// The position in the pane of micro-steps.
struct StepsView {
  /// The chosen step, by its index; nil while the pane follows the moment.
  var cursor: Int?
  /// The first visible step.
  var top = 0
}

extension Model {
  /// The subject of answers: the chosen step; else in an event the last one done, and after it the most
  /// telling one.
  var currentStep: Int? {
    if let cursor = steps.cursor { return min(cursor, timeline.steps.count - 1) }
    if timeline.stepsDone < timeline.steps.count { return timeline.stepsDone - 1 }
    return changes.cost.keyStep
  }

  /// The glossary word for the current step.
  var termOfStep: String? {
    guard let index = currentStep, timeline.steps.indices.contains(index) else { return nil }
    return timeline.steps[index].explanation.label
  }

  fileprivate var nothingYet: SafeText {
    "Nothing has happened yet. \(press(.nextEvent)) to go to the first event."
  }
}
