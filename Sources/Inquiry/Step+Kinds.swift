import Engine

extension Step {
  /// Whether the step is a guest's store.
  package var isStore: Bool {
    if case .access(.stored) = action { true } else { false }
  }

  /// Whether the step looks up a reverse map.
  var isLookUp: Bool { [.lookUp, .lookUpMiss, .lookUpFailure].contains(stepClass) }
}
