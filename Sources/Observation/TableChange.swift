import Engine

/// A range of input addresses in which two observations of a table differ. Anything may have happened
/// there in between: this is a difference, never an event.
package struct TableChange: Equatable, Sendable {
  /// The input addresses.
  package let range: Range<UInt64>
  /// The earlier contents; nil if the first observation does not cover the range.
  package let before: ObservedTable.Run?
  /// The later contents; nil if the second observation does not cover the range.
  package let after: ObservedTable.Run?
}

extension ObservedTable {
  /// The differences of another observation in the bits that both know, ascending. O(number of runs).
  package func changes(to other: ObservedTable) -> [TableChange] {
    let common = known & other.known
    // A source may omit parts that only the other knows; skip those.
    let covered = (runs.last?.end ?? 0, other.runs.last?.end ?? 0)
    let end =
      coverage == .lastRunMissing || other.coverage == .lastRunMissing
      ? min(covered.0, covered.1) : max(covered.0, covered.1)
    var found: [TableChange] = []
    var places = (0, 0)
    var address = min(runs.first?.start ?? 0, other.runs.first?.start ?? 0)
    while address < end {
      while places.0 < runs.count, runs[places.0].end <= address { places.0 += 1 }
      while places.1 < other.runs.count, other.runs[places.1].end <= address { places.1 += 1 }
      let one = places.0 < runs.count ? runs[places.0] : nil
      let two = places.1 < other.runs.count ? other.runs[places.1] : nil
      // Each run has begun, or its start is where the other's piece ends.
      let before = one.flatMap { $0.start <= address ? $0 : nil }
      let after = two.flatMap { $0.start <= address ? $0 : nil }
      let next = min(
        end, before?.end ?? one?.start ?? .max, after?.end ?? two?.start ?? .max)
      if !Self.same(before, after, at: address, common) {
        if let last = found.last, last.range.upperBound == address, last.before == before,
          last.after == after
        {
          found[found.count - 1] = TableChange(
            range: last.range.lowerBound..<next, before: before, after: after)
        } else {
          found.append(TableChange(range: address..<next, before: before, after: after))
        }
      }
      address = max(next, address + 1)
    }
    return found
  }

  private static func same(_ one: Run?, _ two: Run?, at address: UInt64, _ known: UInt64) -> Bool {
    guard let one, let two else { return one == nil && two == nil }
    if one.level != two.level { return false }
    let outputs = Descriptor.addressMask & known
    let other = known & ~Descriptor.addressMask
    if one.descriptor.bits & other != two.descriptor.bits & other { return false }
    if outputs == 0 || !one.isMapped { return true }
    return one.descriptor.address &+ (address &- one.start)
      == two.descriptor.address &+ (address &- two.start)
  }
}
