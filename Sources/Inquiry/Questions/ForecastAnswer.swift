import Engine
import Language

/// The changes by the next event, which is carried out and undone again.
package struct ForecastAnswer: Answer {
  /// A change of an entry.
  package struct Change: Encodable, Sendable {
    package let table: TableID
    @Hex package private(set) var address: UInt64
    package let level: Int
    /// Bytes that the entry covers.
    package let size: UInt64
    /// The entry afterwards; nil if it is removed.
    package let entry: Descriptor?

    /// Where the entry is.
    package var position: Position { Position(address, level: level) }
  }

  /// Entries of a table that change alike.
  package struct Run: Sendable {
    package let table: TableID
    /// The entries as they will be, or those that will be removed.
    package fileprivate(set) var entries: EntryRun
  }

  /// What is in the JSON.
  private enum CodingKeys: CodingKey {
    case event, statement, sentence, changes, remark, cost
  }

  /// Number of the event, from 1.
  package let event: Int
  package let statement: String
  /// The event in words.
  package let sentence: String
  /// Every entry that will differ from what it is now: table by table, ascending.
  package let changes: [Change]
  /// The same, with those that follow each other and become the same, or go, as one.
  package let runs: [Run]
  /// Why no entry changes; nil if some do, or the reason is unknown.
  package let remark: String?
  /// Nil if the event is nothing that happened.
  package let cost: Cost?

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let moment = session.timeline.moment
    guard moment.events < session.timeline.events.count else {
      throw Unanswerable("This is the end: no event follows.")
    }
    let event = moment.events
    session.seek(to: Moment(events: event + 1))
    let timeline = session.timeline
    self.event = event + 1
    statement = session.text(ofEvent: event)
    sentence = timeline.events[event].sentence
    var stores = timeline.stores(ofEvent: event)
    if moment.steps > 0 {
      stores = timeline.stores(ofStep: moment.steps - 1).upperBound..<stores.upperBound
    }
    let past = PastWords(before: stores, in: timeline.machine.memory)
    let changed =
      past.changedEntries(in: timeline.machine) + past.changedGuestEntries(in: timeline.machine)
    changes = changed.map { Change($0) }
    runs = changed.reduce(into: []) { $0.add($1) }
    remark =
      changes.isEmpty
      ? timeline.steps.last { $0.stepClass == .remark }?.explanation.why : nil
    cost =
      timeline.machine.configuration.isSeen
      ? nil
      : Cost(
        of: timeline.steps[...], words: timeline.stores(ofEvent: event).count, in: timeline.machine)
    session.seek(to: moment)
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if detail == .plain {
      report.add(
        Report.Text("\(event) ", .key).adding(PlainWords.sentence(sentence), .heading),
        to: .moment(Moment(events: event)))
    } else {
      report.add(
        Report.Text("\(event) ", .key).adding(statement, .heading),
        to: .moment(Moment(events: event)))
      report.add(sentence, .dim)
    }
    report.addBlank()
    if changes.isEmpty {
      report.add("No entry of a table will change.")
      if let remark { report.add(remark, .dim) }
    }
    for run in runs.prefix(Report.linesAtMost) {
      var line = Report.Text(run.entries.isRemoved ? "- " : "> ", .changed)
      line.add("\(detail == .plain ? run.table.plainPhrase : run.table.name) ")
      line.add("\(hex: run.entries.address): " + run.words(detail))
      if run.entries.count > 1 { line.add("  \(Sign.times)\(run.entries.count)", .dim) }
      report.add(line, to: .place(run.table, run.entries.address))
    }
    report.addRest(of: runs.count)
    if let cost {
      report.addBlank()
      report.add(Report.Text("cost  ", .dim).adding(cost.summary))
    }
    return report
  }
}

extension ForecastAnswer.Change {
  fileprivate init(_ change: EntryChange) {
    self.init(
      table: change.table, address: change.address, level: change.level, size: change.size,
      entry: change.after.bits == 0 ? nil : change.after)
  }
}

extension ForecastAnswer.Run {
  /// The run of one entry.
  fileprivate init(_ change: EntryChange) {
    let isRemoved = change.after.bits == 0
    self.init(
      table: change.table,
      entries: EntryRun(
        position: Position(change.address, level: change.level),
        descriptor: isRemoved ? change.before : change.after, entrySize: change.size,
        isChanged: true, isRemoved: isRemoved))
  }

  /// The entries afterwards, in words.
  fileprivate func words(_ detail: DetailLevel) -> String {
    let (entry, level) = (entries.descriptor, entries.level)
    if entries.isRemoved {
      return entry.isTable(level) ? "table of level \(level + 1) removed" : "removed"
    }
    return detail == .plain
      ? PlainWords.entry(entry, level: level, in: .stage2(bits: VMConfiguration.physicalBits))
      : Phrase.entry(entry, level: level)
  }
}

extension [ForecastAnswer.Run] {
  /// Adds an entry, extending the last run if it continues it.
  fileprivate mutating func add(_ change: EntryChange) {
    let next = ForecastAnswer.Run(change)
    if let last, last.table == next.table, self[count - 1].entries.join(next.entries) { return }
    append(next)
  }
}
