/// Assigning VMIDs to contexts and to other VMs, as arch/arm64/kvm/vmid.c does.
///
/// Pinning is not in Linux 7.3.4: it follows "KVM: arm64: Introduce support to pin VMIDs" in [RFC PATCH
/// v3 0/5] iommu/arm-smmu-v3: Use pinned KVM VMID for stage 2, 2025-03-19. The `new_vmid` there gives a
/// pinned holder its VMID in the new generation without storing it, so that each run takes the lock
/// again; here it is stored, as arch/arm64/mm/context.c does for ASIDs.
extension Machine {
  private var vmids: VMIDAllocator { layout.vmids }

  subscript(idOf holder: VMIDHolder) -> UInt64 {
    get {
      switch holder {
      case .context(let mmu): self[mmu, .vmid]
      case .otherVM(let number): otherVMWords.load(number * 2, from: memory)
      }
    }
    set {
      switch holder {
      case .context(let mmu): self[mmu, .vmid] = newValue
      case .otherVM(let number): otherVMWords.store(newValue, at: number * 2, in: &memory)
      }
    }
  }

  /// Pin count of a holder.
  subscript(pinsOf holder: VMIDHolder) -> UInt64 {
    get {
      switch holder {
      case .context(let mmu): self[mmu, .pins]
      case .otherVM(let number): otherVMWords.load(number * 2 + 1, from: memory)
      }
    }
    set {
      switch holder {
      case .context(let mmu): self[mmu, .pins] = newValue
      case .otherVM(let number): otherVMWords.store(newValue, at: number * 2 + 1, in: &memory)
      }
    }
  }

  private var otherVMWords: SparseArray { SparseArray(root: vmids.slot(.otherVMs), .otherVMs) }

  /// The other VMs that have an id, by number.
  var otherVMs: [VMIDHolder] {
    var found: [VMIDHolder] = []
    var index: UInt64 = 0
    let end = (Self.otherVMLimit + 1) * 2
    while let next = otherVMWords.firstIndex(in: index..<end, of: memory) {
      found.append(.otherVM(next / 2))
      index = (next / 2 + 1) * 2
    }
    return found
  }

  /// The hardware VMID in an id.
  @inline(__always)
  func vmid(ofID id: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: id & layout.vmids.mask) }

  /// Whether an id is of the current generation (`vmid_gen_match`).
  @inline(__always)
  func isCurrent(_ id: UInt64) -> Bool {
    (id ^ memory.load(layout.vmids.slot(.generation))) & ~layout.vmids.mask == 0
  }

  mutating func createVMIDs() {
    memory.store(vmids.count, at: vmids.slot(.generation))
    memory.store(1, at: vmids.slot(.index))
    for cpu in 0..<vmids.cpus { memory.store(vmids.noneActive, at: vmids.slot(.active, of: cpu)) }
  }

  /// Ensures that a context has a VMID while a vCPU's statement runs on it: the vCPU enters the guest
  /// (`kvm_arm_vmid_update`) and leaves again (`kvm_arm_vmid_clear_active`), and nothing reads the CPU's
  /// active id in between, so it is not stored.
  @inline(__always)
  mutating func loadVMID(of mmu: MMU, on vcpu: VCPU) {
    if memory.load(layout.vmids.slot(.active, of: vcpu.number)) == layout.vmids.noneActive,
      isCurrent(self[mmu, .vmid])
    {
      return
    }
    putVCPU(on: vcpu.number)
    updateVMID(.context(mmu))
  }

  /// A holder's vCPU enters its guest on a CPU and stays there: its id is the CPU's active one.
  mutating func run(_ holder: VMIDHolder, on cpu: Int) {
    putVCPU(on: cpu)
    updateVMID(holder)
    let vmid = self[idOf: holder] & vmids.mask
    note(.identifier(.vcpuStays(holder.noted, vmid: vmid, cpu: cpu)), holder.table)
    memory.store(self[idOf: holder], at: vmids.slot(.active, of: cpu))
    memory.store(occupant(holder), at: vmids.slot(.occupant, of: cpu))
  }

  /// The holder on a CPU leaves it (`kvm_arch_vcpu_put`): its id need not be reserved.
  mutating func putVCPU(on cpu: Int) {
    guard let holder = occupant(ofCPU: cpu) else { return }
    note(.identifier(.vcpuLeaves(holder.noted, cpu: cpu)), holder.table)
    memory.store(vmids.noneActive, at: vmids.slot(.active, of: cpu))
    memory.store(0, at: vmids.slot(.occupant, of: cpu))
  }

  /// All vCPUs of a holder leave the CPUs; false if there were none.
  mutating func stop(_ holder: VMIDHolder) -> Bool {
    let found = (0..<vmids.cpus).filter { occupant(ofCPU: $0) == holder }
    for cpu in found { putVCPU(on: cpu) }
    return !found.isEmpty
  }

  private func occupant(_ holder: VMIDHolder) -> UInt64 {
    switch holder {
    case .context(let mmu): UInt64(mmu.index) << 1 | 1
    case .otherVM(let number): (number + 1) << 1
    }
  }

  /// The holder that stays on a CPU, or nil.
  func occupant(ofCPU cpu: Int) -> VMIDHolder? {
    let word = memory.load(vmids.slot(.occupant, of: cpu))
    if word == 0 { return nil }
    return word & 1 != 0 ? .context(mmu(Int(word >> 1))) : .otherVM(word >> 1 - 1)
  }

  /// The slow path of `kvm_arm_vmid_update`, under `cpu_vmid_lock`.
  mutating func updateVMID(_ holder: VMIDHolder) {
    if !isCurrent(self[idOf: holder]) { takeVMID(holder) }
  }

  /// `new_vmid`: the old VMID in the new generation, if it was not reassigned meanwhile, else the next
  /// free one.
  private mutating func takeVMID(_ holder: VMIDHolder) {
    let old = self[idOf: holder]
    let generation = memory.load(.generation, of: vmids)
    let renewed = generation | old & vmids.mask
    if old != 0 {
      let reserving = (0..<vmids.cpus).filter {
        memory.load(vmids.slot(.reserved, of: $0)) == old
      }
      if !reserving.isEmpty {
        noteKept(holder, renewed, .reserved)
        for cpu in reserving { memory.store(renewed, at: vmids.slot(.reserved, of: cpu)) }
        self[idOf: holder] = renewed
        return
      }
      if self[pinsOf: holder] > 0 {
        noteKept(holder, renewed, .pinned)
        self[idOf: holder] = renewed
        return
      }
      if !memory.isSet(old & vmids.mask, in: .taken, of: vmids) {
        noteKept(holder, renewed, .free)
        memory.set(old & vmids.mask, in: .taken, of: vmids)
        self[idOf: holder] = renewed
        return
      }
    }
    var found = memory.nextFreeVMID(from: memory.load(.index, of: vmids), of: vmids)
    if found == nil {
      rollOver()
      found = memory.nextFreeVMID(from: 1, of: vmids)
    }
    guard let vmid = found else {
      preconditionFailure("CPUs and pins together leave a VMID free")
    }
    let id = memory.load(.generation, of: vmids) | vmid
    let ordinal = id >> UInt64(vmids.bits)
    note(
      .identifier(.vmidTaken(holder.noted, vmid: vmid, generation: ordinal)), holder.table)
    memory.set(vmid, in: .taken, of: vmids)
    memory.store(vmid, at: vmids.slot(.index))
    self[idOf: holder] = id
  }

  private mutating func noteKept(
    _ holder: VMIDHolder, _ id: UInt64, _ reason: IdentifierStep.Kept
  ) {
    let vmids = layout.vmids
    note(
      .identifier(
        .vmidKept(
          holder.noted, vmid: id & vmids.mask, generation: id >> UInt64(vmids.bits), reason)),
      holder.table)
  }

  /// A new generation (`flush_context`): only VMIDs that are pinned, or run on a CPU, stay taken.
  ///
  /// When the VMIDs run out, all are released at once. No holder's id changes. An id carries the
  /// generation in which it was assigned, and the next time its holder runs it finds that generation to
  /// be old. Rewriting the ids instead would need the lock of every VM.
  ///
  /// Two kinds of holder cannot wait for their next run. A vCPU that is in its guest keeps using its
  /// VMID, and does not check the generation before it exits. Its VMID is reserved: it stays taken, and
  /// the holder gets the same number in the new generation. A pinned VMID is in a stream table entry, and
  /// the SMMU does not check generations. If either number were assigned to another context, two address
  /// spaces would share TLB entries, and one guest would reach the other's memory.
  ///
  /// The active id is set to 0 so that the fast path, which compares without the lock, fails once on every
  /// CPU. A second rollover may come before a CPU has taken the lock again. Its active id is then 0, though
  /// its vCPU still runs, under the reserved id of the first rollover, and that is reserved once more.
  /// Taking 0 for "nothing runs" would lose it.
  ///
  /// The flush comes last: entries of the old generation are harmless until the first old number is
  /// reassigned. It does not help a device that uses KVM's VMID without a pin: its stream table entry
  /// keeps the old number, which then belongs to another VM.
  private mutating func rollOver() {
    let generation = memory.load(.generation, of: vmids) &+ vmids.count
    let (number, limit) = (generation >> UInt64(vmids.bits), vmids.mask)
    note(.identifier(.vmidRollover(generation: number, limit: limit)))
    memory.store(generation, at: vmids.slot(.generation))
    for (taken, pinned) in zip(vmids.slots(of: .taken), vmids.slots(of: .pinned)) {
      memory.store(memory.load(pinned), at: taken)
    }
    for cpu in 0..<vmids.cpus {
      let active = memory.load(vmids.slot(.active, of: cpu))
      // A CPU that has not taken the lock since the last rollover runs the id that was reserved then.
      let id = active == 0 ? memory.load(vmids.slot(.reserved, of: cpu)) : active
      if id & vmids.mask != 0 {
        let vmid = id & vmids.mask
        note(.identifier(.vmidReserved(vmid: vmid, cpu: cpu)))
      }
      // On an empty CPU, 0 and `noneActive` mean the same until the next rollover and after it.
      memory.store(
        occupant(ofCPU: cpu) == nil ? vmids.noneActive : 0, at: vmids.slot(.active, of: cpu))
      memory.set(id & vmids.mask, in: .taken, of: vmids)
      memory.store(id, at: vmids.slot(.reserved, of: cpu))
    }
    flushTLB()
  }

  /// TLBI ALLE1IS (`__kvm_flush_vm_context`).
  private mutating func flushTLB() {
    note(.tlb(.flush))
    tally.invalidations += 1
    for slot in layout.tlb.slots { memory.store(0, at: slot) }
    for hook in hostHooks { hook.didInvalidateAll(in: &self) }
  }

  /// `kvm_arm_pinned_vmid_get`: the holder keeps its VMID across rollovers until it is unpinned as often.
  ///
  /// - Returns: the VMID, or nil if no more can be pinned.
  mutating func pinVMID(_ holder: VMIDHolder) -> UInt16? {
    if self[pinsOf: holder] == 0 {
      if memory.load(.pinnedCount, of: vmids) >= vmids.pinLimit { return nil }
      updateVMID(holder)
    }
    let id = self[idOf: holder]
    let number = id & vmids.mask
    note(.identifier(.vmidPinned(holder.noted, vmid: number)), holder.table)
    if self[pinsOf: holder] == 0 {
      memory.store(memory.load(.pinnedCount, of: vmids) + 1, at: vmids.slot(.pinnedCount))
      memory.set(id & vmids.mask, in: .pinned, of: vmids)
    }
    self[pinsOf: holder] += 1
    return vmid(ofID: id)
  }

  /// `kvm_arm_pinned_vmid_put`, for a pinned holder.
  mutating func unpinVMID(_ holder: VMIDHolder) {
    let id = self[idOf: holder]
    let number = id & vmids.mask
    note(.identifier(.vmidUnpinned(holder.noted, vmid: number)), holder.table)
    self[pinsOf: holder] -= 1
    if self[pinsOf: holder] > 0 { return }
    memory.store(memory.load(.pinnedCount, of: vmids) - 1, at: vmids.slot(.pinnedCount))
    memory.set(id & vmids.mask, false, in: .pinned, of: vmids)
  }
}
