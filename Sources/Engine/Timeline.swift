/// A history: a machine, the events that happened to it, and a current moment.
///
/// Seeking swaps words with the journal; replaying an event over its own history recovers its
/// micro-steps.
public struct Timeline: Sendable {
  /// The machine as it is at that moment.
  public private(set) var machine: Machine
  /// All events, past and future, since the start of the history.
  public private(set) var events = EventList()
  /// Number of events before the history begins, which `forgetPast` dropped.
  package private(set) var forgotten = 0
  /// The current moment.
  public private(set) var moment = Moment(events: 0)
  /// Micro-steps of the current event: the one in progress, else the last one that finished.
  package private(set) var steps: [Step] = []
  /// The event whose micro-steps `steps` holds.
  private var recordedEvent: Int?

  /// A history in which nothing has happened yet.
  public init(_ configuration: VMConfiguration) {
    machine = Machine(configuration)
  }

  /// Carries out one more event at the end of history, and seeks to the moment after it.
  ///
  /// - Parameter recordingSteps: whether its micro-steps are wanted at once. If not, the event takes less
  ///   time, and `seek` replays it to find them.
  /// - Throws: a `Refusal`; nothing has happened then.
  public mutating func append(_ event: Event, recordingSteps: Bool = false) throws(Refusal) {
    if moment.events != events.count || moment.steps != 0 { seek(to: Moment(events: events.count)) }
    machine.steps.isRecording = recordingSteps
    defer { machine.steps.isRecording = false }
    try machine.apply(event)
    events.append(
      event, check: UInt32(truncatingIfNeeded: machine.fingerprint.first),
      end: machine.memory.position)
    moment = Moment(events: events.count)
    steps = recordingSteps ? machine.steps.steps : []
    recordedEvent = recordingSteps ? events.count - 1 : nil
  }

  /// Seeks to a moment; one beyond the end means the end.
  public mutating func seek(to target: Moment) {
    var target = target
    target.events = min(max(0, target.events), events.count)
    if target.steps > 0, target.events == events.count { target.steps = 0 }
    let current = target.steps > 0 ? target.events : target.events - 1
    // A seek to the current moment must not copy a shared machine.
    if target == moment, recordedEvent == (current >= 0 ? current : nil) { return }
    guard current >= 0 else {
      machine.memory.seek(to: 0)
      steps = []
      recordedEvent = nil
      moment = Moment(events: 0)
      return
    }
    if recordedEvent != current { record(event: current) }
    if target.steps > 0, target.steps < steps.count {
      machine.memory.seek(to: steps[target.steps].start)
    } else {
      target = Moment(events: current + 1)
      machine.memory.seek(to: events.start(ofEvent: current + 1))
    }
    moment = target
  }

  /// Replays an event of the past or future to learn its micro-steps, and leaves the moment at its end.
  private mutating func record(event: Int) {
    machine.memory.seek(to: events.start(ofEvent: event))
    machine.steps.isRecording = true
    do {
      try machine.apply(events[event])
    } catch {
      preconditionFailure("an event of the past is refused: \(error)")
    }
    machine.steps.isRecording = false
    steps = machine.steps.steps
    recordedEvent = event
  }

  /// Goes through an event from its beginning, micro-step by micro-step, to its end, and leaves the
  /// moment there. Time and memory are linear in the number of words that the event stores.
  ///
  /// - Parameters:
  ///   - event: its index in `events`.
  ///   - visit: gets the machine at each instant, the number of micro-steps done, and the journal entries
  ///     of the last of them. It must not keep the machine, which would force a copy.
  package mutating func goThrough(event: Int, _ visit: (Machine, Int, Range<Int>) -> Void) {
    if recordedEvent != event { record(event: event) }
    var start = events.start(ofEvent: event)
    machine.memory.seek(to: start)
    visit(machine, 0, start..<start)
    for done in 1...steps.count {
      let end = done < steps.count ? steps[done].start : events.start(ofEvent: event + 1)
      machine.memory.seek(to: end)
      visit(machine, done, start..<end)
      start = end
    }
    moment = Moment(events: event + 1)
  }

  /// Drops the events after the current moment, so that another future can follow.
  public mutating func forgetFuture() {
    seek(to: Moment(events: moment.events))
    machine.memory.forgetFuture()
    events.keep(moment.events)
  }

  /// Drops all events, so that the history begins at its end. A run in which nobody goes back then needs
  /// no more memory than its machine.
  package mutating func forgetPast() {
    seek(to: Moment(events: events.count))
    machine.memory.forgetPast()
    forgotten += events.count
    events = EventList(after: machine.memory.position)
    moment = Moment(events: 0)
    steps = []
    recordedEvent = nil
  }

  /// Goes one event forward; false at the end.
  public mutating func forward() -> Bool {
    if moment.events == events.count { return false }
    seek(to: Moment(events: moment.events + 1))
    return true
  }

  /// Goes one event back; false at the start.
  public mutating func back() -> Bool {
    if moment == Moment(events: 0) { return false }
    seek(to: Moment(events: moment.steps > 0 ? moment.events : moment.events - 1))
    return true
  }

  /// Goes one micro-step forward; false at the end.
  public mutating func stepForward() -> Bool {
    if moment.events == events.count { return false }
    seek(to: Moment(events: moment.events, steps: moment.steps + 1))
    return true
  }

  /// Goes one micro-step back; false at the start.
  public mutating func stepBack() -> Bool {
    if moment == Moment(events: 0) { return false }
    if moment.steps > 0 {
      seek(to: Moment(events: moment.events, steps: moment.steps - 1))
    } else {
      let last = moment.events - 1
      record(event: last)
      seek(to: Moment(events: last, steps: max(0, steps.count - 1)))
    }
    return true
  }

  /// Index of the event whose micro-steps `steps` holds, or nil at the very start.
  public var currentEvent: Int? {
    moment.steps > 0 ? moment.events : moment.events > 0 ? moment.events - 1 : nil
  }

  /// Number of micro-steps of the current event done.
  public var stepsDone: Int { moment.steps > 0 ? moment.steps : steps.count }

  /// Entries of the journal of micro-step `index` of the current event.
  public func stores(ofStep index: Int) -> Range<Int> {
    guard let event = currentEvent else { return 0..<0 }
    // What was stored before the first step was noted belongs to it.
    let start = index == 0 ? events.start(ofEvent: event) : steps[index].start
    let end = index + 1 < steps.count ? steps[index + 1].start : events.start(ofEvent: event + 1)
    return start..<end
  }

  /// The state after an event, as 32 bits of its fingerprint: different states collide once in 2^32 pairs.
  public func stateCheck(ofEvent index: Int) -> UInt32 { events.stateCheck(at: index) }

  /// The same of the last event; nil if there is none.
  public var lastStateCheck: UInt32? { events.indices.last.map(stateCheck) }

  /// The event that made an entry of the journal, by its index.
  package func event(ofStore store: Int) -> Int {
    (0..<events.count + 1).partitioningIndex { events.start(ofEvent: $0) > store } - 1
  }

  /// Entries of the journal that an event made.
  public func stores(ofEvent index: Int) -> Range<Int> {
    events.start(ofEvent: index)..<events.start(ofEvent: index + 1)
  }
}

/// A moment of a history: so many events are done, and so many micro-steps of the next one.
public struct Moment: Comparable, Hashable, Sendable {
  /// Events that are done.
  public var events: Int
  /// Micro-steps that are done of the event after those.
  public var steps: Int

  /// A moment; without steps, between two events.
  public init(events: Int, steps: Int = 0) {
    self.events = events
    self.steps = steps
  }

  /// Earlier moments come first.
  public static func < (a: Moment, b: Moment) -> Bool {
    (a.events, a.steps) < (b.events, b.steps)
  }
}
