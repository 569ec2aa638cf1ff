/// How an event ends that does not do what was asked.
package enum EndStep: StepFamily {
  /// Why nothing happens.
  package enum Idleness: Hashable, CaseIterable, Sendable {
    /// Dirty logging is already as requested.
    case loggingUnchanged
    /// No region can be collapsed: there is no page table, or the VMA or a lack of huge pages forbids it.
    case nothingToCollapse
    /// The VMAs of the range already have those permissions or that advice, or there are none.
    case mappingUnchanged
    /// hugetlb memory is discarded in whole huge pages only.
    case partOfHugePage
    /// No two mergeable pages hold the same bytes.
    case nothingToMerge
    /// The page is absent, a zero page, or the tail of a huge page: page_idle skips it.
    case notTracked
    /// The page is not idle.
    case notIdle
    /// Nothing was ever written, so the child shares nothing.
    case nothingToShare
    /// No shadow has the virtual VMID.
    case noShadow
    /// The invalidation is of stage 1.
    case stage1Only
    /// Others have joined the device's domain, which is named after it.
    case firstOfDomain
  }

  /// The kernel, the hypervisor or the RMM returns an error; under pKVM with what refused.
  case failed(KernelError, by: PKVMCheck? = nil)
  /// Nothing happens, for a reason.
  case noEffect(Idleness)

  package var facts: Step.Facts {
    switch self {
    case .failed: Step.Facts(.refusal, .failing)
    case .noEffect(let reason): Step.Facts(.remark, reason.convention, .none, weight: 3)
    }
  }

  /// Whether the whole event changes nothing.
  package var isWhole: Bool {
    switch self {
    case .failed: false
    case .noEffect(let reason): reason.part == nil
    }
  }

  /// The error's name; if that is too long for a label, the name of its family.
  private static func label(of error: KernelError) -> String {
    switch error {
    case .rmiInput, .rmiTable: "RMI error"
    case .eperm, .enoent, .e2big, .eagain, .enomem, .efault, .ebusy, .eexist, .einval, .enospc,
      .erange, .ehwpoison:
      error.name
    }
  }

  /// What an error says of a call: without a range, of the domain or device that it names.
  private static func meaning(of error: KernelError, _ step: Step) -> String {
    guard error == .enoent else { return error.meaning }
    guard step.table?.kind.keeper == .iommu else {
      return step.table == nil && step.size == 0 ? "It does not exist." : error.meaning
    }
    return step.size == 0 ? "It does not exist." : "No pinned area lies there as a whole."
  }

  func explanation(of step: Step) -> Explanation {
    switch self {
    case .failed(let error, .some(let check)):
      let (why, source) = check.explanation(of: error)
      return Explanation(
        Self.label(of: error), "it fails with \(error.name) at \(step.at)",
        why + " Nothing was changed.", source)
    case .failed(let error, nil):
      return Explanation(
        Self.label(of: error),
        "the call fails with \(error.name)" + (step.address == 0 ? "" : " at \(step.at)"),
        Self.meaning(of: error, step), error.source(in: step.table))
    case .noEffect(let reason):
      let (what, source) = reason.explanation
      return Explanation("no change", what, reason.part ?? "The event changes nothing.", source)
    }
  }
}

extension EndStep.Idleness {
  fileprivate var convention: Convention {
    switch self {
    case .loggingUnchanged: .dirtyLogging
    case .nothingToCollapse: .collapsing
    case .mappingUnchanged, .partOfHugePage: .hostMappings
    case .nothingToMerge: .merging
    case .notTracked, .notIdle: .ageing
    case .nothingToShare: .copyOnWrite
    case .noShadow: .guestInvalidation
    case .stage1Only: .stage1Invalidation
    case .firstOfDomain: .deviceAccess
    }
  }

  /// What stays as it is, if it is not all that the event is about: other parts, or the advice that came before,
  /// may have changed something. Else nil.
  fileprivate var part: String? {
    switch self {
    case .nothingToMerge: "No page is replaced."
    case .nothingToCollapse: "This region stays as it is."
    case .mappingUnchanged, .partOfHugePage: "This part of the memory stays as it is."
    case .loggingUnchanged, .notTracked, .notIdle, .nothingToShare, .noShadow, .stage1Only,
      .firstOfDomain:
      nil
    }
  }

  fileprivate var explanation: (String, Source) {
    switch self {
    case .loggingUnchanged:
      ("dirty logging of the slot is in that state already", .kvm("kvm_set_memory_region"))
    case .nothingToCollapse:
      (
        "nothing to collapse: no page table, or the VMA or a lack of huge pages forbids it",
        .memory("khugepaged.c", "madvise_collapse")
      )
    case .mappingUnchanged:
      (
        "the VMM's mapping is in that state already, or there is none",
        .memory("vma.c", "vma_modify")
      )
    case .partOfHugePage:
      (
        "hugetlb memory changes in whole huge pages only",
        .memory("hugetlb.c", "hugetlb_vm_op_split")
      )
    case .nothingToMerge:
      ("no two mergeable pages hold the same bytes", .memory("ksm.c", "cmp_and_merge_page"))
    case .notTracked:
      (
        "page_idle skips absent pages, zero pages and tails of huge pages",
        .memory("page_idle.c", "page_idle_get_folio")
      )
    case .notIdle: ("the page is not idle", .memory("page_idle.c", "page_idle_bitmap_read"))
    case .nothingToShare:
      (
        "nothing was ever written, so the child shares nothing",
        .memory("memory.c", "vma_needs_copy")
      )
    case .noShadow:
      ("no shadow in use has this VMID", .nested("kvm_s2_mmu_iterate_by_vmid"))
    case .firstOfDomain:
      (
        "pagewalk numbers a domain by its first device, which cannot leave it to others; the kernel lets any",
        .project("domains are numbered by their first devices")
      )
    case .stage1Only:
      ("a stage-1 invalidation changes no stage-2 table", .sysRegs("handle_tlbi_el1"))
    }
  }
}

extension KernelError {
  fileprivate func source(in table: TableID?) -> Source {
    switch self {
    case .rmiInput, .rmiTable: return .rmm("command return codes")
    case .eexist, .erange:
      return table?.kind.keeper == .iommu ? .ioTable("arm_lpae_map_pages") : .errors(name)
    case .eperm, .enoent, .e2big, .eagain, .enomem, .efault, .ebusy, .einval, .enospc, .ehwpoison:
      return .errors(name)
    }
  }

  /// The error's meaning, as a sentence.
  fileprivate var meaning: String {
    switch self {
    case .eperm: "The page is not in a state that allows it."
    case .enoent: "Nothing is mapped there."
    case .e2big: "The leaf is larger than a page."
    case .eagain: "Another operation is in progress there: the caller must retry."
    case .enomem: "No page for a table is left."
    case .efault: "The address cannot be accessed."
    case .ebusy: "It is in use."
    case .eexist: "Something is mapped there already, and must be unmapped first."
    case .einval:
      "An address or a size is not aligned, or the memory there is not of the kind that was asked for."
    case .enospc: "No number is free."
    case .erange: "An address is outside what the table can translate."
    case .ehwpoison: "The host took the page back by force."
    case .rmiInput: "The granule is not in a state that allows it."
    case .rmiTable: "The realm's table is not in the state that the call needs; nothing is changed."
    }
  }
}
