/// Accesses of the host and of guests under pKVM.
extension Machine {
  /// An access of the host at EL1, with stage 1 the identity. EL2 handles a fault, and either maps the
  /// page or injects an abort into the host.
  mutating func performHostAccess(
    _ kind: AccessKind, _ address: UInt64, value: UInt64?
  ) throws(Refusal) {
    let table = pkvmHostTable
    if address >= table.geometry.inputSize {
      throw Refusal(.beyondPhysicalSpace(bits: table.geometry.inputBits), operand: .address)
    }
    // Another CPU holds the lock of the host's table, and the fault would wait for it.
    if isPaused, lookUp(address, by: table, for: kind, onCPU: Self.hostCPU).translation.fault != nil
    {
      throw Refusal(.lockHeld)
    }
    note(.pkvm(.hostAccess(kind)), table.id, at: address)
    if hasTwoSizes(address, in: table) {
      note(.pkvm(.tlbConflict), table.id, at: address)
      tally.error = .efault
      return
    }
    var found = translate(address, by: table, for: kind, onCPU: Self.hostCPU)
    if let status = found.translation.fault {
      tally.protectedFaults += 1
      note(.access(.fault(status, on: kind)), table.id, at: address, level: status.level)
      if status.faultClass == .translation {
        guard handleHostFault(address) else { return abortHost(address, found.translation.end) }
        found = translate(address, by: table, for: kind, onCPU: Self.hostCPU)
      }
      if found.translation.fault != nil {
        // Mapped, but without permission: MMIO is not executable. EL2 finds a valid entry (EEXIST), and
        // the host makes the access again.
        return note(.pkvm(.hostBlocked), table.id, at: address, level: found.translation.end.level)
      }
    }
    complete(kind, address, found, value: value, in: table)
  }

  /// CPU of the host and of guests under pKVM.
  private static let hostCPU = 0

  /// Whether a CPU with at most FEAT_BBM level 2 may find two entries for an address: its TLB holds a
  /// block that the table has replaced by pages. Models the worst case: it does.
  private func hasTwoSizes(_ address: UInt64, in table: Table) -> Bool {
    guard configuration.iommu.replacesInPlace, configuration.iommu.cpuBreakLevel < 3 else {
      return false
    }
    let end = memory.walk(table, address)
    return end.isLeaf
      && (1..<end.level).contains {
        memory.slot(
          of: address, level: $0, .vmid(table.vmid), cpu: Self.hostCPU, in: layout.tlb) != nil
      }
  }

  /// `host_inject_mem_abort`: an exception in the host, marked as a stage-2 one.
  private mutating func abortHost(_ address: UInt64, _ end: WalkEnd) {
    note(.pkvm(.hostAbort(end.descriptor)), .pkvmHost, at: address, level: end.level)
    tally.error = .efault
  }

  /// An access of a guest, with stage 1 the identity. An address without a leaf exits to the host, which
  /// here does nothing.
  mutating func performGuestAccess(
    _ number: Int, _ kind: AccessKind, _ address: UInt64, value: UInt64?
  ) {
    guard let guest = protectedGuest(number), !guest.isDying else {
      return fail(.einval, .protectedGuest(number), at: address, by: .guestKind)
    }
    let table = table(of: guest)
    note(.pkvm(.guestAccess(kind)), table.id, at: address)
    if address >= table.geometry.inputSize {
      return fail(.erange, table.id, at: address, by: .guestExit)
    }
    let found = translate(address, by: table, for: kind, onCPU: Self.hostCPU)
    if let status = found.translation.fault {
      tally.protectedFaults += 1
      note(.access(.fault(status, on: kind)), table.id, at: address, level: status.level)
      let isPoisoned = found.translation.end.descriptor == .poisoned
      let isAbsent = status.faultClass == .translation
      return fail(
        isPoisoned ? .efault : isAbsent ? .enoent : .eperm, table.id, at: address, by: .guestExit)
    }
    complete(kind, address, found, value: value, in: table)
  }

  /// The access itself. MMIO has no contents.
  private mutating func complete(
    _ kind: AccessKind, _ address: UInt64, _ found: (translation: Translation, isCached: Bool),
    value: UInt64?, in table: Table
  ) {
    let physical = found.translation.output(of: address, in: table)
    if !found.isCached {
      let end = found.translation.end
      note(.access(.translated(to: physical)), table.id, at: address, level: end.level)
      memory.fill(layout.tlb, .vmid(table.vmid), address, end, cpu: Self.hostCPU)
    }
    exchange(
      kind, physical, value: value, table.id, address, hasContents: isHostMemory(physical))
  }
}
