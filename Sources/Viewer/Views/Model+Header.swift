import Canvas
import Engine
import Language

extension Model {
  /// The first lines: when this is, whether all is well, and what it belongs to.
  func drawHeader(in rect: Rect, of frame: inout Surface) {
    let lines = rect.rows(.fixed(1), .fixed(1))
    var right = Line()
    if rect.width >= 70 {
      if branches.count > 1 { right.add("in \(branches[branch].name)  ", .heading) }
      if machine.configuration.nested {
        right.add("revmap=\(SafeText(machine.configuration.reverseMap.rawValue))  ", .dim)
      }
    }
    right.add(state)
    let start = Point(rect.right - right.columns, rect.y)
    frame.write(right, at: start, clip: rect)
    frame.write(
      momentLine, at: rect.origin,
      clip: Rect(x: rect.x, y: rect.y, width: start.x - rect.x - 1, height: 1))
    frame.write(headline, at: lines[1].origin, clip: lines[1])
  }

  /// Whether all is well.
  var state: Line {
    let isWide = size.width >= 60
    if !mistakes.isEmpty {
      return Line("\(Glyph.mismatch) \(isWide ? "the file has mistakes" : "mistakes") ", .mismatch)
    }
    if violationsNow?.isEmpty ?? true,
      let failure = session.failures.first(where: { $0.position == timeline.moment.events })
    {
      let place: SafeText = size.width >= 80 ? ", \(SafeText(failure.origin.description))" : ""
      return Line("\(Glyph.mismatch) expectation failed\(place) ", .mismatch)
    }
    let violations = violationsNow
    guard let first = violations?.first else {
      if let percentRead {
        let all = SafeText(Number.grouped(eventCount))
        return Line(
          isWide ? "read \(percentRead)% of \(all) events " : "read \(percentRead)% ", .dim)
      }
      return Line(isWide ? violations == nil ? "rules unchecked " : "rules hold " : "", .dim)
    }
    let name = SafeText(first.invariant.rawValue)
    return Line("\(Glyph.mismatch) \(isWide ? name : "rule broken") ", .mismatch)
  }

  /// Which event this is, and which micro-step of it.
  var momentLine: Line {
    let count = eventCount
    let number = timeline.currentEvent.map { $0 + 1 } ?? 0
    var line = Line(size.width >= 60 ? " event \(number)/\(count)  " : " \(number)/\(count) ")
    guard let event = timeline.currentEvent else {
      return line.adding("nothing has happened yet", .title)
    }
    line.add(SafeText(session.text(ofEvent: event)), .title)
    if timeline.stepsDone < timeline.steps.count {
      line.add("  step \(timeline.stepsDone)/\(timeline.steps.count)", .changed)
    }
    return line
  }

  /// The chapter that this is in; at the start and after the last one, what the session is about.
  var chapter: Line {
    guard let event = timeline.currentEvent,
      let chapter = session.chapters.first(where: { $0.end > event })
    else { return Line(SafeText(session.scenario.title), .dim) }
    return Line(SafeText(chapter.label), .heading).adding("  " + SafeText(chapter.text))
  }

  /// The chapter as the header has it: a title that does not fit by its name alone, which is what stands
  /// before a colon. The pane of answers then has all of it.
  private var headline: Line {
    let title = session.scenario.title
    guard isChapterCut, chapter.text == SafeText(title), let colon = title.firstIndex(of: ":")
    else { return Line(" ").adding(chapter) }
    return Line(" " + SafeText(title[..<colon]), .dim)
  }

  /// Whether the header has no room for all of the chapter's text.
  var isChapterCut: Bool { chapter.columns + 1 > size.width }
}
