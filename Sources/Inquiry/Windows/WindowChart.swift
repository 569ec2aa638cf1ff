import Engine
import Language

/// DMA during an event: for every micro-step and every page concerned, the outcome that a DMA would have
/// at that instant.
///
/// A window is a page and a run of instants at which a DMA has a wrong outcome: a fault where the page is
/// mapped before and after the event, or memory of another owner. CPUs have no such windows, since a
/// fault makes them wait until the event is over. A device takes no faults and holds no locks, so its DMA
/// may come between any two stores, at any of these instants. That is why the chart asks at each of them
/// instead of comparing the tables before and after: most faults of this kind are visible in neither.
///
/// The table alone does not decide the outcome. It depends on the stream table entry, on the SMMU's TLB,
/// on invalidations still in the queue, on CPU caches if the walker is not coherent, and on the owner of
/// the memory. So each cell comes from the code that carries out DMA. A shortcut
/// through the table would miss the windows in which table and TLB disagree.
///
/// A window at the edge of an event needs care. A paused event ends inside its windows, and `resume`
/// begins inside them; code that counts windows must not require a page to work before and after such an
/// event. And a page that fails at the first and the last instant has no window at all: it
/// is simply not mapped.
public struct WindowChart: Equatable, Sendable {
  /// Pages of a device with the same outcome at every instant.
  public struct Column: Equatable, Sendable {
    /// The device.
    public let device: Int
    /// Input addresses.
    public let range: Range<UInt64>
    /// The outcomes of DMA, each from an instant until the next one listed, starting with the first instant.
    fileprivate(set) var changes: [Change] = []

    /// All outcomes of DMA to the pages, in order, each with the index of the row from which on it is so.
    package var told: [(row: Int, cell: Cell)] { changes.map { ($0.row, $0.cell) } }

    /// All outcomes of DMA to the pages, in order.
    public var cells: [Cell] { changes.map(\.cell) }

    /// Number of 4K pages.
    public var pages: UInt64 { range.size / Page.size }

    /// Whether no table has ever led the device there.
    fileprivate var isNeverReached: Bool {
      changes.allSatisfy {
        switch ($0.cell.read, $0.cell.write) {
        case (.fault(.translation, _), .fault(.translation, _)), (.aborted, .aborted),
          (.stalled, .stalled):
          true
        default: false
        }
      }
    }
  }

  /// The outcome of DMA to the pages of a column from an instant on.
  struct Change: Equatable {
    /// Index of the instant's row.
    let row: Int
    let cell: Cell
  }

  /// An instant, by the number of micro-steps done.
  public struct Row: Equatable, Sendable {
    /// Number of micro-steps done.
    public let steps: Int
    /// The label of the last of them; empty for the first row.
    public let label: String
    /// Its effect, as a sentence; empty for the first row.
    public let what: String
  }

  /// The outcome of a DMA to the pages of a column at an instant.
  public struct Cell: Equatable, Sendable {
    /// The outcome of a read of the first page.
    public let read: DeviceOutcome
    /// The outcome of a write to it.
    public let write: DeviceOutcome
    /// Whether the DMA reaches memory whose owner is not the device's.
    public let isForbidden: Bool

    /// Whether no DMA gets through; a stalled one does not fail.
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
  /// Time and memory are linear in the words that the event stores and in the pages concerned, if all
  /// those words are of tables and TLBs; after a change of owners all pages are looked up again.
  ///
  /// - Parameters:
  ///   - event: index of an event of the session's history.
  ///   - session: the session, which goes through the event and back to its moment.
  public init?(ofEvent event: Int, in session: inout Session) {
    guard session.timeline.events.indices.contains(event) else { return nil }
    let moment = session.timeline.moment
    defer { session.seek(to: moment) }
    session.seek(to: Moment(events: event + 1))
    let steps = session.timeline.steps
    let parts = Self.parts(of: steps, ofEvent: event, in: &session)
    if parts.isEmpty { return nil }
    // First find the pages with the same outcome at every instant, and then the outcomes.
    var cuts = parts.map { Set([$0.range.lowerBound]) }
    session.goThrough(event: event) { machine, done, stores in
      for (index, part) in parts.enumerated() {
        for runs in machine.changedRuns(of: part, by: done == 0 ? nil : stores) {
          let cells = runs.map { Cell(of: $0, machine, device: part.device) }
          for next in cells.indices.dropFirst() where !cells[next].faresLike(cells[next - 1]) {
            cuts[index].insert(runs[next].range.lowerBound)
          }
        }
      }
    }
    var columns = zip(parts, cuts).flatMap { part, cuts in
      let starts = cuts.sorted()
      return zip(starts, starts.dropFirst() + [part.range.upperBound]).map {
        Column(device: part.device, range: $0..<$1)
      }
    }
    session.goThrough(event: event) { machine, done, stores in
      for index in columns.changed(by: done == 0 ? nil : stores, in: machine) {
        let cell = Cell(of: columns[index], machine)
        if columns[index].changes.last?.cell != cell {
          columns[index].changes.append(Change(row: done, cell: cell))
        }
      }
    }
    if case .dma = session.timeline.events[event] {
    } else {
      columns.removeAll(where: \.isNeverReached)
    }
    if columns.isEmpty { return nil }
    self.event = event + 1
    self.columns = columns
    rows = (0...steps.count).map { number in
      let explanation = number == 0 ? nil : steps[number - 1].explanation
      return Row(
        steps: number, label: explanation?.label ?? "", what: explanation?.what ?? "")
    }
  }

  /// The outcomes of DMA at an instant, column by column.
  ///
  /// - Complexity: O(columns), times the logarithm of the number of changes of each.
  public func cells(ofRow row: Int) -> [Cell] {
    columns.map { column in
      let changes = column.changes
      return changes[changes.lastIndex(atMost: row)].cell
    }
  }

  /// The pages that the steps of an event concern, by device and address.
  private static func parts(
    of steps: [Step], ofEvent event: Int, in session: inout Session
  ) -> [Column] {
    var concerns = steps.compactMap(\.concerned)
    let redirected = Set(steps.compactMap(\.redirectedDevice)).sorted()
    var reached: [Int: [Range<UInt64>]] = [:]
    var devices: Set<Int> = []
    var parts: [Column] = []
    session.goThrough(event: event) { machine, done, _ in
      guard done == 0 || done == steps.count else { return }
      devices.formUnion(machine.attachedDevices)
      for device in redirected { reached[device, default: []] += machine.reached(by: device) }
      for index in concerns.indices { concerns[index].addWholeLeaves(of: machine) }
      if done == 0 { return }
      parts = devices.union(redirected).sorted().flatMap { device in
        merged(
          concerns.filter { $0.table.isSeen(by: device, in: machine) }.map(\.range)
            + reached[device, default: []]
        ).map { Column(device: device, range: $0) }
      }
    }
    return parts
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
}

extension Machine {
  /// The outcomes of DMA to a part where stores may have changed it, and to its neighbours there.
  ///
  /// - Parameter stores: nil for any.
  fileprivate func changedRuns(
    of part: WindowChart.Column, by stores: Range<Int>?
  ) -> [[DeviceRun]] {
    switch stores.map({ deviceChange(by: $0, device: part.device) }) ?? .anything {
    case .anything: return [deviceRuns(in: part.range, device: part.device)]
    case .addresses(let ranges):
      return ranges.filter { $0.overlaps(part.range) }
        .map { deviceRuns(around: $0, in: part.range, device: part.device) }
    }
  }
}

extension [WindowChart.Column] {
  /// Indices of the columns, which are in order, whose first page's DMA stores may have changed.
  ///
  /// - Parameter stores: nil for any.
  fileprivate func changed(by stores: Range<Int>?, in machine: Machine) -> [Int] {
    guard let stores else { return Array<Int>(indices) }
    return Set(map(\.device)).flatMap { device -> [Int] in
      switch machine.deviceChange(by: stores, device: device) {
      case .anything: return indices.filter { self[$0].device == device }
      case .addresses(let ranges):
        return ranges.flatMap { range -> Range<Int> in
          let first = firstIndex(from: range.lowerBound, of: device)
          return first..<Swift.max(first, firstIndex(from: range.upperBound, of: device))
        }
      }
    }
  }

  /// Index of the first column of a device that begins at an address or after it.
  private func firstIndex(from address: UInt64, of device: Int) -> Int {
    indices.partitioningIndex {
      (self[$0].device, self[$0].range.lowerBound) >= (device, address)
    }
  }
}

extension [WindowChart.Change] {
  /// Index of the last change that is not after a row; the first is at row 0.
  fileprivate func lastIndex(atMost row: Int) -> Int {
    (1..<count).partitioningIndex { self[$0].row > row } - 1
  }
}

extension WindowChart.Cell {
  fileprivate init(of run: DeviceRun, _ machine: Machine, device: Int) {
    self.init(read: run.read, write: run.write, machine, device: device)
  }

  private init(read: DeviceOutcome, write: DeviceOutcome, _ machine: Machine, device: Int) {
    self.read = read
    self.write = write
    isForbidden = [read, write].contains { outcome in
      outcome.physical.map { !machine.mayReach($0, device: device) } ?? false
    }
  }

  /// The outcome of DMA to the first page of a column.
  fileprivate init(of column: WindowChart.Column, _ machine: Machine) {
    let start = column.range.lowerBound
    let device = column.device
    self.init(
      read: machine.deviceOutcome(of: start, write: false, device: device),
      write: machine.deviceOutcome(of: start, write: true, device: device), machine,
      device: device)
  }

  /// Whether the outcome is the same apart from the physical address.
  fileprivate func faresLike(_ other: Self) -> Bool {
    read.kind == other.read.kind && write.kind == other.write.kind
      && isForbidden == other.isForbidden
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
}
