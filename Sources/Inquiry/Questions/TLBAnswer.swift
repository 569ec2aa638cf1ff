import Engine
import Language

/// Live TLB entries: of the CPUs by VMID, of the SMMU by VMID or ASID; those that a walk would no longer
/// give are stale.
package struct TLBAnswer: Answer {
  /// Entries filled from one table.
  package struct Part: Encodable, Sendable {
    package let title: String
    package let table: TableID?
    package let entries: [Entry]
  }

  package struct Entry: Encodable, Sendable {
    /// The CPU whose TLB holds it; nil for the SMMU's.
    package let cpu: Int?
    @Hex package private(set) var address: UInt64
    @Hex package private(set) var output: UInt64
    package let permissions: Permissions
    package let level: Int
    package let isStale: Bool
    /// The invalidations that would clear it.
    package let clearedBy: String
  }

  package let live: Int
  package let stale: Int
  package let parts: [Part]
  private let hasSeveralCPUs: Bool

  private enum CodingKeys: CodingKey { case live, stale, parts }

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    let others: [TableID] =
      (0..<machine.configuration.shadows).map { .shadow($0) }
      + machine.protectedGuests.map { .protectedGuest($0.number) }
    let tables = ([machine.cpuTableID] + others).compactMap { machine.table($0) }
    let entries = machine.tlbEntries
    var parts: [Part] = []
    for vmid in Set(entries.compactMap(\.vmid)).sorted() {
      let table = tables.first { $0.vmid == vmid }
      parts.append(
        Part(
          "VMID \(vmid)", table?.id, entries.filter { $0.vmid == vmid }, isOfCPUs: true,
          isStale: { entry in table.map { machine.isStale(entry, in: $0) } ?? false },
          clearedBy: { "IPAS2E1IS \(hex: $0) or VMALLS12E1IS" }))
    }
    let deviceEntries = machine.iotlbEntries
    for bits in Set(deviceEntries.map(\.context.bits)).sorted() {
      let context = TranslationContext(bits: bits)
      let device = machine.attachedDevices.first { machine.context(ofDevice: $0) == context }
      let isProcess = device.map { machine.sharesAddresses($0) } ?? context.isStage1
      let table: TableID? = isProcess ? .vmmStage1 : device.map { .iommu($0) }
      parts.append(
        Part(
          "SMMU, \(Phrase.context(context))", table, deviceEntries.filter { $0.context == context },
          isOfCPUs: false,
          isStale: {
            isProcess ? !machine.isBorneOut($0) : !machine.gives($0, in: table)
          },
          clearedBy: {
            context.isStage1
              ? "TLBI_EL2_VA \(hex: $0) or TLBI_EL2_ASID"
              : "TLBI_S2_IPA \(hex: $0) or TLBI_S12_VMALL"
          }))
    }
    self.parts = parts
    hasSeveralCPUs = machine.configuration.vcpus > 1
    live = parts.reduce(0) { $0 + $1.entries.count }
    stale = parts.reduce(0) { $0 + $1.entries.count(where: \.isStale) }
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report("\(live) live, \(stale) stale", .title)
    if parts.isEmpty {
      report.add(
        detail.text("Accesses fill the TLBs; the kernel's invalidations empty them."), .dim)
    }
    for part in parts {
      report.addBlank()
      report.add(
        Report.Text(detail.text(part.title).capitalized, .heading)
          .adding("  \(part.table.map { detail.table($0) } ?? Phrase.table(nil))", .dim))
      for entry in part.entries {
        var line = Report.Text(entry.isStale ? Sign.stale + " " : "  ", .stale)
        if let cpu = entry.cpu, hasSeveralCPUs { line.add("CPU \(cpu)  ") }
        line.add("\(hex: entry.address) \(Sign.arrow) \(hex: entry.output) ")
        line.add(detail.permissions(entry.permissions), .permission)
        line.add(" level \(entry.level)", .dim)
        if entry.isStale {
          line.add("  stale", .stale)
          if detail != .plain { line.add(": \(entry.clearedBy) clears it") }
        }
        report.add(line, to: part.table.map { .place($0, entry.address) })
      }
    }
    return report
  }
}

extension TLBAnswer.Part {
  fileprivate init(
    _ title: String, _ table: TableID?, _ entries: [TLB.Entry], isOfCPUs: Bool,
    isStale: (TLB.Entry) -> Bool, clearedBy: (UInt64) -> String
  ) {
    self.title = title
    self.table = table
    self.entries = entries.sorted { ($0.address, $0.cpu) < ($1.address, $1.cpu) }.map { entry in
      TLBAnswer.Entry(
        cpu: isOfCPUs ? entry.cpu : nil, address: entry.address, output: entry.descriptor.address,
        permissions: entry.descriptor.permissions, level: entry.level, isStale: isStale(entry),
        clearedBy: clearedBy(entry.address))
    }
  }
}

extension Machine {
  /// Whether a walk of a device's table gives what the SMMU's TLB holds.
  fileprivate func gives(_ entry: TLB.Entry, in table: TableID?) -> Bool {
    guard let table, let now = walkEnd(of: entry.address, in: table),
      let output = output(of: entry.address, in: table)
    else { return false }
    return output == entry.descriptor.address && now.permissions == entry.descriptor.permissions
  }
}
