/// Memory not owned by the host alone, according to the records of a machine with isolation.
public struct OwnedRange: Equatable, Sendable {
  /// The recorded state of a page.
  public enum State: Equatable, Sendable {
    /// AMD's RMP: the entry of the first page.
    case rmp(RMPEntry)
    /// The RMM's granules.
    case granule(GranuleState)
    /// pKVM's page states, the number of guests to which the host lends the page, the number of
    /// references that forbid a change of owner, and its recipient.
    case page(
      host: PageState, hypervisor: PageState, shares: UInt64, references: UInt64,
      owner: Recipient?)

    /// The recipient of a page that the host donated.
    public enum Recipient: Equatable, Sendable {
      /// The hypervisor.
      case hypervisor
      /// A guest, by its handle.
      case guest(UInt64)
    }
  }

  /// Physical addresses.
  public var range: Range<UInt64>
  /// The recorded state of each of its pages.
  public let state: State
}

extension Machine {
  /// The memory not owned by the host alone, ascending; adjacent pages in the same state are one range.
  ///
  /// - Parameter limit: maximum number of entries read.
  /// - Returns: the ranges, and whether they are complete.
  public func ownedRanges(limit: Int) -> (ranges: [OwnedRange], isComplete: Bool) {
    var ranges: [OwnedRange] = []
    var start: UInt64 = 0
    for _ in 0..<limit {
      guard let next = ownership.ownedRange(from: start, in: self) else { return (ranges, true) }
      start = next.range.upperBound
      if let last = ranges.last, last.range.upperBound == next.range.lowerBound,
        next.state.continues(last)
      {
        ranges[ranges.count - 1].range = last.range.lowerBound..<next.range.upperBound
      } else {
        ranges.append(next)
      }
    }
    return (ranges, false)
  }
}

extension OwnedRange.State {
  /// Whether pages in this state extend the preceding range.
  fileprivate func continues(_ before: OwnedRange) -> Bool {
    guard case .rmp(let entry) = self, case .rmp(let first) = before.state else {
      return self == before.state
    }
    let size = before.range.size
    return entry.bits == first.bits &+ (entry.isAssigned ? size : 0)
  }
}
