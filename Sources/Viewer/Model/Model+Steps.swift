import Engine

/// The pane of micro-steps.
extension Model {
  /// The step that the answers are about: the chosen one; else in an event the last one done, and after
  /// it the one that tells most.
  var currentStep: Int? {
    if let cursor = steps.cursor { return min(cursor, timeline.steps.count - 1) }
    if timeline.stepsDone < timeline.steps.count { return timeline.stepsDone - 1 }
    return changes.cost.keyStep
  }

  mutating func moveStepCursor(by distance: Int) {
    guard !timeline.steps.isEmpty else {
      return refuse("Nothing has happened yet. . goes to the first event.")
    }
    let (target, overflow) = (currentStep ?? 0).addingReportingOverflow(distance)
    steps.cursor =
      overflow
      ? (distance < 0 ? 0 : timeline.steps.count - 1)
      : min(max(0, target), timeline.steps.count - 1)
    detail = DocumentView()
  }

  /// Goes to the moment after the chosen step.
  mutating func goToStep() {
    guard let step = currentStep, let event = timeline.currentEvent else {
      return refuse("Nothing has happened yet. . goes to the first event.")
    }
    go(to: Moment(events: event, steps: step + 1))
  }

  mutating func scrollSteps(height: Int) {
    guard height > 0 else { return }
    let step = currentStep ?? 0
    let margin = min(2, (height - 1) / 2)
    let last = max(0, timeline.steps.count - height)
    steps.top = min(max(steps.top, step - height + 1 + margin), max(0, step - margin))
    steps.top = min(max(0, steps.top), last)
  }
}
