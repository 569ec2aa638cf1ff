import Engine
import Language

/// The current event, the selected micro-step, and the reason for it.
package struct ExplainAnswer: Answer {
  /// A micro-step in words.
  package struct StepWords: Encodable, Sendable {
    /// Its number in the event, from 1.
    package let number: Int
    package let label: String
    package let what: String
    package let why: String
    /// The same in at most two sentences without abbreviations.
    package let plain: String
    package let source: String
    /// The words that it has stored so far; none if they were not asked for.
    package let words: [Word]
  }

  /// A word that was stored.
  package struct Word: Encodable, Sendable {
    @Hex package private(set) var address: UInt64
    @Hex package private(set) var old: UInt64
    @Hex package private(set) var new: UInt64
  }

  /// What was seen at a moment: since the one before, what changed.
  package struct Changed: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
      package let table: TableID
      @Hex package fileprivate(set) var range: Range<UInt64>
      package let what: String
      /// The same without abbreviations.
      package let plain: String
      /// Where it stands.
      package let from: String?
      /// Whether it maps anything, or something was mapped there at the moment before.
      package let isMapping: Bool
    }

    /// The label of the moment before; nil at the first.
    package let since: String?
    /// The label of this moment.
    package let now: String
    /// The title of this moment.
    package let title: String
    package let rows: [Row]
  }

  /// What is there before the first event.
  package struct World: Encodable, Sendable {
    package let title: String
    package let machine: String
    /// Whether only its tables were seen, so that what is ahead are rows of dumps.
    package let isSeen: Bool
    package let events: Int
    package let chapters: Int
  }

  package let moment: Moment
  /// Number of the event, from 1; nil before the first.
  package let event: Int?
  package let statement: String?
  /// The event in words.
  package let sentence: String?
  /// Where a call or a row of a real kernel stands; nil for an event of the model.
  package let from: String?
  /// How an access, or a call that fails, ended, once it is over.
  package let outcome: String?
  /// That the event has changed no table, and why; nil if it has.
  package let nothing: String?
  /// The selected micro-step.
  package let step: StepWords?
  package let cost: Cost?
  /// Rules broken now; nil if not checked yet.
  package let breaches: [Breach]?
  /// At a moment at which tables were seen, what was new; else nil.
  package let changed: Changed?
  /// Before the first event.
  package let world: World?

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let timeline = session.timeline
    moment = timeline.moment
    guard let event = timeline.currentEvent else {
      self.event = nil
      (statement, sentence, from, outcome, nothing, step, cost, breaches, changed) = (
        nil, nil, nil, nil, nil, nil, nil, nil, nil
      )
      world = World(of: session)
      return
    }
    world = nil
    self.event = event + 1
    statement = session.text(ofEvent: event)
    sentence =
      timeline.steps.contains { $0.action == .pause(.unused) }
      ? "No event is stopped, so none continues."
      : timeline.events[event].sentence.capitalized
    let changes = subject.changes ?? Changes(in: timeline)
    from = session.source(ofEvent: event)
    cost = timeline.machine.configuration.isSeen ? nil : changes.cost
    let isWhole = timeline.stepsDone == timeline.steps.count
    if isWhole, case .access = timeline.events[event] {
      outcome = timeline.machine.lastOutcome.sentence
    } else if isWhole, let last = timeline.steps.last,
      case .end(.failed(let error, _)) = last.action
    {
      outcome = "It fails with \(error.name)."
    } else {
      outcome = nil
    }
    nothing =
      isWhole && changes.isEmpty
      ? Self.nothingChanged(timeline.steps, changes, timeline.machine) : nil
    let current =
      timeline.stepsDone < timeline.steps.count ? timeline.stepsDone - 1 : changes.cost.keyStep
    step = (subject.step ?? current).flatMap { index in
      timeline.steps.indices.contains(index)
        ? StepWords(index, in: timeline, subject.wantsWords) : nil
    }
    breaches = Breach.all(in: &session, subject.audit)
    changed = Changed(in: &session)
  }

  private static func nothingChanged(
    _ steps: [Step], _ changes: Changes, _ machine: Machine
  ) -> String {
    let owners = OwnersAnswer.sentence(machine.ownerChanges(since: changes.past), in: machine)
    let nothing =
      changes.changesHost
      ? "Only the VMM's own table changed." + (owners.map { " " + $0 } ?? "")
      : owners ?? "No table changed."
    if let reason = steps.last(where: { $0.stepClass == .remark })?.explanation.why {
      return reason.isEmpty ? nothing : nothing + " " + reason
    }
    let isTranslated = steps.contains {
      if case .access(.translated) = $0.action { true } else { false }
    }
    let isCached = steps.contains {
      if case .access(.cached) = $0.action { true } else { false }
    }
    return nothing
      + (isTranslated
        ? " The walk found what the access needs."
        : isCached ? " The TLB held what the access needs." : "")
  }

  /// Maximum number of breaches shown here; the rules question lists all.
  private static let breachesAtMost = 3

  /// Adds the event's own breaches in full, and the places of earlier ones.
  private func addBreaches(to report: inout Report) {
    guard let breaches, !breaches.isEmpty else { return }
    let own = breaches.filter { $0.since == event }
    let all = own + breaches.filter { $0.since != event }
    for (index, breach) in all.prefix(Self.breachesAtMost).enumerated() {
      if index == 0 || index < own.count, index < 2 {
        breach.add(to: &report)
      } else {
        breach.addHead(to: &report)
      }
    }
    if all.count > Self.breachesAtMost {
      report.add("  \(count(all.count - Self.breachesAtMost, "more violation"))", .dim)
    }
  }

  /// Maximum number of words listed for a step.
  private static let wordsAtMost = 64

  package func report(_ detail: DetailLevel) -> Report {
    if let world { return world.report(detail) }
    if let changed { return changed.report(detail) }
    if detail == .plain { return plainReport }
    var report = Report(sentence ?? "", .title)
    if let from { report.add("from \(from)", .dim) }
    if let outcome { report.add(outcome) }
    if let nothing { report.add(nothing, .warning) }
    addBreaches(to: &report)
    report.addBlank()
    if let step {
      report.add(
        Report.Text("\(step.number) ", .dim).adding(step.label, .heading).adding("  " + step.what))
      if !step.why.isEmpty { report.add(step.why) }
      report.add(step.source, .dim)
      if detail == .bits {
        for word in step.words.prefix(Self.wordsAtMost) {
          report.add(
            Report.Text("\(hex: word.address)  ", .address)
              .adding("\(hex: word.old) \(Sign.arrow) \(hex: word.new)"))
        }
        if step.words.count > Self.wordsAtMost {
          report.add("\(step.words.count - Self.wordsAtMost) more words", .dim)
        }
      }
    }
    if let cost {
      report.addBlank()
      report.add(Report.Text("cost  ", .dim).adding(cost.summary))
    }
    return report
  }

  /// For a second-year student: what happens, and the step in two sentences.
  private var plainReport: Report {
    var report = Report(PlainWords.sentence(sentence ?? ""), .title)
    for text in [outcome, nothing].compactMap({ $0 }) {
      let text = PlainWords.sentence(text)
      if PlainWords.arePlain(text) { report.add(text) }
    }
    for breach in (breaches ?? []).prefix(Self.breachesAtMost) { breach.addPlain(to: &report) }
    if let step {
      report.addBlank()
      report.add(Report.Text("Step \(step.number)  ", .dim).adding(step.plain))
    }
    return report
  }
}

extension ExplainAnswer.StepWords {
  fileprivate init(_ index: Int, in timeline: Timeline, _ wantsWords: Bool) {
    let explanation = timeline.steps[index].explanation
    number = index + 1
    label = explanation.label
    what = explanation.what
    why = explanation.why
    plain = timeline.steps[index].plain
    source = explanation.source.description
    words = wantsWords && index < timeline.stepsDone ? Self.words(ofStep: index, in: timeline) : []
  }

  /// The words that the step stored: the old value, and the value until a later store. O(n) in the event's stores.
  private static func words(ofStep index: Int, in timeline: Timeline) -> [ExplainAnswer.Word] {
    let memory = timeline.machine.memory
    let own = timeline.stores(ofStep: index)
    var later: [Int: UInt64] = [:]
    for store in (own.upperBound..<max(own.upperBound, memory.position)).reversed() {
      let (slot, old) = memory.journalEntry(store)
      later[slot] = old
    }
    return own.reversed().map { store in
      let (slot, old) = memory.journalEntry(store)
      let new = later[slot] ?? memory.load(slot)
      later[slot] = old
      return ExplainAnswer.Word(address: Memory.address(ofSlot: slot), old: old, new: new)
    }.reversed()
  }
}

extension ExplainAnswer.Changed {
  fileprivate init?(in session: inout Session) {
    guard let sight = session.sight else { return nil }
    let moment = session.timeline.moment
    since = sight.before?.label
    now = sight.chapter.label
    title = sight.chapter.text
    // The rows are made there, so that the machine need not be copied.
    session.seek(to: Moment(events: sight.rows.lowerBound))
    var rows: [Row] = []
    for event in sight.rows {
      guard case .recorded(let call) = session.timeline.events[event] else { continue }
      let row = Row(call, session.timeline.machine, from: session.source(ofEvent: event))
      if let row { rows.append(row) }
    }
    self.rows = rows
    session.seek(to: moment)
  }

  fileprivate func report(_ detail: DetailLevel) -> Report {
    var report = Report(title.isEmpty ? now : "\(now)  \(title)", .title)
    let rowCount = count(rows.count, "row") + " of dumps."
    report.add(
      since.map {
        "Changed between \($0) and \(now), by what and in which order is not known: \(rowCount)"
      } ?? "Seen at \(now): \(rowCount)")
    report.addBlank()
    let mapping = rows.filter(\.isMapping)
    for row in mapping.prefix(Report.linesAtMost) {
      report.add(
        Report.Text(row.table.name + " ", .heading)
          .adding(row.range.isEmpty ? "" : "\(hex: row.range.lowerBound) ", .address)
          .adding(row.range.isEmpty ? "" : Phrase.size(row.range.size) + "  ", .dim)
          .adding(detail == .plain ? row.plain : row.what)
          .adding(row.from.map { "  \($0)" } ?? "", .dim),
        to: .place(row.table, row.range.lowerBound))
    }
    report.addRest(of: mapping.count)
    if mapping.count < rows.count {
      report.add(
        "\(count(rows.count - mapping.count, "row")) where nothing is mapped, nor was.", .dim)
    }
    return report
  }
}

extension ExplainAnswer.Changed.Row {
  /// A row of a dump; nil for a call, which is none.
  ///
  /// - Parameter before: the machine as it was at the moment before.
  fileprivate init?(_ call: RecordedCall, _ before: Machine, from: String?) {
    self.from = from
    let range: Range<UInt64>
    func wasMapped(_ table: TableID, _ range: Range<UInt64>) -> Bool {
      before.reader(of: table)?.mappedRange(from: range.lowerBound)
        .map { range.overlaps($0.range) } ?? false
    }
    switch call {
    case .seen(let table, let seen, let level, let first):
      (self.table, range) = (table, seen)
      let entry = Descriptor(first.bits, before.configuration.evidence.format)
      what = "level \(level), \(Phrase.entry(entry, level: level))"
      plain = PlainWords.entry(
        entry, level: level, in: .stage2(bits: VMConfiguration.physicalBits, entry.format))
      isMapping = entry.bits != 0 || wasMapped(table, seen)
    case .unseen(let table, let unseen):
      // Before a dump is read, nothing is told, which is no row of it.
      if !wasMapped(table, unseen) { return nil }
      (self.table, range, isMapping) = (table, unseen, true)
      (what, plain) = ("not told", "not told")
    case .unused(let table):
      (self.table, range, isMapping) = (table, 0..<0, true)
      (what, plain) = ("serves nobody", "serves nobody")
    case .context(let table, let vttbr, _, let isOn):
      (self.table, range, isMapping) = (table, 0..<0, true)
      what =
        "serves VTTBR \(hex: vttbr), L1's VMID \(VTTBR(vttbr).vmid)" + (isOn ? "" : ", stage 2 off")
      plain = PlainWords.expand(what)
    case .seenEntry(let table, let seen, let nested):
      (self.table, range, isMapping) = (table, seen, true)
      what = "reverse map \(Sign.arrow) " + (nested.map { "\(hex: $0)" } ?? "unknown")
      plain =
        "in the reverse map, at "
        + (nested.map { "the guest's address \(hex: $0)" } ?? "an unknown address of the guest")
    case .seenNoEntry(let table, let seen):
      // Where nothing was told before, nothing went.
      if let from = before.unseenMap(of: table), seen.lowerBound >= from { return nil }
      (self.table, range, isMapping) = (table, seen, true)
      (what, plain) = ("not in the reverse map", "not in the reverse map")
    case .unseenMap(let table, let from):
      if let old = before.unseenMap(of: table), old <= from { return nil }
      (self.table, range, isMapping) = (
        table, from..<1 << UInt64(before.configuration.ipaBits), true
      )
      (what, plain) = ("reverse map not told", "what the reverse map holds was not told")
    case .map, .relax, .unmap, .take, .writeProtect, .split, .age, .invalidate, .invalidateRange,
      .emptyShadows:
      return nil
    }
    _range = Hex(wrappedValue: range)
  }
}

extension Machine {
  /// From where on the reverse map of a shadow is not told; nil if it is, or the table is no shadow.
  fileprivate func unseenMap(of table: TableID) -> UInt64? {
    guard case .shadow(let number) = table else { return nil }
    return reverseMapUnseen(ofShadow: number)
  }
}

extension ExplainAnswer.World {
  fileprivate init(of session: Session) {
    let configuration = session.scenario.configuration
    title = session.scenario.title
    isSeen = configuration.isSeen
    let shadows = "\(configuration.shadows) shadow tables"
    let bits = "\(configuration.ipaBits) bits of IPA"
    // No dump tells how many vCPUs there are, nor that there are no shadows.
    machine =
      isSeen
      ? "A VM whose tables were seen, with \(bits)\(configuration.nested ? ", and \(shadows)" : "")."
      : "A VM with \(bits), \(count(configuration.vcpus, "vCPU")), "
        + (configuration.nested ? "nested: \(shadows)." : "not nested.")
    events = session.scenario.eventCount
    chapters = session.scenario.statements.besidesEvents.count {
      if case .chapter = $0.kind { true } else { false }
    }
  }

  fileprivate func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    if !title.isEmpty {
      report.add(title, .title)
      report.addBlank()
    }
    report.add(detail == .plain ? PlainWords.sentence(machine) : machine)
    report.add(
      isSeen
        ? "\(count(events, "row")) of dumps at \(count(chapters, "moment")) lie ahead."
        : "\(count(events, "event")) in \(count(chapters, "chapter")) lie ahead.")
    return report
  }
}
