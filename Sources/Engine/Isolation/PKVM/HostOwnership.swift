/// pKVM's records of owners: a device is the host's, and reaches what the host may use.
struct HostOwnership: Ownership {
  /// The host runs no VM itself.
  func admit(_ event: Event) throws(Refusal) {
    switch event {
    case .pkvm, .iommu, .dma, .pause, .resume: break
    case .addMemslot, .host, .access, .context, .invalidate, .l2Invalidate, .vncr, .run, .wait,
      .otherVM, .otherProcess, .rmp, .realm, .recorded, .failReverseMap:
      throw Refusal(.onlyProtected)
    }
  }

  var tableHooks: (any TableHooks)? { HostTablePoolHooks() }
  var cpuTable: TableID { .pkvmHost }
  var keepsDeviceTables: Bool { true }

  /// The permissions of the hypervisor's leaves never grow.
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
    // During a hypercall tables and states may be out of step, unseen.
    return holes + (machine.isPaused ? [] : machine.ownerViolations + machine.mapViolations)
  }
}

extension Machine {
  /// The first page in a part of the host's memory that must stay available for DMA and that a device does
  /// not reach. The policy decides which pages that is: all, pinned ones, or none if the device can stall.
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
      // Pages that the hypervisor borrows have references of their own.
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

  /// Pages whose state for the host a paused hypercall has yet to set: meanwhile the tables are ahead of
  /// the states, and the new states do not count yet.
  var rangesChangingHands: [Range<UInt64>] {
    parkedTaskList.compactMap {
      if case .pkvm(.setHost(let range, _)) = $0 { range } else { nil }
    }
  }

  /// Pages whose states disagree with the entries in their owners' tables: each page has one owner, and
  /// only its owner and borrowers map it.
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

  /// The pages that an entry of the host's table covers.
  func hostPages(of entry: TableEntry) -> Range<UInt64> {
    entry.address..<entry.address + protectedGeometry.size(entry.level)
  }

  /// The first page in a part of an entry of the host's table for which the entry disagrees with the
  /// page's record or the owner's table; nil if there is none.
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

  /// Whether a page's record agrees with a guest's leaf of it.
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

  /// Whether the host's table agrees with a leaf of the devices' map. It does not if it gives the memory
  /// another owner, or other permissions. If one of the two maps nothing, or with other sizes, they still
  /// agree.
  func isHosts(_ leaf: TableEntry) -> Bool {
    let host = memory.walk(pkvmHostTable, leaf.address).descriptor
    let allowed = Descriptor.read | Descriptor.write
    let agrees =
      host.isValid ? (host.bits ^ leaf.descriptor.bits) & allowed == 0 : host.donation == nil
    return agrees && leaf.descriptor.address == leaf.address
  }
}
