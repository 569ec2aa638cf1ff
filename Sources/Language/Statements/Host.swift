import Engine

/// What the VMM and the host kernel do.
enum HostStatement: StatementFamily {
  case write, read, discard, unmap, protect, hugePages, collapse, merge, fork, idle, testIdle
  case dirtyLog, getDirtyLog, eagerSplit, deleteMemslot, noHugePages

  var form: StatementForm {
    switch self {
    case .write:
      form(
        "host write IPA SIZE",
        "The VMM stores to each page of a range. The value is unknown, and like no other."
      ) { .touch($0.range(0), write: true) }
    case .read:
      form("host read IPA SIZE", "The VMM loads from each page of a range.") {
        .touch($0.range(0), write: false)
      }
    case .discard:
      form(
        "host discard IPA SIZE",
        "The VMM frees memory (MADV_DONTNEED). It reads as zero afterwards."
      ) { .discard($0.range(0)) }
    case .unmap:
      form(
        "host unmap IPA SIZE",
        "The VMM unmaps memory (munmap). A guest's access to it then ends in `error efault`."
      ) { .unmap($0.range(0)) }
    case .protect:
      form(
        "host protect IPA SIZE r|rw", "The VMM makes memory read-only or read-write (mprotect)."
      ) { .protect($0.range(0), write: $0[2] == 1) }
    case .hugePages:
      form(
        "host hugepages IPA SIZE on|off",
        "Later faults may use huge pages, or may not (MADV_HUGEPAGE, MADV_NOHUGEPAGE)."
      ) { .hugePages($0.range(0), $0[2] == 0) }
    case .collapse:
      form(
        "host collapse IPA SIZE",
        "The host makes huge pages of the whole 2M regions in a range (MADV_COLLAPSE, khugepaged)."
      ) { .collapse($0.range(0)) }
    case .merge:
      form(
        "host merge IPA SIZE",
        "KSM may merge pages of a range (MADV_MERGEABLE), and ksmd runs until nothing is left to merge. "
          + "Only with backing 4K."
      ) { .merge($0.range(0)) }
    case .fork:
      form("host fork", "The VMM forks. The child exits before the next statement.") { _ in .fork }
    case .idle:
      form(
        "host idle IPA", "The host sets the idle bit of a page, which ages its canonical leaves."
      ) { .idle($0[0]) }
    case .testIdle:
      form(
        "host test-idle IPA",
        "The host reads the idle bit of a page. This ages an idle page again, and clears the bit of one that "
          + "was accessed."
      ) { .testIdle($0[0]) }
    case .dirtyLog:
      form(
        "host dirty-log on|off IPA",
        "The VMM switches dirty logging of the slot at IPA (KVM_MEM_LOG_DIRTY_PAGES)."
      ) { .dirtyLog($0[1], $0[0] == 0) }
    case .getDirtyLog:
      form(
        "host dirty-log get IPA",
        "The VMM fetches the dirty log of the slot at IPA (KVM_GET_DIRTY_LOG). Logging must be on."
      ) { .getDirtyLog($0[0]) }
    case .eagerSplit:
      form(
        "host eager-split SIZE",
        "The VMM sets KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE: 0, 4K, 2M or 1G, before the first slot.",
        operands: ["SIZE": .number("SIZE", 0...UInt64.max, .size, role: .size)]
      ) { .eagerSplit($0[0]) }
    case .deleteMemslot:
      form(
        "host delete-memslot IPA", "The VMM deletes the slot at IPA, and its memory with it."
      ) { .deleteMemslot($0[0]) }
    case .noHugePages:
      form(
        "host no-thp IPA SIZE",
        "From now on the host has no free huge page for a range. A read may still map the huge zero page, "
          + "which needs none."
      ) { .noHugePages($0.range(0)) }
    }
  }

  private func form(
    _ pattern: String, _ meaning: String, operands: [String: Operand] = [:],
    _ make: @escaping @Sendable (OperandValues) -> HostOperation
  ) -> StatementForm {
    StatementForm(pattern, meaning, operands: operands, .event { .host(make($0)) })
  }
}

extension HostOperation {
  var statement: String {
    switch self {
    case .touch(let range, let write):
      (write ? HostStatement.write : HostStatement.read).text(range)
    case .discard(let range): HostStatement.discard.text(range)
    case .unmap(let range): HostStatement.unmap.text(range)
    case .protect(let range, let write): HostStatement.protect.text(range, write ? 1 : 0)
    case .hugePages(let range, let on): HostStatement.hugePages.text(range, on ? 0 : 1)
    case .collapse(let range): HostStatement.collapse.text(range)
    case .merge(let range): HostStatement.merge.text(range)
    case .fork: HostStatement.fork.text()
    case .idle(let ipa): HostStatement.idle.text(ipa)
    case .testIdle(let ipa): HostStatement.testIdle.text(ipa)
    case .dirtyLog(let ipa, let on): HostStatement.dirtyLog.text(on ? 0 : 1, ipa)
    case .getDirtyLog(let ipa): HostStatement.getDirtyLog.text(ipa)
    case .eagerSplit(let size): HostStatement.eagerSplit.text(size)
    case .deleteMemslot(let ipa): HostStatement.deleteMemslot.text(ipa)
    case .noHugePages(let range): HostStatement.noHugePages.text(range)
    }
  }

  var sentence: String {
    switch self {
    case .touch(let range, let write):
      "The VMM \(write ? "writes" : "reads") \(Phrase.canonical(range))."
    case .discard(let range): "The host frees \(Phrase.canonical(range)) (MADV_DONTNEED)."
    case .unmap(let range): "The VMM unmaps \(Phrase.canonical(range)) (munmap)."
    case .protect(let range, let write):
      "The VMM makes \(Phrase.canonical(range)) \(write ? "read-write" : "read-only") (mprotect)."
    case .hugePages(let range, let on):
      "The VMM \(on ? "wants" : "does not want") huge pages for \(Phrase.canonical(range))."
    case .collapse(let range): "The host collapses \(Phrase.canonical(range)) to huge pages."
    case .merge(let range): "KSM merges equal pages in \(Phrase.canonical(range))."
    case .fork: "The VMM forks, and the child exits."
    case .idle(let ipa): "The host marks the page at canonical \(Phrase.address(ipa)) idle."
    case .testIdle(let ipa):
      "The host asks whether the page at canonical \(Phrase.address(ipa)) is still idle."
    case .dirtyLog(let ipa, let on):
      "The VMM switches dirty logging of the slot at \(Phrase.address(ipa)) \(on ? "on" : "off")."
    case .getDirtyLog(let ipa):
      "The VMM fetches the dirty log of the slot at \(Phrase.address(ipa))."
    case .eagerSplit(let size):
      "The VMM asks for blocks to be split in chunks of \(Phrase.size(size))."
    case .deleteMemslot(let ipa): "The VMM deletes the memory slot at \(Phrase.address(ipa))."
    case .noHugePages(let range): "The host has no huge page left for \(Phrase.canonical(range))."
    }
  }
}
