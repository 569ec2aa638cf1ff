extension Glossary {
  /// The host's memory.
  static let memory: [Entry] = [
    Entry(
      "memory slot", also: ["slot", "memslot", "backing"],
      "A range of canonical IPAs and the VMM's memory behind it.",
      shows: "events memslot; steps named slot",
      see: ["canonical IPA", "VMM address", "MMIO"]),
    Entry(
      "notifier", also: ["MMU notifier"],
      "The host's call to KVM before it changes memory of the VMM: KVM must forget what it mapped of it.",
      shows: "steps", see: ["VMM address", "full unmap", "retry", "look up"]),
    Entry(
      "host page", also: ["host zap", "zero page", "zap"],
      "The VMM's memory at an address: a page, the shared zero page after a read of nothing, or freed.",
      shows: "steps", see: ["huge page", "copy on write", "VMA"]),
    Entry(
      "huge page", also: ["THP", "hugetlb", "no THP"],
      "A page of 2M (transparent, when it fits) or 1G (hugetlb, by request). A leaf over it can be a "
        + "block.",
      shows: "steps; backing= of a memslot", see: ["block", "collapse", "split"]),
    Entry(
      "collapse", also: ["khugepaged", "MADV_COLLAPSE"],
      "512 pages are copied into one huge page; their leaves are unmapped, and a fault maps a block later.",
      shows: "events and steps", see: ["huge page", "split"]),
    Entry(
      "copy on write", also: ["host copy", "wp fault"],
      "A page that is shared is copied when someone writes; the old leaves are unmapped first.",
      shows: "steps",
      see: ["fork", "KSM", "notifier"]),
    Entry(
      "fork", "The VMM has a child: their pages are shared and write-protected until one writes.",
      shows: "events and steps", see: ["copy on write"]),
    Entry(
      "KSM", also: ["ksmd", "merge"],
      "The kernel's same-page merging: pages with the same bytes become one, read-only.",
      shows: "events and steps", see: ["copy on write"]),
    Entry(
      "idle", also: ["page_idle"],
      "A flag of a page that stays until someone uses it.", shows: "events and steps; expect idle",
      see: ["age", "access flag"]),
    Entry(
      "VMA", also: ["host VMA"],
      "A range of a process's addresses with one kind of memory and permissions.", shows: "steps",
      see: ["VMM address", "size", "EFAULT"]),
    Entry(
      "VMM store", also: ["VMM load", "SIGSEGV", "SIGBUS"],
      "The VMM uses its memory itself: KVM has no part in it. Where it has nothing, it gets SIGSEGV; where a "
        + "page is a realm's, SIGBUS.",
      shows: "steps", see: ["VMM", "host page"]),
    Entry(
      "discard", also: ["MADV_DONTNEED", "munmap"],
      "The VMM gives memory back; used again it reads as zero, or, after munmap, it cannot be used.",
      shows: "events host discard, host unmap", see: ["notifier", "host page"]),
  ]
}
