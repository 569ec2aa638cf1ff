import Canvas
import Engine
import Inquiry
import Language

/// The model in words, for readers of lines instead of a screen.
extension Model {
  /// The current event, and the micro-step in it.
  var momentLines: [SafeText] {
    let count = timeline.events.count
    guard let event = timeline.currentEvent else {
      return ["The start: nothing has happened yet, \(count) events lie ahead."]
    }
    let noun: SafeText = machine.configuration.isSeen ? "Row" : "Event"
    var line: SafeText = "\(noun) \(event + 1) of \(count)"
    if timeline.stepsDone < timeline.steps.count {
      line +=
        ", step \(timeline.stepsDone) of \(timeline.steps.count), moment "
        + Self.name(of: timeline.moment)
    }
    return [line + ": " + SafeText(session.text(ofEvent: event))]
  }

  /// The moment's chapter.
  var chapterText: SafeText {
    guard let event = timeline.currentEvent,
      let chapter = session.chapters.first(where: { $0.end > event })
    else { return "" }
    let purpose = purpose(isOfOtherEvents: chapter.isOfOtherEvents)
    let own: SafeText = purpose.map { ", written for \($0)" } ?? ""
    return SafeText(chapter.label) + own
      + (chapter.text.isEmpty ? "" : ", " + SafeText(chapter.text))
  }

  /// Maximum number of steps of an event to read out completely.
  private static let stepsAtMost = 12

  /// The micro-steps of a finished event; of a long one only the telling ones.
  var stepLines: [SafeText] {
    let steps = timeline.steps
    guard detailLevel != .plain, timeline.stepsDone == steps.count else { return [] }
    if steps.count <= Self.stepsAtMost { return StepsPane().content(in: self) }
    let told = steps.indices.filter { steps[$0].facts.weight > 0 }
    let pane = (panes.firstIndex(of: .steps) ?? 0) + 1
    let rest = steps.count - told.count
    return Spoken.shortened(told.map { StepsPane().line(ofStep: $0, in: self) })
      + [
        rest == 0
          ? "All steps: \"pane \(pane)\", then \"look\"."
          : "\(rest) other step\(rest == 1 ? "" : "s"): \"pane \(pane)\", then \"look\", reads all."
      ]
  }

  /// The event that is paused, and the locks that are held.
  var lockLines: [SafeText] {
    guard let paused = timeline.pausedEvent else { return [] }
    let locks = timeline.heldLocks.map { held -> SafeText in
      let article: SafeText = held.lock == .area ? "the " : ""
      return
        "\(article)\(SafeText(held.lock.rawValue)) for \(held.mode == .read ? "reading" : "writing")"
    }
    let all = locks.dropFirst().reduce(locks.first ?? "no lock") { $0 + ", " + $1 }
    return ["Event \(paused + 1) is paused and holds \(all)."]
  }

  /// Rules that the moment leaves broken, and expectations that failed there.
  var violationLines: [SafeText] {
    let broken = ViolationRun.runs(of: violationsNow ?? []).map { run -> SafeText in
      "Broken rule: \(SafeText(run.first.invariant.rawValue)) at "
        + SafeText(run.place(in: machine)) + "."
    }
    let failed = session.failures.filter { $0.position == timeline.moment.events }.map {
      failure -> SafeText in
      let purpose = purpose(isOfOtherEvents: failure.isOfOtherEvents)
      let own: SafeText = purpose.map { " It was written for \($0)." } ?? ""
      return "Expectation failed, \(SafeText(failure.place)): "
        + SafeText(failure.message) + "." + own
    }
    return Spoken.shortened(broken + failed)
  }

  /// The answer; lines with a link have the number for `choose`.
  var answerLines: [SafeText] {
    var number = 0
    return answer.items.compactMap { item in
      if item.text.isEmpty { return nil }
      if item.target == nil { return item.text }
      number += 1
      return "(\(number)) " + item.text
    }
  }

  /// The pane that has the focus, and what is selected in it.
  var placeText: SafeText {
    let pane: SafeText = "Pane \((panes.firstIndex(of: focus) ?? 0) + 1), "
    let operations = focus.operations
    let place = operations.place(in: self)
    return pane + operations.name(in: self) + (place.isEmpty ? "." : ": " + place)
  }

  /// The current line: the selected one of an answer, else the place.
  var lineText: SafeText {
    let line = answer.choices.isEmpty ? detail.top : answer.choices[detail.choice]
    guard focus == .answer, answer.items.indices.contains(line) else { return placeText }
    return answer.items[line].text
  }
}
