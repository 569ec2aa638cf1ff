import Canvas

/// A full-screen view other than a session.
package protocol ScreenView {
  /// Whether the person has ended it.
  var isFinished: Bool { get }

  /// Handles an input. Returns the effects left for the terminal.
  mutating func update(_ input: Input) -> [Effect]

  /// The frame that the screen shows.
  func frame() -> Surface
}
