/// The MMU notifier: the host is about to change the VMM's memory, and KVM unmaps it.
extension Machine {
  /// `kvm_mmu_notifier_invalidate_range_start`: returns what must be unmapped, slot by slot.
  mutating func beginInvalidation(_ range: Range<UInt64>) -> [Work] {
    let parts = canonicalParts(of: range)
    let notified = notified(parts)
    note(.host(.notifierStart(notified)), .vmmStage1, over: range)
    if parts.isEmpty { return [] }
    tally.notifiers += 1
    self[.invalidateInProgress] += 1
    return parts.flatMap { notifierTasks($0) }
  }

  /// The tasks of a notifier for canonical IPAs; pinned pages stay, and so does a table kept by an owner.
  private mutating func notifierTasks(_ range: Range<UInt64>) -> [Work] {
    if ownership.keepsTable { return [] }
    let parts = unmappable(range)
    let bytes = parts.reduce(0) { $0 + $1.size }
    let kept = range.size - bytes
    if kept > 0 {
      note(.host(.pinnedKept(pages: kept / Page.size)), .canonical, over: range)
    }
    return parts.map { UnmapCause(.notifier, $0) }.flatMap {
      [.unmapCanonical($0), .unmapShadows($0)]
    }
  }

  private func notified(_ parts: [Range<UInt64>]) -> HostStep.Notified {
    parts.isEmpty ? .nothing : ownership.keepsTable ? .owners : .slots
  }

  /// `kvm_mmu_notifier_invalidate_range_end`.
  mutating func endInvalidation(_ range: Range<UInt64>) {
    let parts = canonicalParts(of: range)
    let notified = notified(parts)
    note(.host(.notifierEnd(notified)), .vmmStage1, over: range)
    if parts.isEmpty { return }
    self[.invalidateSequence] += 1
    self[.invalidateInProgress] -= 1
  }

  /// The canonical IPAs, slot by slot, that lie behind addresses of the VMM.
  func canonicalParts(of range: Range<UInt64>) -> [Range<UInt64>] {
    memslots.compactMap { slot in
      let part = hostRange(of: slot).clamped(to: range)
      if part.isEmpty { return nil }
      let ipa = self[slot, .ipa] + (part.lowerBound - self[slot, .hva])
      return ipa..<ipa + part.size
    }
  }

  /// `kvm_arch_flush_shadow_memslot`, and then the deletion of the slot and its memory.
  mutating func deleteMemslotTasks(_ slot: Memslot) -> [Work] {
    let range = range(of: slot)
    let host = hostRange(of: slot)
    if unmappable(range) != [range] {
      fail(.ebusy, .canonical, at: range.lowerBound)
      return []
    }
    note(.slot(.deleted), .canonical, over: range)
    self[slot, .flags] |= Memslot.invalid
    return [
      .unmapCanonical(UnmapCause(.memslot, range)), .unmapShadows(UnmapCause(.memslot, range)),
      .removeMemslot(slot.base),
    ] + removalTasks(host)
  }
}
