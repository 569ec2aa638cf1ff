import Canvas
import Engine
import Language

/// Carrying out the rest of a history while its beginning is on the screen.
extension Model {
  /// The size of a piece carried out at once: so small that input does not wait noticeably.
  private enum Piece {
    static let statements = 8_000
    static let words = 100_000
  }

  /// Number of events of the history, including those yet to be carried out.
  var eventCount: Int { ahead == nil ? timeline.events.count : eventsAhead }

  /// Percentage of the history carried out; nil when complete.
  var percentRead: Int? {
    guard let ahead, eventsAhead > 0 else { return nil }
    return ahead.timeline.events.count * 100 / eventsAhead
  }

  /// Carries out a piece of the rest, and shows the history once it is complete.
  mutating func continueHistory() {
    guard var ahead else { return }
    // Keep a single copy, or the first store would copy all memory.
    self.ahead = nil
    do {
      if try ahead.advance(statements: Piece.statements, words: Piece.words) {
        ahead.seek(to: timeline.moment)
        session = ahead
        noteMoment()
        if branches[branch].origin != nil { didFollow() } else { sayLeftOut() }
      } else {
        self.ahead = ahead
      }
    } catch {
      failure = error
      isFinished = true
    }
  }

  /// Says what the engine refused of what a real machine said.
  mutating func sayLeftOut() {
    guard let first = session.leftOut.first else { return }
    let count = session.leftOut.count
    say(
      "\(count) statement\(count == 1 ? " is" : "s are") left out, which the model refuses: ':unknowns' tells; the "
        + "first is of \(SafeText(first.place ?? "")).")
  }

  /// Carries out the rest.
  mutating func completeHistory() {
    while ahead != nil { continueHistory() }
  }
}
