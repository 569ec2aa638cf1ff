import Engine
import Language

/// The text of a recording, written line by line: a scenario with extra data in
/// comments. `assets/recording.md` describes it.
///
/// It writes what is new in a session since the last time, so that a session can be written at once, and
/// a recording as things happen.
public struct RecordingText: Sendable {
  private let version: RecordingVersion
  /// Lines not taken yet.
  private var lines: [UInt8] = []
  /// The running checksum since the last checksum.
  private var sum = CRC32C()
  /// The parts of the session already written.
  private var histories: [Written] = []
  private var marks: [SavedSession.Mark] = []
  private var notes = 0
  private var choices: [String: String] = [:]

  private struct Written {
    var name: String
    var statements = 0
    var events = 0
    /// Numbers of events after which tables were written.
    var tables: Set<Int> = []

    mutating func count(_ statements: StatementList, _ index: Int) {
      if statements.isEvent(at: index) { events += 1 }
    }
  }

  /// An empty text.
  public init(_ version: RecordingVersion) { self.version = version }

  /// Takes the lines written since the last call.
  public mutating func take() -> [UInt8] {
    defer { lines = [] }
    return lines
  }

  /// Writes what is new in a session. All of it must have been carried out.
  ///
  /// - Parameter milliseconds: the time since the previous input, if it was done on a screen.
  /// - Complexity: O(what is new), the first time O(the scenario's text).
  public mutating func add(_ session: SavedSession, milliseconds: Int = 0) {
    for history in session.histories.dropFirst(histories.count) {
      begin(history, in: session, milliseconds)
    }
    for (index, history) in session.histories.enumerated() {
      addStatements(upTo: nil, of: index, in: session, milliseconds)
      if history.name != histories[index].name {
        histories[index].name = history.name
        add(.name(history: index, history.name))
      }
      for (events, checks) in history.tableChecks.sorted(by: { $0.key < $1.key })
      where histories[index].tables.insert(events).inserted {
        add(.tables(history: index, events: events, checks))
      }
    }
    for mark in session.marks where !marks.contains(mark) { add(.mark(mark)) }
    marks = session.marks
    for note in session.notes.dropFirst(notes) { add(.note(note)) }
    notes = session.notes.count
    for choice in session.choices
    where choices.updateValue(choice.value, forKey: choice.name) != choice.value {
      add(.choice(choice))
    }
  }

  /// Writes that what follows is recorded live, on a screen of this size.
  public mutating func begin(width: Int, height: Int) { add(.begin(width: width, height: height)) }

  /// Writes an input.
  ///
  /// - Parameters:
  ///   - milliseconds: the time since the previous input.
  ///   - ticks: number of ticks in between.
  ///   - text: the input; one line.
  public mutating func add(input text: String, milliseconds: Int, ticks: Int) {
    add(.input(milliseconds: milliseconds, ticks: ticks, text))
  }

  /// Writes the end mark.
  public mutating func end() {
    add(.end(events: histories.reduce(0) { $0 + $1.events }))
  }

  // MARK: Statements

  private mutating func begin(
    _ history: SavedSession.History, in session: SavedSession, _ milliseconds: Int
  ) {
    var written = Written(name: history.name)
    guard let origin = history.origin else {
      // Only `#@name` gives the first history's name.
      written.name = SavedSession.firstName
      histories.append(written)
      return addScenario(history.session)
    }
    // A reader finds in the parent what it had then; under another policy, no more.
    addStatements(upTo: origin.statements, of: origin.parent, in: session, milliseconds)
    written.statements = origin.kept
    let statements = history.session.scenario.statements
    written.events = (0..<origin.kept).count { statements.isEvent(at: $0) }
    histories.append(written)
    add(.history(name: history.name, origin))
  }

  /// Writes the scenario as in its file, with a stamp at the end of each statement, and without an older
  /// recording's data.
  private mutating func addScenario(_ session: Session) {
    var isHead = true
    var lines = ScenarioLines(session.scenario)
    while let line = lines.next() {
      switch line.kind {
      case .world, .comment:
        add(line.bytes)
        endLine()
        if line.isVersion { add(.version(version)) }
      case .statement(let index):
        if isHead {
          isHead = false
          endHead(session)
        }
        if let index { histories[0].count(session.scenario.statements, index) }
        endStatement(line.bytes, of: 0, session, 0)
      }
    }
    if isHead { endHead(session) }
    histories[0].statements = lines.count
  }

  private mutating func endHead(_ session: Session) {
    add(.chain)
    for policy in session.scenario.changedPolicies { add(.under(policy: policy)) }
  }

  /// Writes the unwritten statements of a history.
  private mutating func addStatements(
    upTo limit: Int?, of index: Int, in session: SavedSession, _ milliseconds: Int
  ) {
    let history = session.histories[index].session
    let end = limit ?? history.scenario.statements.count
    while histories[index].statements < end {
      let statement = histories[index].statements
      histories[index].count(history.scenario.statements, statement)
      histories[index].statements += 1
      if history.scenario.statements.isRefused(at: statement) {
        // No part of the history: a comment.
        add(history.scenario.line(ofStatement: statement).utf8)
        endLine()
        continue
      }
      endStatement(
        history.scenario.line(ofStatement: statement).utf8, of: index, history, milliseconds)
    }
  }

  /// Writes a statement that is already counted.
  private mutating func endStatement(
    _ text: some Collection<UInt8>, of index: Int, _ session: Session, _ milliseconds: Int
  ) {
    let events = histories[index].events
    let state = events == 0 ? 0 : session.timeline.stateCheck(ofEvent: events - 1)
    let stamp = Stamp(milliseconds: milliseconds, state: state)
    if index == 0 {
      add(text)
      add(" #@\(stamp.text) ".utf8)
      addSum()
    } else {
      add(.statement(history: index, stamp, String(decoding: text, as: UTF8.self)))
    }
  }

  // MARK: Lines

  private mutating func add(_ line: RecordingLine) {
    add("#@\(line.text) ".utf8)
    if case .version = line {
      endLine()
    } else {
      addSum()
    }
  }

  private mutating func addSum() {
    let value = sum.value
    add(hex(UInt64(value), 8).utf8)
    sum = CRC32C()
    sum.add(value)
    endLine()
  }

  private mutating func endLine() { add(CollectionOfOne(UInt8(ascii: "\n"))) }

  private mutating func add(_ bytes: some Collection<UInt8>) {
    lines += bytes
    sum.add(bytes)
  }
}
