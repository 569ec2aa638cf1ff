/// L1's VNCR page, which KVM maps for a guest hypervisor of L1 through its own translation (the
/// pseudo-TLB, `struct vncr_tlb`). Such a translation is not a stage-2 entry, but must be dropped with
/// the page like one.
extension Machine {
  /// L1 writes VNCR_EL2.
  mutating func setVNCR(of vcpu: VCPU, to ipa: UInt64) {
    note(.guest(.vncrSet), at: ipa)
    self[vcpu, .vncr] = ipa.page | 1
    self[vcpu, .vncrPage] = 0
  }

  /// Translates the page when L2 first uses a register in it, which is before its memory access here
  /// (`kvm_handle_vncr_abort`).
  ///
  /// - Returns: nil if L2 goes on; else the tasks that the host must do first, or the end of the access: where the page
  ///   has no memory, L1 is given an external abort.
  mutating func translateVNCR(of vcpu: VCPU) -> Attempt? {
    let ipa = self[vcpu, .vncr].page
    guard self[vcpu, .vncr] != 0, self[vcpu, .vncrPage] == 0 else { return nil }
    guard let slot = usableMemslot(at: ipa) else {
      return abortVNCR(at: ipa, .vncrOutside)
    }
    guard self[.invalidateInProgress] == 0, !isMapLocked else { return nil }
    switch hostFault(hva(of: ipa, in: slot), write: true) {
    case .first(let tasks): return .first(tasks)
    case .badAddress: return abortVNCR(at: ipa, .vncrUnbacked)
    case .resolved(let entry, let level):
      let page = entry.address | ipa & (hostTable.geometry.size(level) - 1)
      note(.guest(.vncrTranslated(to: page)), at: ipa)
      self[vcpu, .vncrPage] = page
      markDirty(ipa, in: slot)
      return nil
    }
  }

  private mutating func abortVNCR(at ipa: UInt64, _ step: GuestStep) -> Attempt {
    tally.injected += 1
    note(.guest(step), at: ipa)
    return .ended(.externalAbort)
  }

  /// Drops the translations of pages in a canonical range (`kvm_invalidate_vncr_ipa`).
  mutating func dropVNCR(_ range: Range<UInt64>) {
    for number in 0..<configuration.vcpus {
      let vcpu = vcpu(number)
      let ipa = self[vcpu, .vncr].page
      if self[vcpu, .vncrPage] != 0, range.contains(ipa) {
        let page = self[vcpu, .vncrPage]
        note(.guest(.vncrDropped(page)), at: ipa)
        self[vcpu, .vncrPage] = 0
      }
    }
  }
}
