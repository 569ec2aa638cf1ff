/// AMD's RMP. The address is the guest's; physical addresses are operands.
package enum RMPStep: StepFamily {
  /// How PSMASH ends.
  package enum Result: UInt64, Hashable, Sendable {
    /// The entry was split.
    case done = 0
    /// FAIL_BADADDR: there is no 2M entry.
    case badAddress = 1
    /// FAIL_INUSE: another instruction holds the entry.
    case inUse = 3
  }

  /// RMPUPDATE is refused: an assigned entry overlaps the page (FAIL_OVERLAP).
  case overlap
  /// RMPUPDATE gives a page to the guest.
  case assigned(RMPEntry, page: UInt64)
  /// The guest accepts it (PVALIDATE).
  case validated(RMPEntry, page: UInt64)
  /// The guest accepts it no longer, before it shares it (PVALIDATE).
  case rescinded(RMPEntry, page: UInt64)
  /// PVALIDATE of 4K faults, because the RMP has an entry of 2M.
  case tooSmall(page: UInt64)
  /// RMPUPDATE returns it to the host.
  case shared(RMPEntry, page: UInt64)
  /// PSMASH of the entry of a page.
  case psmash(Result, page: UInt64)
  /// Another instruction locks an RMP entry, or releases it.
  case held(Bool, page: UInt64)
  /// All DMA is held up, or resumes.
  case dmaStalled
  case dmaResumed

  package var facts: Step.Facts {
    switch self {
    case .assigned, .validated, .rescinded, .shared, .psmash, .dmaStalled, .dmaResumed:
      Step.Facts(.ownership, .reverseMapTable)
    case .held: Step.Facts(.lock, .reverseMapTable)
    case .overlap: Step.Facts(.refusal, .reverseMapTable)
    case .tooSmall: Step.Facts(.trigger, .reverseMapTable)
    }
  }

  func explanation(of step: Step) -> Explanation {
    let size = Phrase.size(step.size)
    switch self {
    case .overlap:
      return Explanation(
        "RMPUPDATE", "refused, result 4: an assigned entry overlaps \(size) at \(step.at)",
        "FAIL_OVERLAP. Linux repeats the instruction until it succeeds, which it never does here: the "
          + "event ends.",
        .amd("rmpupdate"))
    case .assigned(_, let page):
      return Explanation(
        "RMPUPDATE", "\(size) at \(step.at), PA \(Phrase.address(page)), becomes the guest's",
        "The RMP holds each page's owner, and the size at which it was assigned.",
        .amd("rmp_make_private"))
    case .validated:
      return Explanation(
        "PVALIDATE", "the guest validates \(size) at \(step.at)",
        "A guest does not use a page before it has validated it.",
        Source("arch/x86/coco/sev/core.c", "snp_accept_memory"))
    case .rescinded:
      return Explanation(
        "PVALIDATE", "the guest rescinds its validation of \(size) at \(step.at)",
        "It does so before it asks the host to share a page. A page that the host takes without that, the guest "
          + "finds not valid.",
        Source("arch/x86/coco/sev/core.c", "__set_pages_state"))
    case .tooSmall(let page):
      return Explanation(
        "PVALIDATE",
        "faults: \(size) at \(step.at), and the RMP has one entry of 2M from PA \(Phrase.address(page)) on",
        "The nested page fault has GUEST_RMP and SIZEM set. KVM splits the entry; then the guest repeats the "
          + "instruction.",
        .sev("sev_handle_rmp_fault"))
    case .shared(_, let page):
      return Explanation(
        "RMPUPDATE", "\(size) at \(step.at), PA \(Phrase.address(page)), becomes the hypervisor's",
        "The guest asked for pages that it shares with the host.", .amd("rmp_make_shared"))
    case .psmash(.done, let page):
      return Explanation(
        "PSMASH", "the RMP's 2M entry of PA \(Phrase.address(page)) becomes 512 of 4K",
        "Each stays the guest's and validated. From now on the IOMMU demands 4K I/O pages.",
        .amd("psmash"))
    case .psmash(.inUse, let page):
      return Explanation(
        "PSMASH", "refused, result 3: the entry of PA \(Phrase.address(page)) is in use",
        "Another instruction holds it: the caller must retry.",
        .amd("psmash"))
    case .psmash(.badAddress, let page):
      return Explanation(
        "PSMASH", "refused, result 1: PA \(Phrase.address(page)) has no entry of 2M",
        "There is nothing to split.", .amd("psmash"))
    case .held(let isHeld, let page):
      return Explanation(
        "hold",
        "the RMP entry of PA \(Phrase.address(page)) is \(isHeld ? "in use" : "free again")",
        "While one instruction holds an entry, others are refused.",
        .amd("psmash"))
    case .dmaStalled:
      return Explanation(
        "stall", "firmware stalls all DMA",
        "No device can see the two tables out of step. The price is latency: a few milliseconds.",
        .rmpAndIOMMU)
    case .dmaResumed:
      return Explanation("resume", "DMA continues", "Both tables say 4K now.", .rmpAndIOMMU)
    }
  }
}
