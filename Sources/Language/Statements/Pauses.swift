import Engine

/// Failures for want of memory, and events that pause.
enum PauseStatement: StatementFamily {
  case failInsertions, failErasures, pause, resume

  var form: StatementForm {
    switch self {
    case .failInsertions:
      StatementForm(
        "revmap fail N", "The next N insertions into a reverse map fail for want of memory.",
        .event { .failReverseMap(insertions: $0[0], erasures: 0) })
    case .failErasures:
      StatementForm(
        "revmap fail-erase N", "The next N erasures from a reverse map fail for want of memory.",
        .event { .failReverseMap(insertions: 0, erasures: $0[0]) })
    case .pause:
      StatementForm(
        "pause [at=ADDRESS]",
        """
        The next event that may drop `mmu_lock` stops at the first such place, a border between gigabytes (of \
        eager splitting, between chunks), at or above ADDRESS. An event of a device, or a hypercall of pKVM, that takes several actions stops \
        between two of them: two calls of `iommu map` or `iommu unmap`, two pages that `iommu pin` pins, its \
        pinning and its mapping. Other events can follow.
        """, .event { .pause($0[0]) })
    case .resume:
      StatementForm(
        "resume [next]",
        "The event that stopped continues to its end, or with `next` to the next place where it may stop.",
        .event { .resume(next: $0.has(0)) })
    }
  }
}
