/// What happens under pKVM. Addresses of the host are physical ones: its stage 2 is the identity.
public enum PKVMOperation: Equatable, Sendable {
  /// A region of memory is added; addresses outside all regions are MMIO.
  case memory(Range<UInt64>)
  /// The host, at EL1, makes an access. `value` is the stored value, if known.
  case hostAccess(AccessKind, UInt64, value: UInt64?)
  /// A guest makes an access, at a guest address.
  case guestAccess(Int, AccessKind, UInt64, value: UInt64?)
  /// A guest is created; the host donates memory to a protected guest, and shares it with any other.
  case createGuest(Int, isProtected: Bool)
  /// A guest is being torn down.
  case tearDownGuest(Int)
  /// The hypervisor's SMMU driver makes its identity map from the host's stage 2.
  case snapshot
  /// A hypercall, of the host or a guest, that changes the owners or users of pages.
  case call(PKVMCall)
}

/// Calls of the hypervisor that change the owners or users of pages, each with its own checks: hypercalls, and what
/// EL2 does by itself or for firmware.
public enum PKVMCall: Equatable, Hashable, Sendable {
  /// The host lends a page to the hypervisor, or stops lending it.
  case hostShareHyp(UInt64)
  case hostUnshareHyp(UInt64)
  /// The host pins pages as mapped and owned while a device uses them; or unpins them. Proposed as the
  /// alternative to devices that stall on faults, and not in Linux.
  case hostPin(Range<UInt64>)
  case hostUnpin(Range<UInt64>)
  /// The host donates pages to the hypervisor.
  case hostDonateHyp(Range<UInt64>)
  /// The hypervisor donates pages to the host.
  case hypDonateHost(Range<UInt64>)
  /// The hypervisor pins a page lent to it, so that the host cannot stop lending it; or unpins it.
  case hypPin(UInt64)
  case hypUnpin(UInt64)
  /// The host lends pages to firmware, or stops lending them.
  case hostShareFFA(Range<UInt64>)
  case hostUnshareFFA(Range<UInt64>)
  /// The host donates a page to a protected guest, at a guest address.
  case hostDonateGuest(Int, UInt64, at: UInt64)
  /// The host lends a page or a block to a guest that is not protected.
  case hostShareGuest(Int, Range<UInt64>, at: UInt64, write: Bool)
  /// The host stops lending them; guest addresses.
  case hostUnshareGuest(Int, Range<UInt64>)
  /// A protected guest lends one of its pages to the host, or stops lending it; a guest address.
  case guestShareHost(Int, UInt64)
  case guestUnshareHost(Int, UInt64)
  /// The host reclaims a page of a guest that is being torn down; a guest address.
  case reclaimGuest(Int, UInt64)
  /// The host takes a page from a running guest by force; a physical address.
  case forceReclaim(UInt64)

  /// Its name in the kernel.
  public var name: String {
    switch self {
    case .hostShareHyp: "__pkvm_host_share_hyp"
    case .hostUnshareHyp: "__pkvm_host_unshare_hyp"
    case .hostDonateHyp: "__pkvm_host_donate_hyp"
    case .hypDonateHost: "__pkvm_hyp_donate_host"
    case .hypPin: "hyp_pin_shared_mem"
    case .hypUnpin: "hyp_unpin_shared_mem"
    case .hostPin: "pin pages for DMA"
    case .hostUnpin: "unpin pages"
    case .hostShareFFA: "__pkvm_host_share_ffa"
    case .hostUnshareFFA: "__pkvm_host_unshare_ffa"
    case .hostDonateGuest: "__pkvm_host_donate_guest"
    case .hostShareGuest: "__pkvm_host_share_guest"
    case .hostUnshareGuest: "__pkvm_host_unshare_guest"
    case .guestShareHost: "__pkvm_guest_share_host"
    case .guestUnshareHost: "__pkvm_guest_unshare_host"
    case .reclaimGuest: "__pkvm_reclaim_dying_guest_page"
    case .forceReclaim: "__pkvm_force_reclaim_guest_page"
    }
  }

  /// The function in mem_protect.c that does it.
  var function: String {
    switch self {
    case .reclaimGuest: "__pkvm_host_reclaim_page_guest"
    case .forceReclaim: "__pkvm_host_force_reclaim_page_guest"
    default: name
    }
  }

  /// Whether it is a hypercall of the host or a guest; else EL2 makes it by itself, or for a call of another kind.
  var isHypercall: Bool {
    switch self {
    case .hostDonateHyp, .hypDonateHost, .hypPin, .hypUnpin, .hostShareFFA, .hostUnshareFFA: false
    case .hostShareHyp, .hostUnshareHyp, .hostPin, .hostUnpin, .hostDonateGuest, .hostShareGuest,
      .hostUnshareGuest, .guestShareHost, .guestUnshareHost, .reclaimGuest, .forceReclaim:
      true
    }
  }

  /// The first address that it names, and the table whose input address it is.
  public var place: (table: TableID, address: UInt64) {
    switch self {
    case .hostShareHyp(let page), .hostUnshareHyp(let page), .hypPin(let page), .hypUnpin(let page),
      .hostDonateGuest(_, let page, _), .forceReclaim(let page):
      (.pkvmHost, page)
    case .hostDonateHyp(let range), .hypDonateHost(let range), .hostShareFFA(let range),
      .hostUnshareFFA(let range), .hostPin(let range), .hostUnpin(let range),
      .hostShareGuest(_, let range, _, _):
      (.pkvmHost, range.lowerBound)
    case .hostUnshareGuest(let guest, let range): (.protectedGuest(guest), range.lowerBound)
    case .guestShareHost(let guest, let page), .guestUnshareHost(let guest, let page),
      .reclaimGuest(let guest, let page):
      (.protectedGuest(guest), page)
    }
  }
}

extension Machine {
  mutating func start(_ operation: PKVMOperation) throws(Refusal) {
    switch operation {
    case .memory(let range): try addHostMemory(range)
    case .hostAccess(let kind, let address, let value):
      try performHostAccess(kind, address, value: value)
    case .guestAccess(let number, let kind, let address, let value):
      performGuestAccess(number, kind, address, value: value)
    case .createGuest(let number, let isProtected): createGuest(number, isProtected: isProtected)
    case .tearDownGuest(let number): tearDownGuest(number)
    case .snapshot:
      if configuration.iommu.table == .shared { throw Refusal(.sharedTable) }
      if needsSnapshot { startSnapshot() } else { fail(.eexist, .iommu(0), by: .snapshot) }
    case .call(let call): perform(call)
    }
  }

  /// Checks a hypercall, and pushes its effects. If a check fails, nothing is done.
  private mutating func perform(_ call: PKVMCall) {
    let place = call.place
    note(.pkvm(.hypercall(call)), place.table, at: place.address)
    do {
      push(try effects(of: call).map { .pkvm($0) })
    } catch {
      fail(error.error, place.table, at: place.address, by: error.check)
    }
  }
}
