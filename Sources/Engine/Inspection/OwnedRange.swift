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
      guard let next = ownedRange(from: start) else { return (ranges, true) }
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

  /// The first entry of the account at or after a physical address.
  private func ownedRange(from physical: UInt64) -> OwnedRange? {
    let rest = physical..<1 << UInt64(Configuration.physicalBits)
    switch configuration.isolation {
    case .none: return nil
    case .rmp:
      return firstRMPEntry(in: rest).map { page in
        let (entry, start) = rmpEntry(of: page)
        return OwnedRange(
          range: start..<start + (entry.isLarge ? 2 << 20 : 4096), state: .rmp(entry))
      }
    case .cca:
      return firstGranule(in: rest).map {
        OwnedRange(range: $0..<$0 + 4096, state: .granule(granule(at: $0)))
      }
    case .pkvm:
      return firstRecordedPage(in: rest, where: { _, _ in true }).map { page in
        let recipient: OwnedRange.State.Recipient? =
          switch memory.walk(protectedHostTable, page).descriptor.donation {
          case .hypervisor: .hypervisor
          case .guest(let handle, _): .guest(handle)
          case nil: nil
          }
        return OwnedRange(
          range: page..<page + 4096,
          state: .page(
            host: hostState(of: page), hypervisor: hypervisorState(of: page),
            shares: shareCount(of: page), references: referenceCount(of: page), owner: recipient))
      }
    }
  }
}

extension OwnedRange.State {
  /// Whether pages in this state go on with what ends a range.
  fileprivate func continues(_ before: OwnedRange) -> Bool {
    guard case .rmp(let entry) = self, case .rmp(let first) = before.state else {
      return self == before.state
    }
    let size = before.range.upperBound - before.range.lowerBound
    return entry.bits == first.bits &+ (entry.isAssigned ? size : 0)
  }
}
