/// Memory whose record of an owner has changed.
public struct OwnerChange: Equatable, Sendable {
  /// The record: the RMP, the granule protection table, or the hypervisor's records.
  public enum Record: Sendable { case rmp, granules, pages }

  /// Where it is recorded.
  public let record: Record
  /// Physical addresses.
  public var range: Range<UInt64>
  /// What is recorded now of each of its pages; nil if that is nothing, as of the host's own memory.
  public let state: OwnedRange.State?
}

extension Machine {
  /// The memory whose record of an owner is another than before some stores, ascending, by the words that were stored;
  /// an entry of the RMP for 2M counts as 2M. Of granules those of the VMM's memory, not those where tables lie, which
  /// change with the tables.
  ///
  /// - Complexity: O(n log n) in the number of words stored.
  public func ownerChanges(since past: PastWords) -> [OwnerChange] {
    guard let (record, number) = ownerRecord else { return [] }
    let pages = past.slots.flatMap { slot -> [UInt64] in
      let role = memory.role(ofFrameAt: slot)
      guard role.use == FrameUse.elements.rawValue, role.number == number, let old = past[slot],
        old != memory.load(slot)
      else { return [] }
      let index = role.place << UInt64(SparseArray.bits) | UInt64(slot % Memory.frameWords)
      let page = index << Page.shift
      // The words of the other pages were zero, and may be zero again.
      let isLarge = record == .rmp && RMPEntry(old).isLarge
      return isLarge
        ? Array(stride(from: page, to: page + Self.largeSize, by: Page.stride)) : [page]
    }.sorted()
    var changes: [OwnerChange] = []
    for page in pages where changes.last.map({ !$0.range.contains(page) }) ?? true {
      let owned = ownership.ownedRange(from: page, in: self).flatMap {
        $0.range.contains(page) ? $0 : nil
      }
      changes.append(
        OwnerChange(
          record: record, range: owned?.range ?? page..<page + Page.size, state: owned?.state))
    }
    return changes
  }

  private var ownerRecord: (OwnerChange.Record, UInt64)? {
    switch configuration.isolation {
    case .none: nil
    case .rmp: (.rmp, SparseArray.Number.rmp.rawValue)
    case .cca: (.granules, SparseArray.Number.granules.rawValue)
    case .pkvm: (.pages, SparseArray.Number.vmemmap.rawValue)
    }
  }
}
