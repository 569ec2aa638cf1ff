import Canvas
import Engine
import Inquiry
import Language

/// Help, made from the tables of actions, statements and signs.
extension Model {
  /// All actions with their keys, by group, narrowed to those whose name, key or meaning contains a text.
  ///
  /// An action that is unavailable now shows what is missing.
  func help(_ query: String) -> Document {
    var document = Document()
    let found = Set(actions(matching: query))
    for group in ActionFacts.Group.allCases {
      let actions = Action.allCases.filter { $0.facts.group == group && found.contains($0) }
      if actions.isEmpty { continue }
      document.add(SafeText(group.rawValue), .title)
      for action in actions { add(action, to: &document) }
      document.addBlank()
    }
    // A single character is searched as a key.
    let text = query.lowercased()
    func isFound(_ words: String) -> Bool {
      query.isEmpty || query.unicodeScalars.count > 1 && words.lowercased().contains(text)
    }
    let questions = Question.allCases.filter {
      Action(rawValue: $0.name) == nil && isFound($0.name + " " + $0.facts.summary)
    }
    if !questions.isEmpty {
      document.add("Questions that are typed", .title)
      for question in questions {
        let usage = question.facts.operand.usage.map { " " + $0 } ?? ""
        document.add(
          Line("  :" + SafeText(question.name + usage), .key)
            .adding("  " + SafeText(question.facts.summary), .dim), indent: 6)
      }
      document.addBlank()
    }
    let forms = StatementForm.atMoment.filter { isFound($0.pattern + " " + $0.meaning) }
    if !forms.isEmpty {
      let isTyped = keyMap.keys(for: .command).isEmpty
      document.add(
        isTyped
          ? "These happen at this moment"
          : "Typed after \(key(.command)) these happen at this moment",
        .title)
      for form in forms {
        let meaning = SafeText(form.meaning.replacing("`", with: ""))
        document.add(
          Line("  " + SafeText(form.pattern), .key).adding("  " + meaning, .dim), indent: 6)
      }
      document.addBlank()
    }
    add(signs, "Signs", matching: query, to: &document)
    add(
      EventKind.allCases.map { Sign(SafeText($0.letter), $0.role, SafeText($0.title)) },
      "Letters of the timeline", matching: query, to: &document)
    if document.items.isEmpty { document.add("Nothing in the help has this text or key.", .dim) }
    return document
  }

  /// The actions whose name, key or meaning contains a text.
  private func actions(matching query: String) -> [Action] {
    if query.isEmpty { return Action.allCases }
    let keys = Action.allCases.map { (action: $0, keys: keyMap.keys(for: $0)) }
    let spelled = keys.filter { $0.keys.contains { $0.isSpelled(query) } }.map(\.action)
    // A character, or a key with modifiers, is searched as a key.
    if query.unicodeScalars.count == 1
      || !spelled.isEmpty && query.contains(where: { "-^".contains($0) })
    {
      return spelled
    }
    let text = query.lowercased()
    return spelled
      + keys.filter { action, keys in
        action.rawValue.contains(text)
          || action.facts.summary.string.lowercased().contains(text)
          || keys.contains { $0.description.lowercased().contains(text) }
      }.map(\.action)
  }

  private func add(_ action: Action, to document: inout Document) {
    let keys = keyMap.keys(for: action).map(\.shortName)
    let shown = keys.count > 3 ? [keys[0] + "-" + (keys.last ?? "")] : keys
    let text = shown.dropFirst().reduce(shown.first ?? "") { $0 + " " + $1 }
    let obstacle = obstacle(to: action)
    var line = Line(text.padded(to: Self.keyColumns), obstacle == nil ? .key : .dim)
    line.add(action.facts.summary, obstacle == nil ? .text : .dim)
    line.add("  :" + SafeText(action.rawValue), .dim)
    if let argument = action.facts.argument { line.add(" " + argument, .dim) }
    if obstacle != nil { line.add("  (unavailable)", .warning) }
    document.add(line, to: .action(action), indent: Self.keyColumns)
  }

  private static let keyColumns = 14

  /// A sign on the screen, and what it means.
  private struct Sign {
    let sign: SafeText
    let role: Role
    let meaning: SafeText

    init(_ sign: SafeText, _ role: Role, _ meaning: SafeText) {
      self.sign = sign
      self.role = role
      self.meaning = meaning
    }

    func matches(_ query: String) -> Bool {
      sign.string.contains(query)
        || query.unicodeScalars.count != 1
          && meaning.string.lowercased().contains(query.lowercased())
    }
  }

  private func add(
    _ signs: [Sign], _ title: SafeText, matching query: String, to document: inout Document
  ) {
    let found = signs.filter { query.isEmpty || $0.matches(query) }
    if found.isEmpty { return }
    document.add(title, .title)
    for sign in found {
      document.add(
        Line(sign.sign.padded(to: Self.keyColumns), sign.role).adding(sign.meaning),
        indent: Self.keyColumns)
    }
    document.addBlank()
  }

  private var signs: [Sign] {
    [
      Sign(SafeText(.changed), .changed, "row: changed by the last event or micro-step"),
      Sign("-", .changed, "row: removed by the last event or micro-step"),
      Sign(SafeText(.coming), .warning, "row: will change with the next event (\(key(.preview)))"),
      Sign(
        SafeText(.stale), .stale,
        "row: stale, L1's entry and the canonical page would give another now"),
      Sign(SafeText(.unknown), .unknown, "row: the reverse map does not know where this is mapped"),
      Sign(SafeText(.mismatch), .mismatch, "row: breaks a rule, or disagrees with another table"),
      Sign(
        "\(Glyph.differs)m o p s a", .dim,
        "row: a device's entry differs from the CPUs' table, and may: nothing mapped there, other memory, "
          + "permission, size, attribute; with \(Glyph.mismatch) it must not, f is another's memory"
      ),
      Sign(
        SafeText(.foldClosed), .text,
        "row: closed, or a run of like entries: \(key(.right)) opens it"),
      Sign(SafeText(.selected), .key, "steps and answers: where you are"),
      Sign(SafeText(.ellipsis), .dim, "text: cut off, there is more of it"),
      Sign("\(Glyph.changed)3", .changed, "title: number of entries changed"),
      Sign("-2 tables", .changed, "title: so many tables were unlinked, and have no row any more"),
      Sign(
        "4K \(Glyph.middleDot)\(Glyph.bars[0])\(Glyph.middleDot) 1T", .valid,
        "above the rows: a column for each power of two of addresses, higher where more is mapped"),
      Sign(SafeText(.pointer), .key, "timeline: where you are"),
      Sign(SafeText(.vertical), .dim, "timeline: a chapter ends"),
      Sign(
        SafeText(.teeRight), .key, "timeline: this history begins to differ from the one it is from"
      ),
      Sign(SafeText(.mismatch), .mismatch, "timeline: a rule is broken after the event"),
      Sign(SafeText(.paused), .warning, "timeline and header: the event is paused, half done"),
      Sign("a-z", .changed, "timeline: a mark"),
    ]
  }
}

extension Key {
  /// Whether a text names the key, as spelled or as shown; a single character literally.
  fileprivate func isSpelled(_ text: String) -> Bool {
    let names = [description, shortName.string]
    if text.unicodeScalars.count == 1 { return names.contains(text) }
    return names.contains { $0.lowercased() == text.lowercased() }
  }
}
