import Canvas
import Engine
import Language

/// Finding text in the pane that has the focus.
extension Model {
  /// Finds a text, or in a table an address, from the cursor on.
  mutating func search(_ text: String) {
    searched = text
    if focus.isTable, text.hasPrefix("0x"), Number.value(of: text) != nil { return goTo(text) }
    findNext(forward: true)
  }

  /// Finds the next match of the last search; wraps around at the end.
  mutating func findNext(forward: Bool) {
    marksMatches = true
    focus.operations.find(forward: forward, in: &self)
  }

  /// Index of the next text with a match, or nil after reporting that there is none.
  mutating func find(in texts: [String], from now: Int, _ forward: Bool) -> Int? {
    let order =
      forward ? Array(1...max(1, texts.count)) : Array(1...max(1, texts.count)).map { -$0 }
    for step in order where !texts.isEmpty {
      let index = ((now + step) % texts.count + texts.count) % texts.count
      if matches(texts[index]) {
        if forward ? index <= now : index >= now { say("Search wrapped.") }
        return index
      }
    }
    refuse("No \(SafeText(searched)) in \(focus.operations.name(in: self)).")
    return nil
  }

  /// Whether a text contains the searched one; case counts if that has capitals.
  func matches(_ text: String) -> Bool {
    searched.contains(where: \.isUppercase)
      ? text.contains(searched) : text.lowercased().contains(searched)
  }
}
