import Engine

/// A rule that is broken at consecutive pages.
public struct ViolationRun: Equatable, Sendable {
  /// The first place.
  public let first: Violation
  /// Bytes from there; one page unless more follow.
  public private(set) var size: UInt64 = Page.size

  /// Its address, with the size if it is more than one page.
  public var place: String {
    Phrase.address(first.address) + (size > Page.size ? "+\(Phrase.size(size))" : "")
  }

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
