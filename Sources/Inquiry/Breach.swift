import Engine
import Language

/// A rule that is broken at some pages: what it demands, the sides that disagree, and since when.
package struct Breach: Encodable, Equatable, Sendable {
  package let rule: String
  /// What the rule demands.
  package let title: String
  package let table: TableID
  /// The number of the place, which `kind` says.
  @Hex package private(set) var address: UInt64
  /// What the address is.
  package let kind: Kind
  /// Bytes from there.
  package let size: UInt64
  /// The sides that disagree, a sentence for each.
  package let sides: [String]
  /// The address with what it is, and the table.
  package let place: String
  /// Number of the event since which it is broken, from 1; nil if it was broken before all events searched.
  package let since: Int?
  /// The statement of that event.
  package let cause: String?

  /// What the number of a place is.
  package enum Kind: String, Encodable, Sendable {
    /// An input address of the table, or a canonical IPA of its reverse map.
    case address
    case reverseMap = "reverse-map"
    /// Nothing: the table, or its map, as a whole.
    case table
    /// The number of another VM; a VMID or ASID.
    case vm
    case tag
  }

  /// Where its line leads.
  private var link: Report.Target { .place(table, kind == .address ? address : 0) }

  /// Whether an input address of a table is among the pages.
  func concerns(_ address: UInt64, in table: TableID) -> Bool {
    kind == .address && self.table == table
      && Range(from: self.address, size: size).contains(address.page)
  }

  /// The breaches at a session's moment, where the session stays: from an audit, or by checking now. Nil
  /// if the audit has not reached the moment yet.
  ///
  /// Without an audit, rules are checked after up to `eventsAtMost` earlier events, to find since when.
  static func all(in session: inout Session, _ audit: Audit?) -> [Breach]? {
    guard let judged = Audit.judgedEvent(at: session.timeline) else { return [] }
    if let audit, judged >= audit.checked { return nil }
    let moment = session.timeline.moment
    let runs = ViolationRun.runs(
      of: audit.map { $0.violations[judged] ?? [] } ?? violations(after: judged, &session))
    let beginnings =
      audit.map { audit in runs.map { audit.beginning(of: $0.first, after: judged) } }
      ?? beginnings(of: runs.map(\.first), after: judged, &session)
    session.seek(to: moment)
    return zip(runs, beginnings).map { run, first in
      Breach(
        run, session.timeline.machine, since: first.map { $0 + 1 },
        cause: first.map { session.text(ofEvent: $0) },
        isInvalidation: first.map { session.timeline.events[$0].facts.kind == .invalidate } ?? false
      )
    }
  }

  /// Maximum number of events to go back without an audit.
  private static let eventsAtMost = 32

  /// The event since which each violation has persisted without a gap; nil if that was before all events
  /// searched.
  private static func beginnings(
    of violations: [Violation], after judged: Int, _ session: inout Session
  ) -> [Int?] {
    var first = [Int?](repeating: judged, count: violations.count)
    var open = Set(violations.indices)
    let limit = max(0, judged - eventsAtMost)
    for earlier in (limit..<judged).reversed() where !open.isEmpty {
      let before = Self.violations(after: earlier, &session)
      for index in open {
        if before.contains(violations[index]) {
          first[index] = earlier
        } else {
          open.remove(index)
        }
      }
    }
    if limit > 0 { for index in open { first[index] = nil } }
    return first
  }

  private static func violations(after event: Int, _ session: inout Session) -> [Violation] {
    session.seek(to: Moment(events: event + 1))
    return session.violations()
  }

  private init(
    _ run: ViolationRun, _ machine: Machine, since: Int?, cause: String?, isInvalidation: Bool
  ) {
    rule = run.first.invariant.rawValue
    title = run.first.invariant.title
    table = run.first.table
    size = run.size
    kind = Kind(of: run.first.place)
    place = run.place(in: machine)
    sides = run.first.sides(in: machine, isInvalidation: isInvalidation)
    self.since = since
    self.cause = cause
    _address = Hex(wrappedValue: run.first.address)
  }

  /// Adds the rule and the place, in a line that links there.
  func addHead(to report: inout Report) {
    report.add(
      Report.Text("\(Sign.mismatch) ", .mismatch).adding(rule).adding("  \(place)", .dim),
      to: link)
  }

  /// The rule and the place, for someone in the second year of studies.
  func addPlain(to report: inout Report) {
    let since = since.map { " since event \($0)" } ?? ""
    report.add(
      Report.Text("\(Sign.mismatch) ", .mismatch).adding(
        "A rule does not hold at \(PlainWords.expand(plainPlace))\(since): "
          + "\(PlainWords.expand(title))."),
      to: link, indent: 2)
  }

  /// The place, with the table's plain name.
  private var plainPlace: String {
    place.hasSuffix(table.phrase)
      ? String(place.dropLast(table.phrase.count)) + table.plainPhrase : place
  }

  /// All of it.
  func add(to report: inout Report) {
    addHead(to: &report)
    report.add(Report.Text("  Rule: \(title).", .dim), indent: 4)
    for side in sides { report.add(Report.Text("  " + side), indent: 4) }
    if let since {
      report.add(
        Report.Text("  since event ", .dim).adding("\(since)", .key).adding(
          "  \(cause ?? "")", .dim),
        to: .moment(Moment(events: since)), indent: 4)
    }
  }
}

extension Breach.Kind {
  fileprivate init(of place: Violation.Place) {
    self =
      switch place {
      case .address: .address
      case .reverseMap(_?): .reverseMap
      case .reverseMap(nil), .table: .table
      case .otherVM: .vm
      case .tag: .tag
      }
  }
}

extension Violation.Place {
  fileprivate var isOfOtherVM: Bool { if case .otherVM = self { true } else { false } }
}

extension Invariant {
  /// Whether the address of a violation is that of a table entry.
  package var isAtEntry: Bool {
    switch self {
    case .leafOutlivesPage, .writableLeaf, .shadowComposition, .staleShadow, .staleTLB,
      .reverseMapCoverage, .vncr, .foreignDMA, .staleIOTLB, .tableAgreement, .dmaHole, .pageOwner:
      true
    case .tableCounts, .reverseMapMirror, .reverseMapTree, .reverseMapLock, .reverseMapSleep,
      .uniqueVMID, .mirrorVMID:
      false
    }
  }
}

extension Violation {
  /// The two sides that disagree, a sentence for each.
  ///
  /// - Parameter isInvalidation: whether the event that broke the rule was an invalidation by a guest.
  fileprivate func sides(in machine: Machine, isInvalidation: Bool) -> [String] {
    switch invariant {
    case .leafOutlivesPage: return [machine.leafSide(table, address), hostSide(machine)]
    case .writableLeaf:
      return [machine.leafSide(table, address), readOnlySide(machine), staleSide(machine)]
        .compactMap { $0 }
    case .shadowComposition: return [machine.leafSide(table, address), compositionSide(machine)]
    case .staleShadow:
      return [
        machine.leafSide(table, address),
        isInvalidation
          ? "L1's invalidation covers this address and has returned."
          : "The shadow serves another context of L1's now.",
      ]
    case .tableCounts:
      return ["The counts of table pages or entries differ from those that are there."]
    case .staleTLB:
      let vmid = machine.table(table)?.vmid
      let entry = machine.tlbEntries.first { $0.vmid == vmid && $0.range.contains(address) }
      return [entry.map { "A CPU's TLB \($0.words(table))." }, machine.leafSide(table, address)]
        .compactMap { $0 }
    case .staleIOTLB:
      let context = deviceOfTable.map { machine.context(ofDevice: $0) }
      let entry = machine.iotlbEntries.first {
        $0.context == context && $0.range.contains(address)
      }
      return [entry.map { "The SMMU's TLB \($0.words(table))." }, machine.leafSide(table, address)]
        .compactMap { $0 }
    case .reverseMapCoverage:
      let ipa = canonicalAddress(in: machine)
      return [
        machine.leafSide(table, address),
        "The reverse map has no entry for " + (ipa.map { "canonical \(hex: $0)" } ?? "its page")
          + ", and is not marked as broken.",
      ]
    case .reverseMapMirror:
      return [
        "At canonical IPA \(hex: address) the reverse map and the direct map hold different entries."
      ]
    case .reverseMapTree: return ["A tree of the reverse map is not well formed."]
    case .reverseMapLock:
      return [
        "The event changed the map at canonical \(hex: address).",
        "It held mmu_lock for reading only, as other vCPUs may at the same time.",
      ]
    case .reverseMapSleep:
      return [
        "To record canonical \(hex: address), the event allocated memory and could sleep.",
        "It held mmu_lock, a spinlock.",
      ]
    case .uniqueVMID where place.isOfOtherVM:
      return ["VM \(address) has a VMID that another context has in the same generation."]
    case .uniqueVMID:
      let vmid = machine.table(table)?.vmid ?? 0
      return [
        "\(Phrase.table(table).capitalized) has VMID \(vmid).",
        "Another context has it in the same generation.",
      ]
    case .vncr:
      return ["KVM has mapped L1's VNCR page of canonical \(hex: address).", hostSide(machine)]
    case .foreignDMA:
      return [
        machine.leafSide(table, address),
        "The owner of that memory does not let the device use it.",
      ]
    case .tableAgreement:
      return [machine.leafSide(table, address), machine.leafSide(machine.cpuTableID, address)]
    case .dmaHole:
      let outcome = deviceOfTable.map {
        machine.deviceOutcome(of: address, write: true, device: $0).description
      }
      return [
        "The device's owner keeps \(table.kind.input.name) \(hex: address), so DMA must reach it.",
        "DMA to it now: it \(outcome ?? "fails").",
      ]
    case .pageOwner: return ownerSides(machine)
    case .mirrorVMID:
      let vmid = machine.table(machine.cpuTableID)?.vmid ?? 0
      return [
        "The SMMU caches under \(place(in: machine)).",
        deviceOfTable.map { machine.context(ofDevice: $0).isStage1 } ?? false
          ? "A CPU's broadcast TLBI names the process's ASID, and passes over entries with ASET."
          : "A CPU's broadcast TLBI names VMID \(vmid).",
        "So the SMMU does not hear of a change of the table.",
      ]
    }
  }

  private var deviceOfTable: Int? {
    if case .iommu(let device) = table { device } else { nil }
  }

  /// The canonical IPA of the place, or that to which L1's table now maps it.
  private func canonicalAddress(in machine: Machine) -> UInt64? {
    guard case .shadow(let number) = table else { return address }
    return machine.derivation(of: address, inShadow: number)?.ipa
  }

  /// The VMM's page behind the place.
  private func hostSide(_ machine: Machine) -> String {
    guard let ipa = canonicalAddress(in: machine) else {
      return "L1 maps nothing there now."
    }
    guard let page = machine.hostPage(at: ipa) else {
      return "The VMM has no page at canonical \(hex: ipa) now."
    }
    return "The VMM has PA \(hex: page.physical) at canonical \(hex: ipa) now, "
      + (page.isWritable ? "writable." : "read-only.")
  }

  /// The VMM's page that the leaf leads to.
  private func readOnlySide(_ machine: Machine) -> String {
    guard let leaf = machine.reader(of: table)?.leaf(at: address).leaf,
      case let physical = leaf.output(of: address), let page = machine.hostPage(holding: physical)
    else { return "The VMM has no such page now." }
    return "The VMM has PA \(hex: physical)\(page.isZero ? ", a page of zeros," : "") read-only."
  }

  /// That a shadow's leaf is of an entry of L1's that is another by now; nil if it is not.
  private func staleSide(_ machine: Machine) -> String? {
    guard case .shadow(let number) = table,
      let leaf = machine.reader(of: table)?.leaf(at: address).leaf,
      let derivation = machine.derivation(of: address, inShadow: number),
      derivation.page?.physical != leaf.output(of: address)
    else { return nil }
    return "L1's entry now leads to canonical IPA \(hex: derivation.ipa); no TLBI has told KVM."
  }

  /// The composition of L1's entry and canonical memory.
  private func compositionSide(_ machine: Machine) -> String {
    guard case .shadow(let number) = table,
      let derivation = machine.derivation(of: address, inShadow: number)
    else { return "L1 maps nothing there now." }
    let guest = derivation.guest.map { " \($0.descriptor.permissions.text)" } ?? ""
    let page = derivation.page.map { "PA \(hex: $0.physical)" } ?? "no page of the VMM"
    return "L1's entry gives canonical \(hex: derivation.ipa)\(guest), which is \(page)."
  }

  /// What the tables and the records of pKVM's hypervisor say about a page.
  private func ownerSides(_ machine: Machine) -> [String] {
    var physical = address
    if table != .pkvmHost, let output = machine.output(of: address, in: table) {
      physical = output
    }
    return [
      machine.leafSide(table, address),
      "The hypervisor's record of page \(hex: physical): host \(machine.hostState(of: physical).name), "
        + "hypervisor \(machine.hypervisorState(of: physical).name).",
    ]
  }
}

extension TLB.Entry {
  /// Its translation of an address of a table, as a predicate.
  fileprivate func words(_ table: TableID) -> String {
    "has \(table.kind.input.name) \(hex: address) \(Sign.arrow) PA \(hex: descriptor.address) "
      + descriptor.permissions.text
  }
}

extension Machine {
  /// A table's entry at an address, as a sentence.
  fileprivate func leafSide(_ table: TableID, _ address: UInt64) -> String {
    let name = Phrase.table(table).capitalized
    guard let leaf = reader(of: table)?.leaf(at: address).leaf else {
      return "\(name) maps nothing at \(table.kind.input.name) \(hex: address)."
    }
    return "\(name) maps \(table.kind.input.name) \(hex: address) to "
      + "\(table.kind.output.name) \(hex: leaf.output(of: address)) \(leaf.descriptor.permissions.text), by a leaf of \(Phrase.size(leaf.size))."
  }
}
