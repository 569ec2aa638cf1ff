import Engine

extension PageState {
  /// The state as `expect pkvm` spells it.
  public var name: String {
    switch self {
    case .owned: "owned"
    case .sharedOwned: "shared-owned"
    case .sharedBorrowed: "shared-borrowed"
    case .noPage: "nopage"
    case .poison: "poison"
    }
  }
}
