import Engine
import Language

/// Facts about events, one by one. Finding one moves through time, and comes back.
package struct EventFacts {
  /// The event, by its index. Its micro-steps are those of the session's timeline, positioned after it.
  package let event: Int
  /// Earlier findings about rules, by event.
  package let audit: Audit

  package init(event: Int, audit: Audit) {
    self.event = event
    self.audit = audit
  }

  package func holds(_ filter: Filter, in session: inout Session) -> Bool {
    filter.holds { holds($0, in: &session) }
  }

  /// Which alternative of a filter holds, as it was typed; nil if none does.
  package func alternative(_ filter: Filter, in session: inout Session) -> String? {
    filter.alternative { holds($0, in: &session) }
  }

  private func holds(_ term: Filter.Term, in session: inout Session) -> Bool {
    let timeline = session.timeline
    switch term {
    case .kind(let kind): return timeline.events[event].facts.kind == kind
    case .effect(.violation): return breaksRule(&session)
    case .effect(.nothing): return timeline.stores(ofEvent: event).isEmpty || didNothing(timeline)
    case .effect(let effect): return timeline.steps.contains { $0.has(effect) }
    case .touches(let range):
      return timeline.steps.contains { touches(range, $0, timeline.machine) }
    case .changes(let table, let address): return changes(table, address, &session)
    case .table(let table): return timeline.steps.contains { $0.table == table }
    case .text(let text):
      return session.text(ofEvent: event).lowercased().contains(text.lowercased())
    default: return false
    }
  }

  private func breaksRule(_ session: inout Session) -> Bool {
    event < audit.checked
      ? audit.violations[event] != nil : session.breaksRule(besides: [])
  }

  /// The names of the rules broken after the event, each once.
  package func brokenRules(in session: inout Session) -> [String] {
    let found =
      event < audit.checked ? audit.violations[event] ?? [] : session.violations()
    return found.reduce(into: []) { names, violation in
      if !names.contains(violation.invariant.rawValue) {
        names.append(violation.invariant.rawValue)
      }
    }
  }

  private func didNothing(_ timeline: Timeline) -> Bool {
    timeline.steps.contains { if case .end(let end) = $0.action { end.isWhole } else { false } }
  }

  private func touches(_ range: Range<UInt64>, _ step: Step, _ machine: Machine) -> Bool {
    // Reading an entry that many addresses share does not touch them all.
    guard step.facts.subject != .none, step.stepClass != .walk else { return false }
    let start =
      step.table == .vmmStage1 && step.facts.subject == .input
      ? machine.canonicalAddress(ofHost: step.address) : step.address
    guard let start else { return false }
    return range.overlaps(start..<start &+ max(1, step.size))
  }

  /// Whether the event stored to an entry that a walk to an address reads.
  package func changesWalk(
    to address: UInt64, in table: TableID, _ timeline: Timeline
  ) -> Bool {
    let stores = timeline.stores(ofEvent: event)
    guard !stores.isEmpty, let reader = timeline.machine.reader(of: table),
      address < reader.geometry.inputSize
    else { return false }
    let slots = Set(reader.path(to: address).flatMap { $0.page.slots(of: $0.index) })
    return stores.contains { slots.contains(timeline.machine.memory.journalEntry($0).slot) }
  }

  /// Whether a walk to an address ends differently than before the event.
  private func changes(_ table: TableID, _ address: UInt64, _ session: inout Session) -> Bool {
    let after = session.timeline.machine.walkEnd(of: address, in: table)
    let stores = session.timeline.stores(ofEvent: event)
    if stores.isEmpty { return false }
    session.seek(to: Moment(events: event))
    let before = session.timeline.machine.walkEnd(of: address, in: table)
    session.seek(to: Moment(events: event + 1))
    return before != after
  }
}

extension Step {
  /// Whether the step has a filter's effect.
  package func has(_ effect: Filter.Effect) -> Bool {
    switch effect {
    case .fault: stepClass == .fault
    case .inject: stepClass == .injection
    case .mmio: if case .fault(.mmioExit) = action { true } else { false }
    case .unmap: stepClass == .leafRemoved
    case .unknown: if case .reverseMap(.recordUnknown) = action { true } else { false }
    case .broken: action == .reverseMap(.recordFailed)
    case .fullUnmap: stepClass == .wholeShadow
    case .violation, .nothing: false
    }
  }
}
