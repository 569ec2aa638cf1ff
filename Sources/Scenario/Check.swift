import Engine

extension Expectation {
  /// Whether a machine is as expected; if not, what it is instead.
  public func failure(in machine: Machine) -> String? {
    switch self {
    case .abort(let vcpu, let instruction, let status, let write, let ipa):
      guard vcpu < machine.configuration.vcpus else {
        return "the VM has \(machine.configuration.vcpus) vCPUs"
      }
      let outcome = machine.outcome(of: .l2, vcpu: vcpu)
      if case .exception(let given, instruction, write, ipa, _) = outcome, given.code == status {
        return nil
      }
      return outcome.description
    case .externalAbort:
      return machine.lastOutcome == .externalAbort ? nil : machine.lastOutcome.description
    case .sizeFault:
      return machine.lastOutcome == .sizeFault ? nil : machine.lastOutcome.description
    case .efault:
      switch machine.lastOutcome {
      case .efault, .exception(_, _, _, _, alsoEFAULT: true): return nil
      default: return machine.lastOutcome.description
      }
    case .value(let value):
      return machine.lastValue == value ? nil : "the value is 0x\(hex(machine.lastValue))"
    case .mmio(let write, let ipa):
      return machine.lastOutcome == .mmio(write: write, ipa: ipa)
        ? nil : machine.lastOutcome.description
    case .dirty(let slot, let word):
      guard let reported = machine.reportedDirtyWord(ofSlot: slot) else {
        return "there is no slot \(slot)"
      }
      return reported == word ? nil : "the word is 0x\(hex(reported))"
    case .idle(let ipa, let idle):
      return machine.isIdle(ipa) == idle ? nil : "the page is \(idle ? "not idle" : "idle")"
    }
  }
}

extension Outcome {
  /// The outcome in words, for messages.
  public var description: String {
    switch self {
    case .none: "there was no access"
    case .completed: "the access completed"
    case .exception(let status, let instruction, let write, let ipa, _):
      "L1 got \(instruction ? "insn-abort" : "data-abort") fsc=0x\(hex(UInt64(status.code), 2))"
        + "\(write ? " write" : "") ipa=0x\(hex(ipa))"
    case .mmio(let write, let ipa): "it was mmio \(write ? "write" : "read") 0x\(hex(ipa))"
    case .externalAbort: "it ended in an external abort"
    case .sizeFault: "it ended in an address size fault"
    case .efault: "KVM_RUN failed with EFAULT"
    case .blocked: "the vCPU waits for an invalidation to end"
    }
  }
}
