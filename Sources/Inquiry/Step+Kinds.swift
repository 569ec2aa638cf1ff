import Engine

extension Step {
  /// Whether the step is a guest's store.
  package var isStore: Bool {
    if case .access(.stored) = action { true } else { false }
  }

  /// Canonical IPA of the memory that the step of an access or a DMA stores to, by the tables as they are.
  func storedIPA(in machine: Machine) -> UInt64? {
    switch action {
    case .access(.stored), .dma(.stored): break
    default: return nil
    }
    switch table {
    case .canonical: return address
    case .shadow(let number): return machine.derivation(of: address, inShadow: number)?.ipa
    case .iommu(let device): return machine.sharesAddresses(device) ? nil : address
    default: return nil
    }
  }

  /// Whether the step looks up a reverse map.
  var isLookUp: Bool { [.lookUp, .lookUpMiss, .lookUpFailure].contains(stepClass) }
}
