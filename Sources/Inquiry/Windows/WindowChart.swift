import Engine
import Language

/// What DMA sees while an event is carried out: for every micro-step and every page concerned, what a DMA
/// would get at that instant.
public struct WindowChart: Equatable, Sendable {
  /// Pages of a device that fare alike at every instant.
  public struct Column: Equatable, Sendable {
    /// The device.
    public let device: Int
    /// Input addresses.
    public let range: Range<UInt64>

    /// Number of 4K pages.
    public var pages: UInt64 { (range.upperBound - range.lowerBound) / 4096 }
  }

  /// An instant: so many micro-steps are done.
  public struct Row: Equatable, Sendable {
    /// Number of micro-steps that are done.
    public let steps: Int
    /// The last of them in a word and in a sentence; empty for the first row.
    public let label: String
    /// What it did.
    public let what: String
    /// What DMA gets, column by column.
    public let cells: [Cell]
  }

  /// What a DMA to the pages of a column gets at an instant.
  public struct Cell: Equatable, Sendable {
    /// What a read of the first page gets.
    public let read: DeviceOutcome
    /// What a write to it gets.
    public let write: DeviceOutcome
    /// Whether the DMA reaches memory whose owner is not the device's.
    public let isForbidden: Bool

    /// Whether no DMA gets through; one that is held up does not fail.
    public var fails: Bool {
      read.physical == nil && write.physical == nil && read != .stalled
    }
  }

  /// Number of the event, from 1.
  public let event: Int
  /// The pages, by device and address.
  public let columns: [Column]
  /// The instants, the one before the first micro-step first.
  public let rows: [Row]

  /// The chart of an event; nil if no device's pages are concerned.
  ///
  /// - Parameters:
  ///   - event: index of an event of the session's history.
  ///   - session: the session; its moment does not matter.
  public init?(ofEvent event: Int, in session: Session) {
    var timeline = session.timeline
    guard timeline.events.indices.contains(event) else { return nil }
    timeline.seek(to: Moment(events: event))
    let before = timeline.machine
    timeline.seek(to: Moment(events: event + 1))
    let after = timeline.machine
    let steps = timeline.steps
    let devices = Set(before.attachedDevices + after.attachedDevices).sorted()
    let parts = devices.flatMap { device in
      let seen = steps.filter { $0.table?.isSeen(by: device, in: after) ?? false }
      return Self.merged(seen.flatMap { $0.concernedRanges(in: [before, after]) })
        .map { Column(device: device, range: $0) }
    }
    if parts.isEmpty { return nil }
    var instants = [Instant(before, parts)]
    for step in steps.indices.dropFirst() {
      timeline.seek(to: Moment(events: event, steps: step))
      instants.append(Instant(timeline.machine, parts))
    }
    instants.append(Instant(after, parts))
    self.event = event + 1
    let columns = Self.columns(parts, instants)
    self.columns = columns
    rows = instants.enumerated().map { number, instant in
      let explanation = number == 0 ? nil : steps[number - 1].explanation
      return Row(
        steps: number, label: explanation?.label ?? "", what: explanation?.what ?? "",
        cells: columns.map { instant.cell(of: $0) })
    }
  }

  /// Ranges in order, joined where they touch.
  private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var merged: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// The parts, cut wherever two neighbours fare differently at any instant.
  private static func columns(_ parts: [Column], _ instants: [Instant]) -> [Column] {
    parts.indices.flatMap { part -> [Column] in
      let starts = Set(instants.flatMap { $0.cuts(ofPart: part) }).sorted()
      let ends = starts.dropFirst() + [parts[part].range.upperBound]
      return zip(starts, ends).map { Column(device: parts[part].device, range: $0..<$1) }
    }
  }
}

/// What DMA gets everywhere at one instant, neighbours that fare alike joined.
private struct Instant {
  private struct Run {
    var start: UInt64
    var cell: WindowChart.Cell
  }

  /// For each part, where another run begins.
  private var runs: [[Run]] = []
  private let parts: [WindowChart.Column]

  init(_ machine: Machine, _ parts: [WindowChart.Column]) {
    self.parts = parts
    for part in parts {
      var joined: [Run] = []
      for run in machine.deviceRuns(in: part.range, device: part.device) {
        let cell = WindowChart.Cell(of: run, machine, device: part.device)
        if let last = joined.last, last.cell.faresLike(cell) { continue }
        joined.append(Run(start: run.range.lowerBound, cell: cell))
      }
      runs.append(joined)
    }
  }

  func cuts(ofPart part: Int) -> [UInt64] { runs[part].map(\.start) }

  /// What DMA to the first page of a column gets.
  func cell(of column: WindowChart.Column) -> WindowChart.Cell {
    let start = column.range.lowerBound
    let part =
      parts.firstIndex { $0.device == column.device && $0.range.contains(start) } ?? 0
    let index = runs[part].lastIndex { $0.start <= start } ?? 0
    let run = runs[part][index]
    return run.cell.moved(by: start - run.start)
  }
}

extension WindowChart.Cell {
  fileprivate init(of run: DeviceRun, _ machine: Machine, device: Int) {
    read = run.read
    write = run.write
    isForbidden = [run.read, run.write].contains { outcome in
      outcome.physical.map { !machine.mayReach($0, device: device) } ?? false
    }
  }

  /// Whether the same happens, wherever it leads.
  fileprivate func faresLike(_ other: Self) -> Bool {
    read.kind == other.read.kind && write.kind == other.write.kind
      && isForbidden == other.isForbidden
  }

  fileprivate func moved(by distance: UInt64) -> Self {
    Self(
      read: read.moved(by: distance), write: write.moved(by: distance), isForbidden: isForbidden)
  }
}

extension DeviceOutcome {
  /// The outcome without its physical address.
  fileprivate var kind: DeviceOutcome {
    switch self {
    case .cached(_, let level): .cached(0, level: level)
    case .walked(_, let level): .walked(0, level: level)
    case .bypassed: .bypassed(0)
    case .fault, .aborted, .stalled: self
    }
  }

  fileprivate func moved(by distance: UInt64) -> DeviceOutcome {
    switch self {
    case .cached(let physical, let level): .cached(physical + distance, level: level)
    case .walked(let physical, let level): .walked(physical + distance, level: level)
    case .bypassed(let physical): .bypassed(physical + distance)
    case .fault, .aborted, .stalled: self
    }
  }
}
