/// Operations of the VMM, or of the host kernel itself, on the memory of a slot.
///
/// Each operation becomes tasks: the changes, surrounded by the kernel's notifications, in
/// the kernel's order. Sources: mm/madvise.c, mm/mprotect.c, mm/vma.c, mm/memory.c (7.3).
extension Machine {
  func vmas(in range: Range<UInt64>) -> [(range: Range<UInt64>, flags: VMAFlags)] {
    memory.entries(in: range, of: vmaTree).map { ($0.range, VMAFlags(rawValue: $0.payload)) }
  }

  /// The part of the first VMA in a range that lies in the range, its flags, and the rest of the range.
  private func firstVMA(
    in range: Range<UInt64>
  ) -> (part: Range<UInt64>, flags: VMAFlags, rest: Range<UInt64>)? {
    memory.first(in: range, of: vmaTree).map {
      let part = $0.range.clamped(to: range)
      return (part, VMAFlags(rawValue: $0.payload), part.upperBound..<range.upperBound)
    }
  }

  /// MADV_DONTNEED, VMA by VMA.
  mutating func discardTasks(_ range: Range<UInt64>) -> [Work] {
    guard let (part, flags, rest) = firstVMA(in: range) else { return [] }
    var whole = part
    if flags.contains(.hugetlb) {
      // Whole huge pages only: an unaligned start is refused (-EINVAL), an unaligned end rounded down.
      let mask: UInt64 = 1 << 30 - 1
      guard part.lowerBound & mask == 0, part.lowerBound < part.upperBound & ~mask else {
        note(.end(.noEffect(.partOfHugePage)))
        return []
      }
      whole = part.lowerBound..<part.upperBound & ~mask
    }
    return notified(whole, .zap(whole)) + [.discard(rest)]
  }

  /// munmap: first the VMAs are removed, and `mmap_lock` is downgraded. The notification then covers the requested
  /// range, with its holes (`vms_clear_ptes`), and the tables go after it (`free_pgtables`).
  mutating func unmapTasks(_ range: Range<UInt64>) -> [Work] {
    let parts = vmas(in: range)
    guard let first = parts.first?.range, let last = parts.last else {
      note(.end(.noEffect(.mappingUnchanged)))
      return []
    }
    let mapped = first.clamped(to: range).lowerBound..<last.range.clamped(to: range).upperBound
    if !canCut(mapped, last.flags) {
      note(.end(.noEffect(.partOfHugePage)))
      return []
    }
    return cut(mapped, out: first.lowerBound..<last.range.upperBound)
      + removalTasks(range)
  }

  /// The tasks that remove VMAs, and what they map (`vms_complete_munmap_vmas`).
  func removalTasks(_ range: Range<UInt64>) -> [Work] {
    [.removeVMAs(range)] + notified(range, .zap(range)) + [.freeHostTables(range)]
  }

  /// mprotect to read-only or to read-write, VMA by VMA up to the first hole (-ENOMEM).
  mutating func protectTasks(_ range: Range<UInt64>, write: Bool) -> [Work] {
    guard let (part, flags, rest) = firstVMA(in: range) else { return [] }
    if part.lowerBound != range.lowerBound {
      note(.end(.noEffect(.mappingUnchanged)))
      return []
    }
    if !canCut(part, flags) {
      note(.end(.noEffect(.partOfHugePage)))
      return []
    }
    if flags.contains(.write) == write {
      note(.end(.noEffect(.mappingUnchanged)))
      return [.protect(rest, write: write)]
    }
    var tasks = changeFlags(part, flags.symmetricDifference(.write))
    // The notification starts at the first populated 1 GiB, and is skipped if there is none.
    let first = flags.contains(.hugetlb) ? part.lowerBound : firstPopulated(part)
    if let first {
      tasks += notified(first..<part.upperBound, .changeProtection(part, write: write))
      // `tlb_end_vma` comes after the notification.
      if !flags.contains(.hugetlb) { tasks.append(.flushHostLeaves(part)) }
    }
    return tasks + [.protect(rest, write: write)]
  }

  /// MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, VMA by VMA.
  mutating func adviseTasks(
    _ range: Range<UInt64>, adding added: VMAFlags, removing removed: VMAFlags
  ) -> [Work] {
    guard let (part, flags, rest) = firstVMA(in: range) else { return [] }
    let new = flags.subtracting(removed).union(added)
    let next: Work = .advise(rest, adding: added, removing: removed)
    if new == flags || flags.contains(.hugetlb) {
      note(.end(.noEffect(.mappingUnchanged)))
      return [next]
    }
    return changeFlags(part, new) + [next]
  }

  /// MADV_COLLAPSE of the whole 2 MiB regions in the range: those with a page table, in a VMA that allows
  /// huge pages.
  mutating func collapseTasks(_ range: Range<UInt64>) -> [Work] {
    let start = (range.lowerBound + Self.hugeSize - 1) & ~(Self.hugeSize - 1)
    guard start + Self.hugeSize <= range.upperBound else { return [] }
    let region = start..<start + Self.hugeSize
    let rest: Work = .collapseRegions(region.upperBound..<range.upperBound)
    guard let vma = vma(at: start), vma.range.lowerBound <= start,
      vma.range.upperBound >= region.upperBound, vma.flags.contains(.anonymous),
      vma.flags.isDisjoint(with: [.noHugePages, .hugetlb]), hostWalk(start).level == 3,
      canAllocateHugePage(start), !hasPinnedPages(region)
    else {
      note(.end(.noEffect(.nothingToCollapse)))
      return [rest]
    }
    let table = Memory.firstSlot(
      ofFrameAt: memory.walk(hostTable, start, to: 2).descriptor.address)
    return notified(region, .unlinkForCollapse(start)) + [.collapse(start, table: table), rest]
  }

  /// Whether a range has a pinned page, which cannot move, so nothing is collapsed there.
  private func hasPinnedPages(_ range: Range<UInt64>) -> Bool {
    var walk = TableWalk(of: hostTable, range, .mapping)
    while let leaf = memory.next(&walk) {
      if isFolioPinned(HostEntry(bits: leaf.descriptor.bits), level: leaf.level) { return true }
    }
    return false
  }

  /// fork and the exit of the child: every VMA that has an anon_vma is write-protected.
  mutating func forkTasks() -> [Work] {
    let shared = vmas(in: 0..<1 << 48).filter { $0.flags.contains(.anonymous) }
    if shared.isEmpty { note(.end(.noEffect(.nothingToShare))) }
    return shared.flatMap { notified($0.range, .protectForFork($0.range)) } + [.flushProcess]
  }

  /// A new VMA boundary inside a 2 MiB region of `vma`: a huge page there is split, and the whole region
  /// notified even if there is none (`split_huge_pmd_if_needed`).
  private func border(_ hva: UInt64, in vma: Range<UInt64>) -> [Work] {
    let start = hva & ~(Self.hugeSize - 1)
    guard start != hva, vma.lowerBound <= start, vma.upperBound >= start + Self.hugeSize,
      hasMiddleDirectory(hva)
    else { return [] }
    return notified(start..<start + Self.hugeSize, .splitHugePage(start))
  }

  /// Whether a part may be cut out of a VMA: hugetlb splits only between huge pages
  /// (`hugetlb_vm_op_split`).
  private func canCut(_ part: Range<UInt64>, _ flags: VMAFlags) -> Bool {
    !flags.contains(.hugetlb) || (part.lowerBound | part.upperBound) & (1 << 30 - 1) == 0
  }

  /// The boundaries created when a part is cut out of a VMA, the lower one first (`split_vma`).
  private func cut(_ part: Range<UInt64>, out vma: Range<UInt64>) -> [Work] {
    border(part.lowerBound, in: vma) + border(part.upperBound, in: part.lowerBound..<vma.upperBound)
  }

  /// `vma_modify_flags`: part of a VMA gets other flags. If it can be merged with a neighbour that
  /// already has them, only the boundary between the two moves; else the part is cut out.
  private func changeFlags(_ part: Range<UInt64>, _ flags: VMAFlags) -> [Work] {
    guard let vma = vma(at: part.lowerBound)?.range else { return [] }
    let joins =
      part.lowerBound == vma.lowerBound && canJoin(part.lowerBound - 1, flags)
      || part.upperBound == vma.upperBound && canJoin(part.upperBound, flags)
    let borders =
      joins
      ? border(part.lowerBound, in: vma) + border(part.upperBound, in: vma) : cut(part, out: vma)
    return borders + [.setFlags(part, flags)]
  }

  private func canJoin(_ hva: UInt64, _ flags: VMAFlags) -> Bool {
    guard let neighbour = vma(at: hva) else { return false }
    return neighbour.flags.union(.anonymous) == flags.union(.anonymous)
  }

  /// Start of the first 1 GiB in the range that is populated in the VMM's table.
  private func firstPopulated(_ range: Range<UInt64>) -> UInt64? {
    var address = range.lowerBound
    while address < range.upperBound {
      if memory.walk(hostTable, address).level >= 1, hasAnything(inGigabyteOf: address) {
        return address
      }
      address = (address | (1 << 30 - 1)) + 1
    }
    return nil
  }

  private func hasAnything(inGigabyteOf hva: UInt64) -> Bool {
    let end = memory.walk(hostTable, hva)
    return end.level >= 2 || end.descriptor.isValid
  }
}
