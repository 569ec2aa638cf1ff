import Engine
import Language

/// The differences of a table from another, or from itself at another moment or in another history.
package struct DifferenceAnswer: Answer {
  /// How the two were compared.
  package enum Method: String, Encodable, Sendable {
    /// Address by address.
    case direct
    /// Through L1's table: nested addresses of the one are canonical addresses of the other.
    case composed
    /// By the pages that both map, since a guest of pKVM shares no addresses with the other.
    case pages
  }

  /// A range in which they differ; with `pages`, a range that both map.
  package struct Item: Encodable, Sendable {
    @Hex package private(set) var range: Range<UInt64>
    /// How they differ; nil with `composed` and `pages`.
    package let kind: Difference.Kind?
    /// The table that the range is of.
    package let table: TableID
    /// The difference in words.
    package let what: String
  }

  /// The two, by their names.
  package let first, second: String
  package let method: Method
  package let items: [Item]
  /// Whether the tables were too large to compare completely.
  package let isCut: Bool
  private let title: String

  private enum CodingKeys: CodingKey { case first, second, method, items, isCut }

  /// Maximum number of leaves followed through another table.
  private static let leavesAtMost = 50_000

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    let table = subject.table ?? machine.cpuTableID
    guard let reader = machine.reader(of: table) else {
      throw Unanswerable("\(Phrase.table(table).capitalized) does not exist now.")
    }
    let here = session.timeline.moment
    if let other = subject.other {
      try self.init(
        of: table, other.machine, machine, names: (other.name, other.ownName), .outputs)
    } else if session.isMomentName(subject.text) {
      let moment = try Self.moment(subject.text, &session)
      session.seek(to: moment)
      let other = session.timeline.machine
      session.seek(to: here)
      try self.init(
        of: table, other, machine, names: ("@\(moment.name)", "@\(here.name)"), .bits)
    } else if let id = TableID(name: subject.text), id != table,
      let other = machine.reader(of: id)
    {
      // Tables with other input addresses are compared by way of what lies between them.
      if id.isNested != table.isNested, machine.configuration.isRecorded {
        throw Unanswerable(
          "This cannot be known: it depends on L1's own table, of which nothing is known.")
      }
      self.init(of: (table, reader), (id, other), machine)
    } else {
      throw Unanswerable(
        "Expected another table (\(machine.tableIDs.map(\.name).joined(separator: ", "))) or a "
          + "moment (\(session.momentHelp)).")
    }
  }

  private static func moment(
    _ text: String, _ session: inout Session
  ) throws(Unanswerable) -> Moment {
    do throws(NoMoment) {
      return try session.existingMoment(named: text)
    } catch {
      throw Unanswerable(error.message.capitalized + ".")
    }
  }

  /// The same table in two machines.
  private init(
    of table: TableID, _ then: Machine, _ now: Machine, names: (String, String),
    _ depth: Difference.Kind.Depth
  ) throws(Unanswerable) {
    guard let first = then.reader(of: table) else {
      throw Unanswerable("\(Phrase.table(table).capitalized) does not exist at \(names.0).")
    }
    guard let second = now.reader(of: table) else {
      throw Unanswerable("\(Phrase.table(table).capitalized) does not exist now.")
    }
    self.init(
      TableComparison(first, second, depth), EntryComparison(first, second), of: table, names,
      title: "\(Phrase.table(table).capitalized), \(names.0) and \(names.1)")
  }

  /// Two tables of one machine.
  private init(
    of first: (id: TableID, reader: TableReader), _ second: (id: TableID, reader: TableReader),
    _ machine: Machine
  ) {
    let names = (first.id.name, second.id.name)
    let title = "\(Phrase.table(first.id).capitalized) and \(Phrase.table(second.id))"
    if first.id.isNested == second.id.isNested {
      let depth: Difference.Kind.Depth =
        first.id.kind.output == second.id.kind.output ? .outputs : .permissions
      self.init(
        TableComparison(first.reader, second.reader, depth), of: second.id, names, title: title)
      return
    }
    let (nested, other) = first.id.isNested ? (first, second) : (second, first)
    let isProtected = machine.table(.pkvmHost) != nil
    let (items, isCut) =
      isProtected ? Self.sharedPages(nested, other) : Self.composed(nested, machine)
    self.init(
      names, isProtected ? .pages : .composed, items, isCut: isCut,
      title: isProtected ? title : title + ", of the pages that both tables name")
  }

  private init(
    _ names: (String, String), _ method: Method, _ items: [Item], isCut: Bool, title: String
  ) {
    (first, second) = names
    self.method = method
    self.items = items
    self.isCut = isCut
    self.title = title
  }

  private init(
    _ comparison: TableComparison, _ entries: EntryComparison? = nil, of table: TableID,
    _ names: (String, String), title: String
  ) {
    let leaves = comparison.differences.map {
      Item(range: $0.range, kind: $0.kind, table: table, what: $0.text(names.0, names.1))
    }
    let others = (entries?.differences ?? []).map {
      Item(
        range: $0.range, kind: .entry, table: table,
        what: "\(names.0) \($0.first), \(names.1) \($0.second)")
    }
    self.init(
      names, .direct, leaves + others, isCut: comparison.isCut || entries?.isCut ?? false,
      title: title)
  }

  /// A comparison of tables with different input addresses, through L1's table.
  private static func composed(
    _ nested: (id: TableID, reader: TableReader), _ machine: Machine
  ) -> ([Item], isCut: Bool) {
    guard let canonical = machine.reader(of: .canonical) else { return ([], false) }
    let guest = machine.guestTable(behind: nested.id)
    var items: [Item] = []
    var leaf = nested.reader.mappedRange(from: 0)
    for _ in 0..<leavesAtMost {
      guard let now = leaf else { break }
      let address = now.range.lowerBound
      let ipa = guest.map { machine.peekGuestWalk(address, $0)?.output } ?? address
      let behind = ipa.flatMap { canonical.leaf(at: $0).leaf }
      if let what = mismatch(now, nested.id, ipa, behind) {
        items.append(Item(range: now.range, kind: nil, table: nested.id, what: what))
      }
      leaf = nested.reader.mappedRange(from: now.range.upperBound)
    }
    return (items, leaf != nil)
  }

  private static func mismatch(
    _ leaf: MappedRange, _ nested: TableID, _ ipa: UInt64?, _ behind: MappedRange?
  ) -> String? {
    guard let ipa else { return "L1 maps nothing there any more" }
    guard let behind else { return "canonical \(hex: ipa) is not mapped" }
    if case .guest = nested { return nil }
    let output = behind.output(of: ipa)
    if output != leaf.output {
      return
        "\(Sign.arrow) \(hex: leaf.output), canonical \(hex: ipa) \(Sign.arrow) \(hex: output)"
    }
    return leaf.descriptor.permissions.write && !behind.descriptor.permissions.write
      ? "writable, canonical \(hex: ipa) is not" : nil
  }

  /// Pages of a guest of pKVM that are also mapped by another table, whose input addresses are physical.
  private static func sharedPages(
    _ guest: (id: TableID, reader: TableReader), _ other: (id: TableID, reader: TableReader)
  ) -> ([Item], isCut: Bool) {
    var items: [Item] = []
    var leaf = guest.reader.mappedRange(from: 0)
    for _ in 0..<leavesAtMost {
      guard let now = leaf else { break }
      let output = now.output..<now.output + now.size
      var also = other.reader.mappedRange(from: output.lowerBound)
      while let there = also, output.overlaps(there.range) {
        let common = there.range.clamped(to: output)
        let start = now.range.lowerBound + (common.lowerBound - now.output)
        items.append(
          Item(
            range: start..<start + common.size, kind: nil,
            table: guest.id,
            what: "\(Sign.arrow) \(hex: common.lowerBound)  \(guest.id.name) "
              + "\(now.descriptor.permissions.text), \(other.id.name) "
              + there.descriptor.permissions.text))
        also = other.reader.mappedRange(from: there.range.upperBound)
      }
      leaf = guest.reader.mappedRange(from: now.range.upperBound)
    }
    return (items, leaf != nil)
  }

  /// What was not compared may differ.
  package var isNo: Bool { method != .pages && (!items.isEmpty || isCut) }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report(title, .title)
    switch method {
    case .direct where items.isEmpty:
      report.add(isCut ? "They do not differ in what was compared." : "They do not differ.")
    case .composed where items.isEmpty:
      report.add(
        isCut ? "They agree in what was compared." : "They agree wherever both map.")
    case .direct, .composed: break
    case .pages:
      report.add("Pages that both map:", .dim)
      if items.isEmpty { report.add("none") }
    }
    for item in items.prefix(Report.linesAtMost) {
      var line = Report.Text()
      switch method {
      case .direct: line.add("\(item.kind?.mark ?? Sign.changed) ", .changed)
      case .composed: line.add("\(Sign.mismatch) ", .mismatch)
      case .pages: break
      }
      line.add("\(hex: item.range.lowerBound) ")
      line.add(
        Phrase.size(item.range.size).padded(to: 5, .right) + "  ",
        .dim)
      line.add(item.what)
      report.add(line, to: .place(item.table, item.range.lowerBound))
    }
    report.addRest(of: items.count)
    if isCut { report.add("The tables are large; not all was compared.", .warning) }
    return report
  }
}

extension Difference {
  /// The difference in words, of the first table and the second.
  fileprivate func text(_ one: String, _ other: String) -> String {
    func entry(_ leaf: MappedRange?) -> String {
      leaf.map {
        "\($0.knownOutput(of: range.lowerBound)) \($0.descriptor.permissions.text)"
      } ?? "nothing"
    }
    switch kind {
    case .onlyFirst: return "only in \(one): \(entry(first))"
    case .onlySecond: return "only in \(other): \(entry(second))"
    case .output: return "\(one) \(entry(first)), \(other) \(entry(second))"
    case .weaker, .stronger, .permissions:
      let permissions = [first, second].map { $0?.descriptor.permissions.text ?? "" }
      return "\(one) \(permissions[0]), \(other) \(permissions[1]): "
        + (kind == .weaker ? "weaker" : kind == .stronger ? "stronger" : "other permissions")
    case .size:
      return "\(one) by \(Phrase.size(first?.size ?? 0)), \(other) by "
        + Phrase.size(second?.size ?? 0)
    case .entry: return "\(one) and \(other) have different entries"
    case .attribute: return "\(one) and \(other) have different memory types"
    case .bits:
      return
        "\(one) \(hex: first?.descriptor.bits ?? 0), \(other) \(hex: second?.descriptor.bits ?? 0)"
    }
  }
}

extension Difference.Kind {
  fileprivate var mark: String {
    switch self {
    case .onlyFirst: "-"
    case .onlySecond: "+"
    case .output, .weaker, .stronger, .permissions, .size, .attribute, .bits, .entry: Sign.changed
    }
  }
}
