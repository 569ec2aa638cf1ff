import Engine

extension Step {
  /// Steps of a device that works with the VMM's addresses, and of ASIDs.
  var sharedAddressExplanation: Explanation? {
    switch action {
    case .asidTaken:
      return Explanation(
        "ASID", "the VMM's process has ASID \(value)",
        "CPUs tag what they cache of its table with this number, and invalidate by it.",
        .asid("new_context"))
    case .otherASIDTaken:
      return Explanation(
        "ASID", "process \(address) of the host has ASID \(value)",
        "CPUs tag what they cache of its table with this number, and invalidate by it.",
        .asid("new_context"))
    case .contextAttached:
      return Explanation(
        "bind",
        "the stream's context points to the VMM's table at \(Phrase.address(value)), "
          + Phrase.context(extra),
        TranslationContext(bits: extra).isPrivate
          ? "Stage 1 alone: IOVAs are the VMM's addresses. ASET keeps its entries out of broadcast TLBIs, "
            + "which stage 2 cannot."
          : "Stage 1 alone: IOVAs are the VMM's addresses. Without ASET a CPU's TLBI by this ASID counts "
            + "for its entries, too.",
        .sva("arm_smmu_make_sva_cd"))
    case .contextCleared:
      return Explanation(
        "unbind", "the context descriptor is cleared: \(Phrase.context(extra))",
        "No new walk begins with it. What is cached of the ASID must go before another gets it.",
        .sva("arm_smmu_sva_domain_free"))
    case .hostInvalidation:
      return Explanation(
        "TLBI", "TLB entries of the VMM's ASID \(value) for \(Phrase.span(self)), on all CPUs",
        "TLBI VAE1IS: the process' own table has changed, which a device walks as well.",
        .tlbFlush("__flush_tlb_range"))
    case .hostCleared:
      return Explanation(
        "clear", "VMM \(Phrase.span(self)): what is there is cleared before it is replaced",
        "Break before make, which counts since a device walks the table, too.",
        .memory("pgtable-generic.c", "ptep_clear_flush"))
    case .otherProcessUnmap:
      return Explanation(
        "TLBI",
        "TLB entries of ASID \(value) for \(Phrase.span(self)): process \(extra) lost memory",
        "Another process of the host. Only its own entries should be under this ASID.",
        .tlbFlush("__flush_tlb_range"))
    default: return nil
    }
  }
}
