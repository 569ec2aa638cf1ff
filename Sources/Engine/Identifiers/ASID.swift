/// ASIDs of the host's processes (arch/arm64/mm/context.c): numbers from 1 up, in the order in which the
/// processes first run. There is no rollover: who asks when none of 65,535 is left is refused (ENOSPC).
extension Machine {
  /// The next number, or nil if none is left.
  mutating func nextASID() -> UInt64? {
    if self[.lastASID] == UInt64(UInt16.max) { return nil }
    self[.lastASID] += 1
    return self[.lastASID]
  }

  /// The VMM's ASID, taken if it has none; nil if none is left.
  mutating func takeASID() -> UInt16? {
    if self[.processASID] == 0 {
      guard let asid = nextASID() else { return nil }
      note(.identifier(.asidTaken(asid: asid)), .vmmStage1)
      self[.processASID] = asid
    }
    return UInt16(truncatingIfNeeded: self[.processASID])
  }
}
