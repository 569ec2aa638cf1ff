/// Which statement each event of a history was, by its index.
///
/// Most statements are events, so that both go up together; what is kept is where they do not.
package struct EventStatements: RandomAccessCollection, Sendable {
  /// Events that follow each other as their statements do.
  private struct Run {
    /// Index of the first event.
    let event: Int
    /// Index of its statement.
    let statement: Int
  }

  private var runs: [Run] = []

  /// 0.
  package var startIndex: Int { 0 }
  /// The number of events.
  package private(set) var endIndex = 0

  /// Index of the statement of an event. O(log of the number of statements that are no events).
  package subscript(event: Int) -> Int {
    precondition(event < endIndex)
    let run = runs[runs.indices.partitioningIndex { runs[$0].event > event } - 1]
    return run.statement + event - run.event
  }

  /// Notes the statement of one more event, which is after that of the event before it.
  mutating func append(_ statement: Int) {
    if runs.last.map({ $0.statement + endIndex - $0.event }) != statement {
      runs.append(Run(event: endIndex, statement: statement))
    }
    endIndex += 1
  }

  /// Removes the events from an index on.
  mutating func keep(_ count: Int) {
    endIndex = count
    while let last = runs.last, last.event >= count { runs.removeLast() }
  }
}
