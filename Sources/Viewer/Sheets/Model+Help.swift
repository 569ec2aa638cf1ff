import Canvas
import Engine
import Inquiry
import Language

/// Help, made from the tables of actions, statements and signs.
extension Model {
  /// All actions with their keys, by group, narrowed to those whose name, key or meaning has a text.
  ///
  /// What cannot be done now says what is missing.
  func help(_ query: String) -> Document {
    var document = Document()
    for group in ActionFacts.Group.allCases {
      let actions = Action.allCases.filter { $0.facts.group == group && matches($0, query) }
      if actions.isEmpty { continue }
      document.add(SafeText(group.rawValue), .title)
      for action in actions { add(action, to: &document) }
      document.addBlank()
    }
    // A single character is asked for as a key.
    let text = query.lowercased()
    let forms = StatementForm.atMoment.filter {
      query.isEmpty
        || query.unicodeScalars.count > 1
          && ($0.pattern + " " + $0.meaning).lowercased().contains(text)
    }
    if !forms.isEmpty {
      document.add("Typed after \(key(.command)) these happen at this moment", .title)
      for form in forms {
        let meaning = SafeText(form.meaning.replacing("`", with: ""))
        document.add(
          Line("  " + SafeText(form.pattern), .key).adding("  " + meaning, .dim), indent: 6)
      }
      document.addBlank()
    }
    if query.isEmpty { addSigns(to: &document) }
    if document.items.isEmpty {
      document.add("No action has this in its name, key or meaning.", .dim)
    }
    return document
  }

  private func matches(_ action: Action, _ query: String) -> Bool {
    if query.isEmpty { return true }
    if keyMap.keys(for: action).contains(where: { $0.description == query }) { return true }
    // A single character is asked for as a key.
    if query.unicodeScalars.count == 1 { return false }
    let text = query.lowercased()
    return action.rawValue.contains(text)
      || action.facts.summary.string.lowercased().contains(text)
      || keyMap.keys(for: action).contains { $0.description.lowercased().contains(text) }
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
    if let obstacle { line.add("  Unavailable: " + obstacle, .warning) }
    document.add(line, to: .action(action), indent: Self.keyColumns)
  }

  private static let keyColumns = 14

  private func addSigns(to document: inout Document) {
    document.add("Signs in tables", .title)
    let signs: [(SafeText, Role, SafeText)] = [
      (SafeText(.changed), .changed, "changed by the last event or micro-step"),
      ("-", .changed, "removed by the last event or micro-step"),
      (">", .warning, "will change with the next event (\(key(.preview)))"),
      (SafeText(.stale), .stale, "stale: L1's entry and the canonical page would give another now"),
      (SafeText(.unknown), .unknown, "the reverse map does not know where this is mapped"),
      (SafeText(.mismatch), .mismatch, "breaks a rule, or disagrees with another table"),
      (
        "\(Glyph.differs)m o p s a", .dim,
        "a device's entry differs from the CPUs' table, and may: nothing mapped there, other memory, "
          + "permission, size, attribute; with \(Glyph.mismatch) it must not, f is another's memory"
      ),
      (SafeText(.foldClosed), .text, "closed, or a run of like entries: \(key(.right)) opens it"),
    ]
    for (sign, role, meaning) in signs {
      document.add(
        Line(sign.padded(to: Self.keyColumns), role).adding(meaning), indent: Self.keyColumns)
    }
    document.addBlank()
    document.add("Letters of the timeline", .title)
    for kind in EventKind.allCases {
      document.add(
        Line(SafeText(kind.letter).padded(to: Self.keyColumns), kind.role)
          .adding(SafeText(kind.title)))
    }
  }
}
