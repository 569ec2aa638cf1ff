import Canvas
import Engine
import Inquiry
import Language
import Scenarios

extension Model {
  /// The completions of the word at the caret, best first.
  func completions(of prompt: Prompt) -> [String] {
    let typed = prompt.textBeforeCaret
    let words = typed.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let word = words.last ?? ""
    let all: [String]
    switch prompt.kind {
    case .command: all = candidates(after: words.dropLast().filter { !$0.isEmpty })
    case .filter: all = Filter.Term.words(for: .entries)
    case .answer where lesson?.player.exercise?.kind == .write:
      all = candidates(after: words.dropLast().filter { !$0.isEmpty })
    case .search, .narrow, .answer: all = []
    }
    return all.filter { $0.hasPrefix(word) && $0 != word }
  }

  /// Words that may follow others on the command line.
  private func candidates(after words: [String]) -> [String] {
    guard let first = words.first else {
      return unique(
        Action.allCases.map(\.rawValue) + Question.allCases.map(\.name)
          + StatementForm.continuations(of: []))
    }
    if let question = Question(name: first), question.facts.operand == .filter {
      return Filter.Term.words(for: .entries)
    }
    if let action = Action(rawValue: first) {
      return words.count == 1 || [.run, .runBack, .watch, .filter].contains(action)
        ? arguments(of: action) : []
    }
    return StatementForm.continuations(of: words)
  }

  /// The possible arguments of an action.
  private func arguments(of action: Action) -> [String] {
    switch action {
    case .goTo:
      return ["start", "end"]
        + session.chapters.flatMap { chapter in
          Session.chapterPrefixes.map { $0 + chapter.label }
        }
        .filter { SafeText($0).string == $0 && !$0.contains(" ") }
    case .run, .runBack, .watch: return Filter.Term.words(for: .events)
    case .filter: return Filter.Term.words(for: .entries)
    case .policy: return Policy.settings
    case .branch: return branches.map(\.name.string)
    case .diff: return marks.keys.sorted().map(String.init) + branches.map(\.name.string)
    case .goToMark: return marks.keys.sorted().map(String.init)
    case .diffPanes: return panes.compactMap { tableID(of: $0)?.name }
    case .open: return ShippedScenario.all.map(\.name)
    case .detail: return DetailLevel.allCases.map(\.rawValue)
    case .unwatch: return ["all"] + watches.indices.map { "\($0 + 1)" }
    default: return []
    }
  }

  /// The words without duplicates, in the order of first occurrence.
  private func unique(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
  }
}

extension Prompt {
  var textBeforeCaret: String { String(String.UnicodeScalarView(characters[..<caret])) }

  /// Completes the word before the caret: as far as all candidates agree; if that adds nothing, with the
  /// first of them, and then with each in turn.
  mutating func complete(with candidates: [String]) {
    if let cycle, cycle.text == text {
      let next = (cycle.index + 1) % cycle.candidates.count
      return take(cycle.candidates[next], from: cycle.start, cycling: cycle.candidates, next)
    }
    guard let first = candidates.first else { return }
    let word = textBeforeCaret.split(separator: " ", omittingEmptySubsequences: false).last ?? ""
    let start = caret - word.unicodeScalars.count
    var common = first.unicodeScalars[...]
    for candidate in candidates {
      common = common.prefix(
        zip(common, candidate.unicodeScalars).prefix { $0 == $1 }.count)
    }
    if candidates.count == 1 {
      take(first + (first.hasSuffix("=") ? "" : " "), from: start, cycling: [], 0)
    } else if common.count > word.unicodeScalars.count {
      take(String(common), from: start, cycling: [], 0)
    } else {
      take(first, from: start, cycling: candidates, 0)
    }
  }
}
