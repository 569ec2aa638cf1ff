import Engine

/// A scenario being carried out: its history so far, its chapters, and failed expectations.
public struct Session: Sendable {
  /// A place in the history where a chapter ended.
  public struct Chapter: Equatable, Sendable {
    /// Its label, as in the file.
    public let label: String
    /// Its text, as in the file.
    public let text: String
    /// Number of events before its end.
    public let end: Int
    /// Whether it is the file's, and other events led to its end than the file's: what it says may not be
    /// so here.
    public let isOfOtherEvents: Bool
  }

  /// An expectation that did not hold.
  public struct Failure: Equatable, Sendable, CustomStringConvertible {
    /// Number of events before it.
    public let position: Int
    /// Where the expectation comes from.
    public let origin: Origin
    /// The same in a few words.
    public let place: String
    /// The actual state.
    public let message: String
    /// Whether the file expects it, and other events led here than the file's.
    public let isOfOtherEvents: Bool

    /// Its place, and the actual state.
    public var description: String { "\(place): \(message)" }
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
  package internal(set) var statementOfEvent = EventStatements()
  /// The next statement to be carried out.
  var next = 0
  /// Number of events before the first that is not as in the file: typed, or left out. Nil if all are.
  public internal(set) var divergence: Int?
  /// The chapters and expectations of the file after the place where this history began, as text: a kept
  /// session has them as if a person had typed them.
  var fileTexts: Set<String> = []
  /// Queued statements of another history.
  var following = StatementList()[...]
  /// Statements of another history, and imported ones, that the engine refused.
  public internal(set) var leftOut: [LeftOut] = []
  /// Whether all of the past is kept; else the limits after which it is dropped.
  private let keepsPast: Bool
  private static let forgetsAfter = (events: 1 << 14, words: 1 << 18)
  /// Whether the micro-steps of each event are recorded when it is carried out.
  private let recordsSteps: Bool

  /// A session in which nothing has happened yet.
  ///
  /// - Parameters:
  ///   - keepsPast: whether one can go back. If not, past events are dropped now and then,
  ///     so that memory does not grow with their number; the last one is kept.
  ///   - recordsSteps: whether the micro-steps of each event are wanted.
  public init(_ scenario: Scenario, keepsPast: Bool = true, recordsSteps: Bool = false) {
    self.scenario = scenario
    self.scenario.statements.forgetRefused()
    self.keepsPast = keepsPast
    self.recordsSteps = recordsSteps
    timeline = Timeline(scenario.configuration)
  }

  /// Number of events carried out, including forgotten ones.
  public var eventsDone: Int { timeline.forgotten + timeline.events.count }

  /// The checker of the rules, created when first needed.
  private var checker: RuleChecker?

  /// The rules broken after the last event carried out or sought.
  ///
  /// - Complexity: O(log n) for each word stored since the last call; the first call is a full scan.
  public mutating func violations() -> [Violation] {
    if checker == nil { checker = RuleChecker(timeline.machine) }
    let stores = lastStores
    return checker?.violations(of: timeline.machine, after: stores) ?? []
  }

  /// Whether a rule not in `known` is broken after that event. The cost is the same, without naming
  /// the places.
  public mutating func breaksRule(besides known: Set<Invariant>) -> Bool {
    if checker == nil { checker = RuleChecker(timeline.machine) }
    let stores = lastStores
    return checker?.breaksOther(than: known, timeline.machine, after: stores) ?? false
  }

  /// Entries of the trees of all reverse maps, bytes of canonical memory now without a known nested IPA,
  /// and known entries that no leaf confirms. The cost is the same.
  public mutating func recordedEntries() -> (count: Int, unknownBytes: UInt64, stale: Int) {
    if checker?.countsEntries != true {
      checker = RuleChecker(timeline.machine, countsEntries: true)
    }
    checker?.follow(timeline.machine)
    guard let checker else { return (0, 0, 0) }
    return (checker.entryCount, checker.unknownBytes, checker.staleEntries)
  }

  /// Leaves of a shadow at the current moment that no entry of its reverse map covers; nil without a map, or where
  /// that cannot be judged. The cost is the same.
  public mutating func uncoveredLeaves(ofShadow number: Int) -> Int? {
    if checker == nil { checker = RuleChecker(timeline.machine) }
    checker?.follow(timeline.machine)
    return checker?.uncoveredLeaves(ofShadow: number)
  }

  /// The current event's journal entries.
  private var lastStores: Range<Int> {
    // It changes nothing. A getter of a large value that is being changed gets a copy of it, with all its references,
    // and this is asked for after every event.
    mutating get {
      guard let event = timeline.currentEvent else { return 0..<0 }
      return timeline.stores(ofEvent: event)
    }
  }

  /// Whether every statement was carried out.
  public var isComplete: Bool { next == scenario.statements.count && following.isEmpty }

  /// Carries out the next statement, at the end of the history. Returns it, or nil at the end.
  ///
  /// Of a real machine's recording, what the engine refuses is left out: a garbled address, or a table of another
  /// VM's, must not keep all others from being seen.
  ///
  /// - Throws: if the engine refuses the event; the session stays where it is.
  @discardableResult
  public mutating func advance() throws(ScenarioError) -> Statement? {
    while next < scenario.statements.count {
      do throws(ScenarioError) {
        return try carryOutNext()
      } catch {
        guard case .imported = scenario.statements.origin(at: next) else { throw error }
        let statement = leaveOutNext()
        scenario.statements.refuse(at: next - 1, error.message)
        leftOut.append(
          LeftOut(
            text: scenario.text(of: statement), reason: error.message,
            place: scenario.place(of: statement.origin)))
      }
    }
    return advanceFollowing()
  }

  /// Carries out the next statement, which is there.
  ///
  /// - Throws: if the engine refuses the event; the session stays where it is.
  mutating func carryOutNext() throws(ScenarioError) -> Statement {
    let statement = scenario.statements[next]
    switch statement.kind {
    case .event(let event):
      if !keepsPast { forgetPast() }
      do throws(Refusal) {
        try timeline.append(event, recordingSteps: recordsSteps)
      } catch {
        var mistake = scenario.error(error, at: statement)
        mistake.refusal = error.reason
        throw mistake
      }
      statementOfEvent.append(next)
      if case .typed = statement.origin { diverge(at: eventsDone - 1) }
    case .chapter(let label, let text):
      chapters.append(
        Chapter(
          label: label, text: text, end: eventsDone, isOfOtherEvents: isOfOtherEvents(statement)))
    case .expect(let expectation):
      let rules = expectation.concernsRules ? violations() : nil
      if let message = expectation.failure(
        in: timeline.machine, after: lastStores, violations: rules)
      {
        failures.append(
          Failure(
            position: eventsDone, origin: statement.origin,
            place: scenario.place(of: statement.origin), message: message,
            isOfOtherEvents: isOfOtherEvents(statement)))
      }
    }
    next += 1
    scenario.statements.release(before: next)
    return statement
  }

  private func isOfOtherEvents(_ statement: Statement) -> Bool {
    divergence != nil && isOfFile(statement)
  }

  func isOfFile(_ statement: Statement) -> Bool {
    statement.origin.isOfFile || fileTexts.contains(statement.kind.text)
  }

  /// From a number of events on, they are not the file's.
  mutating func diverge(at events: Int) { divergence = min(divergence ?? events, events) }

  /// Skips the next statement, which is returned.
  @discardableResult
  package mutating func leaveOutNext() -> Statement {
    defer { next += 1 }
    return scenario.statements[next]
  }

  /// Drops the past once it is large.
  private mutating func forgetPast() {
    guard
      timeline.events.count >= Self.forgetsAfter.events
        || timeline.machine.memory.position >= Self.forgetsAfter.words
    else { return }
    checker?.follow(timeline.machine)
    timeline.forgetPast()
    statementOfEvent.keep(0)
  }

  /// Carries out part of the rest: up to `statements` statements, or fewer once they have changed `words`
  /// words. Returns whether nothing is left.
  ///
  /// - Throws: if the engine refuses an event; the session stays where it is.
  public mutating func advance(statements: Int, words: Int) throws(ScenarioError) -> Bool {
    let end = timeline.machine.memory.journalCount + words
    for _ in 0..<statements where timeline.machine.memory.journalCount < end {
      if try advance() == nil { break }
    }
    return isComplete
  }

  /// Carries out the rest.
  public mutating func finish() throws(ScenarioError) {
    while try advance() != nil {}
  }
}

extension Scenario {
  /// The error for an event that the engine refuses, at the operand at fault. Without source text, it
  /// names the operand.
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
    case .imported(let line, let source):
      return ScenarioError(
        file: importedSources[Int(source)], line: max(1, Int(line)), column: 1, message: message)
    case .found:
      let text = "\(statement.kind.text): \(refusal.operand.map { "\($0.phrase): " } ?? "")"
      return ScenarioError(file: file, line: 1, column: 1, message: text + message)
    }
  }

  /// Blanks before the statement of the line at `offset` of the file.
  private func indentation(at offset: UInt32) -> Int {
    source[Int(offset)...].prefix { $0 <= 0x20 }.count
  }

  /// The text of the event's statement in the line at `offset` of the file, without blanks around it and
  /// without a comment. No event's statement has quoted text, so the first `#` begins a comment.
  func text(ofEventAt offset: UInt32) -> String {
    Self.text(ofEvent: source[Int(offset)...].prefix { $0 != UInt8(ascii: "\n") })
  }

  /// The text of a statement by its index, without a comment: for an event as written or typed.
  package func text(ofStatement index: Int) -> String {
    if statements.isEvent(at: index), case .file(_, let offset) = statements.origin(at: index) {
      return text(ofEventAt: offset)
    }
    return text(of: statements[index])
  }

  /// The same for a statement of this scenario or of one with the same file.
  package func text(of statement: Statement) -> String {
    guard statement.isEvent else { return statement.kind.text }
    switch statement.origin {
    case .file(_, let offset): return text(ofEventAt: offset)
    case .typed(let text): return Self.text(ofEvent: text.utf8)
    case .imported, .found: return statement.kind.text
    }
  }

  /// A statement by its index as a line of a file: behind an event that was imported stands its place, and one that
  /// was refused is a comment.
  package func line(ofStatement index: Int) -> String {
    let text = text(ofStatement: index)
    guard case .imported = statements.origin(at: index),
      statements.isEvent(at: index) || statements.isRefused(at: index)
    else { return text }
    let line = text + Self.comment(place(of: statements.origin(at: index)))
    return statements.refused[index].map { Self.refused(line, $0) } ?? line
  }

  /// The same for the bytes of a line.
  static func text(ofEvent line: some BidirectionalCollection<UInt8>) -> String {
    let statement = line.prefix { $0 != UInt8(ascii: "#") }.drop { $0 <= 0x20 }
    let blanks = statement.reversed().prefix { $0 <= 0x20 }.count
    return String(decoding: statement.dropLast(blanks), as: UTF8.self)
  }
}
