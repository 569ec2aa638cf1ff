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
        last.first.table == violation.table, violation.address == last.first.address + last.size
      {
        runs[runs.count - 1].size += Page.size
      } else {
        runs.append(ViolationRun(first: violation))
      }
    }
    return runs
  }
}

extension Violation {
  /// Where the rule is broken: the address with what it is, and the table as it is called on the screen.
  ///
  /// - Parameter size: bytes from the address on, if that is more than a page.
  public func place(in machine: Machine, size: UInt64? = nil) -> String {
    let more = size.map { $0 > Page.size ? "+\(Phrase.size($0))" : "" } ?? ""
    let span = Phrase.address(address) + more
    switch invariant {
    case .mirrorVMID:
      return "\(machine.deviceTag(of: table)) of \(table.phrase)"
    case .uniqueVMID:
      return table == .canonical && address != 0 ? "VM \(address)" : table.phrase
    case .reverseMapLock, .reverseMapSleep, .reverseMapMirror:
      return "canonical IPA \(span) in the reverse map of \(table.phrase)"
    case .reverseMapTree: return "the reverse map of \(table.phrase)"
    case .tableCounts where address == 0: return table.phrase
    case .leafOutlivesPage, .writableLeaf, .shadowComposition, .staleShadow, .staleTLB,
      .reverseMapCoverage, .vncr, .foreignDMA, .staleIOTLB, .tableAgreement, .dmaHole, .pageOwner,
      .tableCounts:
      return "\(table.kind.input.name) \(span) of \(table.phrase)"
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
