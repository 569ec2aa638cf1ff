import Engine
import Language

/// Why an entry is as it is: the step that stored it, what led to that, and so on back to a cause.
package struct ProvenanceAnswer: Answer {
  /// A cause: a micro-step, or an event.
  package struct Cause: Encodable, Sendable {
    /// The heading that begins with it, as a sentence; nil if it continues the previous one.
    package let heading: String?
    /// How it is related to what it caused.
    package let relation: String
    /// The moment after it.
    package let moment: Moment
    /// The label of the micro-step; nil for an event.
    package let label: String?
    /// What the micro-step did, or the statement of the event.
    package let what: String
    /// The reason for the micro-step, or the event in words.
    package let why: String
    /// The micro-step, or the event, for a second-year student.
    package let plain: String
  }

  package let table: TableID
  @Hex package private(set) var address: UInt64
  package let level: Int
  package let entry: Descriptor
  /// What the entry is; also for someone in the second year of studies.
  package let what, plain: String
  /// The nearest first; empty if nothing was ever stored there.
  package let causes: [Cause]
  /// Rules that the entry breaks.
  package let breaches: [Breach]

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    let (table, address, reader) = try subject.place(in: session.timeline.machine)
    guard let (page, index) = reader.path(to: address).last else {
      throw Unanswerable("There is no entry for \(hex: address).")
    }
    let moment = session.timeline.moment
    var search = CauseSearch(table, address, reader.geometry)
    search.run(page, index, in: &session)
    session.seek(to: moment)
    breaches = (Breach.all(in: &session, subject.audit) ?? []).filter {
      $0.concerns(address, in: table)
    }
    self.table = table
    level = page.level
    entry = page[index]
    what = Phrase.entry(entry, level: level, in: reader.geometry)
    plain = PlainWords.entry(entry, level: level, in: reader.geometry)
    causes = search.causes
    _address = Hex(wrappedValue: address)
  }

  package func report(_ detail: DetailLevel) -> Report {
    var report = Report()
    report.add(
      "\(detail.text(Phrase.input(table)).capitalized) \(hex: address) in \(detail.table(table))",
      .title)
    report.add("now: level \(level), \(detail == .plain ? plain : what)")
    for breach in breaches { breach.add(to: &report) }
    report.addBlank()
    if causes.isEmpty {
      report.add("Nothing was ever stored there.")
    }
    for cause in causes {
      if let heading = cause.heading {
        report.addBlank()
        report.add(detail.text(heading).capitalized, .dim)
      }
      var line = Report.Text(cause.relation.padded(to: 11), .dim)
      line.add(cause.moment.name + " ", .key)
      if detail == .plain {
        report.add(line.adding(cause.plain), to: .moment(cause.moment), indent: 11)
        continue
      }
      if let label = cause.label {
        line.add(label + " ", .heading)
        line.add(cause.what)
      } else {
        line.add(cause.what, .heading)
      }
      report.add(line, to: .moment(cause.moment))
      if !cause.why.isEmpty { report.add(Report.Text("  ").adding(cause.why, .dim)) }
    }
    return report
  }
}

/// Searches back through a history for the causes of an entry.
private struct CauseSearch {
  private(set) var causes: [ProvenanceAnswer.Cause] = []
  private let table: TableID
  private let address: UInt64
  private let geometry: Geometry
  private var heading: String?

  /// Maximum number of events searched for one cause.
  private static let eventsAtMost = 5_000

  init(_ table: TableID, _ address: UInt64, _ geometry: Geometry) {
    self.table = table
    self.address = address
    self.geometry = geometry
  }

  /// The micro-step of a store, with all of its event.
  fileprivate struct Link {
    let event: Int
    let index: Int
    let steps: [Step]
    var step: Step { steps[index] }
  }

  mutating func run(_ page: TablePage, _ index: Int, in session: inout Session) {
    guard let link = lastChange(of: page, index, in: &session) else { return }
    add(
      step: link.index, of: link,
      link.step.stepClass == .seen ? "told by" : link.step.removes ? "removed by" : "stored by")
    for cause in link.causes(of: output(of: page, index)) {
      add(step: cause, of: link, "because of")
    }
    add(event: link.event, "in", session)
    addOrigins(of: link, in: &session)
    if link.step.removes,
      let maker = event(
        before: link.event, in: &session, where: { $0.stepClass == .leafMade && concerns($0) })
    {
      heading = "Before that it had been made in"
      add(event: maker, "", session)
    }
  }

  /// Where the leaf leads that the address ends in; nil for another entry.
  private func output(of page: TablePage, _ index: Int) -> UInt64? {
    guard geometry.isLeaf(page[index], at: page.level) else { return nil }
    return geometry.output(of: page[index], at: page.level) + address - page.address(of: index)
  }

  /// The micro-step that gave an entry its value: the last store to it, or the removal of its leaf if its
  /// table was freed. Nil if there never was one.
  private func lastChange(of page: TablePage, _ index: Int, in session: inout Session) -> Link? {
    if case .guest = table {
      return lastStore(toGuestWord: page.place(of: index), in: &session).map {
        step(ofStore: $0, in: &session)
      }
    }
    let memory = session.timeline.machine.memory
    let store = memory.lastStore(toAny: page.slots(of: index), in: 0..<memory.position)
    guard let store else { return nil }
    let stored = step(ofStore: store, in: &session)
    if page.level == Geometry.lastLevel || page[index].bits != 0 { return stored }
    let removes = { (step: Step) in step.stepClass == .leafRemoved && concerns(step) }
    guard let event = event(before: stored.event + 1, in: &session, where: removes)
    else { return stored }
    session.seek(to: Moment(events: event + 1))
    let steps = session.timeline.steps
    return Link(event: event, index: steps.lastIndex(where: removes) ?? 0, steps: steps)
  }

  /// The last store that gave a word of L1's memory, at a canonical IPA, another value; nil if none did.
  ///
  /// The words that keep a page of L1's are also stored when another word of the page changes.
  private func lastStore(toGuestWord ipa: UInt64, in session: inout Session) -> Int? {
    let word = Int(ipa >> 3 & 511)
    while true {
      let store: Int?
      do {
        let machine = session.timeline.machine
        store = machine.guestPage(at: ipa.page).flatMap {
          machine.memory.lastStore(toAny: $0.slots(ofWord: word), in: 0..<machine.memory.position)
        }
      }
      guard let store else { return nil }
      let event = session.timeline.event(ofStore: store)
      if event < session.timeline.moment.events { session.seek(to: Moment(events: event + 1)) }
      do {
        let machine = session.timeline.machine
        let start = session.timeline.stores(ofEvent: event).lowerBound
        let past = PastWords(before: start..<machine.memory.position, in: machine.memory)
        if let page = machine.guestPage(at: ipa.page), page[word] != page.word(word, in: past) {
          return store
        }
      }
      session.seek(to: Moment(events: event))
    }
  }

  /// The last event before one that has a matching micro-step, within the search limit.
  private func event(
    before end: Int, in session: inout Session, where matches: (Step) -> Bool
  ) -> Int? {
    for candidate in (max(0, end - Self.eventsAtMost)..<end).reversed() {
      session.seek(to: Moment(events: candidate + 1))
      if session.timeline.steps.contains(where: matches) { return candidate }
    }
    return nil
  }

  /// Whether a step concerns the leaf of the address in the table.
  private func concerns(_ step: Step) -> Bool {
    guard step.table == table else { return false }
    let entry = step.level < 0 ? Page.size : geometry.size(step.level)
    let start = step.address & ~(entry - 1)
    return address >= start && address - start < max(entry, step.address - start &+ step.size)
  }

  /// The micro-step that made a store. The session is then positioned after its event.
  private func step(ofStore store: Int, in session: inout Session) -> Link {
    let event = session.timeline.event(ofStore: store)
    session.seek(to: Moment(events: event + 1))
    let steps = session.timeline.steps
    return Link(event: event, index: steps.lastIndex { $0.start <= store } ?? 0, steps: steps)
  }

  /// Adds the origins of the event: L1's store to its entry, or the event that made a range unknown.
  private mutating func addOrigins(of link: Link, in session: inout Session) {
    if case .shadow = link.step.table,
      [.leafMade, .leafRelaxed, .entryBroken].contains(link.step.stepClass),
      let ipa = link.steps[...link.index].lazy.reversed().compactMap(\.guestEntryRead).first
    {
      session.seek(to: Moment(events: link.event))
      if let store = lastStore(toGuestWord: ipa, in: &session) {
        heading = "L1's entry at canonical \(hex: ipa) had been stored by"
        let event = step(ofStore: store, in: &session).event
        add(event: event, "", session)
      }
    }
    if let look = link.steps[...link.index].last(where: {
      $0.action == .reverseMap(.lookUpUnknown) && $0.table == link.step.table
    }),
      let event = event(before: link.event, in: &session, where: { $0.loses(look) })
    {
      heading = "The range had become unknown in"
      add(event: event, "", session)
    }
  }

  private mutating func add(step index: Int, of link: Link, _ relation: String) {
    let explanation = link.steps[index].explanation
    let isLast = index + 1 >= link.steps.count
    add(
      relation,
      isLast ? Moment(events: link.event + 1) : Moment(events: link.event, steps: index + 1),
      label: explanation.label, explanation.what, why: explanation.why,
      plain: link.steps[index].plain)
  }

  private mutating func add(event: Int, _ relation: String, _ session: Session) {
    let sentence = session.timeline.events[event].sentence
    let from = session.source(ofEvent: event).map { " From \($0)." } ?? ""
    add(
      relation, Moment(events: event + 1), label: nil, session.text(ofEvent: event),
      why: sentence + from, plain: PlainWords.sentence(sentence))
  }

  private mutating func add(
    _ relation: String, _ moment: Moment, label: String?, _ what: String, why: String,
    plain: String
  ) {
    causes.append(
      ProvenanceAnswer.Cause(
        heading: heading, relation: relation, moment: moment, label: label, what: what, why: why,
        plain: plain))
    heading = nil
  }
}

extension CauseSearch.Link {
  /// Micro-steps that led to the one that stored, the nearest first.
  ///
  /// - Parameter output: where the stored leaf leads at the address in question; nil if it is no leaf.
  fileprivate func causes(of output: UInt64?) -> [Int] {
    let before = steps[..<index]
    var causes: [Int] = []
    // An event that takes many pages has such a step for each.
    let isOnlyPage = before.count { $0.stepClass == .hostPage } == 1
    func add(_ matches: (Step) -> Bool) {
      if let cause = before.lastIndex(where: matches), !causes.contains(cause) {
        causes.append(cause)
      }
    }
    if step.removes {
      add { $0.stepClass == .sweep && $0.table == step.table }
      add { $0.stepClass == .wholeShadow && $0.table == step.table }
      add { $0.table == step.table && $0.isLookUp }
      add { $0.stepClass == .trigger }
    } else {
      add { $0.guestEntryRead != nil && $0.level == step.level }
      add {
        $0.stepClass == .hostPage
          && ($0.hostMemory.map { memory in output.map(memory.contains) ?? false } ?? isOnlyPage)
      }
      add { $0.stepClass == .fault }
    }
    return causes
  }
}

extension Step {
  /// Whether the step removes an entry or a table.
  fileprivate var removes: Bool {
    [.leafRemoved, .tableRemoved, .tableFreed].contains(stepClass)
  }

  /// The memory that the host has got for a page; nil if the step does not say.
  fileprivate var hostMemory: Range<UInt64>? {
    switch action {
    case .host(.page(let page)), .host(.copy(let page, _)): page..<page + Page.size
    case .host(.hugePage(let page)): page..<page + 2 << 20
    case .host(.hugetlbPage(let page)): page..<page + 1 << 30
    default: nil
    }
  }

  /// The canonical IPA of the entry of L1's table that KVM reads.
  fileprivate var guestEntryRead: UInt64? {
    if case .fault(.guestRead(_, let ipa)) = action { ipa } else { nil }
  }

  /// Whether the step made unknown what a lookup found unknown.
  fileprivate func loses(_ look: Step) -> Bool {
    guard case .reverseMap(.recordUnknown) = action else { return false }
    return table == look.table
      && (address..<address &+ max(1, size)).overlaps(
        look.address..<look.address &+ max(1, look.size))
  }
}
