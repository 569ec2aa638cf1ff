import Canvas
import Engine
import Language

extension Model {
  /// What the screen adds to the explanation: at the start the keys that lead on, else the chapter if the
  /// header has no room for it.
  func addOwnWords(to document: inout Document) {
    guard timeline.currentEvent != nil else { return addWelcome(to: &document) }
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
