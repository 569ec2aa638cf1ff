import Canvas
import Engine
import Scenario

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
    let slots = page.slots(of: index)
    guard let store = machine.memory.lastStore(toAny: slots, in: 0..<machine.memory.position)
    else {
      chain.add("Nothing was ever stored there: no event has needed it yet.")
      return chain
    }
    let link = stepOf(store: store)
    add(link, to: &chain)
    let before = machine.memory.lastStore(
      toAny: slots, in: 0..<timeline.stores(ofEvent: link.event).lowerBound)
    if link.step.action.removes, let before {
      chain.addBlank()
      chain.add("Before that it had been made by", .dim)
      let maker = stepOf(store: before)
      addEvent(maker.event, to: &chain)
    }
    return chain
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
    add(step: link.index, of: link, "stored by", to: &chain)
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
    if !explanation.why.isEmpty { chain.add(Line("  ").adding(SafeText(explanation.why), .dim)) }
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
    let made = link.step.action
    if case .shadow = link.step.table,
      made == .makeLeaf || made == .relaxLeaf || made == .breakEntry,
      let read = link.steps[...link.index].last(where: { $0.action == .guestRead })
    {
      let word = Int(read.extra >> 3 & 511)
      let end = timeline.stores(ofEvent: link.event).lowerBound
      if let slots = machine.guestPage(at: read.extra & ~4095)?.slots(ofWord: word),
        let store = machine.memory.lastStore(toAny: slots, in: 0..<end)
      {
        chain.addBlank()
        chain.add("L1's entry at canonical \(hex: read.extra) had been stored by", .dim)
        addEvent(stepOf(store: store).event, to: &chain)
      }
    }
    if let look = link.steps[...link.index].last(where: { $0.action == .lookUpUnknown }),
      let event = eventThatLost(look, before: link.event)
    {
      chain.addBlank()
      chain.add("The range had become unknown in", .dim)
      addEvent(event, to: &chain)
    }
  }

  /// The last event before one that made the range of a look-up unknown.
  private mutating func eventThatLost(_ look: Step, before event: Int) -> Int? {
    let range = look.address..<look.address &+ max(1, look.size)
    for candidate in (max(0, event - Self.eventsAtMost)..<event).reversed() {
      session.seek(to: Moment(events: candidate + 1))
      let found = timeline.steps.contains {
        $0.action == .recordUnknown && $0.table == look.table
          && range.overlaps($0.address..<$0.address &+ max(1, $0.size))
      }
      if found { return candidate }
    }
    return nil
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
    if step.action.removes {
      add { $0.action == .sweep && $0.table == step.table }
      add { $0.table == step.table && $0.action.isLookUp }
      add { $0.action.isTrigger }
    } else {
      add { $0.action == .guestRead && $0.level == step.level }
      add { $0.action.isHostPage }
      add { $0.action == .fault }
    }
    return causes
  }
}

extension Step.Action {
  /// Whether the step takes an entry away.
  fileprivate var removes: Bool {
    switch self {
    case .clearLeaf, .clearTable, .freeTable: true
    default: false
    }
  }

  fileprivate var isLookUp: Bool {
    switch self {
    case .lookUpKnown, .lookUpUnknown, .lookUpNothing, .lookUpBroken, .lookUpSwept: true
    default: false
    }
  }

  /// Whether the step is where an unmap comes from.
  fileprivate var isTrigger: Bool {
    switch self {
    case .notifierStart, .deleteMemslot, .guestInvalidation, .shadowRecycled: true
    default: false
    }
  }

  fileprivate var isHostPage: Bool {
    switch self {
    case .hostPage, .hostHugePage, .hostHugetlb, .hostZeroPage, .hostHugeZeroPage, .hostCopy,
      .hostReuse:
      true
    default: false
    }
  }
}

extension SafeText {
  /// The text with a capital at its start.
  var capitalized: SafeText {
    SafeText(string.prefix(1).uppercased() + string.dropFirst())
  }
}
