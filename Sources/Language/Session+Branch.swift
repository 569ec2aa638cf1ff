import Engine

extension Session {
  /// A session with the past of this one up to a number of events, in which another future can follow.
  /// All of it is carried out.
  public func branch(at count: Int) -> Session {
    var branch = self
    branch.timeline.seek(to: Moment(events: count))
    branch.timeline.forgetFuture()
    let kept = statementCount(before: count)
    branch.scenario.statements.removeSubrange(kept...)
    branch.statementOfEvent.removeSubrange(count...)
    branch.chapters.removeAll { $0.end > count }
    branch.failures.removeAll { $0.position > count }
    branch.next = kept
    return branch
  }

  /// A statement that another history had, and that makes no sense in this one.
  public struct LeftOut: Equatable, Sendable {
    /// The statement, as it was written or typed.
    public let text: String
    /// Why the engine refuses it.
    public let reason: String
  }

  /// Lets statements of another history follow at the end of this one, which must have been carried out: those
  /// from an index on. What the engine refuses of them is left out.
  public mutating func follow(_ other: Session, from statement: Int) {
    following = other.scenario.statements[statement...]
  }

  /// Carries out the next of the statements that follow; nil if there is none that can be.
  mutating func advanceFollowing() -> Statement? {
    while let statement = following.popFirst() {
      do throws(ScenarioError) {
        try carryOut(statement)
        return statement
      } catch {
        leftOut.append(LeftOut(text: scenario.text(of: statement), reason: error.message))
      }
    }
    return nil
  }

  /// Statements that come before an event, by its index; all, if there is none so far.
  package func statementCount(before event: Int) -> Int {
    event < statementOfEvent.count ? statementOfEvent[event] : next
  }

  /// Carries out one more statement at the end of the history, which must have been carried out: an event,
  /// `chapter` or `expect`, as a person types it.
  ///
  /// - Throws: the mistake, with its column; then nothing has happened.
  public mutating func carryOut(_ line: String) throws(ScenarioError) {
    let (kind, columns) = try Self.typed(line)
    try carryOut(Statement(kind: kind, origin: .typed(line), columns: columns))
  }

  /// The statement of a line that a person types.
  static func typed(
    _ line: String
  ) throws(ScenarioError) -> (kind: Statement.Kind, columns: OperandColumns) {
    do throws(Mistake) {
      let (statement, columns) = try StatementReader.statement(of: line)
      switch statement {
      case .event(let event): return (.event(event), columns)
      case .chapter(let label, let text): return (.chapter(label: label, text: text), columns)
      case .expect(let expectation): return (.expect(expectation), columns)
      case .version, .title, .vm, .policy:
        throw Mistake(offset: 0, message: "expected an event, chapter or expect")
      }
    } catch {
      throw ScenarioError(error, file: "", line: 1, offset: 0)
    }
  }

  /// Carries out one more event at the end of the history, which must have been carried out.
  ///
  /// - Throws: why the engine refuses it; then nothing has happened.
  package mutating func carryOut(_ event: Event, from origin: Origin) throws(ScenarioError) {
    try carryOut(Statement(kind: .event(event), origin: origin))
  }

  private mutating func carryOut(_ statement: Statement) throws(ScenarioError) {
    scenario.statements.append(statement)
    do throws(ScenarioError) {
      try advance()
    } catch {
      scenario.statements.removeLast()
      throw error
    }
  }
}
