import Engine
import Language

/// Carrying the rest of a history out while its beginning is on the screen.
extension Model {
  /// How much of a history is carried out at once: so little that no input waits for it noticeably.
  private enum Piece {
    static let statements = 8_000
    static let words = 100_000
  }

  /// Number of events that have been carried out.
  var eventCount: Int { (ahead ?? session).timeline.events.count }

  /// Carries out a piece of what is left, and shows the history once it is whole.
  mutating func continueHistory() {
    guard var ahead else { return }
    // There must be one copy, or the first store would make another of all memory.
    self.ahead = nil
    do {
      if try ahead.advance(statements: Piece.statements, words: Piece.words) {
        ahead.seek(to: timeline.moment)
        session = ahead
        noteMoment()
      } else {
        self.ahead = ahead
      }
    } catch {
      failure = error
      isFinished = true
    }
  }

  /// Carries out all that is left.
  mutating func completeHistory() {
    while ahead != nil { continueHistory() }
  }
}
