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

  /// Scrolls so that the current step is in sight with one on either side, and no more than needed is
  /// empty.
  mutating func scrollSteps(width: Int, height: Int) {
    guard height > 0, !timeline.steps.isEmpty else { return steps.top = 0 }
    let step = max(0, currentStep ?? 0)
    let last = timeline.steps.count - 1
    let margin = height > 4 ? 1 : 0
    /// The first step from which on everything up to another is in sight.
    func first(showing end: Int) -> Int {
      var start = end
      var lines = stepLines(end, width: width).count
      while start > 0 {
        lines += stepLines(start - 1, width: width).count
        if lines > height { break }
        start -= 1
      }
      return start
    }
    steps.top = max(steps.top, first(showing: min(step + margin, last)))
    steps.top = min(steps.top, max(0, step - margin), first(showing: last))
  }
}
