import Canvas
import Engine
import Language

/// What the machine holds besides its tables.
extension Model {
  /// Live TLB entries, of the CPUs by VMID and of the SMMU by VMID or ASID, those that a walk would not give
  /// any more marked.
  var tlbAnswer: Document {
    let tables = ([machine.cpuTableID] + ShadowPane().tables(in: self)).compactMap {
      machine.table($0)
    }
    let entries = machine.tlbEntries
    let deviceEntries = machine.iotlbEntries
    var parts: [TLBPart] = []
    for vmid in Set(entries.compactMap(\.vmid)).sorted() {
      let table = tables.first { $0.vmid == vmid }
      parts.append(
        TLBPart(
          title: "VMID \(vmid)", table: table?.id, entries: entries.filter { $0.vmid == vmid },
          clearedBy: { "IPAS2E1IS \(hex: $0) or VMALLS12E1IS" },
          isStale: { entry in table.map { machine.isStale(entry, in: $0) } ?? false }))
    }
    for bits in Set(deviceEntries.map(\.context.bits)).sorted() {
      let context = TranslationContext(bits: bits)
      let device = machine.attachedDevices.first { machine.context(ofDevice: $0) == context }
      let table: TableID? = context.isStage1 ? .host : device.map { .iommu($0) }
      parts.append(
        TLBPart(
          title: "SMMU, \(SafeText(Phrase.context(context)))", table: table,
          entries: deviceEntries.filter { $0.context == context },
          clearedBy: {
            context.isStage1
              ? "TLBI_EL2_VA \(hex: $0) or TLBI_EL2_ASID"
              : "TLBI_S2_IPA \(hex: $0) or TLBI_S12_VMALL"
          },
          isStale: {
            context.isStage1 ? !machine.isBorneOut($0) : isStale($0, in: table)
          }))
    }
    var document = Document()
    let stale = parts.reduce(0) { $0 + $1.entries.count(where: $1.isStale) }
    document.add(Line("\(entries.count + deviceEntries.count) live, \(stale) stale", .title))
    if parts.isEmpty {
      document.add("Accesses fill it; the kernel's invalidations empty it.", .dim)
    }
    for part in parts { add(part, to: &document) }
    return document
  }

  /// Entries that one table has filled.
  private struct TLBPart {
    let title: SafeText
    let table: TableID?
    let entries: [TLB.Entry]
    /// The invalidations that would clear the entry of an address.
    let clearedBy: (UInt64) -> SafeText
    let isStale: (TLB.Entry) -> Bool
  }

  private func add(_ part: TLBPart, to document: inout Document) {
    document.addBlank()
    document.add(
      Line(part.title, .heading).adding("  \(SafeText(Phrase.table(part.table)))", .dim))
    for entry in part.entries.sorted(by: { $0.address < $1.address }) {
      let isStale = part.isStale(entry)
      var line = Line(isStale ? SafeText(.stale) + " " : "  ", .stale)
      line.add("\(hex: entry.address) \(Glyph.right) \(hex: entry.descriptor.address) ")
      line.add(entry.descriptor.permissions.text, .permission)
      line.add(" level \(entry.level)", .dim)
      if isStale {
        line.add("  stale", .stale)
        line.add(": \(part.clearedBy(entry.address)) clears it")
      }
      document.add(line, to: part.table.map { .place($0, entry.address) })
    }
  }

  /// Whether a walk of a device's table would not give any more what the SMMU's TLB holds.
  private func isStale(_ entry: TLB.Entry, in table: TableID?) -> Bool {
    guard let table, let now = machine.walkEnd(of: entry.address, in: table),
      let output = machine.output(of: entry.address, in: table)
    else { return true }
    return output != entry.descriptor.address || now.permissions != entry.descriptor.permissions
  }

  /// The shadows, in use or not.
  var shadowsAnswer: Document {
    var document = Document()
    let recycled = timeline.steps.prefix(timeline.stepsDone)
      .filter { if case .fault(.shadowRecycled) = $0.action { true } else { false } }.map(\.table)
    for number in 0..<machine.configuration.shadows {
      let context = machine.shadowContext(number)
      var line = Line(("shadow \(number)  " as SafeText).padded(to: 11), .heading)
      guard context.isValid else {
        document.add(line.adding("not in use", .dim), to: .place(.shadow(number), 0))
        continue
      }
      line.add(
        context.pendingUnmap ? "pending unmap" : "in use", context.pendingUnmap ? .warning : .text)
      if recycled.contains(.shadow(number)) { line.add(", just recycled", .changed) }
      line.add(context.stage2Enabled ? "" : ", stage 2 off", .warning)
      line.add("  L1's VMID \(context.vttbr >> 48)")
      line.add(context.vmid > 0 ? ", VMID \(context.vmid)" : ", never run")
      document.add(line, to: .place(.shadow(number), 0))
      document.add(
        Line("           ").adding("VTTBR \(hex: context.vttbr)  VTCR \(hex: context.vtcr)", .dim))
      let size = machine.reverseMapSize(ofShadow: number)
      if machine.configuration.reverseMap != .none {
        var map = Line("           ")
        map.add("reverse map: \(size.reverse + size.direct) entries, \(size.bytes) bytes", .dim)
        if machine.isReverseMapBroken(ofShadow: number) { map.add(" broken", .error) }
        document.add(map)
      }
    }
    document.addBlank()
    document.add("2 per vCPU. When all are in use, the next in turn is recycled.", .dim)
    return document
  }

  /// What was counted, from the start to this moment.
  var countersAnswer: Document {
    var document = Document()
    document.add("From the start to this moment", .title)
    for counter in Counter.allCases {
      document.add(
        Line(("\(machine[counter])" as SafeText).padded(to: 9, .right) + "  ").adding(
          counter.title, .dim))
    }
    document.addBlank()
    document.add(Line("this event  ", .dim).adding(changes.cost.summary))
    return document
  }

  /// The rules, those first that do not hold.
  var rulesAnswer: Document {
    var document = Document()
    let audit = branches[branch].audit
    if let now = violationsNow.map(ViolationRun.runs) {
      document.add(
        now.isEmpty ? "All rules hold now." : "\(now.count) places break a rule now.",
        now.isEmpty ? .title : .error)
      for run in now.prefix(Self.linesAtMost) {
        let violation = run.first
        document.add(
          Line("\(Glyph.mismatch) ", .mismatch).adding(SafeText(violation.invariant.rawValue))
            .adding("  \(SafeText(violation.table.name)) \(SafeText(run.place))", .dim),
          to: .place(violation.table, violation.address))
      }
      addRest(now.count, to: &document)
    } else {
      document.add("The rules were not checked here yet.", .title)
    }
    document.addBlank()
    let first = Dictionary(
      audit.violations.flatMap { event, found in found.map { ($0.invariant, event) } },
      uniquingKeysWith: min)
    for rule in Invariant.allCases {
      let name = SafeText(rule.rawValue).padded(to: 20)
      if let event = first[rule] {
        document.add(
          Line("\(Glyph.mismatch) ", .mismatch).adding(name)
            .adding("first broken by event \(event + 1)", .warning),
          to: .moment(Moment(events: event + 1)))
      } else {
        document.add(Line("  ").adding(name, .dim).adding(rule.title, .dim), indent: 22)
      }
    }
    document.addBlank()
    document.add(
      auditIsComplete
        ? "Every event was checked."
        : "\(audit.checked) of \(timeline.events.count) events were checked.", .dim)
    for failure in session.failures.prefix(Self.linesAtMost) {
      document.add(
        Line("\(Glyph.mismatch) ", .mismatch)
          .adding(
            "\(SafeText(failure.origin.description)) expected otherwise: \(SafeText(failure.message))"
          ),
        to: .moment(Moment(events: failure.position)))
    }
    return document
  }
}

extension Counter {
  /// What is counted.
  var title: SafeText {
    switch self {
    case .canonicalFaults: "faults on the canonical table"
    case .shadowFaults: "faults on shadow tables"
    case .injected: "exceptions given to L1"
    case .maps: "leaves made"
    case .relaxes: "leaves given more permissions"
    case .unmaps: "leaves removed"
    case .notifiers: "MMU notifier invalidations"
    case .fullUnmaps: "unmaps of a whole shadow"
    case .invalidations: "TLBIs of the host"
    case .tablesAllocated: "table pages taken"
    case .tablesFreed: "table pages given back"
    case .mmioExits: "exits for MMIO"
    }
  }
}

extension Invariant {
  /// What the rule demands, in a few words.
  var title: SafeText {
    switch self {
    case .leafOutlivesPage: "no leaf outlives its host page"
    case .writableLeaf: "no leaf is writable over a read-only page"
    case .shadowComposition: "a new shadow leaf is L1's entry and the canonical page"
    case .staleShadow: "what L1 invalidates is gone from its shadows"
    case .tableCounts: "table pages and entries are counted right"
    case .staleTLB: "no TLB entry outlives its leaf"
    case .reverseMapCoverage: "every shadow leaf can be found again"
    case .reverseMapMirror: "reverse and direct map agree"
    case .reverseMapTree: "the trees are well formed"
    case .reverseMapLock: "no map changes under a shared lock"
    case .reverseMapSleep: "no allocation sleeps under mmu_lock"
    case .uniqueVMID: "no two contexts that the TLBs hold share a VMID"
    case .foreignDMA: "no device reaches a page of another owner"
    case .tableAgreement: "device and CPUs reach the same pages where they must"
    case .dmaHole: "no DMA fails to memory that the device's owner keeps"
    case .pageOwner: "every page has one owner, and all say the same"
    case .mirrorVMID: "an SMMU that only hears broadcasts uses the CPUs' VMID"
    case .staleIOTLB: "after its sync nothing unmapped is left in the SMMU's TLB"
    case .vncr: "KVM's VNCR page is the VMM's"
    }
  }
}
