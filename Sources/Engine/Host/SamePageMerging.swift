/// KSM: pages of mergeable VMAs that hold the same bytes become one page, read-only for all.
///
/// ksmd scans the pages in address order. A page that equals a KSM page is merged with it; a page that
/// equals an ordinary one becomes a KSM page, and then the other is merged with it. Each page is
/// write-protected, with a notification, and each but the one kept is replaced, with another notification
/// (mm/ksm.c, `write_protect_page`, `replace_page`). That a page is pinned ksmd finds out in the notification,
/// and leaves it as it was; so it does with a page whose equal is pinned.
extension Machine {
  /// The tasks that merge all mergeable pages.
  mutating func mergeTasks() -> [Work] {
    let pages = mergeablePages()
    var merged: [UInt64: [UInt64]] = [:]
    var ordinary: [UInt64: [UInt64]] = [:]
    for page in pages where page.entry.has(HostEntry.merged) {
      merged[digest(of: page.entry.address), default: []].append(page.hva)
    }
    var tasks: [Work] = []
    for page in pages where !page.entry.has(HostEntry.merged) {
      let digest = digest(of: page.entry.address)
      let range = page.hva..<page.hva + Page.size
      func equal(_ candidates: [UInt64: [UInt64]]) -> UInt64? {
        candidates[digest]?.first {
          haveSameContents(hostWalk($0).entry.address, page.entry.address)
        }
      }
      if let keeper = equal(merged) {
        tasks += protectTasks(page.hva)
        if !isMergeRefused(page.entry) {
          tasks += notified(range, .replaceByMerged(page.hva, keeper: keeper))
        }
      } else if let other = equal(ordinary) {
        let otherRange = other..<other + Page.size
        tasks += protectTasks(page.hva, .makeMerged(page.hva))
        if isMergeRefused(page.entry) { continue }
        tasks += protectTasks(other)
        if isMergeRefused(hostWalk(other).entry) {
          // The tree keeps the other page, and the next equal one meets it again.
          tasks += notified(range, .unshareMerged(page.hva))
          continue
        }
        tasks += notified(otherRange, .replaceByMerged(other, keeper: page.hva))
        merged[digest, default: []].append(page.hva)
      } else {
        ordinary[digest, default: []].append(page.hva)
      }
    }
    if tasks.isEmpty { note(.end(.noEffect(.nothingToMerge))) }
    return tasks
  }

  /// The tasks that write-protect a page, and then more in the same notification; none for a part of a huge
  /// page that is pinned, which cannot be split (`try_to_merge_one_page`).
  private func protectTasks(_ hva: UInt64, _ more: Work...) -> [Work] {
    let entry = hostWalk(hva).entry
    if entry.has(HostEntry.part), isMergeRefused(entry) { return [] }
    let range = hva..<hva + Page.size
    return [.beginInvalidation(range), .writeProtectForMerge(hva)] + more
      + [.endInvalidation(range)]
  }

  /// Whether a page has more references than mappings, so that it cannot be merged.
  private func isMergeRefused(_ entry: HostEntry) -> Bool { isFolioPinned(entry, level: 3) }

  /// The 4 KiB pages of mergeable VMAs, by address; excluding the zero page.
  private func mergeablePages() -> [(hva: UInt64, entry: HostEntry)] {
    var pages: [(UInt64, HostEntry)] = []
    for vma in vmas(in: 0..<1 << 48) where vma.flags.contains(.mergeable) {
      var walk = TableWalk(of: hostTable, vma.range, .mapping)
      while let leaf = memory.next(&walk) {
        let entry = HostEntry(bits: leaf.descriptor.bits)
        if leaf.kind == .page, !entry.has(HostEntry.zero) {
          pages.append((leaf.address, entry))
        }
      }
    }
    return pages
  }

  mutating func writeProtectForMerge(_ hva: UInt64) {
    let (entry, level, slot) = hostWalk(hva)
    guard level == 3, entry.has(Descriptor.valid) else { return }
    clearAndFlush(hva..<hva + Page.size)
    let isRefused = isMergeRefused(entry)
    note(
      .host(isRefused ? .mergeRefused : .mergeProtect), .vmmStage1, at: hva, size: Page.size,
      level: 3)
    memory.store(
      isRefused ? entry.bits : entry.bits & ~(HostEntry.write | HostEntry.exclusive), at: slot)
  }

  /// Turns a write-protected page into a KSM page.
  mutating func makeMerged(_ hva: UInt64) {
    let (entry, level, slot) = hostWalk(hva)
    guard level == 3, entry.has(Descriptor.valid), !entry.has(HostEntry.write),
      !entry.has(HostEntry.exclusive)
    else { return }
    memory.store(entry.bits | HostEntry.merged, at: slot)
  }

  /// Replaces a page by the KSM page at `keeper`, if the two are unchanged.
  mutating func replaceByMerged(_ hva: UInt64, keeper: UInt64) {
    let (old, level, slot) = hostWalk(hva)
    let merged = hostWalk(keeper).entry
    guard level == 3, old.has(Descriptor.valid), !old.has(HostEntry.exclusive),
      merged.has(HostEntry.merged), haveSameContents(old.address, merged.address)
    else { return }
    clearAndFlush(hva..<hva + Page.size)
    note(
      .host(.merge(to: merged.address, from: old.address)), .vmmStage1, at: hva, size: Page.size,
      level: 3)
    memory.store(
      HostEntry.leaf(merged.address, level: 3, HostEntry.merged).bits, at: slot)
  }
  /// `break_cow`: a page that would be the only user of its KSM page gets one of its own again, which is not
  /// writable before somebody writes to it.
  mutating func unshareMerged(_ hva: UInt64) {
    let (old, level, slot) = hostWalk(hva)
    guard level == 3, old.has(HostEntry.merged) else { return }
    clearAndFlush(hva..<hva + Page.size)
    let page = allocateHostPage(size: Page.size)
    note(
      .host(.unshared(to: page, from: old.address)), .vmmStage1, at: hva, size: Page.size, level: 3)
    copyContents(of: old.address, to: page)
    memory.store(HostEntry.leaf(page, level: 3, HostEntry.exclusive).bits, at: slot)
  }
}
