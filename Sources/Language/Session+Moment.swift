import Engine

extension Session {
  /// The prefixes of a chapter's label in the name of its end, the older spelling last.
  package static let chapterPrefixes = ["chapter:", "step:"]

  /// The moment that a text names: an event's number (`14`: that many events are done), with micro-steps
  /// of the next one (`14.3`), a chapter's label (`chapter:03`, or the older `step:03`), a
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
    guard let moment = Moment(name: text), moment.events <= count,
      moment.steps == 0 || moment.events < count
    else { return nil }
    return moment
  }

  /// What `moment(named:)` understands, for messages.
  public var momentHelp: String {
    "0 to \(timeline.events.count), N.STEP, chapter:LABEL, PERCENT%, start or end"
  }

  /// Seeks to a moment; one beyond the end means the end.
  public mutating func seek(to moment: Moment) { timeline.seek(to: moment) }

  /// Goes through an event, see `Timeline.goThrough`.
  package mutating func goThrough(event: Int, _ visit: (Machine, Int, Range<Int>) -> Void) {
    timeline.goThrough(event: event, visit)
  }

  /// The text of an event's statement: as written or typed, without a comment, or printed from the event
  /// if it has no text.
  public func text(ofEvent index: Int) -> String {
    scenario.text(ofStatement: statementOfEvent[index])
  }

  /// Where a call or a row of a real kernel stands that an event is made of. In a scenario that was written down it
  /// is the comment behind the call's statement. Nil for an event of the model.
  package func source(ofEvent index: Int) -> String? {
    let origin = origin(ofEvent: index)
    switch origin {
    case .imported: return scenario.place(of: origin)
    case .file(_, let offset):
      guard case .recorded = timeline.events[index] else { return nil }
      let line = scenario.source[Int(offset)...].prefix { $0 != UInt8(ascii: "\n") }
      // Behind the comment a recording has its stamp.
      let text = line.firstRange(of: " #@".utf8).map { line[..<$0.lowerBound] } ?? line
      let place = text.drop { $0 != UInt8(ascii: "#") }.dropFirst().drop { $0 <= 0x20 }
      let blanks = place.reversed().prefix { $0 <= 0x20 }.count
      if place.count == blanks { return nil }
      return String(decoding: place.dropLast(blanks), as: UTF8.self)
    case .typed, .found: return nil
    }
  }

  /// Where an event comes from.
  public func origin(ofEvent index: Int) -> Origin {
    scenario.statements.origin(at: statementOfEvent[index])
  }

  /// The line of the statement of an event, from 1; nil if it is in no file.
  public func line(ofEvent index: Int) -> Int? { origin(ofEvent: index).line }
}

extension Session {
  /// Moves in time by one step of some kind; returns the step's result.
  public mutating func move(_ step: (inout Timeline) -> Bool) -> Bool { step(&timeline) }
}

extension Moment {
  /// The moment as `moment(named:)` reads it, and as it is always written: `14`, or `14.3` after three
  /// micro-steps of the next event.
  package var name: String { steps > 0 ? "\(events).\(steps)" : "\(events)" }

  /// Reads a name; nil if the text is not one. Does not check whether a history has the moment, but a file can have
  /// one with both numbers: so they can be counted on from.
  package init?(name: some StringProtocol) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter {
      (0...Int(StatementList.linesAtMost)).contains($0)
    }
    guard parts.count <= 2, numbers.count == parts.count else { return nil }
    self.init(events: numbers[0], steps: numbers.count == 2 ? numbers[1] : 0)
  }
}
