import Canvas
import Engine
import Language

/// Why an entry is as it is: who stored it, what made them, and so on back to a cause.
extension Model {
  /// Events that are looked through for the one that made a range unknown.
  private static let eventsAtMost = 5_000

  /// The chain of causes of the selected entry. Every link leads to its moment.
  mutating func provenance() -> Document {
    guard let selected, let cursor = place.position, let reader = machine.reader(of: selected),
      let (page, index) = reader.path(to: cursor.address).last
    else { return Document([Line("Nothing is selected.", .dim)]) }
    let moment = timeline.moment
    defer { session.seek(to: moment) }
    var chain = Document()
    let name = SafeText(Phrase.input(selected)).capitalized
    chain.add(
      Line("\(name) \(hex: cursor.address) in \(SafeText(Phrase.table(selected)))", .title))
    let entry = page[index]
    chain.add(
      "now: level \(page.level), \(SafeText(Phrase.entry(entry.bits, level: page.level)))")
    chain.addBlank()
    guard let link = lastChange(of: cursor.address, in: selected, page, index) else {
      chain.add("Nothing was ever stored there: no event has needed it yet.")
      return chain
    }
    add(link, to: &chain)
    if link.step.removes,
      let maker = event(before: link.event, where: { $0.makes(cursor.address, in: selected) })
    {
      chain.addBlank()
      chain.add("Before that it had been made in", .dim)
      addEvent(maker, to: &chain)
    }
    return chain
  }

  /// The micro-step that made an entry what it is: the last store to it; or, where tables around it went
  /// with it, the removal of its leaf. Nil if there was never anything.
  private mutating func lastChange(
    of address: UInt64, in table: TableID, _ page: TablePage, _ index: Int
  ) -> CauseLink? {
    let store = machine.memory.lastStore(
      toAny: page.slots(of: index), in: 0..<machine.memory.position)
    guard let store else { return nil }
    let stored = stepOf(store: store)
    if page.level == Geometry.lastLevel || page[index].bits != 0 { return stored }
    let removes = { (step: Step) in step.removes(address, in: table) }
    guard let event = event(before: stored.event + 1, where: removes) else { return stored }
    session.seek(to: Moment(events: event + 1))
    let steps = timeline.steps
    return CauseLink(event: event, index: steps.lastIndex(where: removes) ?? 0, steps: steps)
  }

  /// The last event before one that has a micro-step of some kind, as far as it is looked for.
  private mutating func event(before end: Int, where matches: (Step) -> Bool) -> Int? {
    for candidate in (max(0, end - Self.eventsAtMost)..<end).reversed() {
      session.seek(to: Moment(events: candidate + 1))
      if timeline.steps.contains(where: matches) { return candidate }
    }
    return nil
  }

  /// A micro-step that a store belongs to, with all of its event.
  fileprivate struct CauseLink {
    let event: Int
    let index: Int
    let steps: [Step]
    var step: Step { steps[index] }
  }

  /// The micro-step that made a store. The session then stands after its event.
  private mutating func stepOf(store: Int) -> CauseLink {
    var low = 0
    var high = timeline.events.count - 1
    while low < high {
      let middle = (low + high) / 2
      if timeline.stores(ofEvent: middle).upperBound <= store {
        low = middle + 1
      } else {
        high = middle
      }
    }
    session.seek(to: Moment(events: low + 1))
    let steps = timeline.steps
    return CauseLink(event: low, index: steps.lastIndex { $0.start <= store } ?? 0, steps: steps)
  }

  private mutating func add(_ link: CauseLink, to chain: inout Document) {
    add(
      step: link.index, of: link, link.step.removes ? "removed by" : "stored by", to: &chain)
    for index in link.causes { add(step: index, of: link, "because of", to: &chain) }
    addEvent(link.event, "in", to: &chain)
    addOrigins(of: link, to: &chain)
  }

  private func add(
    step index: Int, of link: CauseLink, _ relation: SafeText, to chain: inout Document
  ) {
    let explanation = link.steps[index].explanation
    chain.add(
      Line(relation.padded(to: 11), .dim).adding("\(link.event + 1).\(index + 1) ", .key)
        .adding(SafeText(explanation.label) + " ", .heading).adding(SafeText(explanation.what)),
      to: .moment(Moment(events: link.event, steps: index + 1)))
    let why = reason(ofStep: index, in: link.steps)
    if !why.isEmpty { chain.add(Line("  ").adding(why, .dim)) }
  }

  private func addEvent(_ event: Int, _ relation: SafeText = "", to chain: inout Document) {
    chain.add(
      Line(relation.padded(to: 11), .dim).adding("\(event + 1) ", .key)
        .adding(SafeText(session.text(ofEvent: event)), .heading),
      to: .moment(Moment(events: event + 1)))
    chain.add(Line("  ").adding(SafeText(timeline.events[event].sentence), .dim))
  }

  /// What lies behind the event: L1's store to its entry, the event that made a range unknown.
  private mutating func addOrigins(of link: CauseLink, to chain: inout Document) {
    if case .shadow = link.step.table,
      [.leafMade, .leafRelaxed, .entryBroken].contains(link.step.stepClass),
      let ipa = link.steps[...link.index].lazy.reversed().compactMap(\.guestEntryRead).first
    {
      let word = Int(ipa >> 3 & 511)
      let end = timeline.stores(ofEvent: link.event).lowerBound
      if let slots = machine.guestPage(at: ipa & ~4095)?.slots(ofWord: word),
        let store = machine.memory.lastStore(toAny: slots, in: 0..<end)
      {
        chain.addBlank()
        chain.add("L1's entry at canonical \(hex: ipa) had been stored by", .dim)
        addEvent(stepOf(store: store).event, to: &chain)
      }
    }
    if let look = link.steps[...link.index].last(where: { $0.action == .reverseMap(.lookUpUnknown) }
    ),
      let event = event(before: link.event, where: { $0.loses(look) })
    {
      chain.addBlank()
      chain.add("The range had become unknown in", .dim)
      addEvent(event, to: &chain)
    }
  }
}

extension Model.CauseLink {
  /// Micro-steps that led to the one that stored, the nearest first.
  fileprivate var causes: [Int] {
    let before = steps[..<index]
    var causes: [Int] = []
    func add(_ matches: (Step) -> Bool) {
      if let cause = before.lastIndex(where: matches), !causes.contains(cause) {
        causes.append(cause)
      }
    }
    if step.removes {
      add { $0.stepClass == .sweep && $0.table == step.table }
      add { $0.table == step.table && $0.isLookUp }
      add { $0.stepClass == .trigger }
    } else {
      add { $0.guestEntryRead != nil && $0.level == step.level }
      add { $0.stepClass == .hostPage }
      add { $0.stepClass == .fault }
    }
    return causes
  }
}

extension Step {
  /// Whether the step takes an entry, or a table, away.
  fileprivate var removes: Bool {
    [.leafRemoved, .tableRemoved, .tableFreed].contains(stepClass)
  }

  /// Whether the step asks a reverse map.
  var isLookUp: Bool { [.lookUp, .lookUpMiss, .lookUpFailure].contains(stepClass) }

  /// The canonical IPA of the entry of L1's table that KVM reads.
  fileprivate var guestEntryRead: UInt64? {
    if case .fault(.guestRead(_, let ipa)) = action { ipa } else { nil }
  }

  /// Whether the step removes, or makes, the leaf of an input address of a table.
  fileprivate func removes(_ address: UInt64, in table: TableID) -> Bool {
    stepClass == .leafRemoved && self.table == table && covers(address)
  }

  fileprivate func makes(_ address: UInt64, in table: TableID) -> Bool {
    stepClass == .leafMade && self.table == table && covers(address)
  }

  /// Whether the step makes unknown what a look-up found unknown.
  fileprivate func loses(_ look: Step) -> Bool {
    guard case .reverseMap(.recordUnknown) = action else { return false }
    return table == look.table
      && (address..<address &+ max(1, size)).overlaps(
        look.address..<look.address &+ max(1, look.size))
  }

  private func covers(_ address: UInt64) -> Bool {
    let size = max(4096, self.size)
    return self.address & ~(size - 1) == address & ~(size - 1)
  }
}

extension SafeText {
  /// The text with a capital at its start.
  var capitalized: SafeText {
    SafeText(string.prefix(1).uppercased() + string.dropFirst())
  }
}
