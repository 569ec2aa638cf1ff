import Canvas
import Engine
import Inquiry
import Language

/// A run through time, event by event, to the next one for which a condition holds.
struct Run {
  /// The goal of the search.
  enum Goal {
    /// An event for which one of these holds.
    case any([Filter])
    /// An event that changes the entry of an input address, or one above it in its walk.
    case touch(TableID, UInt64)
    /// An event that inserts, fuses, looks up or removes a range of a shadow's reverse map.
    case range(Range<UInt64>, shadow: Int)
  }

  let goal: Goal
  let isForward: Bool
  /// The start, and the end if it is cancelled.
  let origin: Moment
  /// The goal in words, for the final message.
  let wish: SafeText
}

extension Model {
  /// Maximum number of events examined before the next frame.
  private static let eventsAtOnce = 200

  /// Runs to the next event at which a typed condition holds; without one, any of the watches.
  mutating func run(forward: Bool, to text: String) {
    var filters = stops
    if !text.isEmpty {
      do throws(FilterError) {
        filters = [try Filter(parsing: text, for: .events)]
      } catch {
        return refuse(SafeText(error.message))
      }
    }
    if filters.isEmpty {
      return refuse("No watch is on. \(press(.watches)) for the list, or type \":run CONDITION\".")
    }
    let wish = filters.map { SafeText($0.text) }.reduce(SafeText()) {
      $0.isEmpty ? $1 : $0 + " or " + $1
    }
    start(Run(goal: .any(filters), isForward: forward, origin: timeline.moment, wish: wish))
  }

  /// Runs to the next event that changes the selected entry, or one above it in its walk.
  mutating func runToTouch(forward: Bool) {
    if let range = selectedRange {
      return start(
        Run(
          goal: .range(range.canonical, shadow: mappedShadow), isForward: forward,
          origin: timeline.moment, wish: "the range"))
    }
    guard let selected, let address = place.position?.address else { return }
    start(
      Run(
        goal: .touch(selected, address), isForward: forward, origin: timeline.moment,
        wish: "the selection"))
  }

  private mutating func start(_ run: Run) {
    noteJump()
    self.run = run
    if !run.isForward, timeline.moment.steps > 0 {
      session.seek(to: Moment(events: timeline.moment.events))
    }
  }

  /// Examines some more events. Ends the run at the goal, or at the end of the history.
  mutating func continueRun() {
    guard let run else { return }
    for _ in 0..<Self.eventsAtOnce {
      let moved =
        run.isForward
        ? session.move { $0.forward() }
        : timeline.moment.events > 1 && session.move { $0.back() }
      guard moved, let event = timeline.currentEvent else { return endRun(run) }
      if let reason = reason(run, at: event) {
        self.run = nil
        momentHasChanged()
        return say("Stopped at event \(event + 1): \(reason).")
      }
    }
    momentHasChanged()
    say(
      "Looking for \(run.wish): event \(timeline.moment.events) of \(eventCount). "
        + "\(press(.back)) to stop.")
  }

  /// Why a run stops at an event; nil if it does not.
  private mutating func reason(_ run: Run, at event: Int) -> SafeText? {
    switch run.goal {
    case .any(let filters): return stop(at: event, of: filters)
    case .touch(let table, let address):
      let changes = EventFacts(event: event, audit: branches[branch].audit)
        .changesWalk(to: address, in: table, timeline)
      return changes ? run.wish : nil
    case .range(let range, let shadow):
      let changes = timeline.steps.contains { step in
        step.changesReverseMap && step.table == .shadow(shadow) && step.addresses.overlaps(range)
      }
      return changes ? run.wish : nil
    }
  }

  /// The first of some conditions that holds at the current event, with the broken rules for a violation;
  /// nil if none holds.
  mutating func stop(at event: Int, of filters: [Filter]) -> SafeText? {
    let facts = EventFacts(event: event, audit: branches[branch].audit)
    for filter in filters {
      guard let found = facts.alternative(filter, in: &session) else { continue }
      let rules = filter.uses(.effect(.violation)) ? facts.brokenRules(in: &session) : []
      return SafeText(found)
        + (rules.isEmpty ? "" : " (\(SafeText(rules.joined(separator: ", "))))")
    }
    return nil
  }

  /// Cancels a run, and goes back to its start.
  mutating func endRun(_ run: Run) {
    self.run = nil
    session.seek(to: run.origin)
    momentHasChanged()
    refuse("No \(run.isForward ? "later" : "earlier") event matches \"\(run.wish)\".")
  }
}
