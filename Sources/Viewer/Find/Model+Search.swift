import Canvas
import Engine
import Language

/// Finding text in the pane that has the focus.
extension Model {
  /// Rows of a table that are looked at for one search.
  private static let rowsAtMost = 50_000

  /// Finds a text, or in a table an address, from the cursor on.
  mutating func search(_ text: String) {
    searched = text
    if focus.isTable, text.hasPrefix("0x"), Number.value(of: text) != nil { return goTo(text) }
    findNext(forward: true)
  }

  /// Finds the next place of what was searched for last; after the end it goes on at the start.
  mutating func findNext(forward: Bool) {
    marksMatches = true
    switch focus {
    case .canonical, .guest, .shadow, .iommu: findRow(forward)
    case .steps:
      let texts = timeline.steps.map {
        "\($0.explanation.label) \($0.explanation.what) \($0.explanation.why)"
      }
      guard let found = find(in: texts, from: currentStep ?? -1, forward) else { return }
      steps.cursor = found
    case .detail:
      let choices = answer.choices
      let texts = choices.isEmpty ? answer.text : choices.map { answer.text[$0] }
      let now = choices.isEmpty ? detail.top : detail.choice
      guard let found = find(in: texts.map(\.string), from: now, forward) else { return }
      if choices.isEmpty { detail.top = found } else { detail.choice = found }
    case .reverseMap:
      findReverseMapEntry(forward)
    }
  }

  /// The next of some texts that has the searched one in it, or nil after saying that there is none.
  private mutating func find(in texts: [String], from now: Int, _ forward: Bool) -> Int? {
    let order =
      forward ? Array(1...max(1, texts.count)) : Array(1...max(1, texts.count)).map { -$0 }
    for step in order where !texts.isEmpty {
      let index = ((now + step) % texts.count + texts.count) % texts.count
      if matches(texts[index]) {
        if forward ? index <= now : index >= now { say("Searched on from the other end.") }
        return index
      }
    }
    refuse("No \(SafeText(searched)) in \(name(of: focus)).")
    return nil
  }

  /// Whether a text has the searched one in it; capitals count if there are any.
  func matches(_ text: String) -> Bool {
    searched.contains(where: \.isUppercase)
      ? text.contains(searched) : text.lowercased().contains(searched)
  }

  private mutating func findRow(_ forward: Bool) {
    guard let rows = rows(of: focus), let first = rows.first, let last = rows.last else {
      return refuse("The table is empty.")
    }
    // What may be seen in full, and what is seen now.
    let width = Layout(self).rect(of: focus)?.width ?? 0
    let formats = [200, width].map { format(of: focus, rows, width: $0) }
    let start = cursorRow(rows)
    var row = start
    var hasWrapped = false
    for _ in 0..<Self.rowsAtMost {
      let following = row.flatMap { forward ? rows.next(after: $0) : rows.previous(before: $0) }
      if following == nil {
        if hasWrapped { break }
        hasWrapped = true
      }
      let next = following ?? (forward ? first : last)
      if formats.contains(where: {
        matches(($0.text(of: next, entries: 0) + $0.remarks(on: next)).string)
      }) {
        put(cursor: next.position)
        return hasWrapped ? say("Searched on from the other end.") : ()
      }
      if hasWrapped, next == start { break }
      row = next
    }
    refuse("No \(SafeText(searched)) among \(Self.rowsAtMost) rows of \(name(of: focus)).")
  }
}
