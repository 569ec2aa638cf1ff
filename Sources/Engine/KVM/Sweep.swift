/// Unmapping ranges of a context under `mmu_lock`, which is dropped between gigabytes
/// (`stage2_apply_range`).
extension Machine {
  /// Unmaps a range of a context.
  mutating func sweep(_ mmu: MMU, _ range: Range<UInt64>) {
    note(
      .sweep, mmu.tableID, at: range.lowerBound, size: range.upperBound - range.lowerBound)
    unmap(range, in: table(of: mmu))
  }

  /// Unmaps all of a shadow.
  mutating func sweepAll(_ mmu: MMU) {
    tally.fullUnmaps += 1
    sweep(mmu, inputRange(of: mmu))
  }
}
