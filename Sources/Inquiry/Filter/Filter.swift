import Engine

/// A condition on entries or on events, in a small language: adjacent terms must all hold, `or` separates
/// alternatives, `not` and parentheses work as usual, text is in quotes.
package struct Filter: Equatable, Sendable {
  /// What a filter is applied to.
  package enum Subject: Sendable {
    case entries, events
  }

  package indirect enum Node: Equatable, Sendable {
    case all([Node])
    case any([Node])
    case not(Node)
    case term(Term)
  }

  /// What was typed.
  package let text: String
  package let root: Node
  /// The alternatives, each as it was typed; a single one if there is no top-level `or`.
  private let parts: [Part]

  private struct Part: Equatable, Sendable {
    let text: String
    let node: Node
  }

  /// Maximum nesting of parentheses and `not`.
  static let depthAtMost = 100

  /// Reads a filter.
  ///
  /// - Throws: what was expected instead.
  package init(parsing text: String, for subject: Subject) throws(FilterError) {
    self.text = text
    var parser = try FilterParser(text, subject)
    root = try parser.filter()
    parts = parser.alternatives.map { Part(text: $0.text, node: $0.node) }
  }

  /// The first of its alternatives that holds, as it was typed; nil if none does.
  package func alternative(_ test: (Term) -> Bool) -> String? {
    parts.first { Self.holds($0.node, test) }?.text
  }

  package func holds(_ test: (Term) -> Bool) -> Bool { Self.holds(root, test) }

  private static func holds(_ node: Node, _ test: (Term) -> Bool) -> Bool {
    switch node {
    case .all(let parts): parts.allSatisfy { holds($0, test) }
    case .any(let parts): parts.contains { holds($0, test) }
    case .not(let part): !holds(part, test)
    case .term(let term): test(term)
    }
  }

  /// Whether a term occurs in it.
  package func uses(_ term: Term) -> Bool { Self.uses(root) { $0 == term } }

  /// Whether it asks where entries lead.
  package var usesOutputs: Bool {
    Self.uses(root) { if case .to = $0 { true } else { $0 == .alias } }
  }

  /// Whether it looks for a text.
  var usesText: Bool { Self.uses(root) { if case .text = $0 { true } else { false } } }

  private static func uses(_ node: Node, _ test: (Term) -> Bool) -> Bool {
    switch node {
    case .all(let parts), .any(let parts): parts.contains { uses($0, test) }
    case .not(let part): uses(part, test)
    case .term(let term): test(term)
    }
  }
}

/// An error in a filter.
package struct FilterError: Error, Equatable, Sendable {
  package let message: String

  init(_ message: String) { self.message = message }
}

private struct FilterParser {
  /// A word, sign, or text in quotes.
  private enum Token: Equatable {
    case word(Substring)
    case text(String)

    /// As it was typed.
    var spelled: String {
      switch self {
      case .word(let word): String(word)
      case .text(let text): "\"\(text)\""
      }
    }
  }

  private var tokens: [Token] = []
  private var index = 0
  private var depth = 0
  private let subject: Filter.Subject
  /// The top-level alternatives.
  private(set) var alternatives: [(text: String, node: Filter.Node)] = []

  init(_ text: String, _ subject: Filter.Subject) throws(FilterError) {
    self.subject = subject
    // Parentheses, bars and exclamation marks are words of their own.
    var rest = Substring(text)
    while let first = rest.first {
      if first == " " {
        rest = rest.dropFirst()
      } else if first == "\"" {
        let quoted = rest.dropFirst().prefix { $0 != "\"" }
        rest = rest.dropFirst(quoted.count + 1)
        guard rest.first == "\"" else { throw FilterError("Expected a closing quote.") }
        rest = rest.dropFirst()
        if quoted.isEmpty { throw FilterError("Expected a text between the quotes.") }
        tokens.append(.text(String(quoted)))
      } else if "()|!".contains(first) {
        tokens.append(.word(rest.prefix(1)))
        rest = rest.dropFirst()
      } else {
        let word = rest.prefix { !" ()|\"".contains($0) }
        tokens.append(.word(word))
        rest = rest.dropFirst(word.count)
      }
    }
  }

  private var next: Token? { index < tokens.count ? tokens[index] : nil }

  private func isNext(_ word: Substring) -> Bool { next == .word(word) }

  mutating func filter() throws(FilterError) -> Filter.Node {
    let node = try anyOf()
    if case .word(let word) = next { throw FilterError("Expected the end, not \(word).") }
    return node
  }

  private mutating func anyOf() throws(FilterError) -> Filter.Node {
    var parts = [try alternative()]
    while isNext("or") || isNext("|") {
      index += 1
      parts.append(try alternative())
    }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  private mutating func alternative() throws(FilterError) -> Filter.Node {
    let start = index
    let node = try conjunction()
    if depth == 0 {
      let text = tokens[start..<index].map(\.spelled).joined(separator: " ")
      alternatives.append((text, node))
    }
    return node
  }

  /// The words before which a condition ends.
  private static let joins: [Token] = [.word("and"), .word("or"), .word("|"), .word(")")]

  private mutating func conjunction() throws(FilterError) -> Filter.Node {
    var parts: [Filter.Node] = []
    while let token = next, ![.word("or"), .word("|"), .word(")")].contains(token) {
      if token == .word("and") {
        index += 1
        let isJoining = !parts.isEmpty && next.map { !Self.joins.contains($0) } ?? false
        guard isJoining else {
          throw FilterError(
            "Expected a condition on each side of `and`: \(Filter.Term.help(for: subject)).")
        }
      } else {
        parts.append(try factor())
      }
    }
    if parts.isEmpty { throw FilterError("Expected \(Filter.Term.help(for: subject)).") }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func factor() throws(FilterError) -> Filter.Node {
    guard let token = next else {
      throw FilterError("Expected \(Filter.Term.help(for: subject)).")
    }
    index += 1
    switch token {
    case .text(let text): return .term(.text(text))
    case .word("not"), .word("!"):
      return .not(try deeper { parser throws(FilterError) in try parser.factor() })
    case .word("("):
      let node = try deeper { parser throws(FilterError) in try parser.anyOf() }
      guard isNext(")") else { throw FilterError("Expected a closing parenthesis.") }
      index += 1
      return node
    case .word(let word): return .term(try Filter.Term(parsing: word, for: subject))
    }
  }

  /// Reads a nested part.
  private mutating func deeper(
    _ read: (inout FilterParser) throws(FilterError) -> Filter.Node
  ) throws(FilterError) -> Filter.Node {
    depth += 1
    if depth > Filter.depthAtMost {
      throw FilterError("Expected at most \(Filter.depthAtMost) conditions inside each other.")
    }
    let node = try read(&self)
    depth -= 1
    return node
  }
}
