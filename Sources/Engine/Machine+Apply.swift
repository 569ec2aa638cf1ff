/// Carrying out events.
extension Machine {
  /// Carries out an event.
  ///
  /// - Throws: a `Refusal` if the event makes no sense now; nothing has changed then.
  public mutating func apply(_ event: Event) throws(Refusal) {
    memory.makeUnique()
    steps.removeAll()
    try requireNoConflict(event)
    try ownership.admit(event)
    try requireKnown(event)
    switch event {
    case .addMemslot(let id, let range, let backing): try addMemslot(id, range, backing)
    case .host(let operation): try start(operation)
    case .access(let guest, let number, let kind, let address, let value):
      try requireVCPU(number, for: guest)
      if guest == .l2, kind == .execute { beginRun(on: number) }
      perform(Access(guest: guest, vcpu: number, kind: kind, address: address, value: value))
    case .context(let number, let vttbr, let vtcr, let hcr):
      let vcpu = try requireVCPU(number, for: .l2)
      let vttbr = VTTBR.sanitised(vttbr, vmidBits: configuration.vmidBits)
      let vtcr = VTCR.sanitised(vtcr, vmidBits: configuration.vmidBits)
      note(.guest(.context(VTTBR(vttbr), VTCR(vtcr))), .guest(VTTBR(vttbr).vmid))
      self[vcpu, .vttbr] = vttbr
      self[vcpu, .vtcr] = vtcr
      self[vcpu, .hcr] = hcr
    case .invalidate(let number, let operation):
      let vcpu = try requireVCPU(number, for: .l2)
      push(guestInvalidationTasks(operation, vcpu))
    case .vncr(let number, let ipa):
      let vcpu = try requireVCPU(number, for: .l2)
      setVNCR(of: vcpu, to: ipa)
    case .run(let number):
      try requireVCPU(number, for: .l1)
      run(.context(canonical), on: number)
    case .wait(let number):
      try requireVCPU(number, for: .l1)
      try wait(number)
    case .otherVM(let number, let operation): try start(operation, ofVM: number)
    case .otherProcess(let number, let operation): try start(operation, ofProcess: number)
    case .pause(let address): try armPause(at: address)
    case .resume(let next): try resume(next: next)
    case .failReverseMap(let insertions, let erasures):
      try failReverseMap(insertions: insertions, erasures: erasures)
    case .iommu(let device, let operation):
      try requireDevice(device)
      try start(operation, device: device)
    case .dma(let device, let iova, let write):
      try requireDevice(device)
      performDMA(iova, write: write, device: device)
    case .rmp(let operation): try start(operation)
    case .realm(let operation): try start(operation)
    case .pkvm(let operation): try start(operation)
    case .recorded(let call): try start(call)
    case .l2Invalidate(let number):
      let vcpu = try requireVCPU(number, for: .l2)
      enterL2(vcpu)
    }
    runTasks()
    // Execution came to no such place again.
    if case .resume(next: true) = event, !isPaused { self[.pauseAt] = 0 }
    if steps.steps.isEmpty { note(.end(.noEffect(.mappingUnchanged))) }
    storeTally()
  }

  private func requireDevice(_ device: Int) throws(Refusal) {
    if !(0..<SMMU.devices).contains(device) { throw Refusal(.noSuchDevice, operand: .device) }
  }

  @discardableResult
  private func requireVCPU(_ number: Int, for guest: Guest) throws(Refusal) -> VCPU {
    if guest == .l2, !configuration.nested { throw Refusal(.notNested) }
    if number >= configuration.vcpus {
      throw Refusal(.noSuchVCPU(configuration.vcpus), operand: .vcpu)
    }
    return vcpu(number)
  }

  /// Runs L2 without an access that matters: picks a shadow, and empties it if it was another context's.
  private mutating func enterL2(_ vcpu: VCPU) {
    beginRun(on: vcpu.number)
    let mmu = chooseShadow(for: vcpu)
    loadVMID(of: mmu, on: vcpu)
    note(.guest(.stage1Invalidation), mmu.tableID)
    if self[mmu, .pendingUnmap] != 0 {
      push(recyclingTasks(mmu))
    }
  }

  private mutating func start(_ operation: HostOperation) throws(Refusal) {
    switch operation {
    case .touch(let range, let write):
      try requirePageByPage(range)
      push([.touch(try hostRange(range), write: write)])
    case .discard(let range): push([.discard(try hostRange(range))])
    case .unmap(let range): push(unmapTasks(try hostRange(range)))
    case .protect(let range, let write): push([.protect(try hostRange(range), write: write)])
    case .hugePages(let range, let on):
      let range = try hostRange(range)
      push([
        .advise(
          range, adding: on ? .hugePages : .noHugePages, removing: on ? .noHugePages : .hugePages)
      ])
    case .collapse(let range):
      try requirePageByPage(range)
      push([.collapseRegions(try hostRange(range))])
    case .merge(let range):
      push([.advise(try hostRange(range), adding: .mergeable, removing: []), .merge])
    case .fork: push(forkTasks())
    case .idle(let ipa): markIdle(ipa, in: try requireSlot(ipa))
    case .testIdle(let ipa): testIdle(ipa, in: try requireSlot(ipa))
    case .dirtyLog(let ipa, let on):
      let slot = try requireSlot(ipa)
      if on { startDirtyLog(slot) } else { stopDirtyLog(slot) }
    case .getDirtyLog(let ipa):
      let slot = try requireSlot(ipa)
      if !isLogging(slot) { throw Refusal(.notLogging, operand: .address) }
      getDirtyLog(slot)
    case .eagerSplit(let size):
      if ![0, Page.size, 2 << 20, 1 << 30].contains(size) {
        throw Refusal(.splitSize(size), operand: .size)
      }
      if !memslots.isEmpty { throw Refusal(.splitAfterSlots) }
      note(.slot(.eagerSplit), .canonical, size: size)
      self[.splitChunk] = size
    case .deleteMemslot(let ipa): push(deleteMemslotTasks(try requireSlot(ipa)))
    case .noHugePages(let range):
      let range = try hostRange(range)
      note(.host(.noHugePages), .vmmStage1, over: range)
      memory.store(1, for: range, in: noHugePagesTree)
    }
  }

  /// Refuses a range of more pages, handled one by one, than a person would wait for.
  func requirePageByPage(_ range: Range<UInt64>) throws(Refusal) {
    let limit: UInt64 = 64 << 30
    if range.size > limit {
      throw Refusal(.tooLarge(limit), operand: .size)
    }
  }

  private func requireSlot(_ ipa: UInt64) throws(Refusal) -> Memslot {
    guard let slot = usableMemslot(at: ipa) else {
      throw Refusal(.outsideSlots(ipa), operand: .address)
    }
    return slot
  }

  /// The VMM's addresses behind a range of IPAs, which must lie in one slot.
  func hostRange(_ range: Range<UInt64>) throws(Refusal) -> Range<UInt64> {
    try requireAligned(range.lowerBound, to: Page.size, operand: .address)
    try requireAligned(range.upperBound, to: Page.size, operand: .size)
    let slot = try requireSlot(range.lowerBound)
    if range.upperBound > self.range(of: slot).upperBound {
      throw Refusal(.outsideSlots(self.range(of: slot).upperBound), operand: .size)
    }
    let start = hva(of: range.lowerBound, in: slot)
    return start..<start + range.size
  }
}
