extension Step {
  /// What a micro-step does, by family. A new kind of step is a case of its family, whose file holds its
  /// facts and its sentence.
  package enum Action: Hashable, Sendable {
    /// An access of a CPU, as the hardware makes it.
    case access(AccessStep)
    /// What L1 does to the machine: registers, TLB invalidations.
    case guest(GuestStep)
    /// KVM handles a fault.
    case fault(FaultStep)
    /// An entry of a table changes.
    case table(TableStep)
    /// A TLB is invalidated, a CPU's or the SMMU's.
    case tlb(TLBStep)
    /// A reverse map is changed or looked up.
    case reverseMap(ReverseMapStep)
    /// The VMM's memory.
    case host(HostStep)
    /// Memory slots.
    case slot(SlotStep)
    /// VMIDs and ASIDs are assigned and released.
    case identifier(IdentifierStep)
    /// An event is paused.
    case pause(PauseStep)
    /// A DMA.
    case dma(DMAStep)
    /// A device's domain.
    case domain(DomainStep)
    /// AMD's RMP.
    case rmp(RMPStep)
    /// A realm's memory.
    case realm(RealmStep)
    /// pKVM.
    case pkvm(PKVMStep)
    /// What a dump showed.
    case sight(SightStep)
    /// How an event ends.
    case end(EndStep)
  }

  /// The facts about the step, without its sentence.
  package var facts: Facts { action.facts }
  /// Its class.
  package var stepClass: Class { action.facts.stepClass }

  /// The entry that the step stores in its table, or the first of them; nil if it stores none.
  package var result: Descriptor? {
    switch action {
    case .access(let step): step.result
    case .table(let step): step.result
    case .realm(let step): step.result
    case .sight(let step): step.result
    case .guest, .fault, .tlb, .reverseMap, .host, .slot, .identifier, .pause, .dma, .domain, .rmp,
      .pkvm, .end:
      nil
    }
  }

  /// The step in words, built anew each time.
  package var explanation: Explanation {
    switch keeper {
    case .amdKVM, .amdDriver: amdExplanation(words)
    case .kvm, .pkvm, .guestHypervisor, .hostMemory, .iommu, .realmManager, .pkvmDriver, nil: words
    }
  }

  private var words: Explanation {
    switch action {
    case .access(let step): step.explanation(of: self)
    case .guest(let step): step.explanation(of: self)
    case .fault(let step): step.explanation(of: self)
    case .table(let step): step.explanation(of: self)
    case .tlb(let step): step.explanation(of: self)
    case .reverseMap(let step): step.explanation(of: self)
    case .host(let step): step.explanation(of: self)
    case .slot(let step): step.explanation(of: self)
    case .identifier(let step): step.explanation(of: self)
    case .pause(let step): step.explanation(of: self)
    case .dma(let step): step.explanation(of: self)
    case .domain(let step): step.explanation(of: self)
    case .rmp(let step): step.explanation(of: self)
    case .realm(let step): step.explanation(of: self)
    case .pkvm(let step): step.explanation(of: self)
    case .sight(let step): step.explanation(of: self)
    case .end(let step): step.explanation(of: self)
    }
  }
}

extension Step.Action {
  /// The facts about all steps of the kind.
  package var facts: Step.Facts {
    switch self {
    case .access(let step): step.facts
    case .guest(let step): step.facts
    case .fault(let step): step.facts
    case .table(let step): step.facts
    case .tlb(let step): step.facts
    case .reverseMap(let step): step.facts
    case .host(let step): step.facts
    case .slot(let step): step.facts
    case .identifier(let step): step.facts
    case .pause(let step): step.facts
    case .dma(let step): step.facts
    case .domain(let step): step.facts
    case .rmp(let step): step.facts
    case .realm(let step): step.facts
    case .pkvm(let step): step.facts
    case .sight(let step): step.facts
    case .end(let step): step.facts
    }
  }
}

/// A family of micro-steps. A new kind of step needs only its enum case, a row in these two tables, and
/// the place that notes it.
protocol StepFamily: Hashable, Sendable {
  /// The facts about all steps of the kind; builds no strings.
  var facts: Step.Facts { get }
  /// The step in words.
  func explanation(of step: Step) -> Explanation
}
