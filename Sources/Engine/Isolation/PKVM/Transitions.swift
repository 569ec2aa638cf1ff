/// The checks of the hypercalls, and their effects in order (mem_protect.c). Locks are taken host
/// first, then hypervisor or guest, and held throughout.
extension Machine {
  private static let blockSize: UInt64 = 2 << 20

  func effects(of call: PKVMCall) throws(PKVMRefusal) -> [PKVMEffect] {
    switch call {
    case .hostShareHyp(let physical):
      let page = try Self.page(physical)
      try require(page, host: .owned, hypervisor: .noPage)
      return [.setHypervisor(page, .sharedBorrowed), .setHost(page, .sharedOwned)]
    case .hostUnshareHyp(let physical):
      let page = try Self.page(physical)
      try require(page, host: .sharedOwned, hypervisor: .sharedBorrowed)
      if hypPage(at: physical).references != 0 { throw PKVMRefusal(.ebusy, .hypervisorUse) }
      return [.setHypervisor(page, .noPage), .setHost(page, .owned)]
    case .hostDonateHyp(let range):
      try requirePages(range)
      try requirePhysical(range)
      try require(range, host: .owned, hypervisor: .noPage)
      return [.setHypervisor(range, .owned)] + giveAway(range, to: .hypervisor)
    case .hypDonateHost(let range):
      try requirePages(range)
      try requirePhysical(range)
      try require(range, host: .noPage, hypervisor: .owned)
      return [.setHypervisor(range, .noPage)] + giveBack(range)
    case .hypPin(let physical):
      let page = try Self.page(physical)
      try require(page, host: .sharedOwned, hypervisor: .sharedBorrowed)
      if hypPage(at: physical).references == HypPage.maxReferences {
        throw PKVMRefusal(.ebusy, .references)
      }
      return [.addReference(page)]
    case .hypUnpin(let physical):
      let page = try Self.page(physical)
      try require(page, host: .sharedOwned, hypervisor: .sharedBorrowed)
      if hypPage(at: physical).references == 0 { throw PKVMRefusal(.einval, .references) }
      return [.removeReference(page)]
    case .hostShareFFA(let range):
      try requirePages(range)
      try requirePhysical(range)
      try require(range, host: .owned)
      return [.setHost(range, .sharedOwned)]
    case .hostUnshareFFA(let range):
      try requirePages(range)
      try requirePhysical(range)
      try require(range, host: .sharedOwned)
      // The proxy relies on the firmware's own records, which contain only what was lent to it.
      try requireLentToNobody(range)
      return [.setHost(range, .owned)]
    case .hostPin(let range):
      try requirePages(range)
      try requireMemory(range)
      for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
        let record = hypPage(at: page)
        if record.host == .noPage { throw PKVMRefusal(.eperm, .hostState) }
        if record.references == HypPage.maxReferences { throw PKVMRefusal(.ebusy, .references) }
      }
      return [.keepHost(range), .addReference(range)]
    case .hostUnpin(let range):
      try requirePages(range)
      try requireMemory(range)
      for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride)
      where hypPage(at: page).references == 0 {
        throw PKVMRefusal(.einval, .references)
      }
      return [.removeReference(range)]
    default: return try guestEffects(of: call)
    }
  }

  private func guestEffects(of call: PKVMCall) throws(PKVMRefusal) -> [PKVMEffect] {
    switch call {
    case .hostDonateGuest(let number, let physical, let address):
      let page = try Self.page(physical)
      _ = try Self.page(address)
      let guest = try runningGuest(number, isProtected: true)
      try require(page, host: .owned)
      try require(address..<address + Page.size, of: guest, is: .noPage)
      let owner = PageOwner.guest(handle: guest.handle, page: address >> 12)
      return giveAway(page, to: owner) + [mapGuest(guest, address, page, .owned)]
    case .hostShareGuest(let number, let range, let address, let write):
      return try shareGuest(number, range, address, write: write)
    case .hostUnshareGuest(let number, let range):
      return try unshareGuest(number, range)
    case .guestShareHost(let number, let address):
      let guest = try runningGuest(number, isProtected: true)
      let page = try guestPage(guest, address, in: [.owned], by: .call(call.function)).page
      try require(page, host: .noPage)
      return [mapGuest(guest, address, page, .sharedOwned)] + giveBack(page, as: .sharedBorrowed)
    case .guestUnshareHost(let number, let address):
      let guest = try runningGuest(number, isProtected: true)
      let page = try guestPage(guest, address, in: [.sharedOwned], by: .call(call.function)).page
      try require(page, host: .sharedBorrowed)
      let owner = PageOwner.guest(handle: guest.handle, page: address >> 12)
      return giveAway(page, to: owner) + [mapGuest(guest, address, page, .owned)]
    case .reclaimGuest(let number, let address):
      guard let guest = protectedGuest(number), guest.isDying else {
        throw PKVMRefusal(.einval, .dying)
      }
      let found: (page: Range<UInt64>, state: PageState)
      do throws(PKVMRefusal) {
        found = try guestPage(
          guest, address, in: [.owned, .sharedOwned], by: .call(call.function))
      } catch {
        // Success where the page was reclaimed by force, so that the host unpins it.
        if error.error == .ehwpoison { return [] }
        throw error
      }
      let zero: [PKVMEffect] = found.state == .owned ? [.zero(found.page.lowerBound)] : []
      return zero + [.unmapGuest(number, address..<address + Page.size)] + giveBack(found.page)
    case .forceReclaim(let physical): return try forceReclaim(physical, by: call)
    default: return []
    }
  }

  private func shareGuest(
    _ number: Int, _ range: Range<UInt64>, _ address: UInt64, write: Bool
  ) throws(PKVMRefusal) -> [PKVMEffect] {
    let guest = try runningGuest(number, isProtected: false)
    let size = range.size
    try requirePhysical(range)
    try Self.requireSize(size, range.lowerBound | address)
    if address > .max - size { throw PKVMRefusal(.erange, .walk) }
    try requireMemory(range)
    try require(address..<address + size, of: guest, is: .noPage)
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      let record = hypPage(at: page)
      // Only with this kind of guest may the host share a page more than once.
      if record.host == .owned { continue }
      if record.host == .sharedOwned, record.shares > 0 { continue }
      throw PKVMRefusal(.eperm, .call("__pkvm_host_share_guest"))
    }
    return [
      .setHost(range, .sharedOwned), .addShare(range),
      mapGuest(guest, address, range, .sharedBorrowed, write: write),
    ]
  }

  private func unshareGuest(
    _ number: Int, _ range: Range<UInt64>
  ) throws(PKVMRefusal) -> [PKVMEffect] {
    guard let guest = protectedGuest(number), !guest.isProtected else {
      throw PKVMRefusal(.einval, .guestKind)
    }
    let size = range.size
    try Self.requireSize(size, range.lowerBound)
    let found = try guestPage(
      guest, range.lowerBound, size: size, in: [.sharedBorrowed], by: .sharedLeaf,
      leaf: .sharedLeaf)
    return [.unmapGuest(number, range), .removeShare(found.page)]
  }

  /// The host's entry gives the page's owner, and its address there.
  private func forceReclaim(
    _ physical: UInt64, by call: PKVMCall
  ) throws(PKVMRefusal) -> [PKVMEffect] {
    let start = physical.page
    if !isHostMemory(start) { throw PKVMRefusal(.efault, .guestInfo) }
    let page = start..<start + Page.size
    if hypPage(at: start).host != .noPage { throw PKVMRefusal(.eagain, .guestInfo) }
    let entry = memory.walk(pkvmHostTable, start).descriptor
    guard case .guest(let handle, let number) = entry.donation else {
      throw PKVMRefusal(.eperm, .guestInfo)
    }
    guard let guest = protectedGuest(Int(handle - PKVM.firstHandle)) else {
      throw PKVMRefusal(.eagain, .guestInfo)
    }
    let address = number << 12
    let check = PKVMCheck.call(call.function)
    let found = try guestPage(guest, address, in: [.owned], by: check)
    if found.page != page { throw PKVMRefusal(.eperm, check) }
    return [.mapGuest(guest.number, address, .poisoned), .zero(start)] + giveBack(page)
  }

  // MARK: Effects

  /// `host_stage2_set_owner_locked` for another owner: no entry of a CPU or a device maps the pages any
  /// more once their state says that they are given away.
  private func giveAway(_ range: Range<UInt64>, to owner: PageOwner) -> [PKVMEffect] {
    splitInPlace(range) + [
      .annotate(range, .donation(to: owner)), .unmapDevices(range), .invalidateDevices(range),
      .setHost(range, .noPage),
    ]
  }

  /// If blocks may be replaced in place, first splits those from which pages are given away.
  private func splitInPlace(_ range: Range<UInt64>) -> [PKVMEffect] {
    if !configuration.iommu.replacesInPlace { return [] }
    let table = pkvmHostTable
    let blocks = stride(from: range.lowerBound, to: range.upperBound, by: Page.stride).compactMap {
      page -> Range<UInt64>? in
      let end = memory.walk(table, page)
      guard end.level < Geometry.lastLevel, end.isLeaf else { return nil }
      let size = table.geometry.size(end.level)
      return page & ~(size - 1)..<page & ~(size - 1) + size
    }
    guard let first = blocks.first, let last = blocks.last else { return [] }
    return [.splitHost(range), .invalidateHost(first.lowerBound..<last.upperBound)]
  }

  /// `host_stage2_set_owner_locked` for the host: it may use the pages, and so may its devices.
  private func giveBack(
    _ range: Range<UInt64>, as state: PageState = .owned
  ) -> [PKVMEffect] {
    [.mapHost(range), .mapDevices(range), .setHost(range, state)]
  }

  private func mapGuest(
    _ guest: ProtectedGuest, _ address: UInt64, _ range: Range<UInt64>, _ state: PageState,
    write: Bool = true
  ) -> PKVMEffect {
    let isBlock = range.size == Self.blockSize
    let leaf = Descriptor.leaf(
      at: range.lowerBound, level: isBlock ? 2 : Geometry.lastLevel, memAttr: Self.normalMemory,
      permissions: Permissions(read: true, write: write, executeNever: 0),
      guestLevel: Int(state.rawValue))
    return .mapGuest(guest.number, address, leaf)
  }

  // MARK: Checks

  private static func page(_ address: UInt64) throws(PKVMRefusal) -> Range<UInt64> {
    if address & (Page.size - 1) != 0 || address > .max - Page.size {
      throw PKVMRefusal(.einval, .alignment)
    }
    return address..<address + Page.size
  }

  /// A page, or a block at addresses aligned to it (`__guest_check_transition_size`).
  private static func requireSize(_ size: UInt64, _ addresses: UInt64) throws(PKVMRefusal) {
    if size != Page.size && size != blockSize || addresses & (size - 1) != 0 {
      throw PKVMRefusal(.einval, .transitionSize)
    }
  }

  private func requirePages(_ range: Range<UInt64>) throws(PKVMRefusal) {
    if (range.lowerBound | range.upperBound) & (Page.size - 1) != 0 {
      throw PKVMRefusal(.einval, .alignment)
    }
  }

  /// `pfn_range_is_valid`: first in the calls that take a number of pages.
  private func requirePhysical(_ range: Range<UInt64>) throws(PKVMRefusal) {
    if range.upperBound > protectedGeometry.inputSize { throw PKVMRefusal(.einval, .pageNumbers) }
  }

  /// `check_range_allowed_memory`: all of it in one region of memory. The hole above the last region has
  /// no end.
  private func requireMemory(_ range: Range<UInt64>) throws(PKVMRefusal) {
    let (found, isMemory) = memoryRange(at: range.lowerBound)
    let isLast = !isMemory && found.upperBound >= protectedGeometry.inputSize
    if range.upperBound > found.upperBound, !isLast { throw PKVMRefusal(.einval, .hostMemory) }
    if !isMemory { throw PKVMRefusal(.eperm, .hostMemory) }
  }

  /// Requires states of all pages; a page that changes owner must have no references.
  private func require(
    _ range: Range<UInt64>, host: PageState, hypervisor: PageState? = nil
  ) throws(PKVMRefusal) {
    try requireMemory(range)
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      let record = hypPage(at: page)
      if record.host != host { throw PKVMRefusal(.eperm, .hostState) }
      if let hypervisor, record.hypervisor != hypervisor {
        throw PKVMRefusal(.eperm, .hypervisorState)
      }
      if host == .owned || host == .sharedBorrowed, record.references != 0 {
        throw PKVMRefusal(.ebusy, .pins)
      }
    }
  }

  private func requireLentToNobody(_ range: Range<UInt64>) throws(PKVMRefusal) {
    for page in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride) {
      let record = hypPage(at: page)
      if record.hypervisor != .noPage || record.shares != 0 {
        throw PKVMRefusal(.eperm, .firmware)
      }
    }
  }

  private func runningGuest(
    _ number: Int, isProtected: Bool
  ) throws(PKVMRefusal) -> ProtectedGuest {
    guard let guest = protectedGuest(number), guest.isProtected == isProtected, !guest.isDying
    else { throw PKVMRefusal(.einval, .guestKind) }
    return guest
  }

  private func require(
    _ range: Range<UInt64>, of guest: ProtectedGuest, is state: PageState
  ) throws(PKVMRefusal) {
    if range.upperBound > protectedGeometry.inputSize { throw PKVMRefusal(.erange, .walk) }
    for address in stride(from: range.lowerBound, to: range.upperBound, by: Page.stride)
    where guestEntry(guest, at: address).descriptor.pageState != state {
      throw PKVMRefusal(.eperm, .guestState)
    }
  }

  /// The page of a guest's leaf of a size, which must be in one of some states.
  ///
  /// - Parameters:
  ///   - check: who looks at the state.
  ///   - leaf: who looks for the leaf.
  private func guestPage(
    _ guest: ProtectedGuest, _ address: UInt64, size: UInt64 = Page.size, in states: [PageState],
    by check: PKVMCheck, leaf: PKVMCheck = .guestLeaf
  ) throws(PKVMRefusal) -> (page: Range<UInt64>, state: PageState) {
    if address & (size - 1) != 0 { throw PKVMRefusal(.einval, .alignment) }
    if address >= protectedGeometry.inputSize { throw PKVMRefusal(.erange, .walk) }
    let end = guestEntry(guest, at: address)
    if end.descriptor == .poisoned { throw PKVMRefusal(.ehwpoison, leaf) }
    guard end.isLeaf else { throw PKVMRefusal(.enoent, leaf) }
    if protectedGeometry.size(end.level) != size { throw PKVMRefusal(.e2big, leaf) }
    guard states.contains(end.descriptor.pageState) else { throw PKVMRefusal(.eperm, check) }
    let physical = end.descriptor.address
    return (physical..<physical + size, end.descriptor.pageState)
  }
}
