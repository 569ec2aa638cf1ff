import Engine

/// A rule that is broken at consecutive pages.
public struct ViolationRun: Equatable, Sendable {
  /// The first place.
  public let first: Violation
  /// Bytes from there; one page unless more follow.
  public private(set) var size: UInt64 = Page.size

  /// Where the rule is broken.
  public func place(in machine: Machine) -> String { first.place(in: machine, size: size) }

  /// Violations in the order given, with consecutive pages joined.
  public static func runs(of violations: [Violation]) -> [ViolationRun] {
    var runs: [ViolationRun] = []
    for violation in violations {
      if let last = runs.last, last.first.invariant == violation.invariant,
        last.first.table == violation.table,
        violation.place.follows(last.first.place, by: last.size)
      {
        runs[runs.count - 1].size += Page.size
      } else {
        runs.append(ViolationRun(first: violation))
      }
    }
    return runs
  }
}

extension Violation.Place {
  /// Whether it is an address so many bytes after another place.
  fileprivate func follows(_ first: Self, by size: UInt64) -> Bool {
    switch (first, self) {
    case (.address(let start), .address(let next)),
      (.reverseMap(let start?), .reverseMap(let next?)):
      next == start + size
    default: false
    }
  }
}

extension Violation {
  /// Where the rule is broken: the address with what it is, and the table as it is called on the screen.
  ///
  /// - Parameter size: bytes from the address on, if that is more than a page.
  public func place(in machine: Machine, size: UInt64? = nil) -> String {
    let more = size.map { $0 > Page.size ? "+\(Phrase.size($0))" : "" } ?? ""
    switch self.place {
    case .address(let address):
      return "\(table.kind.input.name) \(Phrase.address(address))\(more) of \(table.phrase)"
    case .reverseMap(let canonical?):
      return
        "canonical IPA \(Phrase.address(canonical))\(more) in the reverse map of \(table.phrase)"
    case .reverseMap(nil): return "the reverse map of \(table.phrase)"
    case .table: return table.phrase
    case .otherVM(let number): return "VM \(number)"
    case .tag: return "\(machine.deviceTag(of: table)) of \(table.phrase)"
    }
  }
}

extension Machine {
  /// The number under which the SMMU caches a device's translations.
  fileprivate func deviceTag(of table: TableID) -> String {
    guard case .iommu(let device) = table else { return "no number" }
    let context = context(ofDevice: device)
    return (context.isStage1 ? "ASID " : "VMID ") + "\(context.number)"
  }
}
