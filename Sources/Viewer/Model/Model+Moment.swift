import Canvas
import Engine
import Inquiry
import Language

/// Going through time.
extension Model {
  /// Goes to a moment.
  mutating func go(to moment: Moment) {
    session.seek(to: moment)
    momentHasChanged()
  }

  /// Goes to a moment, and updates the screen.
  public mutating func show(_ moment: Moment) {
    completeHistory()
    sheet = nil
    go(to: moment)
    settle()
  }

  /// The name of the chapter that ends at the moment, or of the note or mark there; nil if there is none.
  public var landmark: SafeText? {
    let moment = timeline.moment
    if let chapter = session.chapters.first(where: { Moment(events: $0.end) == moment }) {
      let text = SafeText(chapter.text)
      return SafeText(chapter.label) + (text.isEmpty ? "" : ": " + text)
    }
    return notes(at: moment).first ?? mark(at: moment)
  }

  /// Updates the model for a new moment.
  mutating func momentHasChanged() {
    changes = Changes(in: session)
    steps = StepsView()
    reverseMap.forget()
    for pane in views.keys { views[pane]?.forgetRanges() }
    if !question.isKept { detail = DocumentView() }
    filter?.restart()
    noteMoment()
  }

  /// Shows the tables that the moment concerns and, if the cursor follows, the place.
  mutating func noteMoment() {
    let shadows = concernedShadows
    if let first = shadows.first, !shadows.contains(recentShadow) { recentShadow = first }
    if isFollowing { follow() }
  }

  /// Maximum number of events before the current one searched for a place.
  private static let eventsAtMost = 8

  /// Puts the cursor where the moment's event happens. For an event without a place, uses that of the
  /// events before it, independent of the path taken to the moment.
  private mutating func follow() {
    if let (table, address) = concernedPlace { return select(address, in: table) }
    let moment = timeline.moment
    for event in (max(0, moment.events - Self.eventsAtMost)..<moment.events).reversed() {
      session.seek(to: Moment(events: event))
      guard let (table, address) = concernedPlace else { continue }
      session.seek(to: moment)
      return select(address, in: table)
    }
    session.seek(to: moment)
    selected = nil
  }

  /// The last micro-steps done: one, or all of the event.
  var lastSteps: ArraySlice<Step> {
    let done = timeline.stepsDone
    return done < timeline.steps.count && done > 0
      ? timeline.steps[done - 1..<done] : timeline.steps[...]
  }

  /// The shadows that the steps concern, apart from failed lookups.
  private var concernedShadows: [Int] {
    var shadows: [Int] = []
    for step in timeline.steps.prefix(timeline.stepsDone) {
      if [.sweep, .wholeShadow, .invalidation, .lookUpMiss].contains(step.stepClass) { continue }
      if case .shadow(let number) = step.table, !shadows.contains(number) {
        shadows.append(number)
      }
    }
    return shadows
  }

  /// The place that the last micro-step, or the event, concerns.
  private var concernedPlace: (TableID, UInt64)? {
    guard let event = timeline.currentEvent else { return nil }
    if let place = seenPlace { return place }
    if lastSteps.count == 1, timeline.stepsDone < timeline.steps.count, let step = lastSteps.first {
      return place(of: step)
    }
    if case .access = timeline.events[event] {
      let store = timeline.steps.last(where: \.isStore).flatMap { place(of: $0) }
      return store ?? timeline.steps.last { $0.stepClass == .access }.flatMap { place(of: $0) }
    }
    switch timeline.events[event].facts.place {
    case .table(let table, let address): return (table, address)
    case .nested(let address): return (.shadow(recentShadow), address)
    case nil: return nil
    }
  }

  /// At a moment at which tables were seen, the first leaf that is new.
  private var seenPlace: (TableID, UInt64)? {
    session.sight?.rows.lazy.compactMap { event -> (TableID, UInt64)? in
      guard case .recorded(.seen(let table, let range, _, let first)) = timeline.events[event],
        first.isValid
      else { return nil }
      return (table, range.lowerBound)
    }.first
  }

  /// The place that a step is about: for a store to a table of L1's, the entry.
  func place(of step: Step) -> (TableID, UInt64)? {
    if step.facts.subject == .canonical { return (.canonical, step.address) }
    guard let table = step.table else { return nil }
    if table == .vmmStage1 {
      return machine.canonicalAddress(ofHost: step.address).map { (.canonical, $0) }
    }
    if table == .canonical, step.isStore,
      let (guest, position) = machine.guestEntry(at: step.address)
    {
      return (.guest(guest.vttbr.vmid), position.address)
    }
    return step.facts.subject == .input ? (table, step.address) : nil
  }
}
