import Canvas

/// Distinguishes double clicks from clicks.
struct ClickCounter {
  /// Maximum time between the two presses of a double click.
  static let interval = Duration.milliseconds(400)

  private var last: (point: Point, time: ContinuousClock.Instant)?

  /// The action of a press of the left button.
  mutating func press(at point: Point, time: ContinuousClock.Instant) -> Mouse.Action {
    if let last, last.point == point, time - last.time <= Self.interval {
      self.last = nil
      return .doubleClick
    }
    last = (point, time)
    return .click
  }
}
