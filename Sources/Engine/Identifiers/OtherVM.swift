/// Other VMs of the host: they take VMIDs and CPUs, and their invalidations reach every TLB.
extension Machine {
  /// Largest number of another VM.
  public static let otherVMLimit: UInt64 = 1 << 20

  mutating func start(_ operation: OtherVMOperation, ofVM number: UInt64) throws(Refusal) {
    if number > Self.otherVMLimit { throw Refusal(.noSuchVM(Self.otherVMLimit), operand: .other) }
    let holder = VMIDHolder.otherVM(number)
    switch operation {
    case .run(let cpu):
      if cpu >= configuration.vcpus {
        throw Refusal(.noSuchCPU(configuration.vcpus), operand: .cpu)
      }
      run(holder, on: cpu)
    case .wait: if !stop(holder) { throw Refusal(.notRunning, operand: .other) }
    case .unmap(let range):
      try requireAligned(range.lowerBound, to: Page.size, operand: .address)
      try requireAligned(range.upperBound, to: Page.size, operand: .size)
      invalidateOtherVM(holder, range)
    case .attach:
      makeSMMU()
      attachOther(number)
    case .detach:
      makeSMMU()
      detachOther(number)
    }
  }

  /// L1 executes WFI: `kvm_vcpu_wfi` puts the vCPU.
  mutating func wait(_ number: Int) throws(Refusal) {
    guard case .context = occupant(ofCPU: number) else {
      throw Refusal(.notRunning, operand: .vcpu)
    }
    putVCPU(on: number)
  }

  /// TLBI IPAS2E1IS of a range for another VM. Its VMID may be of an older generation, and now another
  /// holder's: then that holder's entries are also dropped, which only costs time.
  private mutating func invalidateOtherVM(_ holder: VMIDHolder, _ range: Range<UInt64>) {
    let vmid = vmid(ofID: self[idOf: holder])
    tally.invalidations += 1
    note(.tlb(.otherVM(holder.number, vmid: vmid)), nil, over: range)
    if vmid == 0 { return }
    memory.drop(range, .vmid(vmid), from: layout.tlb)
    for hook in hostHooks { hook.didInvalidate(range, .vmid(vmid), in: &self) }
  }
}

extension Machine {
  /// Holders in the current generation that share a VMID.
  func vmidViolations() -> [Violation] {
    let contexts = (0...configuration.shadows).map { VMIDHolder.context(mmu($0)) }
    var seen: Set<UInt64> = []
    return (contexts + otherVMs).compactMap { holder in
      let id = self[idOf: holder]
      return isCurrent(id) && !seen.insert(id).inserted ? sharedVMID(of: holder) : nil
    }
  }

  /// The violation of a holder that shares its VMID.
  func sharedVMID(of holder: VMIDHolder) -> Violation {
    Violation(
      invariant: .uniqueVMID, table: holder.table ?? .canonical,
      at: holder.table == nil ? .otherVM(holder.number) : .table)
  }
}
