import Canvas
import Engine
import Inquiry

/// Where events are on a line of some width: a column for each, or several in one column.
struct TimeScale {
  let count: Int
  let width: Int

  /// The column of an event.
  func column(of event: Int) -> Int {
    count <= width ? event : event * width / max(count, 1)
  }

  /// The events of a column.
  func events(in column: Int) -> Range<Int> {
    if count <= width { return column..<min(column + 1, count) }
    return (column * count + width - 1) / width..<((column + 1) * count + width - 1) / width
  }

  var columns: Int { min(count, width) }
}

extension Model {
  /// Maximum number of events examined for one column of the timeline.
  private static let sample = 64

  /// The kind that a column shows: the weightiest of those that at least a quarter of its events have.
  private func kind(of events: Range<Int>) -> EventKind {
    var counts = [Int](repeating: 0, count: EventKind.allCases.count)
    let looked = min(events.count, Self.sample)
    for index in 0..<looked {
      // Not evenly spaced, or a repeated pattern would be seen always or never.
      let offset = looked == events.count ? index : index * 7919 % events.count
      counts[timeline.events[events.lowerBound + offset].facts.kind.rawValue] += 1
    }
    return EventKind.allCases.last { counts[$0.rawValue] * 4 >= max(looked, 1) } ?? .other
  }

  /// The history: a letter for each kind of event; below it the moment and the chapters.
  func drawTimeline(in rect: Rect, of frame: inout Surface) {
    guard rect.height > 0 else { return }
    let scale = TimeScale(count: timeline.events.count, width: rect.width - 2)
    let now = timeline.currentEvent.map { scale.column(of: $0) }
    for column in 0..<scale.columns {
      let kind = kind(of: scale.events(in: column))
      frame.write(
        SafeText(kind.letter), at: Point(rect.x + 1 + column, rect.y),
        style: Style(kind.role, column == now ? .reverse : []), clip: rect)
    }
    guard rect.height > 1 else { return }
    for chapter in session.chapters where chapter.end > 0 {
      frame.write(
        SafeText(.vertical), at: Point(rect.x + 1 + scale.column(of: chapter.end - 1), rect.y + 1),
        style: Style(.dim), clip: rect)
    }
    func note(_ sign: SafeText, _ role: Role, at event: Int) {
      frame.write(
        sign, at: Point(rect.x + 1 + scale.column(of: event), rect.y + 1), style: Style(role),
        clip: rect)
    }
    if let origin = branches[branch].origin, origin.policy == nil, origin.events > 0 {
      note(SafeText(.teeRight), .key, at: origin.events - 1)
    }
    for event in branches[branch].audit.violations.keys {
      note(SafeText(.mismatch), .mismatch, at: event)
    }
    if let paused = timeline.pausedEvent { note(SafeText(.paused), .warning, at: paused) }
    for (letter, place) in marksHere where place.moment.events > 0 {
      note(SafeText(String(letter)), .changed, at: place.moment.events - 1)
    }
    frame.write(
      SafeText(.pointer), at: Point(rect.x + (now.map { $0 + 1 } ?? 0), rect.y + 1),
      style: Style(.key),
      clip: rect)
  }
}
