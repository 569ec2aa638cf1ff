import Engine

/// All forms of statements as one graph of words, built once.
///
/// A node is what may still follow; its edges are the words that may be next. Alternatives are separate
/// edges, and optional words have both ways, so that a statement is read from left to right without
/// backtracking. Consecutive named options may come in any order: ways with the same options left meet.
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
      builder.add(form, number: index)
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

/// Builds the graph from the forms.
private struct GrammarBuilder {
  struct Node {
    var heads: [Grammar.Head] = []
    var edges: [Grammar.Edge] = []
    var words: [Grammar.EdgeWord] = []
    var form = -1
  }

  var nodes = [Node()]
  var tails: [UInt8] = []
  /// The number of edges that lead to each node.
  private var incoming = [1]
  /// The form that is added, and its number.
  private var items: [StatementForm.Item] = []
  private var form = 0
  /// The node at which some items of the form are left, which words before them lead to on whatever way.
  /// Else options in any order would take a node for each of their orders.
  private var nodeWithLeft: [UInt64: Int] = [:]

  mutating func add(_ form: StatementForm, number: Int) {
    precondition(form.items.count < 64, "a form has at most 63 items")
    items = form.items
    self.form = number
    nodeWithLeft = [:]
    add(left: (1 << UInt64(form.items.count)) - 1, to: Grammar.root)
  }

  /// Adds the items of the form that are left: a bit for each.
  private mutating func add(left: UInt64, to node: Int) {
    guard left != 0 else {
      precondition(nodes[node].form < 0, "two forms are the same statement")
      nodes[node].form = form
      return
    }
    if !items[left.trailingZeroBitCount].isOptional {
      addEdges(of: left.trailingZeroBitCount, left: left & (left - 1), to: node)
      return
    }
    // Each of the options may be next, and the others may still follow it.
    var rest = left
    while rest != 0, items[rest.trailingZeroBitCount].isOptional {
      let option = rest.trailingZeroBitCount
      addEdges(of: option, left: left & ~(1 << UInt64(option)), to: node)
      rest &= rest - 1
    }
    add(left: rest, to: node)
  }

  private mutating func addEdges(of index: Int, left: UInt64, to node: Int) {
    let item = items[index]
    switch item.content {
    case .words(let words):
      for (index, word) in words.enumerated() {
        addEdge(node, word, item, value: index, left: left)
      }
    case .indexed(let word): addEdge(node, word.name, item, left: left)
    case .operand(let key, let operand):
      if operand.reading == .policies {
        // Another expectation follows names of policies, as if nothing of this one had been read.
        let edge = edge(key, item, value: 0)
        if knownEdge(node, key, edge) == nil { insert(edge, key, item, into: node, target: node) }
      } else {
        addEdge(node, key, item, left: left)
      }
    case .expectation: preconditionFailure("an expectation follows names of policies")
    }
  }

  /// Adds an edge, unless the word leads somewhere already, and what is left of the form behind it.
  private mutating func addEdge(
    _ node: Int, _ spelling: String, _ item: StatementForm.Item, value: Int = 0, left: UInt64
  ) {
    let edge = edge(spelling, item, value: value)
    if let index = knownEdge(node, spelling, edge) {
      add(left: left, to: ownTarget(ofEdge: index, at: node))
    } else if let known = nodeWithLeft[left] {
      insert(edge, spelling, item, into: node, target: known)
    } else {
      let target = nodes.count
      nodes.append(Node())
      incoming.append(0)
      nodeWithLeft[left] = target
      insert(edge, spelling, item, into: node, target: target)
      add(left: left, to: target)
    }
  }

  /// The edge of a node that a word takes.
  private func knownEdge(_ node: Int, _ spelling: String, _ edge: Grammar.Edge) -> Int? {
    let index = nodes[node].edges.indices.first {
      let known = nodes[node].edges[$0]
      return nodes[node].words[$0].spelling == spelling
        && (known.reading == edge.reading || !spelling.isEmpty)
    }
    guard let index else { return nil }
    let known = nodes[node].edges[index]
    precondition(
      known.reading == edge.reading && known.slot == edge.slot && known.value == edge.value,
      "two forms take \(spelling) for different operands")
    return index
  }

  /// The node that an edge leads to, and no other: what another form adds to it must not follow other words.
  private mutating func ownTarget(ofEdge index: Int, at node: Int) -> Int {
    let target = Int(nodes[node].edges[index].target)
    if incoming[target] == 1 { return target }
    let copy = nodes.count
    nodes.append(nodes[target])
    incoming.append(1)
    incoming[target] -= 1
    nodes[node].edges[index].target = Int32(copy)
    for edge in nodes[copy].edges.indices {
      if Int(nodes[copy].edges[edge].target) == target {
        nodes[copy].edges[edge].target = Int32(copy)
      }
      incoming[Int(nodes[copy].edges[edge].target)] += 1
    }
    return copy
  }

  private mutating func insert(
    _ edge: Grammar.Edge, _ spelling: String, _ item: StatementForm.Item, into node: Int,
    target: Int
  ) {
    var edge = edge
    edge.target = Int32(target)
    incoming[target] += 1
    // Keywords come first, so that a word is an operand only if it is none of them.
    let place =
      spelling.isEmpty
      ? nodes[node].edges.count
      : nodes[node].words.firstIndex { $0.spelling.isEmpty } ?? nodes[node].edges.count
    nodes[node].heads.insert(head(spelling, isWhole: edge.reading == .word), at: place)
    nodes[node].edges.insert(edge, at: place)
    nodes[node].words.insert(
      Grammar.EdgeWord(spelling: spelling, content: item.content), at: place)
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
