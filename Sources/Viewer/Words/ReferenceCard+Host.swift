/// What the host does with the VMM's memory.
extension ReferenceCard {

  static let hostPages = ReferenceCard(
    "Where the VMM's memory comes from",
    [
      "Anonymous memory is absent until it is touched. A write gets a page, or a huge one where the VMA "
        + "allows it, it fits, and no page table is in the way; a read gets the shared zero page.",
      "hugetlb memory always comes in its own size.",
    ],
    sources: [
      "mm/memory.c: do_anonymous_page", "mm/huge_memory.c: do_huge_pmd_anonymous_page",
      "mm/hugetlb.c: hugetlb_no_page",
    ],
    see: ["host page", "huge page"])

  static let copyOnWrite = ReferenceCard(
    "Copy on write",
    [
      "A shared page is read-only. Who writes gets a copy, or the page itself if nobody shares it any "
        + "more. Before a copy takes its place the notifier removes the old page's leaves.",
      "A guest's fault that causes this loses its race by design: the notifier moved the counter, so it "
        + "is taken again.",
    ],
    sources: ["mm/memory.c: wp_page_copy, wp_page_reuse, copy_page_range"],
    see: ["copy on write", "fork", "KSM", "retry"])

  static let hostMappings = ReferenceCard(
    "The VMM changes its mappings",
    [
      "munmap and MADV_DONTNEED free memory, mprotect changes what is allowed, part of a huge page "
        + "splits it. Each calls the notifier first, for the range that changes.",
      "mprotect to what is so already changes nothing, and nobody is told. What frees memory calls the notifier "
        + "whether pages are there or not.",
    ],
    sources: [
      "mm/memory.c: zap_pte_range", "mm/mprotect.c: change_protection",
      "mm/huge_memory.c: __split_huge_pmd", "mm/vma.c: vma_modify",
    ],
    see: ["discard", "protect", "split", "notifier"])

  static let collapsing = ReferenceCard(
    "Collapsing pages",
    [
      "The pages of 2M are copied into one huge page, by MADV_COLLAPSE or khugepaged; what was absent is zero "
        + "there. Their leaves go first, and the notifier has ended before the copy: mmap_lock, held for "
        + "writing, keeps faults out. The next fault maps a block.",
      "It needs a page table, a VMA that allows it, and a free huge page.",
    ],
    sources: ["mm/khugepaged.c: madvise_collapse, collapse_huge_page"],
    see: ["collapse", "huge page"])

  static let merging = ReferenceCard(
    "Merging equal pages",
    [
      "KSM compares pages that the VMM offers. Equal ones are write-protected and become one; who writes "
        + "later gets a copy. Both changes call the notifier. That a page is pinned shows only in the first, "
        + "and it stays as it was."
    ],
    sources: ["mm/ksm.c: cmp_and_merge_page, write_protect_page, replace_page"],
    see: ["KSM", "copy on write"])

  static let hostUse = ReferenceCard(
    "The VMM uses its memory",
    [
      "Its loads and stores go through its own table. KVM has no part in them, unless they change a "
        + "page that it has mapped."
    ],
    sources: ["mm/memory.c: handle_mm_fault"], see: ["VMM store", "host page"])

  static let notifier = ReferenceCard(
    "The notifier",
    [
      "Before the host changes memory of the VMM it tells KVM, by VMM address. KVM counts an invalidation "
        + "as in progress, finds the canonical ranges in every slot, and unmaps them under mmu_lock.",
      "Then the shadows: Linux 7.3.4 unmaps every valid one completely, since it does not know where in "
        + "them the memory is; with a reverse map only the entries it names are removed. Translations of VNCR pages go "
        + "in any case.",
      "After the change the counter moves on, and faults that waited try again.",
    ],
    sources: [
      "virt/kvm/kvm_main.c: kvm_mmu_notifier_invalidate_range_start, ..._end",
      "arch/arm64/kvm/mmu.c: kvm_unmap_gfn_range",
    ],
    see: ["notifier", "full unmap", "retry", "look up"])
}
