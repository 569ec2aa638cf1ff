import Engine

extension DeviceOutcome {
  /// The outcome in words, to follow "the DMA".
  public var description: String {
    switch self {
    case .cached(let physical, let level):
      "reached PA \(Phrase.address(physical)) by an entry of the SMMU's TLB, level \(level)"
    case .walked(let physical, let level):
      "reached PA \(Phrase.address(physical)) by a walk, level \(level)"
    case .bypassed(let physical): "reached PA \(Phrase.address(physical)) untranslated"
    case .fault(let fault, let level): "ended in \(fault.name), level \(level)"
    case .aborted: "was terminated without an event"
    case .stalled: "is held up"
    }
  }
}
