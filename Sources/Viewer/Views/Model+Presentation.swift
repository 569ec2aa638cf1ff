import Canvas
import Engine
import Inquiry
import Language

/// The layout for a projector: two panes with room between their rows, and one sentence.
///
/// It shows only what is stable until the moment changes: no key hints, and only broken rules.
extension Model {
  /// Lines per table row.
  var rowPitch: Int { isPresenting ? 2 : 1 }

  /// The sentence for this moment: in an event the micro-step; at a chapter's end its text; else the
  /// event; at the start the session's title.
  var sentence: SafeText {
    guard let event = timeline.currentEvent else { return SafeText(session.scenario.title) }
    let steps = timeline.steps
    if timeline.stepsDone < steps.count, steps.indices.contains(timeline.stepsDone - 1) {
      let step = steps[timeline.stepsDone - 1]
      return SafeText(
        detailLevel == .plain ? step.plainFact : step.explanation.what.capitalized + ".")
    }
    if let chapter = session.chapters.last(where: { $0.end == timeline.moment.events }),
      !chapter.text.isEmpty, purpose(isOfOtherEvents: chapter.isOfOtherEvents) == nil
    {
      return SafeText(chapter.text)
    }
    let sentence = timeline.events[event].sentence
    return SafeText(detailLevel == .plain ? PlainWords.sentence(sentence) : sentence.capitalized)
  }

  /// The sentence in the middle of its rectangle.
  func drawSentence(in rect: Rect, of frame: inout Surface) {
    let inside = rect.inset(columns: min(8, rect.width / 10), rows: 0)
    let lines = Line(sentence, .title).wrapped(to: inside.width, indent: 0).prefix(rect.height)
    let top = rect.y + (rect.height - lines.count) / 2
    for (y, line) in lines.enumerated() {
      let point = Point(inside.x + (inside.width - line.columns) / 2, top + y)
      frame.write(line, at: point, clip: rect)
    }
  }

  /// The event and, if one is broken, a rule.
  func drawPresentationHeader(in rect: Rect, of frame: inout Surface) {
    let right = violationsNow?.isEmpty ?? true ? Line() : state
    let start = Point(rect.right - right.columns, rect.y)
    frame.write(right, at: start, clip: rect)
    frame.write(
      momentLine, at: rect.origin,
      clip: Rect(x: rect.x, y: rect.y, width: start.x - rect.x, height: 1))
  }
}
