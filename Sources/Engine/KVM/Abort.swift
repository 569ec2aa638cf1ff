/// `kvm_handle_guest_abort`: KVM's handling of a stage-2 fault.
extension Machine {
  mutating func handleAbort(
    _ access: Access, _ vcpu: VCPU, _ mmu: MMU, _ status: FaultStatus
  ) -> Attempt {
    let page = access.address.page
    if status.faultClass == .translation {
      if page >> UInt64(VMConfiguration.physicalBits) != 0 {
        tally.injected += 1
        note(.fault(.injectSize), mmu.tableID, at: page)
        return .ended(.sizeFault)
      }
      if page >> UInt64(geometry(of: mmu).inputBits) != 0 {
        tally.injected += 1
        note(.fault(.injectExternal(ipa: nil)), mmu.tableID, at: page)
        return .ended(.externalAbort)
      }
    }

    var guestLeaf: GuestTranslation?
    var ipa = page
    if !mmu.isCanonical, self[mmu, .stage2Enabled] != 0 {
      let walk = walkGuest(
        page, vttbr: VTTBR(self[vcpu, .vttbr]), vtcr: VTCR(self[vcpu, .vtcr]),
        isRead: access.handling != nil)
      switch walk {
      case .first(let tasks): return .first(tasks)
      case .firstInHandler(let tasks): return .firstInHandler(tasks, status)
      case .fault(let status, let error):
        return inject(status, for: access, page, mmu, alsoEFAULT: error)
      case .output(let found):
        if status.faultClass == .permission, !found.descriptor.permissions.allow(access.kind) {
          // L1's own entry forbids it, so L1 gets the fault (`kvm_s2_handle_perm_fault`).
          let status = FaultStatus(.permission, level: found.level)
          return inject(status, for: access, page, mmu, alsoEFAULT: false)
        }
        guestLeaf = found
        ipa = found.output.page
      }
    }

    guard let slot = usableMemslot(at: ipa) else {
      if access.kind == .execute {
        tally.injected += 1
        note(.fault(.injectExternal(ipa: ipa)), mmu.tableID, at: page)
        return .ended(.externalAbort)
      }
      let device = ipa | access.address.pageOffset
      note(.fault(.mmioExit(ipa: device)), mmu.tableID, at: page)
      tally.mmioExits += 1
      return .ended(.mmio(write: access.kind == .write, ipa: device))
    }
    let hva = hva(of: ipa, in: slot)
    note(.fault(.memslotFound(ipa: ipa, hva: hva)), mmu.tableID, at: page)
    let fault = MemoryFault(
      kind: access.kind, mmu: mmu, cpu: vcpu.number, page: page, ipa: ipa, slot: slot,
      guestLeaf: guestLeaf,
      permissionGranule: status.faultClass == .permission
        ? geometry(of: mmu).size(status.level) : nil)
    return mapMemory(fault)
  }

  private mutating func inject(
    _ status: FaultStatus, for access: Access, _ page: UInt64, _ mmu: MMU, alsoEFAULT: Bool
  ) -> Attempt {
    tally.injected += 1
    note(
      .fault(
        .inject(
          status, on: access.kind,
          isRefused: alsoEFAULT && status.faultClass != .externalOnWalk)), mmu.tableID, at: page,
      level: status.level)
    return .ended(
      .exception(
        status, instruction: access.kind == .execute, write: access.kind == .write, ipa: page,
        alsoEFAULT: alsoEFAULT))
  }
}
