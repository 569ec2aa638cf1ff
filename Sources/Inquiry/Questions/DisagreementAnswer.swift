import Engine
import Language

/// Where devices' tables differ from the CPUs' table, and whether they may: the same as the signs in the
/// rows of a device's table, for all of its entries.
package struct DisagreementAnswer: Answer {
  package struct Item: Encodable, Sendable {
    package let table: TableID
    /// Input addresses of the entries.
    @Hex package private(set) var range: Range<UInt64>
    /// Of the first entry.
    package let disagreement: TableDisagreement
    /// Number of entries that follow each other and differ alike.
    package private(set) var entries = 1

    /// Adds the next item, if it follows and differs alike.
    fileprivate mutating func join(_ next: Item) -> Bool {
      guard next.table == table, next.range.lowerBound == range.upperBound,
        disagreement.isContinued(by: next.disagreement, after: range.size)
      else { return false }
      range = range.lowerBound..<next.range.upperBound
      entries += 1
      return true
    }
  }

  package let items: [Item]
  /// Whether there were more entries than were compared.
  package let isCut: Bool

  private static let entriesAtMost = 50_000

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    var items: [Item] = []
    var left = Self.entriesAtMost
    for id in subject.table.map({ [$0] }) ?? machine.tableIDs {
      guard case .iommu(let device) = id, let cpus = machine.cpuReader(besideDevice: device),
        let reader = machine.reader(of: id)
      else { continue }
      var leaf = reader.mappedRange(from: 0)
      while let now = leaf, left > 0 {
        var address = now.range.lowerBound
        while address < now.range.upperBound, left > 0 {
          left -= 1
          let (other, end) = cpus.leaf(at: address)
          let next = min(end, now.range.upperBound)
          if let found = machine.disagreement(of: now, at: address, device: device, with: other) {
            let item = Item(table: id, range: address..<next, disagreement: found)
            if items.isEmpty || !items[items.count - 1].join(item) { items.append(item) }
          }
          address = next
        }
        leaf = reader.mappedRange(from: now.range.upperBound)
      }
    }
    self.items = items
    isCut = left <= 0
  }

  package var isNo: Bool { items.contains { $0.disagreement.isForbidden } }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if items.isEmpty { report.add("The devices' tables and the CPUs' agree.") }
    for item in items.prefix(Report.linesAtMost) {
      let isOne = item.entries == 1
      let pages = count(Int(item.range.size / Page.size), "page")
      let place =
        isOne
        ? "+\(Phrase.size(item.range.size))  "
        : " to \(hex: item.range.upperBound - 1): \(pages) in \(item.entries) entries  "
      report.add(
        Report.Text(item.disagreement.sign + "  ", item.disagreement.emphasis)
          .adding(
            "\(detail == .plain ? item.table.plainPhrase : item.table.name) "
              + "\(hex: item.range.lowerBound)"
          )
          .adding(place, .dim)
          .adding(isOne ? item.disagreement.sentence : item.disagreement.sentenceOfAll),
        to: .place(item.table, item.range.lowerBound), indent: 4)
    }
    report.addRest(of: items.count)
    if isCut { report.add("The tables are large; not all was compared.", .warning) }
    return report
  }
}
