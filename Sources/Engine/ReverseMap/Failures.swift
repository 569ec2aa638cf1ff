/// Failures of a reverse map's GFP_NOWAIT allocations.
extension Machine {
  mutating func failReverseMap(insertions: UInt64, erasures: UInt64) throws(Refusal) {
    if !policy.keepsMap { throw Refusal(.noReverseMap) }
    note(.reverseMap(.failuresArmed(insertions: insertions, erasures: erasures)))
    self[.failInsertions] += min(insertions, .max - self[.failInsertions])
    self[.failErasures] += min(erasures, .max - self[.failErasures])
  }
}
