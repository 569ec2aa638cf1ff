/// Choosing the shadow context for an L2 (`arch/arm64/kvm/nested.c`).
extension Machine {
  /// The context on which a vCPU's L2 runs: one that matches, else the next in turn
  /// (`get_s2_mmu_nested`).
  mutating func chooseShadow(for vcpu: VCPU) -> MMU {
    let vttbr = self[vcpu, .vttbr] & ~VTTBR.commonNotPrivate
    let vtcr = self[vcpu, .vtcr]
    let enabled = self[vcpu, .hcr] & 1
    if let found = lookUpShadow(vttbr: vttbr, vtcr: vtcr, stage2Enabled: enabled != 0) {
      note(.fault(.shadowFound(VTTBR(vttbr), VTCR(vtcr))), found.tableID)
      return found
    }
    // Between statements no vCPU is inside a guest, so no context is referenced and the next one in
    // turn can be taken.
    let number = Int(self[.nextShadow])
    self[.nextShadow] = UInt64((number + 1) % configuration.shadows)
    let mmu = shadow(number)
    give(mmu, vttbr: vttbr, vtcr: vtcr, stage2Enabled: enabled)
    return mmu
  }

  /// Gives a context other registers of L1. Its old mappings must then be unmapped, see `recyclingTasks`.
  mutating func give(_ mmu: MMU, vttbr: UInt64, vtcr: UInt64, stage2Enabled: UInt64) {
    let isRecycled = isValid(mmu)
    note(
      .fault(
        isRecycled
          ? .shadowRecycled(VTTBR(vttbr), VTCR(vtcr)) : .shadowTaken(VTTBR(vttbr), VTCR(vtcr))),
      mmu.tableID)
    if isRecycled { self[mmu, .pendingUnmap] = 1 }
    self[mmu, .vttbr] = vttbr
    self[mmu, .vtcr] = vtcr
    self[mmu, .stage2Enabled] = stage2Enabled
  }

  /// With stage 2 on, VTTBR and VTCR must be the same; with stage 2 off, the VMID alone, among contexts
  /// with stage 2 off (`lookup_s2_mmu`).
  private func lookUpShadow(vttbr: UInt64, vtcr: UInt64, stage2Enabled: Bool) -> MMU? {
    for number in 0..<configuration.shadows {
      let mmu = shadow(number)
      if !isValid(mmu) || (self[mmu, .stage2Enabled] != 0) != stage2Enabled { continue }
      let matches =
        stage2Enabled
        ? self[mmu, .vttbr] == vttbr && self[mmu, .vtcr] == vtcr
        : VTTBR(self[mmu, .vttbr]).vmid == VTTBR(vttbr).vmid
      if matches { return mmu }
    }
    return nil
  }

  /// All contexts that are in use, by number.
  var validShadows: [MMU] {
    (0..<configuration.shadows).map { shadow($0) }.filter { isValid($0) }
  }

  /// The tasks before a recycled context can be used (`check_nested_vcpu_requests`).
  func recyclingTasks(_ mmu: MMU) -> [Work] {
    Self.unmapAllTasks(mmu, .recycled, UnmapCause(.recycling)) + [.finishRecycling(mmu.index)]
  }

  /// The end of a recycled context's unmap (`check_nested_vcpu_requests`).
  mutating func finishRecycling(_ mmu: MMU) {
    self[mmu, .pendingUnmap] = 0
  }
}
