import Engine

extension Session {
  /// The result of a typed expectation.
  public enum Verdict: Equatable, Sendable {
    case holds
    /// It fails: the actual state.
    case fails(String)
    /// It applies only to these reverse maps, not to the current one.
    case notAsked([ReverseMapVersion])
  }

  /// The result of a typed `expect` at the moment; nil if the line is another statement. Changes nothing.
  ///
  /// - Throws: the mistake, with its column.
  public func verdict(on line: String) throws(ScenarioError) -> Verdict? {
    try Expectation(parsing: line).map(verdict)
  }

  /// The result of an expectation at the moment.
  package func verdict(on expectation: Expectation) -> Verdict {
    if case .under(let policies, _) = expectation,
      !policies.contains(timeline.machine.configuration.reverseMap)
    {
      return .notAsked(policies)
    }
    // During an event, its stores so far.
    let stores = timeline.currentEvent.map { timeline.stores(ofEvent: $0) } ?? 0..<0
    let end = min(stores.upperBound, timeline.machine.memory.position)
    let done = stores.lowerBound..<max(stores.lowerBound, end)
    return expectation.failure(in: timeline.machine, after: done).map { .fails($0) } ?? .holds
  }
}

extension Expectation {
  /// Reads a typed `expect`; nil if the line is another statement.
  ///
  /// - Throws: the mistake, with its column.
  package init?(parsing line: String) throws(ScenarioError) {
    guard case .expect(let expectation) = try Session.typed(line).kind else { return nil }
    self = expectation
  }
}
