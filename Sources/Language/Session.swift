import Engine

/// A scenario that is being carried out: its history so far, its chapters, and what was not as expected.
public struct Session: Sendable {
  /// A place in the history where a chapter ended.
  public struct Chapter: Equatable, Sendable {
    /// Its label, as the file says it.
    public let label: String
    /// Its text, as the file says it.
    public let text: String
    /// Number of events before its end.
    public let end: Int
  }

  /// An expectation that did not hold.
  public struct Failure: Equatable, Sendable, CustomStringConvertible {
    /// Number of events before it.
    public let position: Int
    /// Where the expectation comes from.
    public let origin: Origin
    /// What was instead.
    public let message: String

    /// Where it comes from, and what was instead.
    public var description: String { "\(origin.description): \(message)" }
  }

  /// The scenario.
  public internal(set) var scenario: Scenario
  /// What has happened so far.
  public internal(set) var timeline: Timeline
  /// The chapters so far.
  public internal(set) var chapters: [Chapter] = []
  /// The expectations that failed so far.
  public internal(set) var failures: [Failure] = []
  /// The statement of each event so far.
  public internal(set) var statementOfEvent: [Int] = []
  /// The next statement to be carried out.
  var next = 0
  /// Statements of another history that are to follow, as far as they can be carried out.
  var following: ArraySlice<Statement> = []
  /// Those of them that the engine refused.
  public internal(set) var leftOut: [LeftOut] = []
  /// Whether all of the past is kept, or so much at the most.
  private let keepsPast: Bool
  private static let forgetsAfter = (events: 1 << 14, words: 1 << 18)
  /// Whether the micro-steps of each event are there as soon as it is carried out.
  private let recordsSteps: Bool

  /// A session in which nothing has happened yet.
  ///
  /// - Parameters:
  ///   - keepsPast: whether one can go back. Without, the events that are over are forgotten now and then,
  ///     so that memory does not grow with their number; the last one is kept.
  ///   - recordsSteps: whether the micro-steps of each event are wanted.
  public init(_ scenario: Scenario, keepsPast: Bool = true, recordsSteps: Bool = false) {
    self.scenario = scenario
    self.keepsPast = keepsPast
    self.recordsSteps = recordsSteps
    timeline = Timeline(scenario.configuration)
  }

  /// Number of events that have been carried out, forgotten ones too.
  public var eventsDone: Int { timeline.forgotten + timeline.events.count }

  /// What finds the rules that do not hold, from the first time on that anybody asks.
  private var checker: RuleChecker?

  /// The rules that do not hold after the event that was carried out, or gone to, last.
  ///
  /// - Complexity: O(log n) for each word that was stored since this was asked last; the first time a look
  ///   at everything.
  public mutating func violations() -> [Violation] {
    if checker == nil { checker = RuleChecker(timeline.machine) }
    let stores = lastStores
    return checker?.violations(of: timeline.machine, after: stores) ?? []
  }

  /// Whether a rule other than some is broken after that event. At the same cost, but for that of naming
  /// the places.
  public mutating func breaksRule(besides known: Set<Invariant>) -> Bool {
    if checker == nil { checker = RuleChecker(timeline.machine) }
    let stores = lastStores
    return checker?.breaksOther(than: known, timeline.machine, after: stores) ?? false
  }

  /// Entries of the trees of all reverse maps, bytes of canonical memory of which they do not know the nested
  /// IPA now, and known entries that no leaf bears out. At the same cost.
  public mutating func recordedEntries() -> (count: Int, unknownBytes: UInt64, stale: Int) {
    if checker?.countsEntries != true {
      checker = RuleChecker(timeline.machine, countsEntries: true)
    }
    checker?.follow(timeline.machine)
    guard let checker else { return (0, 0, 0) }
    return (checker.entryCount, checker.unknownBytes, checker.staleEntries)
  }

  /// Entries of the journal that the current event made.
  private var lastStores: Range<Int> {
    timeline.currentEvent.map { timeline.stores(ofEvent: $0) } ?? 0..<0
  }

  /// Whether every statement was carried out.
  public var isComplete: Bool { next == scenario.statements.count && following.isEmpty }

  /// Carries out the next statement, at the end of the history. Returns it, or nil at the end.
  ///
  /// - Throws: if the engine refuses the event; then the session stays where it is.
  @discardableResult
  public mutating func advance() throws(ScenarioError) -> Statement? {
    if next == scenario.statements.count { return advanceFollowing() }
    let statement = scenario.statements[next]
    switch statement.kind {
    case .event(let event):
      if !keepsPast { forgetPast() }
      do throws(Refusal) {
        try timeline.append(event, recordingSteps: recordsSteps)
      } catch {
        throw scenario.error(error, at: statement)
      }
      statementOfEvent.append(next)
    case .chapter(let label, let text):
      chapters.append(Chapter(label: label, text: text, end: eventsDone))
    case .expect(let expectation):
      let rules = expectation.concernsRules ? violations() : nil
      if let message = expectation.failure(
        in: timeline.machine, after: lastStores, violations: rules)
      {
        failures.append(
          Failure(position: eventsDone, origin: statement.origin, message: message))
      }
    }
    next += 1
    return statement
  }

  /// Leaves the next statement out.
  mutating func leaveOutNext() { next += 1 }

  /// Forgets what is over, where it is much.
  private mutating func forgetPast() {
    guard
      timeline.events.count >= Self.forgetsAfter.events
        || timeline.machine.memory.position >= Self.forgetsAfter.words
    else { return }
    checker?.follow(timeline.machine)
    timeline.forgetPast()
    statementOfEvent.removeAll(keepingCapacity: true)
  }

  /// Carries out a piece of what is left: so many statements, or fewer if they change so many words.
  /// Returns whether nothing is left.
  ///
  /// - Throws: if the engine refuses an event; then the session stays where it is.
  public mutating func advance(statements: Int, words: Int) throws(ScenarioError) -> Bool {
    let end = timeline.machine.memory.journalCount + words
    for _ in 0..<statements where timeline.machine.memory.journalCount < end {
      if try advance() == nil { break }
    }
    return isComplete
  }

  /// Carries out all that is left.
  public mutating func finish() throws(ScenarioError) {
    while try advance() != nil {}
  }
}

extension Scenario {
  /// The error for an event that the engine refuses, at the operand that is to blame. Where there is no text
  /// to point at, it says which operand that is.
  func error(_ refusal: Refusal, at statement: Statement) -> ScenarioError {
    let message = refusal.reason.description
    let column = refusal.operand.flatMap { statement.columns.column(of: $0) }
    switch statement.origin {
    case .file(let line, let offset):
      return ScenarioError(
        file: file, line: Int(line), column: column ?? indentation(at: offset) + 1,
        message: message)
    case .typed:
      return ScenarioError(file: "", line: 1, column: column ?? 1, message: message)
    case .imported, .found:
      let text = "\(statement.kind.text): \(refusal.operand.map { "\($0.phrase): " } ?? "")"
      return ScenarioError(
        file: file, line: statement.origin.line ?? 1, column: 1, message: text + message)
    }
  }

  /// Blanks before the statement of the line at `offset` of the file.
  private func indentation(at offset: UInt32) -> Int {
    source[Int(offset)...].prefix { $0 <= 0x20 }.count
  }

  /// The text of the event's statement in the line at `offset` of the file, without blanks around it and
  /// without a comment. No statement of an event has a text in quotes, so the first `#` begins a comment.
  func text(ofEventAt offset: UInt32) -> String {
    Self.text(ofEvent: source[Int(offset)...].prefix { $0 != UInt8(ascii: "\n") })
  }

  /// The text of a statement, without a comment: of an event as it was written or typed.
  package func text(of statement: Statement) -> String {
    guard statement.isEvent else { return statement.kind.text }
    switch statement.origin {
    case .file(_, let offset): return text(ofEventAt: offset)
    case .typed(let text): return Self.text(ofEvent: text.utf8)
    case .imported, .found: return statement.kind.text
    }
  }

  /// The same of the bytes of a line.
  static func text(ofEvent line: some BidirectionalCollection<UInt8>) -> String {
    let statement = line.prefix { $0 != UInt8(ascii: "#") }.drop { $0 <= 0x20 }
    let blanks = statement.reversed().prefix { $0 <= 0x20 }.count
    return String(decoding: statement.dropLast(blanks), as: UTF8.self)
  }
}
