import Canvas
import Engine
import Scenario

extension Model {
  func drawDetail(in rect: Rect, of frame: inout Surface) {
    var lines = whyLines.flatMap { $0.wrapped(to: rect.width - 2, indent: 2) }
    // Where there is little room it is not wasted.
    if lines.count > rect.height { lines.removeAll { $0.parts.isEmpty } }
    let top = min(detail.top, max(0, lines.count - rect.height))
    for (y, line) in lines.dropFirst(top).prefix(rect.height).enumerated() {
      frame.write(line, at: Point(rect.x + 1, rect.y + y), clip: rect)
    }
  }

  /// What the current event is, what the micro-step is that is looked at, and why.
  var whyLines: [Line] {
    guard let event = timeline.currentEvent else { return welcome }
    var lines = [Line(SafeText(timeline.events[event].sentence), .title)]
    if case .access = timeline.events[event], timeline.stepsDone == timeline.steps.count {
      lines.append(Line(SafeText(machine.lastOutcome.sentence)))
    }
    lines.append(Line())
    if let index = currentStep, timeline.steps.indices.contains(index) {
      let explanation = timeline.steps[index].explanation
      lines.append(
        Line("\(index + 1) ", .dim).adding(SafeText(explanation.label), .heading)
          .adding("  " + SafeText(explanation.what)))
      if !explanation.why.isEmpty { lines.append(Line(SafeText(explanation.why))) }
      if detailLevel != .plain {
        lines.append(Line(SafeText(explanation.source.description), .dim))
      }
    }
    if detailLevel != .plain { lines += [Line(), costLine] }
    return lines
  }

  private var costLine: Line {
    let parts = changes.cost.parts + ["\(changes.cost.words) words stored"]
    return Line("cost  ", .dim).adding(parts.dropFirst().reduce(parts[0]) { $0 + ", " + $1 })
  }

  /// What is said before anything has happened.
  private var welcome: [Line] {
    let configuration = session.scenario.configuration
    var lines: [Line] = []
    if !session.scenario.title.isEmpty {
      lines += [Line(SafeText(session.scenario.title), .title), Line()]
    }
    let vcpus: SafeText = configuration.vcpus == 1 ? "1 vCPU" : "\(configuration.vcpus) vCPUs"
    lines.append(
      Line(
        "A VM with \(configuration.ipaBits) bits of IPA, \(vcpus), "
          + (configuration.nested
            ? "nested: \(configuration.shadows) shadow tables." : "not nested.")))
    lines.append(
      Line("\(timeline.events.count) events in \(session.chapters.count) chapters lie ahead."))
    lines.append(Line())
    for (keys, what) in [
      (".", "the first event"), ("s", "its first micro-step"),
      ("}", "the first chapter"), ("$", "the end"), ("?", "all keys"),
    ] as [(SafeText, SafeText)] {
      lines.append(Line(" " + keys + "  ", .key).adding(what))
    }
    return lines
  }
}
