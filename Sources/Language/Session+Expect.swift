import Engine

extension Session {
  /// What a typed expectation comes to.
  public enum Verdict: Equatable, Sendable {
    case holds
    /// What is instead.
    case fails(String)
    /// It is only meant for these reverse maps, of which this is none.
    case notAsked([ReverseMapVersion])
  }

  /// What a typed `expect` finds at the moment; nil if the line is another statement. Nothing changes.
  ///
  /// - Throws: the mistake, with its column.
  public func verdict(on line: String) throws(ScenarioError) -> Verdict? {
    guard case .expect(let expectation) = try Self.typed(line).kind else { return nil }
    if case .under(let policies, _) = expectation,
      !policies.contains(timeline.machine.configuration.reverseMap)
    {
      return .notAsked(policies)
    }
    // In the middle of an event, what it has stored so far.
    let stores = timeline.currentEvent.map { timeline.stores(ofEvent: $0) } ?? 0..<0
    let end = min(stores.upperBound, timeline.machine.memory.position)
    let done = stores.lowerBound..<max(stores.lowerBound, end)
    return expectation.failure(in: timeline.machine, after: done).map { .fails($0) } ?? .holds
  }
}
