/// The host's memory management, and the VMM. Addresses are the VMM's.
package enum HostStep: StepFamily {
  /// What a zap of a range finds.
  package enum Zapped: Hashable, CaseIterable, Sendable {
    /// Pages that are freed.
    case pages
    /// Pages of which some are pinned, and stay.
    case pinnedPages
    /// None.
    case nothing
  }

  /// What a notifier of a range concerns.
  package enum Notified: Hashable, CaseIterable, Sendable {
    /// Memory of the VM, which KVM unmaps.
    case slots
    /// No memory slot: KVM does nothing.
    case nothing
    /// Memory of a realm or of a guest of the hypervisor, whose table KVM does not keep.
    case owners
  }

  /// The notifier calls KVM for a range, before and after the change.
  case notifierStart(Notified)
  case notifierEnd(Notified)
  /// A notifier skips pinned pages of the canonical table.
  case pinnedKept(pages: UInt64)
  /// A page is allocated at a physical address.
  case page(UInt64)
  case hugePage(UInt64)
  /// A write to the huge zero page puts another in its place, which is cleared.
  case hugeZeroReplaced(UInt64)
  case hugetlbPage(UInt64)
  /// A read of absent memory maps the zero page, or the huge one.
  case zeroPage
  case hugeZeroPage
  /// An unshared write-protected page is made writable.
  case reuse
  /// A shared page is copied to a new one.
  case copy(to: UInt64, from: UInt64)
  /// The entry to change has changed in the meantime.
  case changed
  /// A huge page's mapping becomes 512 page mappings.
  case split
  /// A range of the VMM's table is zapped.
  case zap(Zapped)
  /// Entries of the VMM's table are cleared before others replace them.
  case cleared
  /// The VMA of a range gets other flags.
  case flags
  /// The VMAs of a range are removed.
  case areasRemoved
  /// The permissions of a range change.
  case protect(write: Bool)
  /// A range is write-protected for the child.
  case fork(copiesPinned: Bool)
  /// Pages become a huge page at a physical address, a number of them by a copy.
  case collapse(to: UInt64, copied: UInt64)
  /// KSM write-protects a page.
  case mergeProtect
  /// KSM finds that a page is pinned, and leaves it as it was.
  case mergeRefused
  /// KSM replaces a page by another.
  case merge(to: UInt64, from: UInt64)
  /// A KSM page that only one would use is replaced by a page of its own.
  case unshared(to: UInt64, from: UInt64)
  /// The VMM stores to, or loads from, a page at a physical address.
  case stored(UInt64)
  case loaded(UInt64)
  /// The VMM gets SIGSEGV.
  case signal
  /// The same for memory that granule protection keeps from the host.
  case granuleSignal
  /// Huge pages become unavailable in a range.
  case noHugePages
  /// The access flags of a page are cleared.
  case age
  /// The idle flag of a page is set.
  case idleSet
  /// The idle flag of a page was read.
  case idleTested(isIdle: Bool)

  package var facts: Step.Facts {
    switch self {
    case .notifierStart: Step.Facts(.trigger, .notifier)
    case .notifierEnd: Step.Facts(.wait, .notifier)
    case .pinnedKept: Step.Facts(.pinning, .pagePinning)
    case .page, .hugePage, .hugeZeroReplaced, .hugetlbPage, .zeroPage, .hugeZeroPage:
      Step.Facts(.hostPage, .hostPages)
    case .reuse, .copy: Step.Facts(.hostPage, .copyOnWrite)
    case .changed: Step.Facts(.retry, .copyOnWrite)
    case .split, .protect: Step.Facts(.hostMapping, .hostMappings)
    case .zap: Step.Facts(.hostMapping, .hostMappings, weight: 1)
    case .cleared: Step.Facts(.hostMapping, .sharedAddresses)
    case .flags, .areasRemoved: Step.Facts(.hostArea, .hostMappings)
    case .fork: Step.Facts(.hostMapping, .copyOnWrite)
    case .collapse: Step.Facts(.hostMapping, .collapsing)
    case .mergeProtect, .mergeRefused, .merge, .unshared: Step.Facts(.hostMapping, .merging)
    case .stored: Step.Facts(.data, .hostUse, weight: 1)
    case .loaded: Step.Facts(.data, .hostUse)
    case .signal: Step.Facts(.remark, .hostUse, weight: 3)
    case .granuleSignal: Step.Facts(.remark, .realm, weight: 3)
    case .noHugePages: Step.Facts(.hostArea, .hostPages)
    case .age, .idleSet, .idleTested: Step.Facts(.ageing, .ageing)
    }
  }

  /// The function that removes entries of a level.
  private static func zapping(level: Int) -> Source {
    switch level {
    case 1: .memory("hugetlb.c", "__unmap_hugepage_range")
    case 2: .memory("huge_memory.c", "zap_huge_pmd")
    default: .memory("memory.c", "zap_pte_range")
    }
  }

  func explanation(of step: Step) -> Explanation {
    let at = "VMM \(step.at)"
    let span = "VMM \(step.span)"
    switch self {
    case .notifierStart(let notified):
      return Explanation(
        "notifier", "the host will change VMM memory \(step.span)", notified.beginning,
        .kvm("kvm_mmu_notifier_invalidate_range_start"))
    case .notifierEnd(let notified):
      return Explanation(
        "notifier", "the change of \(step.span) is done",
        notified == .nothing
          ? "There was nothing to wait for."
          : "The sequence number is incremented: faults that began before it are retried.",
        .kvm("kvm_mmu_notifier_invalidate_range_end"))
    case .pinnedKept(let pages):
      return Explanation(
        "pinned",
        "\(Phrase.count(pages, "page", "pages")) in \(step.span) of "
          + "\(Phrase.table(step.table)) stay\(pages == 1 ? "s" : "")",
        "KVM skips what is pinned for a device that walks this table. The VMM may now see other memory there "
          + "than its guest.",
        .project("pinning in a shared table"))
    case .page(let page):
      return Explanation(
        "host page", "\(at): a page at PA \(Phrase.address(page))",
        "The first write to absent memory.", .memory("memory.c", "do_anonymous_page"))
    case .hugePage(let page):
      return Explanation(
        "host page", "\(at): a huge page at PA \(Phrase.address(page))",
        "The VMA allows huge pages and no page table is in the way.",
        .memory("huge_memory.c", "do_huge_pmd_anonymous_page"))
    case .hugeZeroReplaced(let page):
      return Explanation(
        "host page", "\(at): a huge page at PA \(Phrase.address(page))",
        "It takes the place of the huge zero page, and is cleared: nothing need be copied.",
        .memory("huge_memory.c", "do_huge_zero_wp_pmd"))
    case .hugetlbPage(let page):
      return Explanation(
        "host page", "\(at): a 1G page at PA \(Phrase.address(page))",
        "The memory is of hugetlb pages.", .memory("hugetlb.c", "hugetlb_no_page"))
    case .zeroPage:
      return Explanation(
        "host page", "\(at): the zero page, read-only", "A read of absent memory.",
        .memory("memory.c", "do_anonymous_page"))
    case .hugeZeroPage:
      return Explanation(
        "host page", "\(at): the huge zero page, read-only", "A read of absent memory.",
        .memory("huge_memory.c", "do_huge_pmd_anonymous_page"))
    case .reuse:
      return Explanation(
        "host page", "\(at): the page becomes writable", "Nobody else shares it.",
        step.level == 1
          ? .memory("hugetlb.c", "hugetlb_wp")
          : step.level == 2
            ? .memory("huge_memory.c", "do_huge_pmd_wp_page")
            : .memory("memory.c", "wp_page_reuse"))
    case .copy(let new, let old):
      return Explanation(
        "host copy", "\(at): PA \(Phrase.address(old)) → \(Phrase.address(new))",
        "The page is shared, so the writer gets a copy.", .memory("memory.c", "wp_page_copy"))
    case .changed:
      return Explanation(
        "host page", "\(at): the page has been replaced, and is left alone",
        "Another thread changed the entry while the notifiers ran; the access is tried again.",
        step.level == 2
          ? .memory("huge_memory.c", "do_huge_zero_wp_pmd") : .memory("memory.c", "wp_page_copy"))
    case .split:
      return Explanation(
        "host split", "\(span): 512 pages in place of the huge one",
        "Part of it will be changed.", .memory("huge_memory.c", "__split_huge_pmd"))
    case .zap(.nothing):
      return Explanation(
        "host zap", "\(span): no page is there", "The VMM's table has no entry in the range.",
        .memory("memory.c", "unmap_page_range"))
    case .zap(.pages):
      return Explanation(
        "host zap", "\(span): the VMM's entries are removed",
        "The pages are freed once the TLBs are flushed, and what they held is lost. If the VMM keeps "
          + "the mapping, it reads zeros there from now on.",
        Self.zapping(level: step.level))
    case .zap(.pinnedPages):
      return Explanation(
        "host zap", "\(span): the VMM's entries are removed",
        "Pages that are pinned for a device stay allocated with what they hold, and the device still uses "
          + "them. The VMM gets others, with zeros.",
        Self.zapping(level: step.level))
    case .cleared:
      return Explanation(
        "clear", "\(span): the entry is cleared before another takes its place",
        "Break before make: a device walks this table as well.",
        step.level == 2
          ? .memory(
            "pgtable-generic.c", "pmdp_huge_clear_flush, pmdp_invalidate, pmdp_collapse_flush")
          : .memory("pgtable-generic.c", "ptep_clear_flush"))
    case .flags:
      return Explanation(
        "host VMA", "\(span): the flags change", "Neighbours with the same flags become one VMA.",
        .memory("vma.c", "vma_modify"))
    case .areasRemoved:
      return Explanation(
        "host VMA", "\(span): the VMAs are removed",
        "From now on nobody finds memory there. mmap_lock is held for reading only while what they mapped is "
          + "removed.",
        .memory("vma.c", "vms_complete_munmap_vmas"))
    case .protect(let write):
      return Explanation(
        "mprotect", "\(span): \(write ? "read-write" : "read-only")",
        write
          ? "Pages that are exclusive become writable at once, others by a fault."
          : "Every page is write-protected.",
        .memory("mprotect.c", "change_protection"))
    case .fork(let copiesPinned):
      return Explanation(
        "fork", "\(span): write-protected\(copiesPinned ? ", except for pinned pages" : "")",
        copiesPinned
          ? "A page that is pinned for a device is copied for the child at once. All others they share until "
            + "one of them writes."
          : "Parent and child share the pages until one of them writes.",
        .memory("memory.c", "copy_page_range"))
    case .collapse(let page, let copied):
      return Explanation(
        "collapse", "\(span): one huge page at PA \(Phrase.address(page))",
        "\(Phrase.count(copied, "page was", "pages were")) copied into it\(copied < 512 ? "; the rest is zero" : "").",
        .memory("khugepaged.c", "collapse_huge_page"))
    case .mergeProtect:
      return Explanation(
        "KSM", "\(at): write-protected", "Its contents must not change while it is compared.",
        .memory("ksm.c", "write_protect_page"))
    case .mergeRefused:
      return Explanation(
        "KSM", "\(at): pinned, so its entry is put back as it was",
        "It has more references than mappings: a device may write to it. ksmd sees that only now, so the "
          + "notifier has run for nothing.",
        .memory("ksm.c", "write_protect_page"))
    case .merge(let new, let old):
      return Explanation(
        "KSM", "\(at): PA \(Phrase.address(old)) → the shared \(Phrase.address(new))",
        "Both pages hold the same bytes.", .memory("ksm.c", "replace_page"))
    case .unshared(let new, let old):
      return Explanation(
        "KSM", "\(at): PA \(Phrase.address(old)) → \(Phrase.address(new))",
        "The other page could not be merged, so nobody shares this one: it becomes an ordinary page again.",
        .memory("ksm.c", "break_cow"))
    case .stored(let page):
      return Explanation(
        "VMM store", "\(at), PA \(Phrase.address(page))",
        "The VMM accesses the memory itself; KVM is not involved.",
        .memory("memory.c", "handle_mm_fault"))
    case .loaded(let page):
      return Explanation(
        "VMM load", "\(at), PA \(Phrase.address(page))",
        "The VMM accesses the memory itself; KVM is not involved.",
        .memory("memory.c", "handle_mm_fault"))
    case .granuleSignal:
      return Explanation(
        "SIGBUS", at, "The VMM's mapping permits the access, but its page is no longer the host's.",
        .architecture("RME, granule protection check"))
    case .signal:
      return Explanation(
        "SIGSEGV", at, "The VMM has no mapping there that permits the access.",
        .memory("memory.c", "handle_mm_fault"))
    case .noHugePages:
      return Explanation(
        "no THP", "\(span): no huge page can be allocated",
        "The scenario says so: memory is fragmented. The huge zero page needs no allocation.",
        .memory("huge_memory.c", "vma_alloc_anon_folio_pmd"))
    case .age:
      return Explanation(
        "age", "\(span): the access flags are cleared",
        "In the VMM's table and the canonical table, but in no shadow.",
        .memory("page_idle.c", "page_idle_clear_pte_refs"))
    case .idleSet:
      return Explanation(
        "idle", "\(at): marked idle", "It stays so until someone uses the page.",
        .memory("page_idle.c", "page_idle_bitmap_write"))
    case .idleTested(let isIdle):
      return Explanation(
        "idle", "\(at): \(isIdle ? "still idle" : "used since")",
        "Reading the bit ages the page again.",
        .memory("page_idle.c", "page_idle_bitmap_read"))
    }
  }
}

extension HostStep.Notified {
  /// What KVM does at the beginning, as a sentence.
  fileprivate var beginning: String {
    switch self {
    case .slots: "KVM must unmap it before the pages can be used for anything else."
    case .nothing: "No memory slot lies there, so KVM has nothing to unmap."
    case .owners: "The guest's table is not KVM's to change: it keeps what its owner has put there."
    }
  }
}
