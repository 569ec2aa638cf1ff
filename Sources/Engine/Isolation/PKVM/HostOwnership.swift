/// pKVM's account of owners: a device is the host's, and reaches what the host may use.
struct HostOwnership: Ownership {
  /// The host runs no VM of its own.
  func admit(_ event: Event) throws(Refusal) {
    switch event {
    case .pkvm, .iommu, .dma, .pause, .resume: break
    default: throw Refusal(.onlyProtected)
    }
  }

  var tableHooks: (any TableHooks)? { HostTablePoolHooks() }
  var cpuTable: TableID { .pkvmHost }
  var keepsDeviceTables: Bool { true }

  /// The hypervisor's leaves permit all that they ever will.
  func canRepair(_ fault: DeviceFault) -> Bool { fault == .translation }

  func ownedRange(from physical: UInt64, in machine: Machine) -> OwnedRange? {
    let rest = physical..<1 << UInt64(VMConfiguration.physicalBits)
    return machine.firstRecordedPage(in: rest, where: { _, _ in true }).map { page in
      let recipient: OwnedRange.State.Recipient? =
        switch machine.memory.walk(machine.pkvmHostTable, page).descriptor.donation {
        case .hypervisor: .hypervisor
        case .guest(let handle, _): .guest(handle)
        case nil: nil
        }
      return OwnedRange(
        range: page..<page + Memory.frameBytes,
        state: .page(
          host: machine.hostState(of: page), hypervisor: machine.hypervisorState(of: page),
          shares: machine.shareCount(of: page), references: machine.referenceCount(of: page),
          owner: recipient))
    }
  }

  func firstForeign(in physical: Range<UInt64>, device: Int, of machine: Machine) -> UInt64? {
    let changing = machine.rangesChangingHands
    return machine.firstRecordedPage(in: physical) { page, record in
      record.host == .noPage && !changing.contains { $0.contains(page) }
    }
  }

  func violations(of machine: Machine) -> [Violation] {
    let devices = machine.attachedDevices
    let changing = machine.rangesChangingHands
    let holes = devices.flatMap { device in
      machine.hostMemory.compactMap { machine.firstHole(in: $0, device: device, besides: changing) }
    }
    // In the middle of a hypercall tables and states are not in step, and nobody can see that.
    return holes + (machine.isPaused ? [] : machine.ownerViolations + machine.mapViolations)
  }
}

extension Machine {
  /// The first page of a region that the host keeps and a device does not reach. What is kept for DMA
  /// follows from the policy: everything, what is pinned, or nothing where the device can wait.
  fileprivate func firstHole(
    in region: Range<UInt64>, device: Int, besides changing: [Range<UInt64>]
  ) -> Violation? {
    guard let table = domainTable(ofDevice: device) else { return nil }
    var address = region.lowerBound
    while address < region.upperBound {
      let end = memory.walk(table, address)
      let next = min(
        region.upperBound,
        address & ~(table.geometry.size(end.level) - 1)
          + table.geometry.size(end.level))
      if !end.isLeaf,
        let page = firstKeptPage(in: address..<next, besides: changing)
      {
        return Violation(invariant: .dmaHole, table: table.id, address: page)
      }
      address = next
    }
    return nil
  }

  private func firstKeptPage(
    in range: Range<UInt64>, besides changing: [Range<UInt64>]
  ) -> UInt64? {
    func isChanging(_ page: UInt64) -> Bool { changing.contains { $0.contains(page) } }
    switch configuration.iommu.faults {
    case .stall: return nil
    case .pin:
      // What the hypervisor borrows has references of its own.
      return firstRecordedPage(in: range) { page, record in
        record.host != .noPage && record.references > 0 && record.hypervisor == .noPage
          && !isChanging(page)
      }
    case .abort:
      return stride(from: range.lowerBound, to: range.upperBound, by: Page.stride).first {
        hostState(of: $0) != .noPage && !isChanging($0)
      }
    }
  }

  /// Pages whose state for the host a paused hypercall has yet to set: in its middle the tables are
  /// ahead of the states, and what the pages are to be counts for nobody yet.
  fileprivate var rangesChangingHands: [Range<UInt64>] {
    parkedTaskList.compactMap {
      if case .pkvm(.setHost(let range, _)) = $0 { range } else { nil }
    }
  }

  /// What the CPUs' TLBs hold of the host's table and a paused hypercall is still to invalidate.
  var parkedHostInvalidations: [Range<UInt64>] {
    parkedTaskList.compactMap {
      if case .pkvm(.invalidateHost(let range)) = $0 { range } else { nil }
    }
  }

  /// Pages whose states, and entries in the tables of their owners, do not fit together: each page has one
  /// owner, and only who owns it or borrows it has it mapped.
  fileprivate var ownerViolations: [Violation] {
    var found: [Violation] = []
    func check(_ holds: Bool, _ table: TableID, _ address: UInt64) {
      if !holds { found.append(Violation(invariant: .pageOwner, table: table, address: address)) }
    }
    visit(.leaf, of: pkvmHostTable) { entry in
      let page = hypPage(at: entry.address)
      switch entry.descriptor.donation {
      case .hypervisor:
        check(page.host == .noPage && page.hypervisor == .owned, .pkvmHost, entry.address)
      case .guest(let handle, let number):
        let guest = protectedGuest(Int(truncatingIfNeeded: handle &- PKVM.firstHandle))
        let leaf = guest.map { guestEntry($0, at: number << 12).descriptor }
        let isGuests = leaf?.isValid == true && leaf?.address == entry.address
        check(
          page.host == .noPage && isGuests && leaf?.pageState == .owned, .pkvmHost,
          entry.address)
      case nil:
        let size = protectedGeometry.size(entry.level)
        let gone = firstRecordedPage(in: entry.address..<entry.address + size) {
          $1.host == .noPage
        }
        check(gone == nil, .pkvmHost, gone ?? 0)
      }
    }
    for guest in protectedGuests {
      visit(.mapping, of: table(of: guest)) { leaf in
        let page = hypPage(at: leaf.descriptor.address)
        let fits =
          switch leaf.descriptor.pageState {
          case .owned: page.host == .noPage && page.hypervisor == .noPage
          case .sharedOwned: page.host == .sharedBorrowed
          case .sharedBorrowed: page.host == .sharedOwned && page.shares > 0
          case .noPage, .poison: false
          }
        check(fits, .protectedGuest(guest.number), leaf.address)
      }
    }
    return found
  }

  /// Leaves of the devices' map that the host's table contradicts: of memory that it says is another's, or
  /// with other permissions. That one of the two maps nothing, or by other sizes, is no contradiction.
  fileprivate var mapViolations: [Violation] {
    guard !attachedDevices.isEmpty, let map = identityTable else { return [] }
    var found: [Violation] = []
    let allowed = Descriptor.read | Descriptor.write
    visit(.mapping, of: map) { leaf in
      let host = memory.walk(pkvmHostTable, leaf.address).descriptor
      let agrees =
        host.isValid ? (host.bits ^ leaf.descriptor.bits) & allowed == 0 : host.donation == nil
      if !agrees || leaf.descriptor.address != leaf.address {
        found.append(
          Violation(invariant: .tableAgreement, table: map.id, address: leaf.address))
      }
    }
    return found
  }
}
