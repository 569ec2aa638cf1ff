import Engine
import Language

extension Session {
  /// The rows of dumps that were read for one moment at which tables were seen.
  package struct Sight: Sendable {
    /// The rows that told something new, by the numbers of their events.
    package let rows: Range<Int>
    /// The chapter of the moment, and that of the one before; nil for the first moment, at which all is new.
    package let chapter: Chapter
    package let before: Chapter?
  }

  /// What was seen, if the session stands at a moment at which tables were seen; else nil. By what they changed
  /// since the moment before, and in which order, is not known, so the rows belong together.
  package var sight: Sight? {
    let moment = timeline.moment
    guard timeline.machine.configuration.isSeen, moment.steps == 0, moment.events > 0,
      let index = chapters.lastIndex(where: { $0.end == moment.events })
    else { return nil }
    let start = index > 0 ? chapters[index - 1].end : 0
    guard start < moment.events else { return nil }
    return Sight(
      rows: start..<moment.events, chapter: chapters[index],
      before: index > 0 ? chapters[index - 1] : nil)
  }
}
