/// One access of a guest: a load, a store of 8 bytes, or a fetch, with stage 1 off.
struct Access: Equatable {
  var guest: Guest
  var vcpu: Int
  var kind: AccessKind
  /// Canonical IPA for L1; for L2 nested IPA, or canonical if L1 has stage 2 off.
  var address: UInt64
  /// The stored value, if known.
  var value: UInt64?
  /// The fault whose handling goes on, after the host had to act in the midst of it.
  var handling: FaultStatus?
}

/// What to do after an attempt.
enum Attempt {
  /// The access is over.
  case ended(Outcome)
  /// The guest makes the access again.
  case again
  /// These tasks first, then the access again.
  case first([Work])
  /// These tasks first, and then KVM goes on handling the fault.
  case firstInHandler([Work], FaultStatus)
}

extension Machine {
  /// An access needs only a few attempts; one that needs more is waiting for an invalidation under way, or
  /// faults for ever.
  private static let attempts = 64

  /// Makes an access until it completes, reaches L1, or leaves to user space. Each attempt starts with
  /// the choice of the shadow.
  mutating func perform(_ access: Access) {
    let vcpu = vcpu(access.vcpu)
    var access = access
    for _ in 0..<Self.attempts {
      let attempt = attempt(access, vcpu)
      access.handling = nil
      switch attempt {
      case .ended(let outcome):
        setOutcome(outcome, of: access, vcpu)
        return
      case .first(let first): return push(first + [.access(access)])
      case .firstInHandler(let first, let status):
        access.handling = status
        return push(first + [.access(access)])
      case .again: continue
      }
    }
    let isWaiting = self[.invalidateInProgress] != 0
    note(.access(isWaiting ? .blocked : .endless), at: access.address)
    setOutcome(isWaiting ? .blocked : .endless, of: access, vcpu)
  }

  /// L2 is entered again, with a fetch, after L1 ran. By then the CPU has replaced its cached entries;
  /// the CPU of the captures drops all of them whenever VTTBR_EL2 gets another VMID.
  mutating func beginRun(on cpu: Int) {
    if !configuration.keepsTLB { memory.drop(cpu: cpu, from: layout.tlb) }
  }

  private mutating func attempt(_ access: Access, _ vcpu: VCPU) -> Attempt {
    if let status = access.handling, let mmu = lookUpShadow(of: vcpu) {
      return handleAbort(access, vcpu, mmu, status)
    }
    let mmu = access.guest == .l1 ? canonical : chooseShadow(for: vcpu)
    loadVMID(of: mmu, on: vcpu)
    if self[mmu, .pendingUnmap] != 0 {
      return .first(recyclingTasks(mmu))
    }
    if access.guest == .l2, let attempt = translateVNCR(of: vcpu) { return attempt }
    let table = table(of: mmu)
    note(.access(.enter(access.kind, by: access.guest)), table.id, at: access.address)
    let (translation, isCached) = translate(
      access.address, by: table, for: access.kind, onCPU: vcpu.number)
    guard let status = translation.fault else {
      if isCached {
        let physical = translation.output(of: access.address, in: table)
        exchange(access.kind, physical, value: access.value, table.id, access.address)
      } else {
        complete(access, translation, in: table, cpu: vcpu.number)
      }
      return .ended(.completed)
    }
    if mmu.isCanonical { tally.canonicalFaults += 1 } else { tally.shadowFaults += 1 }
    note(
      .access(.fault(status, on: access.kind)), table.id, at: access.address, level: status.level)
    return handleAbort(access, vcpu, mmu, status)
  }

  /// A CPU's translation of an address: from its TLB, or else by a walk.
  func lookUp(
    _ address: UInt64, by table: Table, for kind: AccessKind, onCPU cpu: Int
  ) -> (translation: Translation, isCached: Bool) {
    guard let cached = cached(address, in: table, cpu: cpu) else {
      return (translate(address, by: table, for: kind), false)
    }
    let isAllowed = cached.descriptor.permissions.allow(kind)
    let fault = isAllowed ? nil : FaultStatus(.permission, level: cached.level)
    return (Translation(end: cached, fault: fault), true)
  }

  /// The same as steps of an access.
  mutating func translate(
    _ address: UInt64, by table: Table, for kind: AccessKind, onCPU cpu: Int
  ) -> (translation: Translation, isCached: Bool) {
    let found = lookUp(address, by: table, for: kind, onCPU: cpu)
    if found.isCached {
      noteCached(found.translation.end, at: address, in: table)
    } else {
      noteWalk(to: address, in: table)
    }
    return found
  }

  private mutating func noteCached(_ cached: WalkEnd, at address: UInt64, in table: Table) {
    guard steps.isRecording else { return }
    let isStale = isStale(cached, at: address, in: table)
    note(
      .access(.cached(cached.descriptor, isStale: isStale)), table.id, at: address,
      size: table.geometry.size(cached.level), level: cached.level)
  }

  /// The entries that the hardware reads for an address.
  private mutating func noteWalk(to address: UInt64, in table: Table) {
    guard steps.isRecording, address <= table.inputMask else { return }
    for entry in path(to: address, in: table) {
      note(
        .access(.walk(entry.descriptor, slot: entry.slot)), table.id, at: entry.address,
        size: table.geometry.size(entry.level), level: entry.level)
    }
  }

  /// The access itself after a walk: access flag, TLB, data.
  private mutating func complete(
    _ access: Access, _ translation: Translation, in table: Table, cpu: Int
  ) {
    let physical = translation.output(of: access.address, in: table)
    var end = translation.end
    if end.descriptor.bits & Descriptor.accessed == 0 {
      let bits = end.descriptor.bits | Descriptor.accessed
      note(
        .access(.accessFlagSet(Descriptor(bits))), table.id, at: access.address, level: end.level)
      memory.store(bits, at: end.slot)
      end = WalkEnd(slot: end.slot, level: end.level, descriptor: Descriptor(bits))
    }
    note(.access(.translated(to: physical)), table.id, at: access.address, level: end.level)
    memory.fill(layout.tlb, .vmid(table.vmid), access.address, end, cpu: cpu)
    exchange(access.kind, physical, value: access.value, table.id, access.address)
  }

  /// The data of an access. Memory without contents reads as zero, and stores to it are dropped.
  mutating func exchange(
    _ kind: AccessKind, _ physical: UInt64, value: UInt64?, _ table: TableID, _ address: UInt64,
    hasContents: Bool = true
  ) {
    switch kind {
    case .read:
      let value = hasContents ? guestWord(at: physical) : 0
      note(.access(.loaded(value, from: physical)), table, at: address)
      setLastValue(value)
    case .write:
      let value = value ?? makeUnknownValue()
      note(.access(.stored(value, to: physical)), table, at: address)
      if hasContents { storeGuestWord(value, at: physical) }
    case .execute: note(.access(.fetched(from: physical)), table, at: address)
    }
  }
}
