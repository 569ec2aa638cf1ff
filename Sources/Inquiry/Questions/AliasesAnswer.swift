import Engine
import Language

/// The other places where a page is mapped.
package struct AliasesAnswer: Answer {
  /// An input address that maps to the page, or would.
  package struct Place: Encodable, Sendable {
    package let table: TableID
    @Hex package private(set) var address: UInt64
    /// The entry there; nil if it is not mapped.
    package let entry: Descriptor?
    /// What the entry is; also for someone in the second year of studies.
    package let what, plain: String
  }

  @Hex package private(set) var canonical: UInt64?
  @Hex package private(set) var physical: UInt64?
  /// Where the canonical IPA leads now, if the selected entry is stale: not to `physical`.
  @Hex package private(set) var physicalNow: UInt64?
  /// The most nested addresses that one guest has for it.
  package let nestedCount: Int
  /// By table and address.
  package let places: [Place]
  /// Whether all tables were searched.
  package let isComplete: Bool
  /// Whether some table may have more places than were listed.
  package let isCut: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    var link: Link
    if let known = subject.link {
      link = known
    } else {
      let (table, address, _) = try subject.place(in: machine)
      link = Link(from: table, at: address, in: machine)
      var indexes: [InverseIndex] = []
      link.search(machine, in: &indexes, pages: .max)
    }
    nestedCount = link.aliasCount
    isComplete = link.isComplete
    isCut = link.isCut
    places = link.places.sorted { $0.key.name < $1.key.name }.flatMap {
      table, addresses -> [Place] in
      let reader = machine.reader(of: table)
      return addresses.sorted().map { Place(table, $0, reader) }
    }
    let output = link.ipa.flatMap { machine.output(of: $0, in: .canonical) }
    _physicalNow = Hex(wrappedValue: output == link.physical ? nil : output)
    _canonical = Hex(wrappedValue: link.ipa)
    _physical = Hex(wrappedValue: link.physical)
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    report.add(
      nestedCount > 1 ? "One page with \(nestedCount) nested addresses" : "The selected page",
      .title)
    if let canonical { report.add(detail.text("canonical IPA \(hex: canonical)")) }
    if let physical { report.add(detail.text("PA \(hex: physical)")) }
    if let physicalNow, let canonical {
      report.add(
        detail.text(
          "The entry is stale: canonical IPA \(hex: canonical) leads to PA \(hex: physicalNow) now."
        ),
        .warning)
    }
    if !isComplete { report.add("Still searching for other places.", .dim) }
    if isCut { report.add("Some tables may have more than \(Link.placesAtMost) places.", .dim) }
    report.addBlank()
    let digits = places.map { "\(hex: $0.address)".utf8.count }.max() ?? 0
    let letters = places.map(\.table.name.utf8.count).max() ?? 0
    for place in places {
      report.add(
        Report.Text(place.table.name.padded(to: letters + 2), .heading)
          .adding("\(hex: place.address)".padded(to: digits) + "  ").adding(
            detail == .plain ? place.plain : place.what, .dim),
        to: .place(place.table, place.address))
    }
    return report
  }
}

extension AliasesAnswer.Place {
  fileprivate init(_ table: TableID, _ address: UInt64, _ reader: TableReader?) {
    self.table = table
    _address = Hex(wrappedValue: address)
    if let reader, address < reader.geometry.inputSize,
      let (page, index) = reader.path(to: address).last, page[index].bits != 0
    {
      entry = page[index]
      what = Phrase.entry(page[index], level: page.level, in: reader.geometry)
      plain = PlainWords.entry(page[index], level: page.level, in: reader.geometry)
    } else {
      entry = nil
      what = "not mapped"
      plain = what
    }
  }
}
