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
    let changing = machine.rangesChangingHands
    let holes = machine.attachedDevices.flatMap { device in
      machine.hostMemory.compactMap { region in
        machine.firstHole(in: region, device: device, besides: changing).map {
          Violation(invariant: .dmaHole, table: .iommu(device), address: $0)
        }
      }
    }
    // In the middle of a hypercall tables and states are not in step, and nobody can see that.
    return holes + (machine.isPaused ? [] : machine.ownerViolations + machine.mapViolations)
  }
}

extension Machine {
  /// The first page of a part of the host's memory that the host keeps and a device does not reach. What is
  /// kept for DMA follows from the policy: everything, what is pinned, or nothing where the device can wait.
  func firstHole(
    in part: Range<UInt64>, device: Int, besides changing: [Range<UInt64>]
  ) -> UInt64? {
    guard let table = domainTable(ofDevice: device) else { return nil }
    var address = part.lowerBound
    while address < part.upperBound {
      let end = memory.walk(table, address)
      let size = table.geometry.size(end.level)
      let next = min(part.upperBound, address & ~(size - 1) + size)
      if !end.isLeaf, let page = firstKeptPage(in: address..<next, besides: changing) {
        return page
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
  var rangesChangingHands: [Range<UInt64>] {
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
    visit(.leaf, of: pkvmHostTable) { entry in
      if let address = firstMisowned(by: entry, in: hostPages(of: entry)) {
        found.append(Violation(invariant: .pageOwner, table: .pkvmHost, address: address))
      }
    }
    for guest in protectedGuests {
      visit(.mapping, of: table(of: guest)) { leaf in
        if !isOwnerRight(ofGuestLeaf: leaf.descriptor) {
          found.append(
            Violation(
              invariant: .pageOwner, table: .protectedGuest(guest.number), address: leaf.address))
        }
      }
    }
    return found
  }

  /// The pages that an entry of the host's table is about.
  func hostPages(of entry: TableEntry) -> Range<UInt64> {
    entry.address..<entry.address + protectedGeometry.size(entry.level)
  }

  /// The first page in a part of an entry of the host's table of which the entry says something else than the
  /// page's record, and the owner's own table; nil if there is none.
  func firstMisowned(by entry: TableEntry, in part: Range<UInt64>) -> UInt64? {
    let page = hypPage(at: entry.address)
    switch entry.descriptor.donation {
    case .hypervisor:
      return page.host == .noPage && page.hypervisor == .owned ? nil : entry.address
    case .guest(let handle, let number):
      let guest = protectedGuest(Int(truncatingIfNeeded: handle &- PKVM.firstHandle))
      let leaf = guest.map { guestEntry($0, at: number << 12).descriptor }
      let isGuests = leaf?.isValid == true && leaf?.address == entry.address
      return page.host == .noPage && isGuests && leaf?.pageState == .owned ? nil : entry.address
    case nil: return firstRecordedPage(in: part) { $1.host == .noPage }
    }
  }

  /// Whether the record of a page says what a guest's leaf of it does.
  func isOwnerRight(ofGuestLeaf leaf: Descriptor) -> Bool {
    let page = hypPage(at: leaf.address)
    return switch leaf.pageState {
    case .owned: page.host == .noPage && page.hypervisor == .noPage
    case .sharedOwned: page.host == .sharedBorrowed
    case .sharedBorrowed: page.host == .sharedOwned && page.shares > 0
    case .noPage, .poison: false
    }
  }

  /// Leaves of the devices' map that the host's table contradicts.
  fileprivate var mapViolations: [Violation] {
    guard !attachedDevices.isEmpty, let map = identityTable else { return [] }
    var found: [Violation] = []
    visit(.mapping, of: map) { leaf in
      if !isHosts(leaf) {
        found.append(Violation(invariant: .tableAgreement, table: map.id, address: leaf.address))
      }
    }
    return found
  }

  /// Whether the host's table agrees to a leaf of the devices' map. It does not if it says that the memory is
  /// another's, or has other permissions. That one of the two maps nothing, or by other sizes, is no
  /// contradiction.
  func isHosts(_ leaf: TableEntry) -> Bool {
    let host = memory.walk(pkvmHostTable, leaf.address).descriptor
    let allowed = Descriptor.read | Descriptor.write
    let agrees =
      host.isValid ? (host.bits ^ leaf.descriptor.bits) & allowed == 0 : host.donation == nil
    return agrees && leaf.descriptor.address == leaf.address
  }
}
