import Engine

extension Timeline {
  /// The state after each event, see `stateCheck`.
  public var stateChecks: [UInt32] { events.indices.map { stateCheck(ofEvent: $0) } }
}
