import Engine

extension Session {
  /// What stands before a chapter's label in the name of its end, the older spelling last.
  package static let chapterPrefixes = ["chapter:", "step:"]

  /// The moment that a text names: an event's number (`14`: that many events are done), with micro-steps
  /// of the next one (`14.3`), a chapter's label (`chapter:03`, or `step:03` as it was spelled before), a
  /// percentage (`40%`), `start` or `end`. Nil if there is no such moment.
  public func moment(named text: String) -> Moment? {
    let count = timeline.events.count
    switch text {
    case "start": return Moment(events: 0)
    case "end": return Moment(events: count)
    default: break
    }
    for prefix in Self.chapterPrefixes where text.hasPrefix(prefix) {
      let label = text.dropFirst(prefix.count)
      return chapters.first { $0.label == label }.map { Moment(events: $0.end) }
    }
    if text.hasSuffix("%"), let percent = Int(text.dropLast()), (0...100).contains(percent) {
      return Moment(events: count * percent / 100)
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let events = Int(parts[0]), (0...count).contains(events) else {
      return nil
    }
    if parts.count == 1 { return Moment(events: events) }
    guard let steps = Int(parts[1]), steps >= 0, events < count else { return nil }
    return Moment(events: events, steps: steps)
  }

  /// What `moment(named:)` understands, for messages.
  public var momentHelp: String {
    "0 to \(timeline.events.count), N.STEP, chapter:LABEL, PERCENT%, start or end"
  }

  /// Goes to a moment.
  public mutating func seek(to moment: Moment) { timeline.seek(to: moment) }

  /// Goes through an event, see `Timeline.goThrough`.
  package mutating func goThrough(event: Int, _ visit: (Machine, Int, Range<Int>) -> Void) {
    timeline.goThrough(event: event, visit)
  }

  /// The text of the statement of an event: as it was written or typed, without a comment, or printed from
  /// the event if nobody wrote it.
  public func text(ofEvent index: Int) -> String {
    switch origin(ofEvent: index) {
    case .file(_, let offset): scenario.text(ofEventAt: offset)
    case .typed(let text): Scenario.text(ofEvent: text.utf8)
    case .imported, .found: timeline.events[index].statement
    }
  }

  /// Where an event comes from.
  public func origin(ofEvent index: Int) -> Origin {
    scenario.statements[statementOfEvent[index]].origin
  }

  /// The line of the statement of an event, from 1; nil if it is in no file.
  public func line(ofEvent index: Int) -> Int? { origin(ofEvent: index).line }
}

extension Session {
  /// Moves in time by one step of some kind; what the step returns.
  public mutating func move(_ step: (inout Timeline) -> Bool) -> Bool { step(&timeline) }
}

extension Moment {
  /// The moment as `moment(named:)` reads it, and as it is written everywhere: `14`, or `14.3` after three
  /// micro-steps of the next event.
  package var name: String { steps > 0 ? "\(events).\(steps)" : "\(events)" }
}
