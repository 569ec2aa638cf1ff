import Engine
import Language

/// The memory not owned by the host alone: its owner, and its records.
package struct OwnersAnswer: Answer {
  package struct Owned: Encodable, Sendable {
    /// Physical addresses.
    @Hex package private(set) var range: Range<UInt64>
    package let owner: String
    /// What else is recorded, in order.
    package let notes: [Note]
  }

  /// A record about a range of memory, in a few words.
  package struct Note: Encodable, Sendable {
    package let text: String
    fileprivate let emphasis: Report.Emphasis

    fileprivate init(_ text: String, _ emphasis: Report.Emphasis = .plain) {
      self.text = text
      self.emphasis = emphasis
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(text)
    }
  }

  package let ranges: [Owned]
  /// Whether all records were read.
  package let isComplete: Bool

  /// Maximum number of records read for one answer.
  private static let recordsAtMost = 300_000

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    let (found, isComplete) = machine.ownedRanges(limit: Self.recordsAtMost)
    self.isComplete = isComplete
    ranges = found.map { Owned($0.range, $0.state, machine) }
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report("By physical address; the host owns all other memory", .title)
    if ranges.isEmpty { report.add("Nobody else owns any memory now.") }
    let shown = ranges.prefix(Report.linesAtMost)
    // They ascend, so the last address is the longest.
    let width = shown.last.map { "\(hex: $0.range.lowerBound)".utf8.count } ?? 0
    for owned in shown {
      let size = Phrase.size(owned.range.size)
      let isIdle = owned.notes.isEmpty
      var line = Report.Text("\(hex: owned.range.lowerBound)".padded(to: width) + " ", .address)
      line.add("+\(size)".padded(to: 7), .dim)
      line.add(owned.owner, isIdle ? .dim : .heading)
      for (index, note) in owned.notes.enumerated() {
        line.add(index == 0 ? ": " : ", ")
        line.add(note.text, note.emphasis)
      }
      report.add(line, indent: width + 8)
    }
    report.addRest(of: ranges.count)
    if !isComplete { report.add("There is more; not all records were read.", .warning) }
    return report
  }
}

extension OwnersAnswer {
  /// Who owns memory whose records have changed, in one sentence; nil if none have.
  static func sentence(_ changes: [OwnerChange], in machine: Machine) -> String? {
    guard let record = changes.first?.record else { return nil }
    var parts: [(range: Range<UInt64>, owner: String)] = []
    for change in changes {
      let owner = owner(after: change, machine)
      if let last = parts.last, last.range.upperBound == change.range.lowerBound,
        last.owner == owner
      {
        parts[parts.count - 1].range = last.range.lowerBound..<change.range.upperBound
      } else {
        parts.append((change.range, owner))
      }
    }
    let shown = parts.prefix(rangesInSentence).map {
      "\(hex: $0.range.lowerBound)+\(Phrase.size($0.range.size)) \(Sign.arrow) \($0.owner)"
    }
    let rest = parts.count - shown.count
    return "\(record.name) changed: " + shown.joined(separator: "; ")
      + (rest > 0 ? "; and \(count(rest, "more range"))" : "") + "."
  }

  private static let rangesInSentence = 3

  private static func owner(after change: OwnerChange, _ machine: Machine) -> String {
    guard let state = change.state else {
      return change.record == .rmp ? "the hypervisor" : "the host"
    }
    let owned = Owned(change.range, state, machine)
    // Adjacent pages differ in their addresses alone.
    let notes = owned.notes.map { $0.text }.filter { !$0.hasPrefix("at 0x") }
    return ([owned.owner] + notes).joined(separator: ", ")
  }
}

extension OwnerChange.Record {
  fileprivate var name: String {
    switch self {
    case .rmp: "The RMP"
    case .granules: "The GPT"
    case .pages: "The hypervisor's record of pages"
    }
  }
}

extension OwnersAnswer.Owned {
  fileprivate init(_ range: Range<UInt64>, _ state: OwnedRange.State, _ machine: Machine) {
    switch state {
    case .rmp(let entry):
      owner = entry.isAssigned ? "the guest" : "the hypervisor"
      notes = entry.isAssigned ? Self.notes(of: entry) : []
    case .granule(let state):
      switch state {
      case .undelegated: (owner, notes) = ("the host", [])
      case .delegated: (owner, notes) = ("the RMM", [.init("delegated, unused")])
      case .data: (owner, notes) = ("the realm", [.init("data")])
      case .table: (owner, notes) = ("the realm", [.init("translation table (RTT)")])
      }
    case .page(let host, let hypervisor, let shares, let references, let recipient):
      owner =
        switch recipient {
        case .hypervisor: "the hypervisor"
        case .guest(let handle):
          machine.protectedGuests.first { $0.handle == handle }.map {
            "guest \($0.number) (handle \(hex: handle))"
          } ?? "guest (handle \(hex: handle))"
        case nil: "the host"
        }
      notes =
        [.init("host \(host.name)"), .init("hypervisor \(hypervisor.name)")]
        + (shares > 0 ? [.init("shared with \(count(Int(shares), "guest"))")] : [])
        + (references > 0 ? [.init(count(Int(references), "use"))] : [])
    }
    _range = Hex(wrappedValue: range)
  }

  private static func notes(of entry: RMPEntry) -> [OwnersAnswer.Note] {
    var notes: [OwnersAnswer.Note] = [
      .init("at \(hex: entry.guestAddress)"), .init(entry.isLarge ? "by 2M" : "by 4K"),
      entry.isValidated ? .init("accepted") : .init("not accepted yet", .warning),
    ]
    if entry.isInUse { notes.append(.init("in use by another instruction", .changed)) }
    return notes
  }
}
