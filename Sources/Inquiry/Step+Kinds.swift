import Engine

extension Step {
  /// Whether the step is a guest's store.
  package var isStore: Bool {
    if case .access(.stored) = action { true } else { false }
  }

  /// Whether the step asks a reverse map.
  var isLookUp: Bool { [.lookUp, .lookUpMiss, .lookUpFailure].contains(stepClass) }
}

extension [Step] {
  /// Why one of an event's micro-steps was done.
  package func reason(at index: Int) -> String {
    let step = self[index]
    // What a whole shadow is unmapped for is in the steps before: what a map said, or that there is none.
    if step.has(.fullUnmap),
      let start = self[..<index].lastIndex(where: { $0.stepClass == .trigger }),
      self[start].action == .host(.notifierStart) || self[start].action == .slot(.deleted),
      !self[start..<index].contains(where: { $0.table == step.table && $0.isLookUp })
    {
      return
        "Nothing records which nested addresses lead to that memory, so all of the shadow goes."
    }
    return step.explanation.why
  }
}
