import Engine
import Language

/// The result of replaying a recording.
public struct Verification: Sendable {
  /// A place at which a machine differs from the recorded one.
  public struct Divergence: Equatable, Sendable {
    /// Index of the history.
    public let history: Int
    /// Number of its events done.
    public let events: Int
    /// The line of the last of them, or of the recorded tables; from 1.
    public let line: Int
    /// The last event's statement as in the file; nil for a comparison of tables.
    public let statement: String?
    /// Names of the tables that differ; empty for a comparison of states, which cannot tell.
    public let tables: [String]
  }

  /// The condition of the file.
  public let condition: Recording.Condition
  /// The versions of its writer; nil if that line is damaged.
  public let version: RecordingVersion?
  /// Number of events whose states were compared, if this program's states are comparable with the file's.
  public private(set) var states = 0
  /// Number of tables compared.
  public private(set) var tables = 0
  /// The first divergence of each history.
  public private(set) var divergences: [Divergence] = []
  /// Statements that cannot be carried out, with their places.
  public private(set) var refusals: [ScenarioError] = []

  /// Whether the file is as written, and the replay as recorded.
  public var isGood: Bool { condition.isWhole && divergences.isEmpty && refusals.isEmpty }

  /// Replays a recording and compares. O(n) in the events; the past of the first history is not kept,
  /// unless others branch from it.
  ///
  /// - Parameters:
  ///   - note: called for each event of the first history.
  /// - Throws: the first mistake of the scenario.
  public init(
    _ recording: Recording, _ bytes: [UInt8], file: String, note: () -> Void = {}
  ) throws(ScenarioError) {
    condition = recording.condition
    version = recording.version
    let scenario = try Scenario(parsing: bytes, of: recording, file: file)
    // States of another layout have other numbers.
    let comparesStates = recording.version?.layout == Fingerprint.layout
    let hasOthers = recording.lines.contains {
      if case .history = $0.line { true } else { false }
    }
    var session = Session(scenario, keepsPast: hasOthers)
    do {
      try carryOut(
        &session, recording, comparesStates: comparesStates, note)
    } catch {
      refusals.append(error)
      return
    }
    if hasOthers { compareOthers(session, recording, comparesStates: comparesStates) }
  }

  /// The first history, event by event.
  private mutating func carryOut(
    _ session: inout Session, _ recording: Recording, comparesStates: Bool, _ note: () -> Void
  ) throws(ScenarioError) {
    let tables = recording.lines.compactMap { number, line in
      if case .tables(0, let events, let checks) = line {
        (number: number, events: events, checks: checks)
      } else {
        nil
      }
    }.sorted { $0.events < $1.events }
    var nextTables = tables[...]
    var stamps = recording.stamps[...]
    var isSame = true
    func compareTables(_ session: Session) {
      while let next = nextTables.first, next.events == session.eventsDone {
        nextTables.removeFirst()
        compare(next.checks, session, history: 0, line: next.number, &isSame)
      }
    }
    compareTables(session)
    while let statement = try session.advance() {
      guard statement.isEvent else { continue }
      note()
      if comparesStates, isSame, let line = statement.origin.line {
        stamps = stamps.drop { $0.number < line }
        if let next = stamps.first, next.number == line,
          let state = session.timeline.lastStateCheck
        {
          states += 1
          if state != next.stamp.state {
            isSame = false
            divergences.append(
              Divergence(
                history: 0, events: session.eventsDone, line: line,
                statement: session.scenario.text(of: statement), tables: []))
          }
        }
      }
      compareTables(session)
    }
  }

  private mutating func compare(
    _ checks: [TableCheck], _ session: Session, history: Int, line: Int, _ isSame: inout Bool
  ) {
    tables += checks.count
    let names = TableCheck.differences(
      checks, TableCheck.checks(of: session.timeline.machine))
    if names.isEmpty || !isSame { return }
    isSame = false
    divergences.append(
      Divergence(
        history: history, events: session.eventsDone, line: line, statement: nil, tables: names))
  }

  /// Compares the other histories with the recording.
  private mutating func compareOthers(
    _ main: Session, _ recording: Recording, comparesStates: Bool
  ) {
    var saved = SavedSession([.init(name: SavedSession.firstName, origin: nil, session: main)])
    var diverged: Set<Int> = []
    for (number, line) in recording.lines {
      do throws(ScenarioError) {
        try saved.add(line)
      } catch {
        refusals.append(
          ScenarioError(
            file: main.scenario.file, line: number, column: 1, message: error.message))
        continue
      }
      switch line {
      case .statement(let history, let stamp, let text):
        let timeline = saved.histories[history].session.timeline
        guard comparesStates, let state = timeline.lastStateCheck else { continue }
        states += 1
        if state != stamp.state, diverged.insert(history).inserted {
          divergences.append(
            Divergence(
              history: history, events: timeline.events.count, line: number, statement: text,
              tables: []))
        }
      case .tables(let history, let events, let checks) where history > 0:
        guard saved.histories.indices.contains(history) else { continue }
        var session = saved.histories[history].session
        session.seek(to: Moment(events: events))
        var isSame = !diverged.contains(history)
        compare(checks, session, history: history, line: number, &isSame)
        if !isSame { diverged.insert(history) }
      default: continue
      }
    }
  }
}

/// The longest intact part of a recording.
extension Recording {
  /// The bytes before the first line that was changed or not completely written. Without the end mark,
  /// unless the whole file is intact. O(n) in the bytes.
  public func goodPrefix(of bytes: [UInt8]) -> ArraySlice<UInt8> {
    condition.edits.first.map { bytes[..<start(ofLine: $0.lowerBound, in: bytes)] }
      ?? bytes[..<bytesUsed]
  }
}
