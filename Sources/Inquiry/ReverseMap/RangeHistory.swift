import Engine
import Language

/// The changes of a range of a shadow's reverse map, the last one first.
package struct RangeHistory: Equatable, Sendable {
  /// A micro-step that inserted the range or a part of it, fused it with others, or removed it.
  package struct Change: Equatable, Sendable {
    /// The event, by its index.
    package let event: Int
    /// The micro-step, by its index in the event.
    package let index: Int
    package let step: Step
  }

  package private(set) var changes: [Change] = []
  /// Whether there may be earlier changes.
  package private(set) var isCut = false

  /// Maximum number of changes found, and of events searched for them.
  private static let changesAtMost = 8
  private static let eventsAtMost = 5_000

  /// Searches back from a session's moment, and returns the session to it.
  ///
  /// O(number of events searched).
  ///
  /// - Parameter range: Canonical IPAs.
  package init(of range: Range<UInt64>, inShadow shadow: Int, _ session: inout Session) {
    guard let current = session.timeline.currentEvent else { return }
    let moment = session.timeline.moment
    defer { session.seek(to: moment) }
    // During an event its first micro-steps count.
    note(session.timeline.steps.prefix(session.timeline.stepsDone), current, range, shadow)
    let first = max(0, current - Self.eventsAtMost)
    for event in (first..<current).reversed() {
      if changes.count >= Self.changesAtMost {
        isCut = true
        return
      }
      session.seek(to: Moment(events: event + 1))
      note(session.timeline.steps[...], event, range, shadow)
    }
    isCut = first > 0
  }

  private mutating func note(
    _ steps: ArraySlice<Step>, _ event: Int, _ range: Range<UInt64>, _ shadow: Int
  ) {
    for (index, step) in zip(steps.indices, steps).reversed()
    where step.table == .shadow(shadow) && step.changesReverseMap
      && (step.action == .reverseMap(.resetMap) || step.addresses.overlaps(range))
    {
      changes.append(Change(event: event, index: index, step: step))
    }
  }
}

extension Range<UInt64> {
  /// The bytes from an address on, at least one; at most up to the last address but one.
  package init(from address: UInt64, size: UInt64) {
    let (end, overflow) = address.addingReportingOverflow(Swift.max(1, size))
    self = Swift.min(address, .max - 1)..<(overflow ? .max : end)
  }
}

extension Step {
  /// The addresses that the step concerns, if any.
  package var addresses: Range<UInt64> { Range(from: address, size: size) }

  /// Whether the step stores an entry of a reverse map, or removes one.
  package var changesReverseMap: Bool {
    if case .sight(let sight) = action { return sight.isOfReverseMap }
    guard case .reverseMap(let action) = action else { return false }
    switch action {
    case .recordKnown, .recordUnknown, .lookUpKnown, .lookUpUnknown, .resetMap: return true
    case .record, .recordKept, .recordFailed, .recordSkipped, .recordOff, .lookUpNothing,
      .lookUpBroken, .lookUpSwept, .eraseFailed, .forget, .brokenCleared, .failuresArmed:
      return false
    }
  }
}
