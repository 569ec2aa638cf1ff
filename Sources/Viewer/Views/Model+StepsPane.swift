import Canvas
import Engine
import Scenario

extension Model {
  /// The micro-steps of the current event; those that are not done yet are dim.
  func drawSteps(in rect: Rect, of frame: inout Surface) {
    if timeline.steps.isEmpty {
      let line = Line("Press . for the first event.", .dim)
      frame.write(line, at: Point(rect.x + 1, rect.y), clip: rect)
      return
    }
    let digits = String(timeline.steps.count).utf8.count
    let labels = 10
    for y in 0..<rect.height {
      let index = steps.top + y
      guard index < timeline.steps.count else { return }
      let explanation = timeline.steps[index].explanation
      let isDone = index < timeline.stepsDone
      var line = Line()
      line.add(index == currentStep ? SafeText(.selected) : " ", .key)
      line.add(SafeText("\(index + 1)").padded(to: digits, .right) + " ", .dim)
      line.add(
        SafeText(explanation.label).fitted(to: labels) + " " + SafeText(explanation.what),
        isDone ? .text : .dim)
      let place = Rect(x: rect.x, y: rect.y + y, width: rect.width, height: 1)
      frame.write(line, at: place.origin, clip: place)
      if focus == .steps, index == currentStep {
        let width = min(line.columns, rect.width) - 1
        frame.restyle(Rect(x: rect.x + 1, y: place.y, width: width, height: 1)) {
          $0.attributes.formSymmetricDifference(.reverse)
        }
      }
    }
  }
}
