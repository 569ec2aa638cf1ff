import Engine
import Language

/// What is asked about events, one after the other. Finding an answer goes through time, and comes back.
struct EventFacts {
  /// The event, by its index. Its micro-steps are those of the session's timeline, which stands after it.
  let event: Int
  /// What was found earlier about rules, by event, as far as anything was.
  let audit: Audit

  func holds(_ filter: Filter, in session: inout Session) -> Bool {
    filter.holds { holds($0, in: &session) }
  }

  private func holds(_ term: Filter.Term, in session: inout Session) -> Bool {
    let timeline = session.timeline
    switch term {
    case .kind(let kind): return EventKind(timeline.events[event]) == kind
    case .effect(.violation): return breaksRule(timeline)
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

  private func breaksRule(_ timeline: Timeline) -> Bool {
    if event < audit.checked { return audit.violations[event] != nil }
    return !timeline.machine.violations(after: timeline.stores(ofEvent: event)).isEmpty
  }

  private func didNothing(_ timeline: Timeline) -> Bool {
    timeline.steps.contains { if case .end(.noEffect) = $0.action { true } else { false } }
  }

  private func touches(_ range: Range<UInt64>, _ step: Step, _ machine: Machine) -> Bool {
    guard step.facts.subject != .none else { return false }
    let start =
      step.table == .host && step.facts.subject == .input
      ? machine.canonicalAddress(ofHost: step.address) : step.address
    guard let start else { return false }
    return range.overlaps(start..<start &+ max(1, step.size))
  }

  /// Whether a walk to an address ends otherwise than before the event.
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

extension Machine {
  /// What a walk of a table to an address ends at: a leaf, or whatever else is not a table; nil for no
  /// entry at all.
  func walkEnd(of address: UInt64, in id: TableID) -> Descriptor? {
    guard let reader = reader(of: id), address < reader.geometry.inputSize,
      let (page, index) = reader.path(to: address).last
    else { return nil }
    let entry = page[index]
    return entry.bits == 0 ? nil : entry
  }

  /// A reader of a table; nil if it does not exist now.
  func reader(of id: TableID) -> TableReader? {
    if case .guest(let vmid) = id {
      return guestTables.first { $0.vttbr.vmid == vmid }.map { TableReader($0, in: self) }
    }
    return table(id).map { TableReader($0, in: self) }
  }
}

extension Step {
  /// Whether the step is what a filter calls an effect.
  func has(_ effect: Filter.Effect) -> Bool {
    switch effect {
    case .fault: stepClass == .fault
    case .inject: stepClass == .injection
    case .mmio: if case .fault(.mmioExit) = action { true } else { false }
    case .unmap: stepClass == .leafRemoved
    case .unknown: if case .reverseMap(.recordUnknown) = action { true } else { false }
    case .broken: action == .reverseMap(.recordFailed)
    case .fullUnmap:
      if case .shadow = table, action == .table(.sweep) {
        address == 0 && size >> 47 != 0
      } else {
        false
      }
    case .violation, .nothing: false
    }
  }
}
