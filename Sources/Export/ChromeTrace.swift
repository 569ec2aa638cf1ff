import Canvas

/// A trace as Chrome's JSON: an event is a slice of its actor, its micro-steps are slices within.
package struct ChromeTrace: TraceFormat {
  private var actors: [String] = []
  private var isFirst = true

  package init() {}

  package mutating func header(title: SafeText) -> [UInt8] {
    let name = Cast.json("pagewalk: \(title)")
    return Array(
      #"{"otherData":{"time":\#(Cast.json(TraceEvent.timeIsOrder))},"traceEvents":[\#n"#.utf8)
      + Array(
        #"{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":\#(name)}}"#.utf8)
  }

  package mutating func bytes(of event: TraceEvent) -> [UInt8] {
    var lines = ""
    func add(_ line: String) { lines += ",\n" + line }
    let known = actors.firstIndex(of: event.actor)
    let thread = (known ?? actors.count) + 1
    if known == nil {
      actors.append(event.actor)
      add(
        #"{"ph":"M","pid":1,"tid":\#(thread),"name":"thread_name","args":{"name":\#(Cast.json(event.actor))}}"#
      )
    }
    let start = event.number * 1_000
    add(
      #"{"ph":"X","pid":1,"tid":\#(thread),"ts":\#(start),"dur":1000,"name":\#(text(event.statement)),"#
        + #""args":{"event":\#(event.number),"sentence":\#(text(event.sentence))}}"#)
    for (index, step) in event.steps.enumerated() {
      let (first, last) = event.microseconds(ofStep: index)
      add(
        #"{"ph":"X","pid":1,"tid":\#(thread),"ts":\#(start + first),"dur":\#(last - first),"name":\#(text(step.label)),"#
          + #""args":{"what":\#(text(step.what)),"table":\#(text(step.table)),"address":"0x\#(String(step.address, radix: 16))"}}"#
      )
    }
    for (table, count) in event.leaves {
      add(
        #"{"ph":"C","pid":1,"ts":\#(start + 1_000),"name":\#(text("leaves of " + table)),"args":{"leaves":\#(count)}}"#
      )
    }
    return Array(lines.utf8)
  }

  package mutating func footer() -> [UInt8] { Array("\n]}\n".utf8) }

  private func text(_ text: String) -> String { Cast.json(SafeText(text).string) }
}

/// A trace format: the text before, for each event, and after.
package protocol TraceFormat {
  /// The text before the events.
  mutating func header(title: SafeText) -> [UInt8]
  /// The text of an event, called in order.
  mutating func bytes(of event: TraceEvent) -> [UInt8]
  /// The text after the events.
  mutating func footer() -> [UInt8]
}

extension TraceEvent {
  /// When a micro-step begins and ends in its event's millisecond, in microseconds.
  func microseconds(ofStep index: Int) -> (first: Int, last: Int) {
    (index * 1_000 / max(1, steps.count), (index + 1) * 1_000 / max(1, steps.count))
  }
}
