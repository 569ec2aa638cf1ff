import Canvas
import Engine
import Inquiry
import Language

/// The layout for a projector: two panes with room between their rows, and one sentence.
///
/// It shows what stays as it is until the moment changes: no hints of keys, and of the rules only those
/// that do not hold.
extension Model {
  /// Lines that a row of a table takes.
  var rowPitch: Int { isPresenting ? 2 : 1 }

  /// What is to be said at this moment: in an event the micro-step; where a chapter ends what it is about;
  /// else the event; at the start what the session is about.
  var sentence: SafeText {
    guard let event = timeline.currentEvent else { return SafeText(session.scenario.title) }
    let steps = timeline.steps
    if timeline.stepsDone < steps.count, steps.indices.contains(timeline.stepsDone - 1) {
      let step = steps[timeline.stepsDone - 1]
      return SafeText(
        detailLevel == .plain ? step.plainFact : step.explanation.what.capitalized + ".")
    }
    if let chapter = session.chapters.last(where: { $0.end == timeline.moment.events }),
      !chapter.text.isEmpty
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

  /// The event and, if one does not hold, a rule.
  func drawPresentationHeader(in rect: Rect, of frame: inout Surface) {
    let right = violationsNow?.isEmpty ?? true ? Line() : state
    let start = Point(rect.right - right.columns, rect.y)
    frame.write(right, at: start, clip: rect)
    frame.write(
      momentLine, at: rect.origin,
      clip: Rect(x: rect.x, y: rect.y, width: start.x - rect.x, height: 1))
  }
}
