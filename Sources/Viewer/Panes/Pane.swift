import Engine

/// A part of the screen that can have the focus. The first that a VM has is number 1. Saved sessions hold these words.
enum Pane: String, CaseIterable {
  /// The VM's table; under pKVM the host's.
  case canonical
  /// One of L1's tables.
  case guest
  /// One of the shadow tables; under pKVM a guest's.
  case shadow
  /// The table that the SMMU walks for a device.
  case iommu
  /// The reverse map from canonical memory to the shadow.
  case reverseMap
  /// The micro-steps of the current event.
  case steps
  /// The answer to a question: why, or one of the others.
  case answer

  /// The pane's contents, and its keys and mouse actions.
  var operations: any PaneOperations {
    switch self {
    case .canonical: CanonicalPane()
    case .guest: GuestPane()
    case .shadow: ShadowPane()
    case .iommu: DevicePane()
    case .reverseMap: ReverseMapPane()
    case .steps: StepsPane()
    case .answer: AnswerPane()
    }
  }

  /// The panes that a VM has, in their order.
  ///
  /// - Parameter hasDevices: Whether there are devices, now or later.
  static func all(of configuration: VMConfiguration, hasDevices: Bool) -> [Pane] {
    allCases.filter { $0.operations.exists(in: configuration, hasDevices: hasDevices) }
  }

  /// Whether it shows a table.
  var isTable: Bool { if case .table = operations.region { true } else { false } }
}
