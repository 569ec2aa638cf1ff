/// Accesses of the host and of guests under pKVM.
extension Machine {
  /// An access of the host at EL1, with stage 1 the identity. A fault is handled at EL2, where either the
  /// page is mapped or the host is given an abort.
  mutating func performHostAccess(
    _ kind: AccessKind, _ address: UInt64, value: UInt64?
  ) throws(Refusal) {
    let table = protectedHostTable
    if address >= table.geometry.inputSize {
      throw Refusal(.beyondPhysicalSpace(bits: table.geometry.inputBits), operand: .address)
    }
    // Another CPU holds the lock of the host's table, and the fault would wait for it.
    if isPaused, translate(address, by: table, for: kind).fault != nil {
      throw Refusal(.lockHeld)
    }
    note(.pkvm(.hostAccess(kind)), table.id, at: address)
    if hasTwoSizes(address, in: table) {
      note(.pkvm(.tlbConflict), table.id, at: address)
      tally.error = .efault
      return
    }
    var translation = walk(address, kind, in: table)
    if let status = translation.fault {
      note(.access(.fault(status, on: kind)), table.id, at: address, level: status.level)
      guard status.faultClass == .translation, handleHostFault(address) else {
        return abortHost(address, translation.end)
      }
      translation = walk(address, kind, in: table)
      // Mapped, but not for this: MMIO is not executed from.
      if translation.fault != nil { return abortHost(address, translation.end) }
    }
    complete(kind, address, translation, value: value, in: table)
  }

  /// Whether a CPU that promises no more than FEAT_BBM level 2 may find two entries for an address: its TLB
  /// holds a block, and the table has pages in its place. The worst case is modelled: it does.
  private func hasTwoSizes(_ address: UInt64, in table: Table) -> Bool {
    guard configuration.iommu.replacesInPlace, configuration.iommu.cpuBreakLevel < 3 else {
      return false
    }
    let end = memory.walk(table, address)
    return end.isLeaf
      && (1..<end.level).contains {
        memory.slot(of: address, level: $0, .vmid(table.vmid), in: layout.tlb) != nil
      }
  }

  /// `host_inject_mem_abort`: the host's own exception, marked as one of stage 2.
  private mutating func abortHost(_ address: UInt64, _ end: WalkEnd) {
    note(.pkvm(.hostAbort(end.descriptor)), .protectedHost, at: address, level: end.level)
    tally.error = .efault
  }

  /// An access of a guest, with stage 1 the identity. What it has no leaf for leaves to the host, which
  /// here does nothing about it.
  mutating func performGuestAccess(
    _ number: Int, _ kind: AccessKind, _ address: UInt64, value: UInt64?
  ) {
    guard let guest = protectedGuest(number), !guest.isDying else {
      return fail(.einval, .protectedGuest(number), at: address)
    }
    let table = table(of: guest)
    note(.pkvm(.guestAccess(kind)), table.id, at: address)
    if address >= table.geometry.inputSize { return fail(.erange, table.id, at: address) }
    let translation = walk(address, kind, in: table)
    if let status = translation.fault {
      note(.access(.fault(status, on: kind)), table.id, at: address, level: status.level)
      let isPoisoned = translation.end.descriptor == .poisoned
      let isAbsent = status.faultClass == .translation
      return fail(isPoisoned ? .efault : isAbsent ? .enoent : .eperm, table.id, at: address)
    }
    complete(kind, address, translation, value: value, in: table)
  }

  /// The hardware's walk, one step a level.
  private mutating func walk(
    _ address: UInt64, _ kind: AccessKind, in table: Table
  ) -> Translation {
    noteWalk(to: address, in: table)
    return translate(address, by: table, for: kind)
  }

  /// The access itself. What lies in MMIO has no contents.
  private mutating func complete(
    _ kind: AccessKind, _ address: UInt64, _ translation: Translation, value: UInt64?,
    in table: Table
  ) {
    let physical = translation.output(of: address, in: table)
    note(
      .access(.translated(to: physical)), table.id, at: address, level: translation.end.level)
    memory.fill(layout.tlb, .vmid(table.vmid), address, translation.end)
    exchange(
      kind, physical, value: value, table.id, address, hasContents: isHostMemory(physical))
  }
}
