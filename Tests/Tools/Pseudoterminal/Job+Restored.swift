extension Job {
  /// What of the terminal is not as it was found: its modes, a screen that was entered and not left, or
  /// left and not entered, a hidden cursor, a reported mouse, marks around pastes, a keypad in its other mode. Empty if all
  /// is well.
  ///
  /// - Parameter entered: How often the alternate screen was entered, where the terminal has one.
  package func leftovers(entered: Int = 1) -> [String] {
    var left: [String] = []
    if !modesAreRestored { left.append("modes") }
    let output = text
    func count(_ sequence: String) -> Int { output.ranges(of: sequence).count }
    if count("\u{1B}[?1049h") > 0,
      count("\u{1B}[?1049h") != entered || count("\u{1B}[?1049l") != entered
    {
      left.append(
        "screen entered \(count("\u{1B}[?1049h")) times, left \(count("\u{1B}[?1049l"))")
    }
    let switches = [
      ("hidden cursor", "\u{1B}[?25l", "\u{1B}[?25h"),
      ("mouse", "\u{1B}[?1000;1006h", "\u{1B}[?1006;1000l"),
      ("marks of pastes", "\u{1B}[?2004h", "\u{1B}[?2004l"),
      ("keypad", "\u{1B}[?1h", "\u{1B}[?1l"),
    ]
    for (name, on, off) in switches {
      guard let last = output.ranges(of: on).last else { continue }
      if !(output.ranges(of: off).last.map { $0.lowerBound > last.lowerBound } ?? false) {
        left.append(name)
      }
    }
    return left
  }
}
