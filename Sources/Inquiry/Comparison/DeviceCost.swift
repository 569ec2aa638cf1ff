import Engine
import Language

/// The cost of a scenario's events to its devices under one policy. Windows are counted in micro-steps
/// times pages of 4K.
public struct DeviceCost: Equatable, Sendable, Encodable {
  /// DMA that fails during an event, to pages that it reaches before and after.
  public internal(set) var failing: UInt64 = 0
  /// Stalled DMA.
  public internal(set) var stalled: UInt64 = 0
  /// DMA that reaches memory of another owner.
  public internal(set) var forbidden: UInt64 = 0
  /// Entries of the SMMU's TLB that were dropped although the table still confirms them.
  public internal(set) var needless = 0
  /// The most TLB entries, after an event, that the table no longer confirms.
  public internal(set) var peakStale = 0
  /// The most bytes mapped for devices, less those of the pages that any DMA reached.
  public internal(set) var unused: UInt64 = 0
  /// The most bytes of the devices' own tables.
  public internal(set) var peakTables: UInt64 = 0
}

/// Counts it.
struct DeviceMeter {
  private(set) var cost = DeviceCost()
  private var peakMapped: UInt64 = 0
  /// Pages that a DMA reached, by device.
  private var reached: Set<[UInt64]> = []
  private var cached: [TLB.Entry] = []

  /// Counts the last event that a session carried out; the session must be at its end.
  mutating func count(last session: inout Session) {
    // The machine is not kept: the chart's seeking would have to copy it.
    let event = session.timeline.events.count - 1
    countCached(session.timeline.machine)
    if case .dma(let device, let iova, _) = session.timeline.events[event] {
      if session.timeline.machine.lastDeviceOutcome?.physical != nil {
        reached.insert([UInt64(device), iova >> 12])
      }
    } else {
      countTables(session.timeline.machine)
      let isPaused = session.timeline.machine.isPaused
      // A paused event ends, and resumes, inside its window.
      let goesOn = if case .resume = session.timeline.events[event] { true } else { false }
      if let chart = WindowChart(ofEvent: event, in: &session) {
        count(chart, from: goesOn, to: isPaused)
      }
    }
    let used = UInt64(reached.count) * Page.size
    cost.unused = peakMapped > used ? peakMapped - used : 0
  }

  private mutating func countCached(_ machine: Machine) {
    let now = machine.iotlbEntries
    cost.needless += cached.count { !now.contains($0) && machine.isBorneOut($0) }
    cost.peakStale = max(cost.peakStale, now.count { !machine.isBorneOut($0) })
    cached = now
  }

  private mutating func countTables(_ machine: Machine) {
    let sizes = (0..<SMMU.devices).map { machine.deviceTableSize($0) }
    peakMapped = max(peakMapped, sizes.reduce(0) { $0 + $1.mapped })
    cost.peakTables = max(cost.peakTables, sizes.reduce(0) { $0 + $1.table })
  }

  /// - Parameters:
  ///   - isOpen: whether the chart begins inside a window.
  ///   - staysOpen: whether it ends inside one.
  private mutating func count(_ chart: WindowChart, from isOpen: Bool, to staysOpen: Bool) {
    for column in chart.columns {
      let changes = column.changes
      let isKept =
        (isOpen || changes.first?.cell.fails == false)
        && (staysOpen || changes.last?.cell.fails == false)
      for (index, change) in changes.enumerated() {
        let end = index + 1 < changes.count ? changes[index + 1].row : chart.rows.count
        // The instant before the first micro-step does not count.
        let instants = UInt64(end - max(1, change.row)) * column.pages
        if isKept, change.cell.fails { cost.failing += instants }
        if change.cell.read == .stalled { cost.stalled += instants }
        if change.cell.isForbidden { cost.forbidden += UInt64(end - change.row) * column.pages }
      }
    }
  }
}
