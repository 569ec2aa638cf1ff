import Canvas
import Engine
import Language

extension Model {
  /// Adds the screen's part to the explanation: at the start the keys to continue, else the chapter if
  /// the header has no room for it.
  func addOwnWords(to document: inout Document) {
    for note in notes(at: timeline.moment) { document.add(Line("note  ", .changed).adding(note)) }
    guard timeline.currentEvent != nil else { return addWelcome(to: &document) }
    for failure in session.failures where failure.position == timeline.moment.events {
      let purpose = purpose(isOfOtherEvents: failure.isOfOtherEvents)
      document.add(
        Line(
          "\(purpose == nil ? Glyph.mismatch : .differs) ", purpose == nil ? .mismatch : .dim
        )
        .adding("\(SafeText(failure.place)) expects otherwise: ")
        .adding(SafeText(failure.message) + ".")
        .adding(purpose.map { " It was written for \($0)." } ?? "", .dim))
    }
    if isChapterCut {
      document.addBlank()
      document.add(Line("in  ", .dim).adding(chapter))
    }
  }

  private func addWelcome(to document: inout Document) {
    document.addBlank()
    for (action, what) in [
      (.nextEvent, "the first event"), (.nextStep, "its first micro-step"),
      (.nextMark, "the first chapter"), (.end, "the end"), (.help, "all keys"),
    ] as [(Action, SafeText)] {
      document.add(Line(" " + key(action) + "  ", .key).adding(what))
    }
  }
}
