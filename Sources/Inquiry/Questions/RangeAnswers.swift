import Engine
import Language

/// A range of a shadow's reverse map: its word, the place of that, and the memory behind it.
package struct RangeEntryAnswer: Answer {
  package let range: ReverseMapRange
  /// The nodes that lead to the range's word.
  package let nodes: ReverseMapNodes
  /// Physical addresses behind the range's first canonical and first nested IPA, if there are any.
  @Hex package private(set) var canonicalOutput: UInt64?
  @Hex package private(set) var nestedOutput: UInt64?
  /// Whether it is known where entries lead.
  package let knowsOutputs: Bool
  /// Whether no leaf of the shadow confirms the range.
  package let isStale: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    let (range, entry) = try subject.range(in: machine)
    self.range = range
    nodes = ReverseMapNodes(to: entry, ofShadow: range.shadow, machine)
    isStale = machine.isStale(entry, ofShadow: range.shadow)
    knowsOutputs = machine.configuration.knowsOutputs
    func output(_ address: UInt64, _ table: TableID) -> UInt64? {
      machine.configuration.knowsOutputs ? machine.output(of: address, in: table) : nil
    }
    _canonicalOutput = Hex(wrappedValue: output(entry.canonical.lowerBound, .canonical))
    _nestedOutput = Hex(wrappedValue: entry.nested.flatMap { output($0, .shadow(range.shadow)) })
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    report.add(range.title)
    for line in nodes.lines { report.add(line) }
    report.addBlank()
    func add(_ address: UInt64, _ name: String, _ output: UInt64?, _ table: TableID) {
      report.add(
        Report.Text("\(name) \(hex: address)  ").adding("\(Sign.arrow) ")
          .adding(
            output.map { "PA \(hex: $0)" } ?? (knowsOutputs ? "not mapped" : "where is not known")),
        to: .place(table, address))
    }
    add(range.start, "canonical IPA", canonicalOutput, .canonical)
    guard let nested = range.nested else {
      report.add("An unmap of any page of it unmaps all of the shadow.", .unknown)
      return report
    }
    add(nested, "nested IPA", nestedOutput, .shadow(range.shadow))
    if isStale { report.add("Stale: no leaf of the shadow leads to this memory any more.", .stale) }
    return report
  }
}

/// Why a range of a reverse map is as it is: what inserted it, fused it with others, and removed its
/// predecessor.
package struct RangeProvenanceAnswer: Answer {
  /// A micro-step that changed the range.
  package struct Change: Encodable, Sendable {
    /// The moment after it.
    package let moment: Moment
    package let label: String
    package let what: String
    package let why: String
    /// The event, as a statement.
    package let event: String
  }

  package let range: ReverseMapRange
  /// The last first.
  package let changes: [Change]
  /// Whether there may be earlier ones.
  package let isCut: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let (range, entry) = try subject.range(in: session.timeline.machine)
    self.range = range
    let history = RangeHistory(of: entry.canonical, inShadow: range.shadow, &session)
    changes = history.changes.map { change in
      let explanation = change.step.explanation
      return Change(
        moment: Moment(events: change.event, steps: change.index + 1), label: explanation.label,
        what: explanation.what, why: explanation.why, event: session.text(ofEvent: change.event))
    }
    isCut = history.isCut
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    report.add(range.title)
    report.add(
      range.nested.map { "now: known, nested IPA \(hex: $0)" }
        ?? "now: unknown, no nested IPA is kept")
    for change in changes {
      report.addBlank()
      report.add(
        Report.Text(change.moment.name + " ", .key).adding(change.label + " ", .heading)
          .adding(change.what), to: .moment(change.moment))
      if !change.why.isEmpty { report.add(Report.Text("  ").adding(change.why, .dim)) }
      let event = change.moment.events + 1
      report.add(
        Report.Text("in event ", .dim).adding("\(event) ", .key).adding(change.event, .heading),
        to: .moment(Moment(events: event)))
    }
    if isCut { report.add("There may be earlier changes.", .dim) }
    return report
  }
}

/// The range of a reverse map that an answer concerns.
package struct ReverseMapRange: Encodable, Sendable {
  package let shadow: Int
  /// The first canonical IPA, and bytes.
  @Hex package private(set) var start: UInt64
  package let size: UInt64
  /// The first nested IPA; nil if it is unknown.
  @Hex package private(set) var nested: UInt64?

  fileprivate init(_ entry: ReverseMapEntry, ofShadow shadow: Int) {
    self.shadow = shadow
    size = entry.canonical.size
    _start = Hex(wrappedValue: entry.canonical.lowerBound)
    _nested = Hex(wrappedValue: entry.nested)
  }

  fileprivate var title: Report.Text {
    Report.Text("Range \(hex: start)+\(Phrase.size(size))", .title)
      .adding(" in the reverse map of shadow \(shadow)")
  }
}

/// The word of an entry of a reverse map, and the nodes on the path to it.
package struct ReverseMapNodes: Encodable, Sendable {
  /// A node with the pair through which the path continues.
  package struct Node: Encodable, Sendable {
    package let level: Int
    @Hex package private(set) var address: UInt64
    package let pivots: [UInt64]
    /// Index of the pair; -1 if there is none.
    package let taken: Int
  }

  /// The word, bit by bit, as the version writes it.
  package let payload: String
  /// From the root down.
  package let path: [Node]

  package init(to entry: ReverseMapEntry, ofShadow shadow: Int, _ machine: Machine) {
    let encoding = machine.configuration.reverseMap.encoding
    // Of a map that was seen the kernel's own word and tree are not known.
    if machine.configuration.isSeen {
      (payload, path) = ("not told", [])
      return
    }
    payload = entry.text(encoding)
    path = machine.reverseMapPath(
      ofShadow: shadow,
      to: encoding.isKeyedByNested ? entry.nested ?? 0 : entry.canonical.lowerBound,
      direct: encoding.isKeyedByNested
    ).map {
      Node(
        level: $0.level, address: $0.address, pivots: $0.pivots, taken: $0.taken)
    }
  }

  /// Maximum number of a node's pivots in a line, around the one taken.
  private static let pivotsAtMost = 4

  /// As lines, the word first.
  package var lines: [Report.Text] {
    [Report.Text("payload  ", .dim).adding(payload)]
      + path.map { node in
        var line = Report.Text(node.level == 0 ? "leaf     " : "level \(node.level)  ", .dim)
        line.add("\(hex: node.address)  ", .address)
        line.add("\(node.pivots.count) of \(ReverseMapNode.capacity)  pivots ", .dim)
        let start = max(0, min(node.taken - 1, node.pivots.count - Self.pivotsAtMost))
        let end = min(start + Self.pivotsAtMost, node.pivots.count)
        if start > 0 { line.add("\(Sign.ellipsis) ", .dim) }
        for index in start..<end {
          if index == node.taken { line.add(Sign.selected, .key) }
          line.add("\(hex: node.pivots[index]) ", index == node.taken ? .linked : .plain)
        }
        if end < node.pivots.count { line.add(Sign.ellipsis, .dim) }
        return line
      }
  }
}

extension ReverseMapEntry {
  /// The word that the tree holds, bit by bit.
  fileprivate func text(_ encoding: ReverseMapEncoding) -> String {
    let word = "0x" + Engine.hex(payload, 16)
    let valid = encoding.validBit
    if encoding.isKeyedByNested {
      return word + ": " + (valid.map { "bit \($0) set, " } ?? "")
        + "bits 55:12 the canonical IPA, keyed by nested IPA"
    }
    guard let nested else { return word + ": bit 0, UNKNOWN_IPA" }
    return word + ": " + (valid.map { "bit \($0), VALID_ENTRY; " } ?? "")
      + "bits 55:12 nested IPA \(hex: nested)"
  }
}

extension Subject {
  /// The range of a reverse map that a question is about.
  ///
  /// - Throws: that there is none.
  fileprivate func range(
    in machine: Machine
  ) throws(Unanswerable) -> (ReverseMapRange, ReverseMapEntry) {
    guard let shadow = reverseMap else { throw Unanswerable("Nothing is selected.") }
    if let entry { return (ReverseMapRange(entry, ofShadow: shadow), entry) }
    guard let address else { throw Unanswerable("Nothing is selected.") }
    guard (0..<machine.configuration.shadows).contains(shadow) else {
      throw Unanswerable("There is no shadow \(shadow).")
    }
    guard let entry = machine.reverseMapEntry(ofShadow: shadow, from: address),
      entry.canonical.contains(address)
    else {
      throw Unanswerable("The reverse map of shadow \(shadow) holds nothing of \(hex: address).")
    }
    return (ReverseMapRange(entry, ofShadow: shadow), entry)
  }
}
