/// KSM: pages of mergeable VMAs that hold the same bytes become one page, read-only for all.
///
/// ksmd scans the pages in address order. A page that equals a KSM page is merged with it; a page that
/// equals an ordinary one becomes a KSM page, and then the other is merged with it. Each page is
/// write-protected, with a notification, and each but the one kept is replaced, with another notification
/// (mm/ksm.c, `write_protect_page`, `replace_page`).
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
        tasks += notified(range, .writeProtectForMerge(page.hva))
        tasks += notified(range, .replaceByMerged(page.hva, keeper: keeper))
      } else if let other = equal(ordinary) {
        let otherRange = other..<other + Page.size
        tasks += notified(range, .writeProtectForMerge(page.hva), .makeMerged(page.hva))
        tasks += notified(otherRange, .writeProtectForMerge(other))
        tasks += notified(otherRange, .replaceByMerged(other, keeper: page.hva))
        merged[digest, default: []].append(page.hva)
      } else {
        ordinary[digest, default: []].append(page.hva)
      }
    }
    if tasks.isEmpty { note(.end(.noEffect(.nothingToMerge))) }
    return tasks
  }

  /// The 4 KiB pages of mergeable VMAs, by address; excluding the zero page and pinned pages.
  private func mergeablePages() -> [(hva: UInt64, entry: HostEntry)] {
    var pages: [(UInt64, HostEntry)] = []
    for vma in vmas(in: 0..<1 << 48) where vma.flags.contains(.mergeable) {
      var walk = TableWalk(of: hostTable, vma.range, .mapping)
      while let leaf = memory.next(&walk) {
        let entry = HostEntry(bits: leaf.descriptor.bits)
        if leaf.kind == .page, !entry.has(HostEntry.zero), !isPinned(entry.address) {
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
    note(.host(.mergeProtect), .vmmStage1, at: hva, size: Page.size, level: 3)
    memory.store(entry.bits & ~(HostEntry.write | HostEntry.exclusive), at: slot)
  }

  /// Turns a write-protected page into a KSM page.
  mutating func makeMerged(_ hva: UInt64) {
    let (entry, level, slot) = hostWalk(hva)
    guard level == 3, entry.has(Descriptor.valid), !entry.has(HostEntry.write) else { return }
    memory.store(entry.bits | HostEntry.merged, at: slot)
  }

  /// Replaces a page by the KSM page at `keeper`, if the two are unchanged.
  mutating func replaceByMerged(_ hva: UInt64, keeper: UInt64) {
    let (old, level, slot) = hostWalk(hva)
    let merged = hostWalk(keeper).entry
    guard level == 3, old.has(Descriptor.valid), merged.has(HostEntry.merged),
      haveSameContents(old.address, merged.address)
    else { return }
    clearAndFlush(hva..<hva + Page.size)
    note(
      .host(.merge(to: merged.address, from: old.address)), .vmmStage1, at: hva, size: Page.size,
      level: 3)
    memory.store(
      HostEntry.leaf(merged.address, level: 3, HostEntry.merged).bits, at: slot)
  }
}
