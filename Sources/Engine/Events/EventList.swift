/// The events of a history in order, and of each where its stores begin in the journal and what state it leads
/// to.
///
/// Each takes about 25 bytes (see `PackedList`); a session of a million holds them all.
public struct EventList: RandomAccessCollection, Equatable, Sendable {
  private struct Record {
    let event: Event
    /// The state after it, as 32 bits of its fingerprint.
    let check: UInt32
    /// Where its stores begin, after those of the chunk's first event: that many stores take more than 50 GB.
    let start: UInt32
  }

  private var records = PackedList<Record>()
  /// Where the stores of the first event of each chunk begin.
  private var starts: [Int] = []
  /// Where the journal ends.
  private var end: Int

  /// A list without events, for a journal of so many entries.
  init(after end: Int = 0) { self.end = end }

  /// 0.
  public var startIndex: Int { 0 }
  /// The number of events.
  public var endIndex: Int { records.endIndex }

  /// An event. O(1).
  public subscript(index: Int) -> Event { records[index].event }

  /// The state after an event, as 32 bits of its fingerprint. O(1).
  func stateCheck(at index: Int) -> UInt32 { records[index].check }

  /// Where the stores of an event begin in the journal; of the number of events, where it ends. O(1).
  func start(ofEvent index: Int) -> Int {
    index == records.endIndex ? end : starts[index / Self.chunkSize] + Int(records[index].start)
  }

  /// Adds an event, after which the journal ends at a position.
  mutating func append(_ event: Event, check: UInt32, end: Int) {
    if records.endIndex.isMultiple(of: Self.chunkSize) { starts.append(self.end) }
    let start = UInt32(self.end - starts[starts.count - 1])
    records.append(Record(event: event, check: check, start: start))
    self.end = end
  }

  /// Removes the events from an index on.
  mutating func keep(_ count: Int) {
    end = start(ofEvent: count)
    records.keep(count)
    starts.removeSubrange(((count + Self.chunkSize - 1) / Self.chunkSize)...)
  }

  private static var chunkSize: Int { PackedList<Record>.chunkSize }

  /// Whether the events are the same, whatever they led to.
  public static func == (a: EventList, b: EventList) -> Bool { a.elementsEqual(b) }
}
