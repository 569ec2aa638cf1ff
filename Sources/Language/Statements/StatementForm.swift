import Engine

/// A form of a statement: the only place that declares its grammar, its meaning and its event.
///
/// A pattern is as in the language's description: keywords, operands in capitals, brackets around an
/// optional word, bars between alternatives. The forms give the parser, the printer, completion, help,
/// messages about what may follow, and the rows of `assets/event-language.md`.
public struct StatementForm: Sendable {
  /// The form as the language's description shows it.
  public let pattern: String
  /// What the statement means.
  public let meaning: String
  let items: [Item]
  let make: Make

  /// What the operands turn into.
  enum Make: Sendable {
    case event(@Sendable (OperandValues) -> Event)
    case expectation(@Sendable (OperandValues) -> Expectation)
    case chapter
    /// A statement before all events, only in a file.
    case prologue(@Sendable (OperandValues) throws(Objection) -> ParsedStatement)
    /// An expectation follows, and then counts only under some policies.
    case condition
  }

  /// Why individually legal operands do not make a statement.
  struct Objection: Error {
    let message: String
  }

  /// A word of a pattern.
  struct Item: Sendable {
    enum Content: Sendable {
      /// One of these words.
      case words([String])
      /// A keyword that may have a number after it.
      case indexed(IndexedWord)
      /// An operand, after the name of an option or alone.
      case operand(key: String, Operand)
      /// The words of another expectation.
      case expectation
    }

    let content: Content
    let isOptional: Bool
    /// The number of its value among the operands; nil if there is nothing to choose.
    let slot: Int?
  }

  /// - Parameter operands: those that only this form has, or that it narrows, by their name in the pattern.
  init(
    _ pattern: String, _ meaning: String, operands: [String: Operand] = [:], _ make: Make
  ) {
    self.pattern = pattern
    self.meaning = meaning
    self.make = make
    var items: [Item] = []
    var slot = 0
    var hasAddress = false
    for word in pattern.split(separator: " ").map(String.init) {
      let isOptional = word.hasPrefix("[")
      var content = Self.content(
        isOptional ? String(word.dropFirst().dropLast()) : word, operands)
      // The second address of a statement is a target, not its subject.
      if case .operand(let key, var operand) = content, operand.role == .address {
        if hasAddress { operand.role = nil }
        hasAddress = true
        content = .operand(key: key, operand)
      }
      var isFixed = false
      if case .words(let words) = content { isFixed = words.count == 1 && !isOptional }
      items.append(Item(content: content, isOptional: isOptional, slot: isFixed ? nil : slot))
      if !isFixed { slot += 1 }
    }
    self.items = items
  }

  private static func content(_ word: String, _ operands: [String: Operand]) -> Item.Content {
    if let operand = operands[word] { return .operand(key: key(of: word), operand) }
    if word == "EXPECTATION" { return .expectation }
    if let indexed = IndexedWord.all.first(where: { $0.name == word }) { return .indexed(indexed) }
    if word == "RULE" { return .words(Invariant.allCases.map(\.rawValue)) }
    let key = key(of: word)
    let value = word.dropFirst(key.count)
    if let operand = Operand.common.first(where: { $0.name == value }) {
      return .operand(key: key, operand)
    }
    return .words(value.split(separator: "|").map { key + $0 })
  }

  /// `key=` of `key=VALUE`, or nothing.
  static func key(of word: String) -> String {
    word.firstIndex(of: "=").map { String(word[...$0]) } ?? ""
  }

  /// Whether the statement is allowed at a moment, not only at the head of a file.
  public var standsAtMoment: Bool {
    if case .prologue = make { false } else { true }
  }

  /// The statement with these values for its operands, in the pattern's order.
  func text(_ values: [PrintedOperand]) -> String {
    items.compactMap { item in
      guard let slot = item.slot else {
        if case .words(let words) = item.content { return words.first }
        return nil
      }
      switch values[slot] {
      case .absent: return nil
      case .text(let text): return item.text(text)
      case .number(let value): return item.text(value)
      }
    }.joined(separator: " ")
  }
}

extension StatementForm.Item {
  /// A text, spelled as the word or words from which it is read.
  fileprivate func text(_ text: String) -> String {
    guard case .operand(let key, let operand) = content else { return text }
    if operand.reading != .text { return key + text }
    let isQuoted =
      operand.name.hasPrefix("\"") || text.isEmpty
      || !text.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\"")
      }
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return isQuoted ? "\"\(escaped)\"" : text
  }

  fileprivate func text(_ value: UInt64) -> String {
    switch content {
    case .words(let words): words[Int(value)]
    case .indexed(let word): value == 0 ? word.name : "\(word.name)@\(value)"
    case .operand(let key, let operand): key + operand.text(value)
    case .expectation: ""
    }
  }
}

/// A family of statements documented together.
protocol StatementFamily: CaseIterable {
  var form: StatementForm { get }
}

extension StatementFamily {
  static var forms: [StatementForm] { allCases.map(\.form) }

  /// The statement with these operands.
  func text(_ operands: any PrintableOperand...) -> String {
    form.text(operands.flatMap(\.operands))
  }
}

extension StatementForm {
  /// The tables of forms, each with its name in `assets/event-language.md`. The most frequent statements
  /// come first: the first word of a statement is compared in this order.
  package static let tables: [(name: String, forms: [StatementForm])] = [
    ("guests", GuestStatement.forms),
    ("host", HostStatement.forms),
    ("devices", DeviceStatement.forms),
    ("expectations", ExpectStatement.forms),
    ("world", WorldStatement.forms),
    ("policies", Policy.all.map(\.form)),
    ("others", OtherStatement.forms),
    ("pkvm", PKVMStatement.forms),
    ("recordings", RecordedStatement.forms),
    ("pauses", PauseStatement.forms),
    ("rmp", RMPStatement.forms),
    ("realm", RealmStatement.forms),
  ]

  /// All forms.
  public static let all: [StatementForm] = tables.flatMap(\.forms)

  /// The forms allowed at a moment.
  public static let atMoment: [StatementForm] = all.filter(\.standsAtMoment)

  /// The fixed words that may follow typed words: keywords, and the names of options with their `=`. None
  /// if the words do not begin a statement.
  ///
  /// - Complexity: that of reading the words.
  public static func continuations(of typed: [String]) -> [String] {
    var reader = StatementReader([UInt8](typed.joined(separator: " ").utf8))
    return reader.continuations()
  }
}
