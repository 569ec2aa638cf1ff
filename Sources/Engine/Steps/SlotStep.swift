/// Memory slots and their dirty logs. Addresses are canonical IPAs.
package enum SlotStep: StepFamily {
  /// A slot is added: its number, and the VMM's address of its memory.
  case added(UInt64, hva: UInt64)
  /// A slot is deleted.
  case deleted
  /// Dirty logging is switched on or off, or the log fetched.
  case dirtyLogOn
  case dirtyLogOff
  case dirtyLogGet
  /// The dirty ones among 64 pages, a bit for each.
  case dirtyPages(mask: UInt64)
  /// Blocks will be split in chunks of the step's size.
  case eagerSplit

  package var facts: Step.Facts {
    switch self {
    case .added: Step.Facts(.setting, .memslots, weight: 1)
    case .deleted: Step.Facts(.trigger, .memslots, weight: 1)
    case .dirtyLogOn, .dirtyLogOff, .dirtyLogGet, .dirtyPages, .eagerSplit:
      Step.Facts(.setting, .dirtyLogging)
    }
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .added(let number, let hva):
      Explanation(
        "slot", "slot \(number): canonical \(step.span) at VMM \(Phrase.address(hva))",
        "Guest memory is memory of the VMM.", .kvm("kvm_set_memory_region"))
    case .deleted:
      Explanation(
        "slot", "canonical \(step.span) is invalid from now on, and will be deleted",
        "No fault can map it any more. Then kvm_arch_flush_shadow_memslot removes what is mapped: its range of "
          + "the canonical table, and every leaf of a shadow that may lead there.",
        .kvm("kvm_invalidate_memslot"))
    case .dirtyLogOn:
      Explanation(
        "dirty log", "on for canonical \(step.span)",
        "Write protection makes every first write visible.", .mmu("kvm_mmu_wp_memory_region"))
    case .dirtyLogOff:
      Explanation(
        "dirty log", "off for canonical \(step.span): no table changes",
        "Faults map blocks again later.", .mmu("kvm_arch_commit_memory_region"))
    case .dirtyLogGet:
      Explanation(
        "dirty log", "fetched for canonical \(step.span)",
        "Pages that were dirty are write-protected again.", .kvm("kvm_get_dirty_log_protect"))
    case .dirtyPages(let mask):
      Explanation(
        "dirty", "64 pages from \(step.at): mask \(Phrase.address(mask))",
        "Everything from the first to the last dirty page is write-protected, and all shadows.",
        .mmu("kvm_arch_mmu_enable_log_dirty_pt_masked"))
    case .eagerSplit:
      Explanation(
        "split", "blocks will be split in chunks of \(Phrase.size(step.size))",
        "Dirty logging then splits them when it is switched on, not fault by fault.",
        Source("arch/arm64/kvm/arm.c", "kvm_vm_ioctl_enable_cap"))
    }
  }
}
