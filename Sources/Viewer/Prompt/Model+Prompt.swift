import Canvas
import Engine
import Inquiry
import Language

/// The line that is being typed.
extension Model {
  /// Opens a line for typing.
  mutating func open(_ kind: Prompt.Kind, _ text: String = "") {
    prompt = Prompt(kind, text: text)
  }

  /// A key while a line is being typed.
  mutating func type(_ key: Key) -> [Effect] {
    guard var prompt else { return [] }
    switch (key.base, key.modifiers) {
    case (.enter, []): return submit(prompt)
    case (.escape, []), (.character("c"), .control), (.character("g"), .control):
      self.prompt = nil
      if prompt.kind == .narrow { narrowSheet("") }
    // Another program's output on the screen can also be cleared while typing.
    case (.character("l"), .control): return [.redraw]
    case (.backspace, []) where prompt.characters.isEmpty: self.prompt = nil
    case (.character, []) where prompt.characters.count >= Prompt.charactersAtMost:
      refuse("A line has \(Prompt.charactersAtMost) characters at most.")
    case (.tab, []):
      prompt.complete(with: completions(of: prompt))
      self.prompt = prompt
    default:
      if !prompt.edit(key, history: typed[prompt.kind] ?? []) {
        say(
          "\"\(SafeText(key.description))\" does nothing here. Press \"Enter\" to finish, \"Esc\" to leave."
        )
      }
      self.prompt = prompt
      if prompt.kind == .narrow { narrowSheet(prompt.text) }
    }
    return []
  }

  /// Carries out the typed line. A wrong one stays open for correction.
  private mutating func submit(_ prompt: Prompt) -> [Effect] {
    let text = String(prompt.text.trimmed)
    self.prompt = nil
    guard !text.isEmpty || prompt.kind == .filter else { return [] }
    if typed[prompt.kind]?.last != text, prompt.kind != .narrow {
      typed[prompt.kind, default: []].append(text)
    }
    var effects: [Effect] = []
    switch prompt.kind {
    case .command: effects = carryOutCommand(text)
    case .search: search(text)
    case .filter: text.isEmpty ? clearFilter() : setFilter(text)
    case .answer: answerLesson(text)
    case .narrow: break
    }
    // In a bare action that cannot be done now there is nothing to correct.
    let isAction = prompt.kind == .command && Action(rawValue: text) != nil
    if message?.isRefusal ?? false, !isAction, self.prompt == nil { self.prompt = prompt }
    return effects
  }

  /// An action by name, a moment, or a statement.
  mutating func carryOutCommand(_ text: String) -> [Effect] {
    let parts = text.split(separator: " ", maxSplits: 1)
    guard let first = parts.first else { return [] }
    if let action = Action(rawValue: String(first)) {
      let argument = parts.count > 1 ? String(parts[1].trimmed) : ""
      if !argument.isEmpty, action.facts.argument == nil {
        refuse("\(SafeText(action.rawValue)) takes no argument.")
        return []
      }
      return perform(Command(action, argument))
    }
    if let question = Question(name: first) {
      ask(.question(question), parts.count > 1 ? String(parts[1].trimmed) : "")
      return []
    }
    let isChapter = Session.chapterPrefixes.contains { text.hasPrefix($0) }
    if isChapter || session.moment(named: text) != nil || text.hasPrefix("0x") {
      goTo(text)
      return []
    }
    do throws(ScenarioError) {
      if let verdict = try session.verdict(on: text) {
        say(verdict.text)
        return []
      }
      try carryOut(text)
    } catch {
      refuse(
        error.isUnknownStatement
          ? "Unknown command: \(SafeText(String(first))). \(press(.help)) for a list."
          : "Column \(error.column): \(SafeText(error.message)).")
      var again = Prompt(.command, text: text)
      again.put(caret: max(0, error.column - 1))
      prompt = again
    }
    return []
  }
}

extension Session.Verdict {
  fileprivate var text: SafeText {
    switch self {
    case .holds: "Holds."
    case .fails(let message): "Does not hold: \(SafeText(message))."
    case .notAsked(let policies):
      "Not checked: it is only meant for revmap=\(SafeText(policies.map(\.name).joined(separator: ",")))."
    }
  }
}
