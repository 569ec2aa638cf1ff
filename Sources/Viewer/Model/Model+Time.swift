import Canvas
import Engine

/// Places in time that have names.
extension Model {
  /// Goes to the next or previous chapter or mark.
  mutating func goToMark(forward: Bool) {
    let now = timeline.moment
    let moments = session.chapters.map { Moment(events: $0.end) }
    let target = forward ? moments.first { $0 > now } : moments.last { $0 < now }
    guard let target else {
      return refuse(
        forward ? "No chapter follows. { goes back." : "No chapter is before this. } goes forward.")
    }
    go(to: target)
  }

  /// Goes to a moment or an address that was typed.
  mutating func goTo(_ text: String) {
    if let moment = session.moment(named: text) { return go(to: moment) }
    refuse("Expected \(SafeText(session.momentHelp)).")
  }
}
