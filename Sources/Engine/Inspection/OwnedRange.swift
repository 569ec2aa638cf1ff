/// Memory whose owner is not the host alone, as the account of a machine with isolation has it.
public struct OwnedRange: Equatable, Sendable {
  /// What the account says of a page.
  public enum State: Equatable, Sendable {
    /// AMD's RMP: the entry of the first page.
    case rmp(RMPEntry)
    /// The RMM's granules.
    case granule(GranuleState)
    /// pKVM's page states, how often the host lends the page to guests, how many uses forbid to change its
    /// owner, and to whom it was given.
    case page(
      host: PageState, hypervisor: PageState, shares: UInt64, references: UInt64,
      owner: Recipient?)

    /// To whom the host has given a page.
    public enum Recipient: Equatable, Sendable {
      /// The hypervisor.
      case hypervisor
      /// A guest, by its handle.
      case guest(UInt64)
    }
  }

  /// Physical addresses.
  public var range: Range<UInt64>
  /// What the account says of each of its pages.
  public let state: State
}

extension Machine {
  /// The memory that is not the host's alone, ascending; pages that fare alike are one range.
  ///
  /// - Parameter limit: Entries of the account that are read at most.
  /// - Returns: the ranges, and whether they are all there are.
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
  /// Whether pages in this state go on with what ends a range.
  fileprivate func continues(_ before: OwnedRange) -> Bool {
    guard case .rmp(let entry) = self, case .rmp(let first) = before.state else {
      return self == before.state
    }
    let size = before.range.size
    return entry.bits == first.bits &+ (entry.isAssigned ? size : 0)
  }
}
