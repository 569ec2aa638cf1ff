import Engine
import Language

/// Carrying the rest of a history out while its beginning is on the screen.
extension Model {
  /// How much of a history is carried out at once: so little that no input waits for it noticeably.
  private enum Piece {
    static let statements = 8_000
    static let words = 100_000
  }

  /// Number of events of the history, those that have yet to be carried out too.
  var eventCount: Int { ahead == nil ? timeline.events.count : eventsAhead }

  /// How much of the history has been carried out, while that is not all.
  var percentRead: Int? {
    guard let ahead, eventsAhead > 0 else { return nil }
    return ahead.timeline.events.count * 100 / eventsAhead
  }

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
        // Of a history that was opened nothing was left out, and nothing is to be said.
        if branches[branch].origin != nil { didFollow() }
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
