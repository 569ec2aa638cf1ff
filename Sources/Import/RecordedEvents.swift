import KernelText

/// The events of a chapter, in the order of time; those without a time in the order of the files. What is kept of
/// each is where its line is, in 24 bytes: it is read again whenever it is asked for.
package struct RecordedEvents: RandomAccessCollection {
  /// What all events of a recording have to say together, and how much of its text was none.
  package struct Survey {
    var lines = 0
    var lost: UInt64 = 0
    var skipped = 0
    var firstSkipped: [String] = []
    package init() {}

    /// Number of tables that were made.
    var tablesMade = 0
    var hasDevices = false
    /// Whether the IOMMU's own events are there, and not only probes.
    var hasIOMMUEvents = false
    /// Whether a probe tells the pages that a notifier takes.
    var hasProbedNotifier = false
    /// Whether a probe tells what a reverse map records.
    var recordsPages = false

    fileprivate mutating func add(_ fact: TraceEvent.Fact) {
      switch fact {
      case .iommuMap: (hasDevices, hasIOMMUEvents) = (true, true)
      case .iommuUnmap, .ioPageFault: hasDevices = true
      case .call(let call):
        switch call.function {
        case .initTable: tablesMade += 1
        case .iommuMap: hasDevices = true
        case .notifierUnmap: hasProbedNotifier = true
        case .recordReverseMap: recordsPages = true
        default: break
        }
      default: break
      }
    }
  }

  private struct Place {
    let time: UInt64
    let offset: UInt32
    let line: UInt32
    let trace: UInt16
  }

  private let traces: [RecordedChapter.Trace]
  private let reader = TraceReader()
  private var places: [Place] = []

  /// Reads traces, and adds to the survey what they say.
  package init(_ traces: [RecordedChapter.Trace], _ survey: inout Survey) {
    self.traces = traces
    for (index, trace) in traces.enumerated() {
      var reader = TraceReader()
      var last: UInt64 = 0
      reader.read(trace.bytes) { event, offset in
        switch event.time {
        case .nanoseconds(let time), .ticks(let time): last = Swift.max(last, time)
        case nil: break
        }
        survey.add(event.fact)
        places.append(
          Place(
            time: last, offset: UInt32(clamping: offset), line: UInt32(clamping: event.line),
            trace: UInt16(clamping: index)))
      }
      survey.lines += reader.summary.lines
      survey.lost += reader.summary.lost
      survey.skipped += reader.summary.skipped.count
      survey.firstSkipped += reader.summary.skipped.first.map { "\(trace.name):\($0)" }
    }
    // Events of the same time keep their order. Of one file they are in order already.
    if traces.count > 1 {
      places.sort { ($0.time, $0.trace, $0.offset) < ($1.time, $1.trace, $1.offset) }
    }
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { places.count }

  /// The event at a place. O(its line).
  package subscript(index: Int) -> TraceEvent {
    let place = places[index]
    let bytes = traces[Int(place.trace)].bytes
    guard let event = reader.event(at: Int(place.offset), line: Int(place.line), in: bytes) else {
      preconditionFailure("a line that was an event is none when it is read again")
    }
    return event
  }

  /// The file and the line of an event.
  func place(of index: Int) -> (file: String, line: Int) {
    (traces[Int(places[index].trace)].name, Int(places[index].line))
  }
}
