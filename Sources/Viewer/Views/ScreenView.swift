import Canvas

/// What fills a screen of its own, and is no session.
package protocol ScreenView {
  /// Whether the person has ended it.
  var isFinished: Bool { get }

  /// Does what an input asks for. Returns what is left for a terminal.
  mutating func update(_ input: Input) -> [Effect]

  /// The frame that the screen shows.
  func frame() -> Surface
}
