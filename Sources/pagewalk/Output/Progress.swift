import Language
import Synchronization

/// The progress of long work. The worker only counts, which costs an addition; the reporter (`Watch`)
/// reads the count. Any number of threads may count.
final class Progress: Sendable {
  /// Name of the command.
  let command: String
  /// Total number of events.
  let events: Int
  /// Number of runs of the events; 1 if a scenario is carried out once.
  let runs: Int

  private let eventCount = Atomic(0)
  private let runCount = Atomic(0)

  init(_ command: String, events: Int, runs: Int = 1) {
    self.command = command
    self.events = events
    self.runs = runs
  }

  /// Number of events carried out.
  var eventsDone: Int { eventCount.load(ordering: .relaxed) }

  /// Number of finished runs.
  var runsDone: Int { runCount.load(ordering: .relaxed) }

  /// Counts an event carried out.
  func advance() { eventCount.wrappingAdd(1, ordering: .relaxed) }

  /// Counts a finished run, and its events that were not carried out.
  func finishRun(leaving events: Int) {
    eventCount.wrappingAdd(events, ordering: .relaxed)
    runCount.wrappingAdd(1, ordering: .relaxed)
  }

  /// The progress as a status line: the parts that fit into `columns` columns.
  ///
  /// - Parameter rate: recent events per second; 0 if there were none.
  func line(rate: Double, columns: Int) -> String {
    var parts = ["\(command): \(Number.grouped(eventsDone)) of \(Number.grouped(events)) events"]
    if events > 0 { parts.append("\(eventsDone * 100 / events)%") }
    if rate > 0 {
      parts.append("\(Self.duration(Double(max(0, events - eventsDone)) / rate)) left")
    }
    if runs > 1 { parts.append("\(runsDone) of \(runs) policies") }
    if rate > 0 { parts.append("\(Number.grouped(Int(rate)))/s") }
    while parts.count > 1, parts.joined(separator: ", ").utf8.count > columns {
      parts.removeLast()
    }
    return String(parts.joined(separator: ", ").prefix(columns))
  }

  /// The progress at an early end.
  var whereInterrupted: String {
    "interrupted after \(Number.grouped(eventsDone)) of \(Number.grouped(events)) events"
      + (runs > 1 ? "; \(runsDone) of \(runs) policies are done" : "")
  }

  /// A time in the unit that gives it two digits or so.
  private static func duration(_ seconds: Double) -> String {
    if seconds < 100 { return "\(Int(seconds.rounded(.up))) s" }
    if seconds < 6000 { return "\(Int(seconds / 60)) min" }
    return seconds < 3.6e9 ? "\(Int(seconds / 3600)) h" : "very long"
  }
}
