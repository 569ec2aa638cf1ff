import Engine

/// A part of the screen that can have the focus.
public enum Pane: Int, CaseIterable, Hashable, Sendable {
  /// The VM's table; under pKVM the host's.
  case canonical
  /// One of L1's tables.
  case guest
  /// One of the shadow tables; under pKVM a guest's.
  case shadow
  /// What the SMMU walks for a device.
  case iommu
  /// The map back from canonical memory to the shadow.
  case reverseMap
  /// The micro-steps of the current event.
  case steps
  /// An answer: why, or one of the other questions that can be asked.
  case detail

  /// Whether it shows a table.
  var isTable: Bool {
    switch self {
    case .canonical, .guest, .shadow, .iommu: true
    case .reverseMap, .steps, .detail: false
    }
  }

  /// The panes that a VM has, in their order. The first is number 1.
  ///
  /// - Parameter hasDevices: whether there are devices, now or later.
  static func all(of configuration: Configuration, hasDevices: Bool) -> [Pane] {
    allCases.filter { pane in
      switch pane {
      case .shadow: configuration.nested || configuration.isolation.pkvm != nil
      case .guest, .reverseMap: configuration.nested
      case .iommu: hasDevices
      case .canonical, .steps, .detail: true
      }
    }
  }
}
