import Canvas
import Engine

/// A condition on entries or on events, in a small language: terms side by side must all hold, `or`
/// separates alternatives, `not` and parentheses do what they say.
struct Filter: Equatable {
  /// What a filter is applied to.
  enum Subject {
    case entries, events
  }

  indirect enum Node: Equatable {
    case all([Node])
    case any([Node])
    case not(Node)
    case term(Term)
  }

  /// What was typed.
  let text: String
  let root: Node

  /// Reads a filter.
  ///
  /// - Throws: what was expected instead.
  init(parsing text: String, for subject: Subject) throws(FilterError) {
    self.text = text
    var parser = FilterParser(text, subject)
    root = try parser.filter()
  }

  func holds(_ test: (Term) -> Bool) -> Bool { Self.holds(root, test) }

  private static func holds(_ node: Node, _ test: (Term) -> Bool) -> Bool {
    switch node {
    case .all(let parts): parts.allSatisfy { holds($0, test) }
    case .any(let parts): parts.contains { holds($0, test) }
    case .not(let part): !holds(part, test)
    case .term(let term): test(term)
    }
  }

  /// Whether a term occurs in it.
  func uses(_ term: Term) -> Bool { Self.uses(root, term) }

  private static func uses(_ node: Node, _ term: Term) -> Bool {
    switch node {
    case .all(let parts), .any(let parts): parts.contains { uses($0, term) }
    case .not(let part): uses(part, term)
    case .term(let other): other == term
    }
  }
}

/// What is wrong with a filter.
struct FilterError: Error, Equatable {
  let message: SafeText
}

/// Reads filters.
private struct FilterParser {
  private var words: [Substring] = []
  private var index = 0
  private let subject: Filter.Subject

  init(_ text: String, _ subject: Filter.Subject) {
    self.subject = subject
    // Parentheses, bars and exclamation marks are words of their own.
    var rest = Substring(text)
    while let first = rest.first {
      if first == " " {
        rest = rest.dropFirst()
      } else if "()|!".contains(first) {
        words.append(rest.prefix(1))
        rest = rest.dropFirst()
      } else {
        let word = rest.prefix { !" ()|".contains($0) }
        words.append(word)
        rest = rest.dropFirst(word.count)
      }
    }
  }

  private var next: Substring? { index < words.count ? words[index] : nil }

  mutating func filter() throws(FilterError) -> Filter.Node {
    let node = try alternatives()
    if let next { throw FilterError(message: "Expected the end, not \(SafeText(next)).") }
    return node
  }

  private mutating func alternatives() throws(FilterError) -> Filter.Node {
    var parts = [try conjunction()]
    while next == "or" || next == "|" {
      index += 1
      parts.append(try conjunction())
    }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  private mutating func conjunction() throws(FilterError) -> Filter.Node {
    var parts: [Filter.Node] = []
    while let word = next, !["or", "|", ")"].contains(word) {
      if word == "and" { index += 1 } else { parts.append(try factor()) }
    }
    if parts.isEmpty {
      throw FilterError(message: "Expected \(Filter.Term.help(for: subject)).")
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func factor() throws(FilterError) -> Filter.Node {
    guard let word = next else {
      throw FilterError(message: "Expected \(Filter.Term.help(for: subject)).")
    }
    index += 1
    switch word {
    case "not", "!": return .not(try factor())
    case "(":
      let node = try alternatives()
      guard next == ")" else { throw FilterError(message: "Expected a closing parenthesis.") }
      index += 1
      return node
    default: return .term(try Filter.Term(parsing: word, for: subject))
    }
  }
}
