import Canvas
import Engine
import Language

extension Model {
  /// Entries of the account of owners that are read for an answer at most.
  private static let ownersAtMost = 300_000

  /// The memory that is not the host's alone: whose it is, and what is noted of it.
  var ownersAnswer: Document {
    var document = Document()
    let (ranges, isComplete) = machine.ownedRanges(limit: Self.ownersAtMost)
    document.add("By physical address; all other memory is the host's", .title)
    if ranges.isEmpty { document.add("Nobody else has any memory now.") }
    let shown = ranges.prefix(Self.linesAtMost)
    // They ascend, so the last address is the longest.
    let width = shown.last.map { ("\(hex: $0.range.lowerBound)" as SafeText).columns } ?? 0
    for owned in shown {
      let size = owned.range.upperBound - owned.range.lowerBound
      var line = Line(("\(hex: owned.range.lowerBound)" as SafeText).padded(to: width), .address)
      line.add(" ")
      line.add(("+\(SafeText(Phrase.size(size)))" as SafeText).padded(to: 7), .dim)
      line.add(owned.state.line)
      document.add(line, indent: width + 8)
    }
    addRest(ranges.count, to: &document)
    if !isComplete { document.add("There is more; not all of it was read.", .warning) }
    return document
  }
}

extension OwnedRange.State {
  /// The state in words.
  fileprivate var line: Line {
    switch self {
    case .rmp(let entry):
      guard entry.isAssigned else { return Line("the hypervisor's", .dim) }
      var line = Line("the guest's", .heading)
      line.add(" at \(hex: entry.guestAddress)")
      line.add(entry.isLarge ? ", by 2M" : ", by 4K")
      line.add(
        entry.isValidated ? ", accepted" : ", not accepted yet",
        entry.isValidated ? .text : .warning)
      if entry.isInUse { line.add(", in use by another instruction", .changed) }
      return line
    case .granule(let state):
      return switch state {
      case .undelegated: Line("the host's", .dim)
      case .delegated: Line("delegated", .heading).adding(": the RMM's, and unused")
      case .data: Line("data", .heading).adding(": memory of the realm")
      case .table: Line("table", .heading).adding(": of the realm's translation (RTT)")
      }
    case .page(let host, let hypervisor, let shares, let references, let owner):
      var line =
        switch owner {
        case .hypervisor: Line("the hypervisor's", .heading)
        case .guest(let handle): Line("guest \(hex: handle)'s", .heading)
        case nil: Line("the host's", hypervisor == .noPage && shares == 0 ? .dim : .text)
        }
      line.add(": host \(host.name), hypervisor \(hypervisor.name)")
      if shares > 0 { line.add(", lent to guests \(shares) times") }
      if references > 0 { line.add(", \(references) uses") }
      return line
    }
  }
}

extension PageState {
  /// The state as the kernel names it.
  fileprivate var name: SafeText {
    switch self {
    case .owned: "owned"
    case .sharedOwned: "shared-owned"
    case .sharedBorrowed: "shared-borrowed"
    case .noPage: "nopage"
    case .poison: "poison"
    }
  }
}
