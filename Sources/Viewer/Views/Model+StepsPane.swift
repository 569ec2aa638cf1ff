import Canvas
import Engine
import Language

extension Model {
  /// The micro-steps of the current event; those that are not done yet are dim.
  func drawSteps(in rect: Rect, of frame: inout Surface) {
    if timeline.steps.isEmpty {
      let line = Line("\(key(.nextEvent)) goes to the first event.", .dim)
      frame.write(line, at: Point(rect.x + 1, rect.y), clip: rect)
      return
    }
    for (y, (step, line)) in visibleStepLines(in: rect).enumerated() {
      let place = Rect(x: rect.x, y: rect.y + y, width: rect.width, height: 1)
      frame.write(line, at: place.origin, clip: place)
      if focus == .steps, step == currentStep {
        // The bar covers the text; the indentation before it shows nothing.
        let indent = max(1, line.text.string.prefix { $0 == " " }.utf8.count)
        let bar = Rect(x: rect.x + indent, y: place.y, width: line.columns - indent, height: 1)
        frame.restyle(bar) { $0.attributes.formSymmetricDifference(.reverse) }
      }
    }
  }

  /// The lines of the steps pane that are in sight, each with the step that it is part of.
  func visibleStepLines(in rect: Rect) -> [(step: Int, line: Line)] {
    var lines: [(step: Int, line: Line)] = []
    var step = steps.top
    while lines.count < rect.height, step < timeline.steps.count {
      lines += stepLines(step, width: rect.width).map { (step, $0) }
      step += 1
    }
    return Array(lines.prefix(rect.height))
  }

  /// Columns of the word for what a step does.
  private static let labelColumns = 10

  /// A step in lines for a pane of `width` columns.
  func stepLines(_ index: Int, width: Int) -> [Line] {
    let explanation = timeline.steps[index].explanation
    let digits = String(timeline.steps.count).utf8.count
    var line = Line()
    line.add(index == currentStep ? SafeText(.selected) : " ", .key)
    line.add(SafeText("\(index + 1)").padded(to: digits, .right) + " ", .dim)
    line.add(
      SafeText(explanation.label).padded(to: Self.labelColumns) + " "
        + SafeText(explanation.what), index < timeline.stepsDone ? .text : .dim)
    // What does not fit goes on below the text, or where that leaves little room below the word.
    let indent = digits + 2 + Self.labelColumns + 1
    return line.wrapped(to: width - 1, indent: width < 3 * indent ? digits + 2 : indent)
  }
}
