import Engine
import Import
import Inquiry
import Language
import Observation

/// The first row in which a table that was seen is not the model's: both walks to it, and what the model did
/// there last.
struct Discrepancy: Encodable {
  /// An entry that a walk reads.
  struct Stage: Encodable {
    let level: Int
    let index: Int
    let what: String
    /// The bits of the entry; nil if not all of them are known.
    let entry: String?
  }

  /// The row of a dump that tells the last entry of a walk.
  struct Row: Encodable {
    /// The file, and its line from 1.
    let place: String
    let text: String
  }

  /// What the model did, and where the kernel would do it.
  struct Cause: Encodable {
    let moment: String
    /// What the micro-step did, and why.
    let what, why: String
    /// File and function of the kernel.
    let function: String?
    let statement: String
    /// Where the statement stands.
    let position: String
    /// Where the call of a real kernel stands that the statement is made of; nil if it is none.
    let recorded: String?
  }

  /// The label of the moment at which the table was seen.
  let moment: String
  let table: String
  /// Where it differs, as a sentence.
  let sentence: String
  /// The first input address that differs; nil if it is the registers of a shadow, or whether it is in use.
  let address: String?
  /// The walk that the dump tells; empty if it says nothing of the address.
  let observed: [Stage]
  let row: Row?
  let predicted: [Stage]
  /// The model's last change of the entry; nil if there was none.
  let cause: Cause?

  /// What differs first, with the session at the moment at which the table was seen. The session goes to the
  /// cause.
  init(
    _ difference: Judgement.Difference, in chapter: RecordedChapter, _ session: inout Session
  ) {
    moment = chapter.label
    table = difference.table.name
    sentence = difference.sentence
    let table = chapter.tables.first { $0.id == difference.table }?.table
    guard let change = difference.change,
      let reader = session.timeline.machine.reader(of: difference.table)
    else {
      (address, observed, row, predicted, cause) = (nil, [], nil, [], nil)
      return
    }
    let address = change.range.lowerBound
    self.address = Phrase.address(address)
    observed = table.map { Self.walk(to: address, in: $0, reader.geometry) } ?? []
    row = table.flatMap { table in
      change.before.map { run in
        let source = chapter.sources[difference.table] ?? chapter.label
        return Row(
          place: run.line > 0 ? "\(source):\(run.line)" : source,
          text: ObservedText.line(run, table))
      }
    }
    predicted = reader.path(to: address).map { page, index in
      Stage(
        level: page.level, index: index, what: Phrase.entry(page[index], level: page.level),
        entry: "0x\(hex(page[index].bits, 16))")
    }
    cause = Self.cause(of: difference.table, address, &session)
  }

  /// The entries on the way to an address as a dump tells them: where a row has a level, the tables above it
  /// must be there.
  private static func walk(
    to address: UInt64, in table: ObservedTable, _ geometry: Geometry
  ) -> [Stage] {
    guard let run = table.run(at: address), run.level >= geometry.startLevel else { return [] }
    func stage(_ level: Int, _ what: String, _ entry: String? = nil) -> Stage {
      let index = address >> geometry.shift(level)
      return Stage(
        level: level,
        index: Int(
          level == geometry.startLevel
            ? index : index & (UInt64(geometry.tableEntries) - 1)), what: what, entry: entry)
    }
    let level = Int(run.level)
    return (geometry.startLevel..<level).map { stage($0, "table") } + [
      stage(
        level, Phrase.entry(table.entry(of: run, at: address), level: level),
        table.known == ~0 ? "0x\(hex(run.descriptor.bits, 16))" : nil)
    ]
  }

  private static func cause(
    of table: TableID, _ address: UInt64, _ session: inout Session
  ) -> Cause? {
    var subject = Subject()
    subject.table = table
    subject.address = address
    guard let answer = try? ProvenanceAnswer(about: subject, in: &session),
      let found = answer.causes.first
    else { return nil }
    session.seek(to: found.moment)
    let step = (try? ExplainAnswer(about: Subject(), in: &session))?.step
    let event = session.timeline.currentEvent
    let origin = event.map { session.origin(ofEvent: $0) }
    return Cause(
      moment: found.moment.name, what: found.what, why: found.why, function: step?.source,
      statement: event.map { session.text(ofEvent: $0) } ?? "",
      position: origin.map { session.scenario.position(of: $0) } ?? session.scenario.file,
      recorded: event.flatMap { session.source(ofEvent: $0) })
  }

  /// For a person.
  var lines: [String] {
    var lines = ["\(moment): \(sentence)"]
    guard address != nil else { return lines }
    func add(_ head: String, _ walk: [Stage]) {
      lines += ["", head]
      for stage in walk {
        lines.append(
          "  level \(stage.level) [\(stage.index)] \(stage.entry.map { "\($0) " } ?? "")\(stage.what)"
        )
      }
    }
    add("observed\(row.map { ", \($0.place)" } ?? ""):", observed)
    if let row { lines.append("  by the row \(row.text)") }
    if observed.isEmpty { lines.append("  the dump says nothing of the address") }
    add("predicted:", predicted)
    guard let cause else { return lines + ["", "The model never stored anything there."] }
    lines += ["", "the model's last change there, at \(cause.moment): \(cause.what)"]
    if !cause.why.isEmpty { lines.append("  \(cause.why)") }
    if let function = cause.function { lines.append("  \(function)") }
    lines.append("  in \(cause.position): \(cause.statement)")
    if let recorded = cause.recorded, recorded != cause.position {
      lines.append("  of \(recorded)")
    }
    return lines
  }
}

/// How a scenario compares with tables that were seen, up to the first that differs.
struct ComparisonRecord: Encodable {
  /// How many tables were found to be equal.
  private(set) var equal = 0
  /// What differs first; nil if nothing does.
  private(set) var difference: Discrepancy?

  /// Holds tables against a session that was carried out, which goes to the moments and to the cause.
  ///
  /// - Parameter moments: what was seen, each with the moment that it is held against.
  init(_ moments: [(chapter: RecordedChapter, moment: Moment)], in session: inout Session) {
    for (chapter, moment) in moments {
      session.seek(to: moment)
      let judgement = Judgement(chapter, with: session.timeline.machine)
      equal += judgement.compared - judgement.differences.count
      if let found = judgement.differences.first {
        difference = Discrepancy(found, in: chapter, &session)
        return
      }
    }
  }

  /// The moments of a session that have the names of what was seen.
  static func moments(
    _ chapters: [RecordedChapter], in session: Session
  ) -> [(chapter: RecordedChapter, moment: Moment)] {
    chapters.compactMap { chapter in
      session.moment(named: "chapter:\(chapter.label)").map { (chapter, $0) }
    }
  }
}
