import Canvas
import Engine
import Language

/// What the next event will change. Time goes on for it, and comes back.
struct Forecast {
  /// A change of an entry.
  struct Change: Equatable {
    let table: TableID
    let position: Position
    /// The entry afterwards; nil if it goes.
    let descriptor: Descriptor?
    let entrySize: UInt64
  }

  /// Index of the event.
  let event: Int
  /// The changes, in their order.
  private(set) var changes: [Change] = []
  /// What the event will cost.
  let cost: Cost
  /// What is said instead of changes.
  private(set) var remark: String?

  init?(of session: inout Session) {
    let moment = session.timeline.moment
    guard moment.events < session.timeline.events.count else { return nil }
    event = moment.events
    session.seek(to: Moment(events: event + 1))
    let timeline = session.timeline
    for (index, step) in timeline.steps.enumerated() where index >= moment.steps {
      if let change = Self.change(step, in: timeline.machine) { changes.append(change) }
    }
    cost = Cost(of: timeline.steps, words: timeline.stores(ofEvent: event).count)
    if changes.isEmpty { remark = timeline.steps.last { $0.stepClass == .remark }?.explanation.why }
    session.seek(to: moment)
  }

  private static func change(_ step: Step, in machine: Machine) -> Change? {
    switch step.stepClass {
    case .leafMade, .leafRelaxed, .leafWeakened, .accessFlag, .leafRemoved:
      guard let table = step.table, table != .host, let entry = step.result else { return nil }
      let size = machine.reader(of: table)?.geometry.size(step.level) ?? step.size
      return Change(
        table: table, position: Position(step.address & ~(size - 1), level: step.level),
        descriptor: entry.bits == 0 ? nil : entry, entrySize: size)
    case .data:
      guard case .access(.stored(let value, _)) = step.action,
        let (guest, position) = machine.guestEntry(at: step.address)
      else { return nil }
      let geometry = guest.vtcr.geometry
      return Change(
        table: .guest(guest.vttbr.vmid), position: position,
        descriptor: value == 0 ? nil : Descriptor(value),
        entrySize: geometry.size(position.level))
    case .access, .deviceAccess, .walk, .fault, .deviceFault, .injection, .setting, .choice,
      .trigger, .lookUp, .lookUpMiss, .lookUpFailure, .record, .recordLost, .mapState,
      .entryBroken, .entryReplaced, .tableMade, .tableRemoved, .tableAllocated, .tableFilled,
      .tableFreed, .cleaning, .guestEntry, .sweep, .plan, .invalidation, .deviceInvalidation,
      .wait, .hostPage, .hostMapping, .hostArea, .ageing, .lock, .pause, .ownership, .pinning,
      .identifier, .retry, .remark, .refusal:
      return nil
    }
  }

  /// Entries that will be there, and are not, in the order of a table.
  func rows(of table: TableID) -> [Row] {
    var rows: [Position: Row] = [:]
    for change in changes where change.table == table {
      rows[change.position] = change.descriptor.map {
        Row(
          kind: .coming, position: change.position, descriptor: $0, entrySize: change.entrySize)
      }
    }
    return rows.values.sorted { $0.position < $1.position }
  }

  /// Whether an entry of a row will change.
  func touches(_ row: Row, of table: TableID) -> Bool {
    changes.contains {
      $0.table == table && $0.position.level == row.level
        && (row.address..<row.end).contains($0.position.address)
    }
  }
}

extension Model {
  /// What the next event will change, table by table.
  var forecastAnswer: Document {
    guard let forecast else {
      return Document([Line("Nothing will happen: this is the end.", .dim)])
    }
    var document = Document()
    document.add(
      Line("\(forecast.event + 1) ", .key)
        .adding(SafeText(session.text(ofEvent: forecast.event)), .heading),
      to: .moment(Moment(events: forecast.event + 1)))
    document.add(SafeText(timeline.events[forecast.event].sentence), .dim)
    document.addBlank()
    if forecast.changes.isEmpty {
      document.add("No entry of a table will change.")
      if let remark = forecast.remark { document.add(SafeText(remark), .dim) }
    }
    for change in forecast.changes.prefix(Self.linesAtMost) {
      var line = Line(change.descriptor == nil ? "- " : "> ", .changed)
      line.add("\(SafeText(change.table.name)) \(hex: change.position.address)")
      if let entry = change.descriptor {
        line.add(": " + SafeText(Phrase.entry(entry.bits, level: change.position.level)))
      } else {
        line.add(": goes")
      }
      document.add(line, to: .place(change.table, change.position.address))
    }
    addRest(forecast.changes.count, to: &document)
    document.addBlank()
    document.add(Line("cost  ", .dim).adding(forecast.cost.summary))
    return document
  }

  /// Lines of an answer at most.
  static let linesAtMost = 500

  /// Says how many lines were left out.
  func addRest(_ count: Int, to document: inout Document) {
    if count > Self.linesAtMost { document.add("\(count - Self.linesAtMost) more", .dim) }
  }
}
