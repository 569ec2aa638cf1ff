import Engine

extension Session {
  /// A session with the past of this one up to a number of events, in which another future can follow.
  /// That past is carried out.
  public func branch(at count: Int) -> Session {
    var branch = self
    branch.timeline.seek(to: Moment(events: count))
    branch.timeline.forgetFuture()
    let kept = statementCount(before: count)
    for statement in scenario.statements[kept...] where !statement.isEvent && isOfFile(statement) {
      branch.fileTexts.insert(statement.kind.text)
    }
    branch.scenario.statements.keep(kept)
    branch.statementOfEvent.keep(count)
    branch.chapters.removeAll { $0.end > count }
    branch.failures.removeAll { $0.position > count }
    if let divergence, divergence >= count { branch.divergence = nil }
    branch.next = kept
    return branch
  }

  /// A statement of another history that makes no sense in this one, or of a recording that the engine refuses.
  public struct LeftOut: Equatable, Sendable {
    /// The statement, as it was written or typed.
    public let text: String
    /// Why the engine refuses it.
    public let reason: String
    /// Where it was imported from; nil of another history's.
    public var place: String?
  }

  /// Queues the statements of another history, from an index on, at the end of this one, which must have
  /// been carried out. Those that the engine refuses are left out.
  public mutating func follow(_ other: Session, from statement: Int) {
    following = other.scenario.statements[statement...]
    // What this one has not, nor follows, is left out.
    if statement > scenario.statements.count { diverge(at: eventsDone) }
  }

  /// Carries out the next queued statement that the engine accepts; nil if there is none.
  mutating func advanceFollowing() -> Statement? {
    while let statement = following.popFirst() {
      do throws(ScenarioError) {
        try carryOut(statement)
        return statement
      } catch {
        leftOut.append(LeftOut(text: scenario.text(of: statement), reason: error.message))
        diverge(at: eventsDone)
      }
    }
    return nil
  }

  /// Number of statements before an event, by its index; all, if the event does not exist yet.
  package func statementCount(before event: Int) -> Int {
    event < statementOfEvent.count ? statementOfEvent[event] : next
  }

  /// Carries out one more typed statement at the end of the history, which must have been carried out: an
  /// event, `chapter` or `expect`.
  ///
  /// - Throws: the mistake, with its column; nothing has happened then.
  public mutating func carryOut(_ line: String) throws(ScenarioError) {
    let (kind, columns) = try Self.typed(line)
    try carryOut(Statement(kind: kind, origin: .typed(line), columns: columns))
  }

  /// The statement of a typed line.
  static func typed(
    _ line: String
  ) throws(ScenarioError) -> (kind: Statement.Kind, columns: OperandColumns) {
    do throws(Mistake) {
      let (statement, columns) = try StatementReader.statement(of: line)
      guard let kind = statement.kind else {
        throw Mistake(offset: 0, message: "expected an event, chapter or expect")
      }
      return (kind, columns)
    } catch {
      throw ScenarioError(error, file: "", line: 1, offset: 0)
    }
  }

  /// Carries out one more event at the end of the history, which must have been carried out.
  ///
  /// - Throws: why the engine refuses it; nothing has happened then.
  package mutating func carryOut(_ event: Event, from origin: Origin) throws(ScenarioError) {
    try carryOut(Statement(kind: .event(event), origin: origin))
  }

  private mutating func carryOut(_ statement: Statement) throws(ScenarioError) {
    scenario.statements.append(statement)
    do throws(ScenarioError) {
      _ = try carryOutNext()
    } catch {
      scenario.statements.keep(scenario.statements.count - 1)
      throw error
    }
  }
}
