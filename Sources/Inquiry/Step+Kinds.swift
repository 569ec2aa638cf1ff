import Engine

extension Step {
  /// Whether the step is a guest's store.
  package var isStore: Bool {
    if case .access(.stored) = action { true } else { false }
  }

  /// Whether a word of L1's memory may differ after it: by a store, or since another page is there.
  var mayStoreInGuestMemory: Bool {
    switch action {
    case .access(.stored), .dma(.stored), .realm(.zeroed): return true
    default: return [.hostPage, .hostMapping, .guestEntry].contains(stepClass) || isHostStore
    }
  }

  private var isHostStore: Bool { if case .host(.stored) = action { true } else { false } }

  /// Whether the step looks up a reverse map.
  var isLookUp: Bool { [.lookUp, .lookUpMiss, .lookUpFailure].contains(stepClass) }
}
