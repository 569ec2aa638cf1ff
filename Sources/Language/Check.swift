import Engine

extension Expectation {
  /// Nil if a machine is as expected; else the actual state.
  ///
  /// - Parameters:
  ///   - stores: the last event's journal entries.
  ///   - violations: the broken rules, if already known.
  public func failure(
    in machine: Machine, after stores: Range<Int>, violations: [Violation]? = nil
  ) -> String? {
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
      default:
        return machine.lastError == .efault ? nil : machine.lastOutcome.description
      }
    case .outOfMemory:
      return machine.lastOutcome == .enomem || machine.lastError == .enomem
        ? nil : machine.lastOutcome.description
    case .value(let value):
      guard let found = machine.lastValue else {
        return machine.lastOutcome == .none
          ? "nothing was read yet" : "the last read returned no value"
      }
      return found == value ? nil : "the value is \(Phrase.address(found))"
    case .mmio(let write, let ipa):
      return machine.lastOutcome == .mmio(write: write, ipa: ipa)
        ? nil : machine.lastOutcome.description
    case .dirty(let slot, let word):
      guard let reported = machine.reportedDirtyWord(ofSlot: slot) else {
        return machine.hasMemslot(slot)
          ? "the dirty log of slot \(slot) was not fetched yet" : "there is no slot \(slot)"
      }
      return reported == word ? nil : "the word is \(Phrase.address(reported))"
    case .idle(let ipa, let idle):
      guard machine.hostPage(at: ipa) != nil else {
        return "there is no page at canonical \(Phrase.address(ipa))"
      }
      return machine.isIdle(ipa) == idle ? nil : "the page is \(idle ? "not idle" : "idle")"
    case .violation(let invariant):
      return failure(of: invariant, violations ?? machine.violations(after: stores), in: machine)
    case .reverseMap(let shadow, let ipa, let answer):
      return Self.absence(ofMapOf: shadow, in: machine) ?? failure(of: answer, shadow, ipa, machine)
    case .broken(let shadow, let isBroken):
      if let absence = Self.absence(ofMapOf: shadow, in: machine) { return absence }
      return machine.isReverseMapBroken(ofShadow: shadow) == isBroken
        ? nil : "the reverse map is \(isBroken ? "whole" : "broken")"
    case .stale(let shadow, let count):
      if let absence = Self.absence(ofMapOf: shadow, in: machine) { return absence }
      let found = UInt64(machine.staleEntries(ofShadow: shadow).count)
      return found == count ? nil : "\(found) entries are stale"
    case .leaf(let id, let address, let size):
      guard let reader = machine.reader(of: id) else { return Self.absence(of: id, in: machine) }
      guard address < reader.geometry.inputSize else {
        return "the table translates \(reader.geometry.inputBits) bits, and the address has more"
      }
      let found = reader.leafSize(at: address)
      return found == size
        ? nil : "it is \(found.map { "mapped by a leaf of \(Phrase.size($0))" } ?? "not mapped")"
    case .dma(let expected): return Self.failure(of: expected, machine.lastDeviceOutcome)
    case .kernelError(let error):
      return machine.lastError == error
        ? nil : machine.lastError.map { "it failed with \($0.name)" } ?? "it did not fail"
    case .pageState(let party, let address, let state):
      if let absence = Self.absence(of: party, address, in: machine) { return absence }
      let found =
        switch party {
        case .host: machine.hostState(of: address)
        case .hypervisor: machine.hypervisorState(of: address)
        case .guest(let number): machine.guestState(of: address, guest: number)
        }
      return found == state ? nil : "the page is \(found.name)"
    case .pageCount(let page, let shares):
      if let absence = Self.absence(of: .host, page, in: machine) { return absence }
      let found = machine.shareCount(of: page)
      return found == shares ? nil : "it is shared with \(found) guests"
    case .under(let policies, let expectation):
      return policies.contains(machine.configuration.reverseMap)
        ? expectation.failure(in: machine, after: stores, violations: violations) : nil
    }
  }

  /// Whether it concerns rules.
  package var concernsRules: Bool {
    switch self {
    case .violation: true
    case .under(_, let expectation): expectation.concernsRules
    default: false
    }
  }

  private static func failure(of expected: DMAExpectation, _ found: DeviceOutcome?) -> String? {
    guard let found else { return "there was no DMA" }
    let holds =
      switch (expected, found) {
      case (.translated(let physical, let cached), .cached(let place, _)):
        physical == place && cached != false
      case (.translated(let physical, let cached), .walked(let place, _)):
        physical == place && cached != true
      case (.translated(let physical, let cached), .bypassed(let place)):
        physical == place && cached == nil
      case (.fault(let fault, let level), .fault(let other, let place)):
        fault == other && (level == nil || level == place)
      case (.aborted, .aborted), (.stalled, .stalled): true
      default: false
      }
    return holds ? nil : "the DMA \(found.description)"
  }

  /// That a table does not exist, and why.
  private static func absence(of id: TableID, in machine: Machine) -> String {
    let why =
      switch id.kind {
      case .canonical: "under pkvm= there is no VM of the host"
      case .shadow:
        machine.configuration.shadows == 0
          ? "the VM has nested=off" : "there are \(machine.configuration.shadows)"
      case .guest: "no context with this VMID is in use"
      case .vmmStage1: "it has no name"
      case .iommu: "the device has no domain"
      case .pkvmHost: "there is no policy pkvm="
      case .protectedGuest: "the guest was not made"
      }
    return "there is no \(id.name): \(why)"
  }

  /// That a party does not exist, or a page in it; nil if both do.
  private static func absence(
    of party: PageParty, _ address: UInt64, in machine: Machine
  ) -> String? {
    if machine.configuration.isolation.pkvm == nil {
      return "there is no hypervisor with page states: there is no policy pkvm="
    }
    switch party {
    case .host, .hypervisor:
      return machine.isHostMemory(address)
        ? nil : "there is no memory at PA \(Phrase.address(address))"
    case .guest(let number):
      return machine.table(.protectedGuest(number)) == nil ? "there is no guest \(number)" : nil
    }
  }

  /// That a shadow has no reverse map, and why; nil if it has one.
  private static func absence(ofMapOf shadow: Int, in machine: Machine) -> String? {
    if machine.table(.shadow(shadow)) == nil { return absence(of: .shadow(shadow), in: machine) }
    return machine.configuration.reverseMap == .none
      ? "there is no reverse map under policy revmap=none" : nil
  }

  private func failure(
    of invariant: Invariant?, _ violations: [Violation], in machine: Machine
  ) -> String? {
    guard let invariant else { return violations.first?.description(in: machine) }
    if violations.contains(where: { $0.invariant == invariant }) { return nil }
    return violations.isEmpty
      ? "every rule holds"
      : violations.map { $0.description(in: machine) }.joined(separator: ", ")
  }

  private func failure(
    of answer: ReverseMapAnswer, _ shadow: Int, _ ipa: UInt64, _ machine: Machine
  ) -> String? {
    let found = machine.reverseMap(ofShadow: shadow).filter { $0.canonical.contains(ipa) }
    if case .payload(let word) = answer {
      let words = found.map(\.payload)
      return words.contains(word)
        ? nil : "the payload is \(words.first.map { "0x" + hex($0) } ?? "none")"
    }
    let answers = found.map { entry in
      entry.nested.map { ReverseMapAnswer.known($0 + (ipa - entry.canonical.lowerBound)) }
        ?? .unknown
    }
    if answers.isEmpty ? answer == .nothing : answers.contains(answer) { return nil }
    return "\(Phrase.address(ipa)) is "
      + (answers.isEmpty ? "none" : answers.map(\.description).joined(separator: ", "))
  }
}

extension ReverseMapAnswer {
  /// The answer as `expect revmap` spells it.
  var description: String {
    switch self {
    case .nothing: "none"
    case .unknown: "unknown"
    case .known(let nested): "known \(Phrase.address(nested))"
    case .payload(let word): "payload \(Phrase.address(word))"
    }
  }
}

extension Violation {
  /// The rule and the place, for messages.
  public func description(in machine: Machine) -> String {
    "\(invariant.rawValue) is broken at \(place(in: machine))"
  }
}

extension Outcome {
  /// The outcome as a sentence.
  public var sentence: String {
    let words = description
    if case .mmio = self { return "Outcome: \(words)." }
    return words.prefix(1).uppercased() + words.dropFirst() + "."
  }

  /// The outcome in words, for messages.
  public var description: String {
    switch self {
    case .none: "there was no access"
    case .completed: "the access completed"
    case .exception(let status, let instruction, let write, let ipa, _):
      "L1 got \(instruction ? "insn-abort" : "data-abort") fsc=0x\(hex(UInt64(status.code), 2))"
        + "\(write ? " write" : "") ipa=\(Phrase.address(ipa))"
    case .mmio(let write, let ipa): "MMIO \(write ? "write" : "read") at \(Phrase.address(ipa))"
    case .externalAbort: "it ended in an external abort"
    case .sizeFault: "it ended in an address size fault"
    case .efault: "KVM_RUN failed with EFAULT"
    case .enomem: "KVM_RUN failed with ENOMEM"
    case .blocked: "the vCPU waits for an invalidation to end"
    case .endless: "the vCPU takes the same fault for ever"
    }
  }
}
