/// One access of a guest: a load, a store of 8 bytes, or a fetch, with stage 1 off.
struct Access: Equatable {
  var guest: Guest
  var vcpu: Int
  var kind: AccessKind
  /// Canonical IPA for L1; for L2 nested IPA, or canonical if L1 has stage 2 off.
  var address: UInt64
  /// What a store stores, if it is known.
  var value: UInt64?
}

/// What is to be done after an attempt.
enum Attempt {
  /// The access is over.
  case ended(Outcome)
  /// The guest makes the access again.
  case again
  /// These tasks first, then the access again.
  case first([Task])
}

extension Machine {
  /// No access needs more attempts than a few; one that does waits for an invalidation that is under way.
  private static let attempts = 64

  /// Makes an access until it completes, reaches L1, or leaves to user space. Each attempt starts with
  /// the choice of the shadow.
  mutating func perform(_ access: Access) {
    let vcpu = vcpu(access.vcpu)
    for _ in 0..<Self.attempts {
      switch attempt(access, vcpu) {
      case .ended(let outcome):
        setOutcome(outcome, of: access.guest, vcpu)
        return
      case .first(let first):
        tasks.append(.access(access))
        tasks.append(contentsOf: first.reversed())
        return
      case .again: continue
      }
    }
    note(.access(.blocked), at: access.address)
    setOutcome(.blocked, of: access.guest, vcpu)
  }

  private mutating func attempt(_ access: Access, _ vcpu: VCPU) -> Attempt {
    let mmu = access.guest == .l1 ? canonical : chooseShadow(for: vcpu)
    loadVMID(of: mmu, on: vcpu)
    if self[mmu, .pendingUnmap] != 0 {
      return .first(recyclingTasks(mmu))
    }
    if access.guest == .l2, let tasks = translateVNCR(of: vcpu) { return .first(tasks) }
    let table = table(of: mmu)
    noteWalk(access, table)
    let translation = translate(access.address, by: table, for: access.kind)
    guard let status = translation.fault else {
      complete(access, translation, in: table)
      return .ended(.completed)
    }
    if mmu.isCanonical { tally.canonicalFaults += 1 } else { tally.shadowFaults += 1 }
    note(
      .access(.fault(status, on: access.kind)), table.id, at: access.address, level: status.level)
    return handleAbort(access, vcpu, mmu, status)
  }

  /// The hardware's walk, one step a level.
  private mutating func noteWalk(_ access: Access, _ table: Table) {
    guard steps.isRecording else { return }
    note(.access(.enter(access.kind, by: access.guest)), table.id, at: access.address)
    if access.address >> UInt64(table.geometry.inputBits) != 0 { return }
    noteWalk(to: access.address, in: table)
  }

  /// The entries that the hardware reads for an address.
  mutating func noteWalk(to address: UInt64, in table: Table) {
    guard steps.isRecording else { return }
    for entry in path(to: address, in: table) {
      note(
        .access(.walk(entry.descriptor, slot: entry.slot)), table.id, at: entry.address,
        size: table.geometry.size(entry.level), level: entry.level)
    }
  }

  /// The access itself: access flag, TLB, data.
  private mutating func complete(_ access: Access, _ translation: Translation, in table: Table) {
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
    memory.fill(layout.tlb, .vmid(table.vmid), access.address, end)
    exchange(access.kind, physical, value: access.value, table.id, access.address)
  }

  /// The data of an access. Nothing is stored where the memory has no contents, and it reads as zero.
  mutating func exchange(
    _ kind: AccessKind, _ physical: UInt64, value: UInt64?, _ table: TableID, _ address: UInt64,
    hasContents: Bool = true
  ) {
    switch kind {
    case .read:
      let value = hasContents ? guestWord(at: physical) : 0
      note(.access(.loaded(value, from: physical)), table, at: address)
      self[.lastValue] = value
    case .write:
      let value = value ?? makeUnknownValue()
      note(.access(.stored(value, to: physical)), table, at: address)
      if hasContents { storeGuestWord(value, at: physical) }
    case .execute: note(.access(.fetched(from: physical)), table, at: address)
    }
  }
}
