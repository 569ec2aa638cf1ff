import Engine

extension Session {
  /// A session with the past of this one up to a number of events, in which another future can follow.
  /// All of it is carried out.
  public func branch(at count: Int) -> Session {
    var branch = self
    branch.timeline.seek(to: Moment(events: count))
    branch.timeline.forgetFuture()
    let kept = count < statementOfEvent.count ? statementOfEvent[count] : next
    branch.scenario.statements.removeSubrange(kept...)
    branch.statementOfEvent.removeSubrange(count...)
    branch.chapters.removeAll { $0.end > count }
    branch.failures.removeAll { $0.position > count }
    branch.next = kept
    return branch
  }

  /// Carries out one more statement at the end of the history, which must have been carried out: an event,
  /// `step` or `expect`, as a line of text.
  ///
  /// - Throws: the mistake, with its column; then nothing has happened.
  public mutating func carryOut(_ line: String) throws(ScenarioError) {
    let offset = scenario.source.count + (scenario.source.last == UInt8(ascii: "\n") ? 0 : 1)
    let kind = try Self.kind(of: line)
    let number = (scenario.statements.last?.line ?? 0) + 1
    if offset > scenario.source.count { scenario.source.append(UInt8(ascii: "\n")) }
    scenario.source += [UInt8](line.utf8) + [UInt8(ascii: "\n")]
    scenario.statements.append(Statement(kind: kind, line: number, offset: offset))
    do {
      try advance()
    } catch {
      scenario.statements.removeLast()
      throw ScenarioError(file: "", line: 1, column: error.column, message: error.message)
    }
  }

  private static func kind(of line: String) throws(ScenarioError) -> Statement.Kind {
    let bytes = [UInt8](line.utf8)
    do throws(Mistake) {
      var words = Words(bytes)
      _ = try words.read(from: 0)
      switch try StatementParser.parse(words) {
      case .event(let event): return .event(event)
      case .step(let label, let text): return .step(label: label, text: text)
      case .expect(let expectation): return .expect(expectation)
      case .version, .title, .vm, .policy:
        throw Mistake(offset: 0, message: "expected an event, step or expect")
      }
    } catch {
      throw ScenarioError(file: "", line: 1, column: error.offset + 1, message: error.message)
    }
  }
}
