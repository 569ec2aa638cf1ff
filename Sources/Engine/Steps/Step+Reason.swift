/// Why something is done, or not done.
extension Step {
  /// Why a VMID is kept.
  public enum VMIDReason: Hashable, Sendable {
    /// It ran on a CPU during the rollover.
    case reserved
    /// It is pinned.
    case pinned
    /// Nobody has taken it since.
    case free
  }

  /// Why nothing happens.
  public enum Idleness: Hashable, Sendable {
    /// Dirty logging is as it is asked to be already.
    case loggingUnchanged
    /// No region can be collapsed: there is no page table, or the VMA or the lack of huge pages forbid it.
    case nothingToCollapse
    /// The VMAs of the range have those permissions, or that advice, already, or there are none.
    case mappingUnchanged
    /// hugetlb memory is discarded in whole huge pages only.
    case partOfHugePage
    /// No two mergeable pages hold the same bytes.
    case nothingToMerge
    /// The page is absent, a zero page, or the tail of a huge page: page_idle passes over it.
    case notTracked
    /// The page is not idle.
    case notIdle
    /// Nothing was ever written, so the child shares nothing.
    case nothingToShare
    /// No shadow has the virtual VMID.
    case noShadow
    /// The invalidation is of stage 1.
    case stage1Only
  }

  /// Why the host kernel invalidates the TLB.
  public enum Invalidation: Hashable, Sendable {
    /// A table entry, or a leaf, was broken.
    case breakTable, breakLeaf
    /// A full table took a block's place.
    case replaced
    /// A range was unmapped.
    case unmapped
    /// A table became empty.
    case tableFreed
    /// A leaf got more permissions.
    case relaxed
    /// A slot was write-protected.
    case writeProtected
  }
}
