import Engine
import Language

/// The entry at which a walk to an address ends: the walk, its bits by field, and for a shadow's leaf its
/// composition.
package struct EntryAnswer: Answer {
  /// One entry that the walk reads.
  package struct Stage: Encodable, Sendable {
    package let level: Int
    /// The bits of the input address that are the entry's index.
    package let high, low: Int
    package let index: Int
    /// Where the entry lies: a physical address, or a canonical IPA for a table of L1's; nil if it is not known.
    @Hex package private(set) var place: UInt64?
    package let entry: Descriptor
    /// What the entry is; also for someone in the second year of studies.
    package let what, plain: String
  }

  /// L1's entry, the host's page, and their composition.
  package struct Composition: Encodable, Sendable {
    /// A part, or the whole: bytes and permissions.
    package struct Part: Encodable, Sendable {
      package let size: UInt64
      package let permissions: Permissions

      fileprivate func text(_ detail: DetailLevel) -> String {
        "\(Phrase.size(size)) "
          + (detail == .plain ? "(\(permissions.shortWords))" : permissions.text)
      }
    }

    /// Whether the shadow has the leaf that this gives; else it has none, or a stale one.
    package fileprivate(set) var isInForce = false
    fileprivate var isStale = false
    /// Why there is nothing to compose from; else nil.
    package fileprivate(set) var missing: String?
    /// L1's leaf; nil if L1 has stage 2 off.
    package fileprivate(set) var guest: Part?
    package fileprivate(set) var host: Part?
    package fileprivate(set) var whole: Part?
    /// The level of L1's leaf, which KVM keeps in the shadow's.
    package fileprivate(set) var tag: Int?
    @Hex package fileprivate(set) var canonical: UInt64?
    @Hex package fileprivate(set) var physical: UInt64?
  }

  package let table: TableID
  @Hex package private(set) var address: UInt64
  package let walk: [Stage]
  package let fields: [DescriptorField]
  /// For a leaf of a shadow.
  package let composition: Composition?
  /// For a leaf of a device's table.
  package let disagreement: TableDisagreement?

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    let (table, address, reader) = try subject.place(in: machine)
    let geometry = reader.geometry
    let path = reader.path(to: address)
    self.table = table
    walk = path.map { page, index in
      let isFirst = page.level == geometry.startLevel
      return Stage(
        level: page.level,
        high: isFirst ? geometry.inputBits - 1 : Int(geometry.shift(page.level - 1)) - 1,
        low: Int(geometry.shift(page.level)), index: index,
        place: geometry.format.knowsPlaces ? page.place(of: index) : nil,
        entry: page[index], what: Phrase.entry(page[index], level: page.level, in: geometry),
        plain: PlainWords.entry(page[index], level: page.level, in: geometry))
    }
    var disagreement: TableDisagreement?
    var composition: Composition?
    var fields: [DescriptorField] = []
    if let (page, index) = path.last {
      var use = DescriptorField.Use.plain
      if case .shadow(let number) = table {
        use = .shadow
        // What L1's table and the canonical one say would have to be known.
        if geometry.format.knowsPlaces {
          var parts = Composition(of: address, inShadow: number, machine)
          let isLeaf = geometry.isLeaf(page[index], at: page.level)
          parts.isStale =
            isLeaf
            && machine.isStale(
              page[index], at: page.address(of: index), level: page.level, inShadow: number)
          parts.isInForce = isLeaf && parts.whole != nil && !parts.isStale
          composition = parts
        }
      } else if case .protectedGuest = table {
        use = .protectedGuest
      } else if case .iommu(let device) = table {
        if machine.configuration.iommu.table == .own { use = .device }
        disagreement =
          machine.disagreement(
            of: EntryRun(
              position: Position(page.address(of: index), level: page.level),
              descriptor: page[index], entrySize: page.entrySize), ofDevice: device)
          ?? machine.disagreement(of: reader.run(around: index, in: page), ofDevice: device)
      }
      fields = page[index].fields(level: page.level, geometry: geometry, in: use)
    }
    self.disagreement = disagreement
    self.composition = composition
    self.fields = fields
    _address = Hex(wrappedValue: address)
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    report.add(
      Report.Text("\(detail.text(Phrase.input(table)).capitalized) \(hex: address)", .title)
        .adding(" in \(detail.table(table))"))
    if let disagreement {
      report.add(
        Report.Text(disagreement.sign + "  ", disagreement.emphasis)
          .adding(detail.text(disagreement.sentence)), indent: 4)
    }
    if let composition { add(composition, to: &report, detail) }
    if detail == .plain {
      addPlainWalk(to: &report)
      return report
    }
    for stage in walk {
      report.add(
        Report.Text("L\(stage.level) ", .heading)
          .adding("[\(stage.high):\(stage.low)]=\(stage.index)".padded(to: 15), .address)
          .adding("at \(stage.place.map { "\(hex: $0)" } ?? Sign.unknown)  ", .dim)
          .adding(stage.what))
    }
    report.addBlank()
    addBits(to: &report)
    return report
  }

  /// The walk, and its last entry in textbook terms.
  private func addPlainWalk(to report: inout Report) {
    for stage in walk {
      report.add(
        Report.Text("level \(stage.level)  ", .heading)
          .adding("entry \(stage.index)".padded(to: 11), .address)
          .adding(stage.plain))
    }
    guard let last = walk.last, last.entry.isLeaf(last.level) else { return }
    report.addBlank()
    let entry = last.entry
    for (name, meaning) in [
      ("permits", entry.permissions.shortWords), ("memory", entry.memoryType.rawValue),
      ("used", entry.bits & Descriptor.accessed != 0 ? "yes" : "not yet"),
    ] {
      report.add(Report.Text(name.padded(to: 9), .dim).adding(meaning))
    }
  }

  private func add(_ composition: Composition, to report: inout Report, _ detail: DetailLevel) {
    if composition.isStale {
      report.add("\(Sign.stale) This leaf is stale: it was made from something else.", .stale)
    }
    var line = Report.Text(composition.isInForce ? "made from  " : "now from   ", .dim)
    guard let host = composition.host, let whole = composition.whole else {
      line.add(
        detail.text(composition.missing ?? ""), composition.canonical == nil ? .plain : .invalid)
      return report.add(line)
    }
    var path = "\(hex: address)"
    if let guest = composition.guest {
      line.add(detail.text("L1's") + " " + guest.text(detail), .linked)
      line.add(" and ")
      path += " \(Sign.arrow) \(hex: composition.canonical ?? 0)"
    }
    line.add("host's " + host.text(detail), .linked)
    line.add(" = ")
    line.add(whole.text(detail), .heading)
    if detail != .plain {
      line.add(composition.tag.map { ", tag \($0)" } ?? ", no tag: stage 2 is off")
    }
    report.add(line)
    report.add("through    \(path) \(Sign.arrow) \(hex: composition.physical ?? 0)", .dim)
  }

  private func addBits(to report: inout Report) {
    let bits = walk.last?.entry.bits ?? 0
    let known = walk.last?.entry.known ?? 0
    // The ruler: sixteen digits, each in the look of whoever owns its bits.
    var digits = Report.Text("0x", .dim)
    for digit in (0..<16).reversed() {
      let bit = digit * 4
      let owner = fields.first { $0.low <= bit + 3 && bit <= $0.high && $0.owner != .nobody }?.owner
      let isKnown = known >> UInt64(bit) & 15 == 15
      digits.add(
        isKnown ? String(bits >> UInt64(bit) & 15, radix: 16) : Sign.unknown,
        (owner ?? .nobody).emphasis)
      if digit % 4 == 0, digit > 0 { digits.add("_", .dim) }
    }
    report.add(digits)
    for field in fields {
      report.add(
        Report.Text(field.bits.padded(to: 6, .right) + " ", .dim)
          .adding(field.name.padded(to: 8), .heading)
          .adding(
            (field.value.map { "\(hex: $0)" } ?? Sign.unknown).padded(to: 13),
            field.owner.emphasis
          )
          .adding(field.owner.rawValue.padded(to: 4), .dim).adding(field.meaning))
    }
  }
}

extension EntryAnswer.Composition {
  /// The current composition of a shadow's leaf for a nested IPA: the smaller size, the common
  /// permissions, L1's execute-never, and the level of L1's leaf as a tag.
  fileprivate init(of nested: UInt64, inShadow number: Int, _ machine: Machine) {
    guard let derivation = machine.derivation(of: nested, inShadow: number) else {
      missing =
        machine.shadowContext(number).isValid
        ? "L1 maps nothing there, so an access is L1's fault to handle."
        : "No context uses this shadow."
      return
    }
    canonical = derivation.ipa
    guard let page = derivation.page else {
      missing = "the host has no page there"
      return
    }
    let permits = Permissions(read: true, write: page.isWritable, executeNever: 0)
    let given = derivation.guest?.descriptor.permissions ?? permits
    host = Part(size: page.size, permissions: permits)
    guest = derivation.guest.map { Part(size: $0.size, permissions: given) }
    whole = Part(
      size: min(guest?.size ?? page.size, page.size),
      permissions: Permissions(
        read: given.read, write: given.write && permits.write, executeNever: given.executeNever))
    tag = derivation.guest.map(\.level)
    physical = page.physical
  }
}
