/// How the host answers an access to the VMM's memory.
enum HostFault {
  /// The page is present and permits the access.
  case resolved(HostEntry, level: Int)
  /// Something must be invalidated first: run the tasks, then retry the access.
  case first([Work])
  /// No VMA, or one that forbids the access.
  case badAddress
}

/// `handle_mm_fault` for private anonymous memory and hugetlb.
extension Machine {
  /// Makes the page at an address of the VMM present, and writable for a write.
  mutating func hostFault(_ hva: UInt64, write: Bool) -> HostFault {
    guard let vma = vma(at: hva), !write || vma.flags.contains(.write) else { return .badAddress }
    let (entry, level, slot) = hostWalk(hva)
    guard entry.has(Descriptor.valid) else {
      return fillAbsent(hva, write: write, level: level, vma.range, vma.flags)
    }
    if !write || entry.has(HostEntry.write) {
      let young = HostEntry(bits: entry.bits | HostEntry.accessed)
      memory.store(young.bits, at: slot)
      return .resolved(young, level: level)
    }
    return writeProtected(hva, entry, level: level, slot: slot)
  }

  /// `do_huge_pmd_anonymous_page`, `do_anonymous_page`, `hugetlb_no_page`.
  private mutating func fillAbsent(
    _ hva: UInt64, write: Bool, level: Int, _ range: Range<UInt64>, _ flags: VMAFlags
  ) -> HostFault {
    let writable = write ? HostEntry.write : 0
    if flags.contains(.hugetlb) {
      let page = allocateHostPage(size: 1 << 30)
      prepareAnonymous(range, flags)
      return fill(
        .leaf(page, level: 1, HostEntry.exclusive | writable), at: hva, level: 1,
        .hugetlbPage(page))
    }
    let start = hva & ~(Self.hugeSize - 1)
    let fits = range.lowerBound <= start && start + Self.hugeSize <= range.upperBound
    // Once one 4 KiB page has been there, a page table is in the way.
    if level < 3, fits, flags.contains(.hugePages), !write || canAllocateHugePage(start) {
      prepareAnonymous(range, flags)
      if !write {
        return fill(
          .leaf(Self.hugeZeroPage, level: 2, HostEntry.zero), at: hva, level: 2, .hugeZeroPage)
      }
      let page = allocateHostPage(size: Self.hugeSize)
      return fill(
        .leaf(page, level: 2, HostEntry.exclusive | writable), at: hva, level: 2, .hugePage(page))
    }
    if !write {
      return fill(.leaf(Self.zeroPage, level: 3, HostEntry.zero), at: hva, level: 3, .zeroPage)
    }
    prepareAnonymous(range, flags)
    let page = allocateHostPage(size: Page.size)
    return fill(
      .leaf(page, level: 3, HostEntry.exclusive | writable), at: hva, level: 3, .page(page))
  }

  private mutating func fill(
    _ leaf: HostEntry, at hva: UInt64, level: Int, _ step: HostStep
  ) -> HostFault {
    let size = hostTable.geometry.size(level)
    note(.host(step), .vmmStage1, at: hva & ~(size - 1), size: size, level: level)
    setHostLeaf(leaf, at: hva, level: level)
    return .resolved(leaf, level: level)
  }

  /// `do_wp_page`, `do_huge_pmd_wp_page`, `hugetlb_wp`: an exclusive page is reused, anything shared is
  /// copied, after notifying KVM.
  private mutating func writeProtected(
    _ hva: UInt64, _ entry: HostEntry, level: Int, slot: Int
  ) -> HostFault {
    let size = hostTable.geometry.size(level)
    let start = hva & ~(size - 1)
    if entry.has(HostEntry.zero), level == 2 {
      let mutation: Work =
        canAllocateHugePage(start) ? .replaceHugeZeroPage(start) : .splitHugePage(start)
      return .first(notified(start..<start + size, mutation))
    }
    if entry.has(HostEntry.zero) || entry.has(HostEntry.merged) {
      return .first(notified(start..<start + size, .copyOnWrite(start)))
    }
    note(.host(.reuse), .vmmStage1, at: start, size: size, level: level)
    let reused = HostEntry(
      bits: entry.bits | HostEntry.write | HostEntry.exclusive | HostEntry.accessed)
    memory.store(reused.bits, at: slot)
    invalidateHost(start..<start + size, isLocal: true)
    return .resolved(reused, level: level)
  }

  func canAllocateHugePage(_ start: UInt64) -> Bool {
    memory.first(
      in: start..<start + Self.hugeSize, of: noHugePagesTree) == nil
  }

  /// `do_huge_zero_wp_pmd`: our own zeroed huge page, if the entry is unchanged.
  mutating func replaceHugeZeroPage(_ start: UInt64) {
    guard hostWalk(start).entry.has(HostEntry.zero), hostWalk(start).level == 2 else {
      note(.host(.changed), .vmmStage1, at: start, size: Self.hugeSize, level: 2)
      return
    }
    clearAndFlush(start..<start + Self.hugeSize)
    let page = allocateHostPage(size: Self.hugeSize)
    note(.host(.hugeZeroReplaced(page)), .vmmStage1, at: start, size: Self.hugeSize, level: 2)
    setHostLeaf(
      .leaf(page, level: 2, HostEntry.exclusive | HostEntry.write), at: start, level: 2)
  }

  /// `wp_page_copy`: our own page with the contents of the zero page or the KSM page, if one of them is
  /// still there: another thread may have been quicker while the notifiers ran.
  mutating func copyOnWrite(_ hva: UInt64) {
    let (old, level, slot) = hostWalk(hva)
    guard level == 3, old.has(HostEntry.zero) || old.has(HostEntry.merged) else {
      note(.host(.changed), .vmmStage1, at: hva, size: Page.size, level: 3)
      return
    }
    clearAndFlush(hva..<hva + Page.size)
    let page = allocateHostPage(size: Page.size)
    note(.host(.copy(to: page, from: old.address)), .vmmStage1, at: hva, size: Page.size, level: 3)
    if let vma = vma(at: hva) { prepareAnonymous(vma.range, vma.flags) }
    copyContents(of: old.address, to: page)
    memory.store(
      HostEntry.leaf(page, level: 3, HostEntry.exclusive | HostEntry.write).bits, at: slot)
  }

  /// `__split_huge_pmd`: 512 entries for the parts of the huge page, if one is there.
  mutating func splitHugePage(_ start: UInt64) {
    let (entry, level, slot) = hostWalk(start)
    guard level == 2, entry.has(Descriptor.valid) else { return }
    clearAndFlush(start..<start + Self.hugeSize)
    note(.host(.split), .vmmStage1, at: start, size: Self.hugeSize, level: 2)
    let frame = memory.allocateFrame(FrameRole(.vmmStage1, level: level + 1, at: start))
    let isZero = entry.has(HostEntry.zero)
    for index in 0..<UInt64(512) {
      let page = isZero ? Self.zeroPage : entry.address + index << 12
      let flags = entry.bits & ~Descriptor.addressMask | (isZero ? 0 : HostEntry.part)
      memory.store(page | flags | Descriptor.tableOrPage, at: frame + Int(index))
    }
    memory.store(Descriptor.table(at: Memory.address(ofSlot: frame)).bits, at: slot)
  }

  /// An invalidation around a change of the VMM's table, as tasks in the order in which they run.
  func notified(_ range: Range<UInt64>, _ mutations: Work...) -> [Work] {
    [.beginInvalidation(range)] + mutations + [.endInvalidation(range)]
  }
}
