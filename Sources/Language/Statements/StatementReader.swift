import Engine

/// A statement as it was read.
enum ParsedStatement {
  case version
  case title(String)
  case vm(Policy.Change)
  case policy(Policy.Setting)
  case event(Event)
  case chapter(label: String, text: String)
  case expect(Expectation)

  /// What happens by it; nil if it only describes the world.
  var kind: Statement.Kind? {
    switch self {
    case .version, .title, .vm, .policy: nil
    case .event(let event): .event(event)
    case .chapter(let label, let text): .chapter(label: label, text: text)
    case .expect(let expectation): .expect(expectation)
    }
  }
}

/// Reads statements one by one, walking through the grammar word by word.
struct StatementReader {
  private(set) var lexer: Lexer
  /// The operands of the last statement read.
  private(set) var values = OperandValues()
  private let grammar = Grammar.shared
  /// The policies under which the current expectation counts.
  private var conditions: [[ReverseMapVersion]] = []
  /// Start of the line.
  private var start = 0

  /// Maximum number of nested conditions of an expectation.
  static let conditionsAtMost = 8

  init(_ bytes: [UInt8]) { lexer = Lexer(bytes) }

  /// The statement of a single line.
  static func statement(of line: String) throws(Mistake) -> (ParsedStatement, OperandColumns) {
    var reader = StatementReader([UInt8](line.utf8))
    try reader.readLine(from: 0)
    let statement = try reader.statement()
    return (statement, reader.values.columns)
  }

  /// Splits the line that starts at `start` into words, and returns where the next one starts.
  @discardableResult
  mutating func readLine(from start: Int) throws(Mistake) -> Int {
    self.start = start
    return try lexer.read(from: start)
  }

  /// Start of the line's statement; nil if it has none.
  var statementStart: Int? { lexer.words.first?.range.lowerBound }

  /// The line's statement.
  mutating func statement() throws(Mistake) -> ParsedStatement {
    let node = grammar.nodes[try lastNode()]
    if node.form < 0 { throw expected(after: node, at: lexer.end) }
    switch grammar.makes[node.form] {
    case .event(let make): return .event(make(values))
    case .expectation(let make):
      return .expect(conditions.reversed().reduce(make(values)) { .under($1, $0) })
    case .chapter: return .chapter(label: values.text(0), text: values.text(1))
    case .prologue(let make):
      do throws(StatementForm.Objection) {
        return try make(values)
      } catch {
        throw expected(error.message, at: lexer.words.last?.range.lowerBound ?? lexer.end)
      }
    case .condition: preconditionFailure("an expectation follows a condition")
    }
  }

  /// Reads the words of the line; returns the node reached.
  private mutating func lastNode() throws(Mistake) -> Int {
    values.clear()
    if !conditions.isEmpty { conditions.removeAll() }
    var node = Grammar.root
    for index in lexer.words.indices {
      guard let next = try follow(lexer.words[index], from: node) else {
        throw unexpected(lexer.words[index], after: node)
      }
      node = next
    }
    return node
  }

  /// The node to which a word leads; nil if it may not follow.
  private mutating func follow(_ word: Word, from node: Int) throws(Mistake) -> Int? {
    for index in grammar.nodes[node].edges {
      let expected = grammar.heads[index]
      guard word.head & expected.mask == expected.bytes else { continue }
      if let target = try take(word, as: index) { return target }
    }
    return nil
  }

  /// Reads a word as an edge whose first bytes match, and returns the node to which it leads; nil if it
  /// is another word.
  private mutating func take(_ word: Word, as index: Int) throws(Mistake) -> Int? {
    let edge = grammar.edges[index]
    let count = Int(edge.count)
    if count > 8, !hasTail(edge, word) { return nil }
    if word.range.count < count { return nil }
    let rest = word.range.lowerBound + count..<word.range.upperBound
    var value: UInt64
    switch edge.reading {
    case .word:
      if !rest.isEmpty { return nil }
      value = UInt64(edge.value)
    case .indexed:
      value = 0
      if !rest.isEmpty {
        guard let number = try number(of: index, rest, word) else { return nil }
        value = number
      }
    case .number, .size:
      guard let number = word.isQuoted ? nil : lexer.number(rest) else {
        if count == 0 { return nil }
        throw expected("a number after '\(grammar.words[index].spelling)'", at: rest.lowerBound)
      }
      if edge.isBounded { try check(number, index, word) }
      value = number
    case .text:
      values.set(Int(edge.slot), try lexer.text(word))
      return Int(edge.target)
    case .levelHint:
      guard let hint = levelHint(rest) else { throw expected(index, at: rest.lowerBound) }
      value = hint
    case .table:
      guard !word.isQuoted, let table = TableID(name: text(rest)) else { return nil }
      values.table = table
      value = 0
    case .policies:
      try takeCondition(index, rest)
      return Int(edge.target)
    }
    if edge.slot >= 0 { values.set(Int(edge.slot), value) }
    if edge.role >= 0 { values.columns.set(Int(edge.role), word.range.lowerBound - start + 1) }
    return Int(edge.target)
  }

  /// Whether the rest of a word matches a keyword of more than 8 bytes.
  private func hasTail(_ edge: Grammar.Edge, _ word: Word) -> Bool {
    let count = Int(edge.count)
    if word.range.count < count { return false }
    for index in 8..<count
    where lexer.bytes[word.range.lowerBound + index] != grammar.tails[Int(edge.tail) + index - 8] {
      return false
    }
    return true
  }

  /// The number after a keyword and `@`; nil if it is another word.
  private func number(
    of edge: Int, _ rest: Range<Int>, _ word: Word
  ) throws(Mistake) -> UInt64? {
    guard lexer.bytes[rest.lowerBound] == UInt8(ascii: "@"),
      case .indexed(let indexed) = grammar.words[edge].content
    else { return nil }
    if let number = lexer.number(rest.dropFirst()), number < UInt64(indexed.limit) { return number }
    let name = indexed.name
    throw expected(
      "\(name), or \(name)@N for \(indexed.what) from 0 to \(indexed.limit - 1)",
      at: word.range.lowerBound)
  }

  private func check(_ number: UInt64, _ index: Int, _ word: Word) throws(Mistake) {
    let edge = grammar.edges[index]
    if edge.reading == .size {
      // The start is the preceding operand.
      let (end, overflow) = values[Int(edge.slot) - 1].addingReportingOverflow(number)
      if number == 0 || overflow || end > 1 << 48 {
        throw expected("a size above 0 that stays below 2^48", at: word.range.lowerBound)
      }
      return
    }
    guard case .operand(let key, let operand) = grammar.words[index].content else { return }
    if !operand.bounds.contains(number) || number % operand.multiple != 0 {
      throw expected(operand.bounds(after: key), at: word.range.lowerBound)
    }
  }

  /// A granule and a level as the four bits of the operand.
  private func levelHint(_ range: Range<Int>) -> UInt64? {
    let parts = text(range).split(separator: ":", omittingEmptySubsequences: false)
    let granules: [Substring: UInt64] = ["none": 0, "4K": 1, "16K": 2, "64K": 3]
    guard parts.count == 2, let granule = granules[parts[0]], let level = UInt64(parts[1]),
      level < 4
    else { return nil }
    return granule << 2 | level
  }

  private mutating func takeCondition(_ index: Int, _ range: Range<Int>) throws(Mistake) {
    let names = text(range).split(separator: ",", omittingEmptySubsequences: false)
    let policies = names.compactMap { ReverseMapVersion(rawValue: String($0)) }
    if policies.count < names.count { throw expected(index, at: range.lowerBound) }
    if conditions.count == Self.conditionsAtMost {
      throw expected("at most \(Self.conditionsAtMost) conditions", at: range.lowerBound)
    }
    conditions.append(policies)
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: lexer.bytes[range], as: UTF8.self)
  }
}

/// What may follow.
extension StatementReader {
  /// The keywords and names of options that may follow the words of the line, at a moment; none if they
  /// do not begin a statement.
  mutating func continuations() -> [String] {
    do throws(Mistake) {
      try readLine(from: 0)
      let node = try lastNode()
      let words = grammar.nodes[node].edges.map { grammar.words[$0].spelling }
        .filter { !$0.isEmpty }
      return node == Grammar.root ? words.filter { !grammar.prologue.contains($0) } : words
    } catch {
      return []
    }
  }

  fileprivate func expected(_ what: String, at offset: Int) -> Mistake {
    Mistake(offset: offset, message: "expected " + what)
  }

  /// The mistake for a value of the wrong kind.
  fileprivate func expected(_ edge: Int, at offset: Int) -> Mistake {
    guard case .operand(_, let operand) = grammar.words[edge].content else {
      return expected(grammar.words[edge].spelling, at: offset)
    }
    return expected(operand.expectation, at: offset)
  }

  fileprivate func expected(after node: Grammar.Node, at offset: Int) -> Mistake {
    expected(node.edges.map { $0 }, canEnd: node.form >= 0, at: offset)
  }

  /// The mistake for a word that may not follow.
  fileprivate func unexpected(_ word: Word, after index: Int) -> Mistake {
    let node = grammar.nodes[index]
    let offset = word.range.lowerBound
    if index == Grammar.root {
      let list = Self.list(node.edges.map { grammar.words[$0] })
      return Mistake(
        offset: offset, message: "expected a statement: \(list)", isUnknownStatement: true)
    }
    // The name of an option is right, but its value is not.
    if let equals = lexer.bytes[word.range].firstIndex(of: UInt8(ascii: "=")), !word.isQuoted {
      let key = text(offset..<equals + 1)
      let edges = node.edges.filter { grammar.words[$0].spelling.hasPrefix(key) }
      if !edges.isEmpty { return expected(edges, canEnd: false, at: equals + 1) }
    }
    return expected(after: node, at: offset)
  }

  private func expected(_ edges: [Int], canEnd: Bool, at offset: Int) -> Mistake {
    expected(
      Self.list(
        edges.map { grammar.words[$0] }, end: canEnd ? "the end of the statement" : nil),
      at: offset)
  }

  /// `a, b=x|y or c`.
  private static func list(_ words: [Grammar.EdgeWord], end: String? = nil) -> String {
    var parts: [String] = []
    var last = ""
    for word in words {
      let key = StatementForm.key(of: word.spelling)
      switch word.content {
      case .operand("", let operand): parts.append(operand.expectation)
      case .operand(let key, let operand): parts.append(key + operand.name)
      case .words where !key.isEmpty && key == last:
        parts[parts.count - 1] += "|" + word.spelling.dropFirst(key.count)
      case .words, .indexed, .expectation: parts.append(word.spelling)
      }
      last = key
    }
    if let end { parts.append(end) }
    guard parts.count > 1, let last = parts.popLast() else { return parts.first ?? "" }
    return parts.joined(separator: ", ") + " or " + last
  }
}
