/// Choosing the shadow context for an L2 (`arch/arm64/kvm/nested.c`).
extension Machine {
  /// The context on which a vCPU's L2 runs: one that matches, else the next in turn
  /// (`get_s2_mmu_nested`).
  mutating func chooseShadow(for vcpu: VCPU) -> MMU {
    let vttbr = self[vcpu, .vttbr] & ~VTTBR.commonNotPrivate
    let vtcr = self[vcpu, .vtcr]
    if let found = lookUpShadow(of: vcpu) {
      note(.fault(.shadowFound(VTTBR(vttbr), VTCR(vtcr))), found.tableID)
      return found
    }
    var number = Int(self[.nextShadow])
    // There are two contexts for each vCPU, so the one after it is free.
    if shadow(number).index == shadowInUse?.index { number = (number + 1) % configuration.shadows }
    self[.nextShadow] = UInt64((number + 1) % configuration.shadows)
    let mmu = shadow(number)
    give(mmu, vttbr: vttbr, vtcr: vtcr, stage2Enabled: self[vcpu, .hcr] & 1)
    return mmu
  }

  /// The context that a vCPU has in use (`refcnt`) although another event runs: that of a paused entry of
  /// L2. Nil if there is none: between statements no vCPU is inside a guest.
  private var shadowInUse: MMU? {
    guard let number = parkedVCPU else { return nil }
    let isEntered = parkedTaskList.contains {
      switch $0 {
      case .access(let access): access.guest == .l2
      case .finishRecycling: true
      default: false
      }
    }
    return isEntered ? lookUpShadow(of: vcpu(number)) : nil
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
  func lookUpShadow(of vcpu: VCPU) -> MMU? {
    let vttbr = self[vcpu, .vttbr] & ~VTTBR.commonNotPrivate
    let vtcr = self[vcpu, .vtcr]
    let stage2Enabled = self[vcpu, .hcr] & 1 != 0
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
