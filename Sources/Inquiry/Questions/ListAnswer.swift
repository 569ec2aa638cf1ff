import Engine
import Language

/// Entries that meet a condition, table by table.
package struct ListAnswer: Answer {
  package struct Row: Encodable, Sendable {
    package let table: TableID
    /// Input addresses.
    @Hex package private(set) var range: Range<UInt64>
    package let level: Int
    /// Number of entries.
    package let entries: Int
    /// The first of them.
    package let entry: Descriptor
    /// What that is.
    package let what: String
    /// Where a leaf leads, and what it permits.
    @Hex package private(set) var output: UInt64?
    package let permissions: Permissions?
    /// Whether the last event removed it.
    package let isRemoved: Bool
  }

  package let filter: String
  package let rows: [Row]
  /// Whether there were more entries than were examined.
  package let isCut: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let found = try MatchingEntries(about: subject, in: session)
    filter = subject.text
    isCut = found.isCut
    rows = found.tables.flatMap { table in
      table.runs.map { run in
        let geometry = table.geometry
        let isLeaf = geometry.isLeaf(run.descriptor, at: run.level)
        return Row(
          table: table.id, range: run.range, level: run.level, entries: run.count,
          entry: run.descriptor,
          what: Phrase.entry(run.descriptor, level: run.level, in: geometry),
          output: isLeaf && geometry.format.knowsOutputs
            ? geometry.output(of: run.descriptor, at: run.level) : nil,
          permissions: isLeaf ? run.descriptor.permissions : nil, isRemoved: run.isRemoved)
      }
    }
  }

  package var isNo: Bool { rows.isEmpty }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if rows.isEmpty { report.add("No entry meets this condition.") }
    let shown = rows.prefix(Report.linesAtMost)
    let names = shown.map(\.table.name.utf8.count).max() ?? 0
    let digits = shown.map { "\(hex: $0.range.lowerBound)".utf8.count }.max() ?? 0
    for row in shown {
      var line = Report.Text(row.table.name.padded(to: names) + "  ", .heading)
      line.add("L\(row.level) ", .dim)
      line.add("\(hex: row.range.lowerBound)".padded(to: digits) + " ", .address)
      line.add(
        "+\(Phrase.size(row.range.size))".padded(to: 6) + " ", .dim)
      if let permissions = row.permissions {
        line.add("\(Sign.arrow) \(row.output.map { "\(hex: $0)" } ?? Sign.unknown) ")
        line.add(detail.permissions(permissions), .permission)
      } else {
        line.add(detail.text(row.what))
      }
      if row.entries > 1 { line.add("  \(Sign.times)\(row.entries)", .dim) }
      if row.isRemoved { line.add("  removed", .changed) }
      report.add(line, to: .place(row.table, row.range.lowerBound))
    }
    report.addRest(of: rows.count)
    if isCut { report.add("The tables are large; not all entries were looked at.", .warning) }
    return report
  }
}

/// The number of entries that meet a condition, table by table.
package struct CountAnswer: Answer {
  package struct Row: Encodable, Sendable {
    package let table: TableID
    package let entries: Int
  }

  package let filter: String
  package let tables: [Row]
  package let total: Int
  /// Whether there were more entries than were examined.
  package let isCut: Bool

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let found = try MatchingEntries(about: subject, in: session)
    filter = subject.text
    isCut = found.isCut
    tables = found.tables.map { table in
      Row(table: table.id, entries: table.runs.reduce(0) { $0 + $1.count })
    }
    total = tables.reduce(0) { $0 + $1.entries }
  }

  package var isNo: Bool { total == 0 }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    let names = (tables.map(\.table.name.utf8.count) + [5]).max() ?? 0
    for row in tables {
      report.add(
        Report.Text(row.table.name.padded(to: names), .heading)
          .adding("\(row.entries)".padded(to: 10, .right)))
    }
    if tables.count != 1 {
      report.add(
        Report.Text("total".padded(to: names), .title)
          .adding("\(total)".padded(to: 10, .right)))
    }
    if isCut { report.add("The tables are large; not all entries were looked at.", .warning) }
    return report
  }
}

/// The entries of tables that meet a condition, contiguous neighbours as one.
private struct MatchingEntries {
  struct Table {
    let id: TableID
    let geometry: Geometry
    var runs: [EntryRun] = []
  }

  private(set) var tables: [Table] = []
  private(set) var isCut = false

  private static let entriesAtMost = 2_000_000

  init(about subject: Subject, in session: Session) throws(Unanswerable) {
    let machine = session.timeline.machine
    var filter: Filter?
    do throws(FilterError) {
      if !subject.text.isEmpty { filter = try Filter(parsing: subject.text, for: .entries) }
    } catch {
      throw Unanswerable(error.message)
    }
    if let filter, filter.usesOutputs, !machine.configuration.knowsOutputs {
      throw Unanswerable(Question.Need.outputs.refusal)
    }
    let changes = filter?.uses(.changed) ?? false ? Changes(in: session) : Changes()
    var left = Self.entriesAtMost
    for id in subject.table.map({ [$0] }) ?? machine.tableIDs {
      guard let reader = machine.reader(of: id) else {
        throw Unanswerable("\(Phrase.table(id).capitalized) does not exist now.")
      }
      let facts = filter.map { EntryFacts(for: $0, of: id, reader, in: machine) }
      var table = Table(id: id, geometry: reader.geometry)
      func holds(_ run: EntryRun) -> Bool {
        guard let filter, let facts else { return true }
        return facts.holds(filter, for: run)
      }
      reader.visitEntries { page, index in
        left -= 1
        let run = EntryRun(
          position: Position(page.address(of: index), level: page.level),
          descriptor: page[index], entrySize: page.entrySize,
          isChanged: page.mayDiffer(from: changes.past)
            && page.entry(index, in: changes.past) != page[index])
        if holds(run) { table.add(run) }
        return left > 0
      }
      isCut = isCut || facts?.isCut ?? false
      table.runs += (changes.removed[id] ?? []).filter(holds)
      table.runs.sort { $0.position < $1.position }
      tables.append(table)
    }
    isCut = isCut || left <= 0
  }
}

extension MatchingEntries.Table {
  /// Adds an entry, extending the last run if it continues it.
  fileprivate mutating func add(_ run: EntryRun) {
    if runs.isEmpty || !runs[runs.count - 1].join(run) { runs.append(run) }
  }
}
