/// A DMA of a device, and its fault if the device can stall. Addresses are IOVAs.
package enum DMAStep: StepFamily {
  /// Who handles the fault of a stalled device.
  package enum Handler: Hashable, Sendable {
    /// The host kernel, as a fault of the VMM's own.
    case host
    /// KVM, as a fault of a vCPU.
    case kvm
    /// pKVM's hypervisor, as a fault of the host.
    case hypervisor
  }

  /// What a DMA waits for.
  package enum Wait: Hashable, Sendable {
    /// Firmware holds up all DMA.
    case firmware
    /// Its own fault is not handled yet.
    case handler
  }

  /// A device makes a DMA, under a StreamID.
  case begin(write: Bool, streamID: UInt64)
  /// The SMMU reads the stream table entry, and with it the context.
  case streamEntry(StreamEntry.Kind, TranslationContext)
  /// The SMMU's TLB holds a translation to a physical address.
  case cached(UInt64, TranslationContext)
  /// The SMMU's walk gave a physical address, now in its TLB.
  case translated(to: UInt64, TranslationContext)
  /// The SMMU sets the access flag of a leaf of the process's table.
  case accessFlagSet
  /// A load of a value from a physical address.
  case loaded(UInt64, from: UInt64)
  /// A store of a value to a physical address.
  case stored(UInt64, to: UInt64)
  /// The DMA faults, and an event is recorded.
  case fault(DeviceFault, write: Bool)
  /// The stream table entry says abort: no event is recorded.
  case aborted
  /// The DMA waits.
  case waits(for: Wait)
  /// The DMA faults, and the device stalls: in a table of stage 1 or 2.
  case stalled(DeviceFault, isStage1: Bool)
  /// The fault was handled, and the device retries.
  case resumed(by: Handler)
  /// The fault cannot be repaired, so the stall is terminated.
  case terminated

  package var facts: Step.Facts {
    switch self {
    case .begin: Step.Facts(.deviceAccess, .deviceAccess)
    case .streamEntry: Step.Facts(.walk, .deviceAccess)
    case .cached, .translated: Step.Facts(.walk, .deviceAccess)
    case .accessFlagSet: Step.Facts(.ageing, .sharedAddresses)
    case .loaded, .stored: Step.Facts(.data, .deviceAccess)
    case .fault, .aborted: Step.Facts(.deviceFault, .deviceAccess)
    case .waits, .stalled, .resumed, .terminated: Step.Facts(.retry, .stalling)
    }
  }

  func explanation(of step: Step) -> Explanation {
    let at = step.at
    let level = max(0, step.level)
    switch self {
    case .begin(let write, let streamID):
      return Explanation(
        "DMA", "\(Phrase.device(of: step)) \(write ? "writes" : "reads") IOVA \(at)",
        "The bus gives the transaction StreamID \(Phrase.address(streamID)), by which the SMMU knows it.",
        .smmuArchitecture("3.3.1, stream table lookup"))
    case .streamEntry(let configuration, let context):
      let text =
        switch configuration {
        case .abort: "abort"
        case .bypass: "bypass"
        case .stage1: "stage 1 alone, \(Phrase.context(context))"
        case .stage2: "stage 2, \(Phrase.context(context))"
        case .invalid: "not valid"
        }
      return Explanation(
        "STE", "the stream table entry says: \(text)",
        configuration.sentence, configuration.source)
    case .cached(let physical, let context):
      return Explanation(
        "IOTLB",
        "\(at) → PA \(Phrase.address(physical)), cached at level \(step.level), "
          + Phrase.context(context),
        "A cached translation is used without looking at the table, whether it is still right or stale.",
        .smmuArchitecture("3.17, TLB tagging"))
    case .translated(let physical, let context):
      return Explanation(
        "translate",
        "\(at) → PA \(Phrase.address(physical)), into the SMMU's TLB, \(Phrase.context(context))",
        "The leaf permits the access.",
        .smmuArchitecture("3.3.3, configuration and translation lookup"))
    case .accessFlagSet:
      return Explanation(
        "AF", "the SMMU sets the access flag of the process's leaf at level \(level)",
        "CD.HA is set, as Linux has it wherever the SMMU can update flags: the page counts as used, without a "
          + "fault.", .sva("arm_smmu_make_sva_cd"))
    case .loaded(let value, let physical):
      return Explanation(
        "load", "8 bytes at PA \(Phrase.address(physical)): \(Phrase.address(value))",
        "The device gets the data.",
        .smmuArchitecture("3.3.3, configuration and translation lookup"))
    case .stored(_, let physical):
      return Explanation(
        "store", "8 bytes to PA \(Phrase.address(physical))",
        "The device's data is in memory; no CPU was involved.",
        .smmuArchitecture("3.3.3, configuration and translation lookup"))
    case .fault(let fault, let write):
      let end = "the \(write ? "write" : "read") is terminated"
      let (why, source) = fault.explanation
      return Explanation(
        "fault",
        fault == .granule
          ? "granule protection fault at PA \(at): \(end)"
          : "\(fault.name) at level \(level); \(end)",
        why, source)
    case .aborted:
      return Explanation(
        "abort", "the DMA at \(at) is terminated, and no event is recorded",
        "No domain is attached: the stream's entry says abort.", .smmu("arm_smmu_make_abort_ste"))
    case .waits(for: .firmware):
      return Explanation(
        "stalled", "the DMA at \(at) waits",
        "Firmware stalls all DMA until both tables have changed.", .rmpAndIOMMU)
    case .waits(for: .handler):
      return Explanation(
        "stalled", "the DMA at \(at) still waits",
        "Nobody has handled its fault yet. Few devices tolerate that for long.",
        .smmuArchitecture("3.12, fault models"))
    case .stalled(let fault, let isStage1):
      return Explanation(
        "stall", "\(fault.name) for \(at) at level \(level): the device waits",
        "\(isStage1 ? "CD.S" : "STE.S2S") is set, so the transaction is held until software says how it ends. "
          + "Most devices cannot wait, and a host that does not answer locks them up.",
        .smmuArchitecture("3.12, fault models"))
    case .resumed(let handler):
      return Explanation(
        "resume", "the fault at \(at) was handled: CMD_RESUME, retry", handler.sentence,
        .smmuArchitecture("4.6, CMD_RESUME"))
    case .terminated:
      return Explanation(
        "give up", "the fault at \(at) cannot be repaired: CMD_RESUME, abort",
        "There is nothing that the device may access.", .smmuArchitecture("4.6, CMD_RESUME"))
    }
  }
}

extension DMAStep.Handler {
  fileprivate var sentence: String {
    switch self {
    case .hypervisor: "EL2 takes no interrupts: the host had to tell it of the event."
    case .kvm:
      "KVM was told of the event and handled it as a fault of a vCPU, which Linux cannot do today."
    case .host: "The host handled it as a fault of the VMM's own."
    }
  }
}

extension DeviceFault {
  /// Why the DMA is lost, and the source.
  fileprivate var explanation: (String, Source) {
    switch self {
    case .granule:
      (
        "The granule protection table says what a device of the normal world may reach. No event is "
          + "recorded: root firmware finds the address in SMMU_ROOT_GPF_FAR.",
        .smmuArchitecture("granule protection checks")
      )
    case .rmp:
      (
        "The RMP does not allow it: the page is not the device's, or its size is of another class. AMD's "
          + "IOMMU logs an event.",
        .amdIOMMU("amd_iommu_report_rmp_fault")
      )
    case .badStreamEntry, .translation, .addressSize, .accessFlag, .permission, .conflict:
      (
        "The SMMU records an event; most devices cannot wait for anybody to repair the table.",
        .smmu("arm_smmu_dump_event")
      )
    }
  }
}

extension StreamEntry.Kind {
  /// The effect of the entry.
  fileprivate var sentence: String {
    switch self {
    case .abort: "No domain is attached: every transaction is terminated."
    case .bypass: "Input addresses are physical addresses."
    case .stage1:
      "It points to the context descriptor: root of the stage-1 table, ASID, ASET."
    case .stage2:
      "It holds the stage-2 root, its shape, and the VMID under which translations are cached."
    case .invalid: "The SMMU does not use it: C_BAD_STE."
    }
  }

  /// The function that writes such an entry.
  fileprivate var source: Source {
    switch self {
    case .abort: .smmu("arm_smmu_make_abort_ste")
    case .bypass: .smmu("arm_smmu_make_bypass_ste")
    case .stage1: .smmu("arm_smmu_make_cdtable_ste")
    case .stage2: .smmu("arm_smmu_make_s2_domain_ste")
    case .invalid: .smmuArchitecture("5.2, STE.V")
    }
  }
}
