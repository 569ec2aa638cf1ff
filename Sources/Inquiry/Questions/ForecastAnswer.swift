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

  /// Number of the event, from 1.
  package let event: Int
  package let statement: String
  /// The event in words.
  package let sentence: String
  /// The changes, in their order.
  package let changes: [Change]
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
    changes = timeline.steps.dropFirst(moment.steps).compactMap {
      Change($0, in: timeline.machine)
    }
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
    for change in changes.prefix(Report.linesAtMost) {
      var line = Report.Text(change.entry == nil ? "- " : "> ", .changed)
      let entry = change.entry.map { entry in
        detail == .plain
          ? PlainWords.entry(
            entry, level: change.level, in: .stage2(bits: VMConfiguration.physicalBits))
          : Phrase.entry(entry, level: change.level)
      }
      line.add("\(detail == .plain ? change.table.plainPhrase : change.table.name) ")
      line.add("\(hex: change.address): " + (entry ?? "removed"))
      report.add(line, to: .place(change.table, change.address))
    }
    report.addRest(of: changes.count)
    if let cost {
      report.addBlank()
      report.add(Report.Text("cost  ", .dim).adding(cost.summary))
    }
    return report
  }
}

extension ForecastAnswer.Change {
  /// The change that a micro-step makes; nil if it makes none.
  fileprivate init?(_ step: Step, in machine: Machine) {
    switch step.stepClass {
    case .leafMade, .leafRelaxed, .leafWeakened, .accessFlag, .leafRemoved, .seen:
      guard let table = step.table, table != .vmmStage1, let entry = step.result else { return nil }
      let size = machine.reader(of: table)?.geometry.size(step.level) ?? step.size
      self.init(
        table: table, address: step.address & ~(size - 1), level: step.level, size: size,
        entry: entry.bits == 0 ? nil : entry)
    case .data:
      guard case .access(.stored(let value, _)) = step.action,
        let (guest, position) = machine.guestEntry(at: step.address)
      else { return nil }
      self.init(
        table: .guest(guest.vttbr.vmid), address: position.address, level: position.level,
        size: guest.geometry.size(position.level),
        entry: value == 0 ? nil : Descriptor(value))
    case .access, .deviceAccess, .walk, .fault, .deviceFault, .injection, .setting, .choice,
      .trigger, .lookUp, .lookUpMiss, .lookUpFailure, .record, .recordLost, .mapState,
      .entryBroken, .entryReplaced, .tableMade, .tableRemoved, .tableAllocated, .tableFilled,
      .tableFreed, .cleaning, .guestEntry, .sweep, .plan, .wholeShadow, .invalidation,
      .deviceInvalidation,
      .wait, .hostPage, .hostMapping, .hostArea, .ageing, .lock, .pause, .ownership, .pinning,
      .identifier, .retry, .remark, .refusal:
      return nil
    }
  }
}
