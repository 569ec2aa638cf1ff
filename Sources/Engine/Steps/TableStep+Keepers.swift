/// The words of those who keep tables besides KVM: the drivers of devices, and the RMM.
extension TableStep {
  /// In a device's own table, as the io-pgtable code keeps it.
  func deviceExplanation(_ step: Step) -> Explanation {
    let level = step.level
    let place = "level \(level) at \(step.at)"
    switch self {
    case .allocateTable:
      return Explanation(
        "allocate", "a page for a table of level \(level) entries",
        "The table is made when the first leaf below it is mapped.", .ioTable("__arm_lpae_map"))
    case .makeTable(let new):
      return Explanation(
        "make", "\(place): \(Phrase.entry(new, level: level))",
        "A table is put into an empty entry: a valid entry is never changed into another.",
        .ioTable("arm_lpae_install_table"))
    case .makeLeaf(let new, let count):
      return Explanation(
        "make", "\(place): \(Phrase.entry(new, level: level))\(Self.others(count))",
        "The entry was empty, so nothing need be invalidated: a leaf is never changed into another.",
        .ioTable("arm_lpae_init_pte"))
    case .clearLeaf(let old, let count, _):
      return Explanation(
        "unmap", "\(place): \(Phrase.entry(old, level: level))\(Self.others(count)) → empty",
        "The table no longer has it. If a device uses the table, the SMMU's TLB may still hold it.",
        .ioTable("__arm_lpae_unmap")
      )
    case .clearTable:
      return Explanation(
        "unmap", "\(place): the table and all below it are unlinked",
        "The whole span of the entry is unmapped at once.", .ioTable("__arm_lpae_unmap"))
    case .freeTable(let page, _), .freeReplaced(let page, _):
      return Explanation(
        "free", "the table page at PA \(Phrase.address(page))",
        "No walk reaches it: what was cached on the way to it was invalidated before. So it is freed at once.",
        .ioTable("__arm_lpae_free_pgtable"))
    case .cleanEntries(let page, let count): return Self.cleaning(page, count)
    case .map, .relax, .mapUnneeded, .entryLocked, .breakEntry, .linkTable, .allocateForSplit,
      .relaxLeaf, .relaxKept, .relaxGone, .writeProtect, .ageLeaf, .youngLeaf,
      .restateLeaf, .sweep, .emptyShadow, .fillTable, .swapEntry:
      return processorExplanation(step)
    }
  }

  /// In a realm's table (RTT), which the RMM edits when the host calls it.
  func realmExplanation(_ step: Step) -> Explanation {
    let place = "RTT, level \(step.level) at \(step.at)"
    func entry(_ entry: Descriptor, _ level: Int) -> String {
      RealmStep.entry(entry, level: level)
    }
    switch self {
    case .allocateTable:
      return Explanation(
        "allocate", "a granule for an RTT of level \(step.level)",
        "The host takes it from its own memory and delegates it: the RMM has none to allocate.",
        .realmHost("alloc_delegated_page"))
    case .fillTable(let old, _):
      return Explanation(
        "fill", "512 entries for \(entry(old, step.level - 1)), in an RTT that is not linked yet",
        old.isValid
          ? "RMI_RTT_CREATE over a block unfolds it: the realm keeps the same pages."
          : "Each says of its own address what the one entry said of all.",
        .realmManager(RealmCall.createTable.function))
    case .breakEntry(let old):
      let call: RealmCall = old.isTable(step.level) ? .fold : .createTable
      return Explanation(
        "break", "\(place): \(entry(old, step.level)) → LOCKED",
        "\(call.name) breaks before it makes. Until the make the realm and its devices find nothing there.",
        .realmManager(call.function))
    case .makeTable(let new):
      return Explanation(
        "make", "\(place): \(entry(new, step.level))",
        "RMI_RTT_CREATE: the new RTT is complete before a walk can reach it.",
        .realmManager(RealmCall.createTable.function))
    case .makeLeaf(let new, _):
      return Explanation(
        "make", "\(place): \(entry(new, step.level))",
        "RMI_RTT_FOLD: one entry says what all entries of the RTT said.",
        .realmManager(RealmCall.fold.function))
    case .swapEntry(let new, _):
      let call: RealmCall = new.isTable(step.level) ? .createTable : .fold
      return Explanation(
        "swap", "\(place): \(entry(new, step.level))",
        "\(call.name) in one store, which CPUs and SMMU must both support (BBML 2): a walk finds the old "
          + "entry or the new one.",
        .realmManager(call.function))
    case .freeTable(let page, _), .freeReplaced(let page, _):
      return Explanation(
        "free", "the RTT's granule at PA \(Phrase.address(page))",
        "No entry points to it any longer, so the host may undelegate it and free its page.",
        .realmHost("free_delegated_page"))
    case .map, .relax, .mapUnneeded, .entryLocked, .linkTable, .allocateForSplit,
      .clearLeaf, .clearTable, .relaxLeaf, .relaxKept, .relaxGone, .writeProtect, .ageLeaf,
      .youngLeaf, .restateLeaf, .sweep, .emptyShadow, .cleanEntries:
      return processorExplanation(step)
    }
  }
}
