import Engine

/// All forms of statements as one tree of words, built once.
///
/// A node is what was read so far; its edges are the words that may follow. Alternatives are separate
/// edges, and optional words have both ways, so that a statement is read from left to right without
/// backtracking. Consecutive named options may come in any order.
struct Grammar: Sendable {
  /// The first 8 bytes of a keyword, or of the name of an option. This alone rules out most candidates,
  /// so it is kept apart from the rest of the edge.
  struct Head {
    /// 0 without a keyword.
    var bytes: UInt64 = 0
    /// Mask of the word's first 8 bytes to compare: all, if nothing may follow the keyword.
    var mask: UInt64 = 0
  }

  /// A word that may follow. Only numbers, so that reading it costs no reference counts.
  struct Edge {
    var reading: Operand.Reading
    /// Whether only some numbers are legal.
    var isBounded: Bool
    /// The number of the operand whose value it is; -1 for none.
    var slot: Int8
    /// `Refusal.Operand` by its number; -1 for none.
    var role: Int8
    /// Bytes of the keyword or the name.
    var count: UInt16
    /// The value of a keyword.
    var value: UInt16
    var target: Int32
    /// Index in `tails` of the bytes after the first 8.
    var tail: Int32
  }

  /// What was read so far.
  struct Node {
    /// The edges, among all.
    var edges: Range<Int>
    /// The index of the form that ends here; -1 if more must follow.
    var form: Int
  }

  /// An edge in words, for messages and completion.
  struct EdgeWord {
    /// The keyword, or the name of the option with its `=`; empty for an operand alone.
    let spelling: String
    let content: StatementForm.Item.Content
  }

  let nodes: [Node]
  let heads: [Head]
  let edges: [Edge]
  /// The edges in words, in the same order.
  let words: [EdgeWord]
  /// Bytes of keywords after the first 8.
  let tails: [UInt8]
  /// What the operands turn into, by form.
  let makes: [StatementForm.Make]
  /// Words that begin a statement only at the head of a file.
  let prologue: Set<String>

  static let shared = Grammar(StatementForm.all)
  static let root = 0

  init(_ forms: [StatementForm]) {
    var builder = GrammarBuilder()
    for (index, form) in forms.enumerated() {
      builder.add(form.items[...], of: index, to: Self.root)
    }
    var start = 0
    nodes = builder.nodes.map { node in
      let edges = start..<start + node.edges.count
      start = edges.upperBound
      return Node(edges: edges, form: node.form)
    }
    heads = builder.nodes.flatMap(\.heads)
    edges = builder.nodes.flatMap(\.edges)
    words = builder.nodes.flatMap(\.words)
    tails = builder.tails
    makes = forms.map(\.make)
    prologue = Set(
      forms.filter { !$0.standsAtMoment }
        .compactMap { $0.pattern.split(separator: " ").first.map(String.init) })
  }
}

/// Builds the tree from the forms.
private struct GrammarBuilder {
  struct Node {
    var heads: [Grammar.Head] = []
    var edges: [Grammar.Edge] = []
    var words: [Grammar.EdgeWord] = []
    var form = -1
  }

  var nodes = [Node()]
  var tails: [UInt8] = []

  mutating func add(_ items: ArraySlice<StatementForm.Item>, of form: Int, to node: Int) {
    guard let first = items.first else {
      precondition(nodes[node].form < 0, "two forms are the same statement")
      nodes[node].form = form
      return
    }
    if !first.isOptional {
      addEdges(of: first, then: items.dropFirst(), of: form, to: node)
      return
    }
    // Each of the options may be next, and the others may still follow it.
    let options = items.prefix { $0.isOptional }
    let rest = items.dropFirst(options.count)
    for index in options.indices {
      let others = options[..<index] + options[(index + 1)...] + rest
      addEdges(of: options[index], then: others, of: form, to: node)
    }
    add(rest, of: form, to: node)
  }

  private mutating func addEdges(
    of item: StatementForm.Item, then rest: ArraySlice<StatementForm.Item>, of form: Int,
    to node: Int
  ) {
    switch item.content {
    case .words(let words):
      for (index, word) in words.enumerated() {
        add(rest, of: form, to: target(node, word, item, value: index))
      }
    case .indexed(let word): add(rest, of: form, to: target(node, word.name, item))
    case .operand(let key, let operand):
      // Another expectation follows names of policies, as if nothing of this one had been read.
      let next = operand.reading == .policies ? node : nil
      let target = target(node, key, item, next: next)
      if next == nil { add(rest, of: form, to: target) }
    case .expectation: preconditionFailure("an expectation follows names of policies")
    }
  }

  /// The node to which a word leads; created if the word leads nowhere yet.
  private mutating func target(
    _ node: Int, _ spelling: String, _ item: StatementForm.Item, value: Int = 0, next: Int? = nil
  ) -> Int {
    var edge = edge(spelling, item, value: value)
    let index = nodes[node].edges.indices.first {
      let known = nodes[node].edges[$0]
      return nodes[node].words[$0].spelling == spelling
        && (known.reading == edge.reading || !spelling.isEmpty)
    }
    if let index {
      let known = nodes[node].edges[index]
      precondition(
        known.reading == edge.reading && known.slot == edge.slot && known.value == edge.value,
        "two forms take \(spelling) for different operands")
      return Int(known.target)
    }
    edge.target = Int32(next ?? nodes.count)
    if next == nil { nodes.append(Node()) }
    // Keywords come first, so that a word is an operand only if it is none of them.
    let place =
      spelling.isEmpty
      ? nodes[node].edges.count
      : nodes[node].words.firstIndex { $0.spelling.isEmpty } ?? nodes[node].edges.count
    nodes[node].heads.insert(head(spelling, isWhole: edge.reading == .word), at: place)
    nodes[node].edges.insert(edge, at: place)
    nodes[node].words.insert(
      Grammar.EdgeWord(spelling: spelling, content: item.content), at: place)
    return Int(edge.target)
  }

  private func head(_ spelling: String, isWhole: Bool) -> Grammar.Head {
    var head = Grammar.Head(mask: isWhole ? ~0 : 0)
    for (index, byte) in spelling.utf8.prefix(8).enumerated() {
      head.bytes |= UInt64(byte) << UInt64(8 * index)
      head.mask |= 0xff << UInt64(8 * index)
    }
    return head
  }

  private mutating func edge(
    _ spelling: String, _ item: StatementForm.Item, value: Int
  ) -> Grammar.Edge {
    let bytes = Array(spelling.utf8)
    var edge = Grammar.Edge(
      reading: .word, isBounded: false, slot: Int8(item.slot ?? -1), role: -1,
      count: UInt16(bytes.count), value: UInt16(value), target: 0, tail: Int32(tails.count))
    tails += bytes.dropFirst(8)
    switch item.content {
    case .words, .expectation: break
    case .indexed(let word):
      edge.reading = .indexed
      edge.role = Int8(word.role.map { Int($0.rawValue) } ?? -1)
    case .operand(_, let operand):
      edge.reading = operand.reading
      edge.isBounded = operand.reading == .size || operand.isBounded
      edge.role = Int8(operand.role.map { Int($0.rawValue) } ?? -1)
    }
    return edge
  }
}
