/// Unmapping ranges of a context under `mmu_lock`, which may be dropped between gigabytes
/// (`stage2_apply_range`).
extension Machine {
  static let gigabyte: UInt64 = 1 << 30

  /// All input addresses of a shadow, and so all canonical IPAs.
  static let allAddresses: Range<UInt64> = 0..<1 << UInt64(VMConfiguration.physicalBits)

  /// Unmaps a range of a context, up to the place of a requested pause, and then parks the rest.
  mutating func sweep(_ mmu: MMU, _ range: Range<UInt64>, _ cause: UnmapCause) {
    let stop = pausePlace(in: range)
    let part = range.lowerBound..<(stop ?? range.upperBound)
    note(.table(.sweep(cause)), mmu.tableID, over: part)
    if !mmu.isCanonical { policy.willUnmap(part, of: mmu, in: &self) }
    let gigabytes =
      part.isEmpty
      ? 0 : (part.upperBound - 1) / Self.gigabyte - part.lowerBound / Self.gigabyte + 1
    unmap(part, in: table(of: mmu), gigabytes > 1 ? .swept(gigabytes) : .unmapped)
    if let stop {
      push([.sweep(mmu.index, stop..<range.upperBound, cause)])
      park(at: stop, in: mmu.tableID, dropsLock: true)
    }
  }

  /// The first boundary inside a range, between gigabytes or chunks of another size, at which a pause is
  /// requested.
  func pausePlace(in range: Range<UInt64>, every size: UInt64 = gigabyte) -> UInt64? {
    let asked = self[.pauseAt] &- 1
    guard isPauseArmed, asked < range.upperBound else { return nil }
    let first = range.lowerBound / size + 1
    let wanted = (asked + size - 1) / size
    let place = max(first, wanted) * size
    return place < range.upperBound ? place : nil
  }

  /// The tasks that unmap a whole shadow.
  static func unmapAllTasks(
    _ mmu: MMU, _ reason: TableStep.Emptied, _ cause: UnmapCause
  ) -> [Work] {
    [
      .beginUnmapAll(mmu.index, reason, cause), .sweep(mmu.index, allAddresses, cause),
      .endUnmapAll(mmu.index),
    ]
  }

  /// The tasks that unmap all shadows. Each is asked whether it is valid when its turn comes, since the lock
  /// may have been dropped until then (`kvm_nested_s2_unmap`).
  func emptyShadowsTasks(_ reason: TableStep.Emptied, _ cause: UnmapCause) -> [Work] {
    (0..<configuration.shadows).map { .emptyShadow(shadow($0).index, reason, cause) }
  }

  /// Unmaps nested IPAs that L1 invalidated. A range across a gigabyte boundary may drop `mmu_lock` there.
  mutating func invalidateShadow(_ mmu: MMU, _ range: Range<UInt64>, vmid: UInt16?) {
    guard isValid(mmu), vmid == nil || VTTBR(self[mmu, .vttbr]).vmid == vmid else { return }
    let cause = UnmapCause(.guestInvalidation)
    if range == Self.allAddresses {
      note(.table(.emptyShadow(.guestInvalidation, cause)), mmu.tableID)
      tally.fullUnmaps += 1
    }
    policy.invalidate(range, of: mmu, in: &self)
    if range.lowerBound / Self.gigabyte != (range.upperBound - 1) / Self.gigabyte {
      self[mmu, .sweeps] += 1
      push([.sweep(mmu.index, range, cause), .endSweep(mmu.index)])
    } else {
      push([.sweep(mmu.index, range, cause)])
    }
  }

  mutating func beginUnmapAll(_ mmu: MMU, _ reason: TableStep.Emptied, _ cause: UnmapCause) {
    note(.table(.emptyShadow(reason, cause)), mmu.tableID)
    tally.fullUnmaps += 1
    self[mmu, .sweeps] += 1
    policy.reset(mmu, in: &self)
  }

  mutating func endSweep(_ mmu: MMU) { self[mmu, .sweeps] -= 1 }

  mutating func endUnmapAll(_ mmu: MMU) {
    endSweep(mmu)
    policy.didUnmapAll(mmu, in: &self)
  }
}
