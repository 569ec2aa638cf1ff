import Canvas
import Engine
import Language

/// The model in words, for who reads lines and not a screen.
extension Model {
  /// Lines of tables and steps that are said at once at most.
  private static let spokenAtMost = 100

  /// Which event this is, and which micro-step of it.
  var momentLines: [SafeText] {
    let count = timeline.events.count
    guard let event = timeline.currentEvent else {
      return ["The start: nothing has happened yet, \(count) events lie ahead."]
    }
    var line: SafeText = "Event \(event + 1) of \(count): "
    if timeline.stepsDone < timeline.steps.count {
      line += "micro-step \(timeline.stepsDone) of \(timeline.steps.count): "
    }
    return [line + SafeText(session.text(ofEvent: event))]
  }

  /// The chapter that the moment is in.
  var chapterText: SafeText {
    guard let event = timeline.currentEvent,
      let chapter = session.chapters.first(where: { $0.end > event })
    else { return "" }
    return SafeText(chapter.label) + (chapter.text.isEmpty ? "" : ", " + SafeText(chapter.text))
  }

  /// The micro-steps of an event that is done.
  var stepLines: [SafeText] {
    guard detailLevel != .plain, timeline.stepsDone == timeline.steps.count else { return [] }
    let lines = timeline.steps.indices.map { "Step \($0 + 1), " + stepText($0) }
    return Self.shortened(lines)
  }

  private func stepText(_ index: Int) -> SafeText {
    let explanation = timeline.steps[index].explanation
    return SafeText(explanation.label) + ": " + SafeText(explanation.what) + "."
  }

  /// Rules that the moment leaves broken, and expectations that failed there.
  var violationLines: [SafeText] {
    let broken = ViolationRun.runs(of: violationsNow ?? []).map { run -> SafeText in
      "Broken rule: \(SafeText(run.first.invariant.rawValue)) at \(SafeText(run.place)) of "
        + SafeText(Phrase.table(run.first.table)) + "."
    }
    let failed = session.failures.filter { $0.position == timeline.moment.events }.map {
      "Not as expected, \(SafeText($0.origin.description)): " + SafeText($0.message) + "."
    }
    return Self.shortened(broken + failed)
  }

  /// The answer; lines that lead somewhere with the number that `choose` takes.
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
    let pane: SafeText = "Pane \((panes.firstIndex(of: focus) ?? 0) + 1), \(name(of: focus))"
    switch focus {
    case .canonical, .guest, .shadow, .iommu:
      guard let rows = rows(of: focus) else { return pane + ": no table." }
      guard let row = cursorRow(rows) ?? rows.first else { return pane + ": empty." }
      return pane + ": " + words(of: row)
    case .steps:
      guard let index = currentStep, timeline.steps.indices.contains(index) else {
        return pane + ": no step."
      }
      return pane + ": step \(index + 1), " + stepText(index)
    case .reverseMap:
      guard hasReverseMap else { return pane + ": no map, revmap=none." }
      return pane + ": " + (mappedEntry.map { line(of: $0).text } ?? "empty") + "."
    case .detail: return pane + "."
    }
  }

  /// The line that is looked at: the selected one of an answer, else the place.
  var lineText: SafeText {
    let line = answer.choices.isEmpty ? detail.top : answer.choices[detail.choice]
    guard focus == .detail, answer.items.indices.contains(line) else { return placeText }
    return answer.text[line]
  }

  /// What the pane that has the focus shows.
  var contentLines: [SafeText] {
    switch focus {
    case .canonical, .guest, .shadow, .iommu:
      guard let rows = rows(of: focus), var row = rows.first else { return [] }
      var lines = [words(of: row)]
      while let next = rows.next(after: row) {
        if lines.count == Self.spokenAtMost {
          lines.append("More follows; down and page-down go on, goto 0xADDRESS goes there.")
          break
        }
        lines.append(words(of: next))
        row = next
      }
      return lines
    case .steps:
      return Self.shortened(timeline.steps.indices.map { "Step \($0 + 1), " + stepText($0) })
    case .reverseMap:
      return hasReverseMap ? mappedEntries(Self.spokenAtMost).map { line(of: $0).text } : []
    case .detail: return answerLines
    }
  }

  private static func shortened(_ lines: [SafeText]) -> [SafeText] {
    if lines.count <= spokenAtMost { return lines }
    return lines.prefix(spokenAtMost) + ["\(lines.count - spokenAtMost) more."]
  }

  /// A row of a table as a sentence.
  private func words(of row: Row) -> SafeText {
    var text: SafeText = "level \(row.level), \(hex: row.address)"
    let entry = row.descriptor
    switch row.kind {
    case .table(let isOpen): text += ": a table, " + (isOpen ? "open" : "closed")
    case .absent: text += ": not mapped"
    case .leaf, .removed, .coming:
      if entry.isLeaf(row.level) {
        text +=
          " to \(hex: entry.address(granuleShift: reader(of: focus)?.geometry.granuleShift ?? 12))"
        text += ", " + SafeText(Phrase.permissions(entry.bits))
        text += ", " + SafeText(Phrase.size(row.entrySize))
        if row.count > 1 { text += ", and \(row.count - 1) more that follow on" }
      } else {
        text += ": " + SafeText(Phrase.entry(entry.bits, level: row.level))
      }
    }
    switch row.kind {
    case .removed: text += ", removed by this"
    case .coming: text += ", comes with the next event"
    default: if row.isChanged { text += ", changed by this" }
    }
    if row.kind == .leaf, entry.isLeaf(row.level), case .shadow(let number) = tableID(of: focus),
      machine.isStale(entry, at: row.address, level: row.level, inShadow: number)
    {
      text += ", stale"
    }
    return text + "."
  }
}
