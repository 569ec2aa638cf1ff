import Engine

/// A second model of who owns pages under pKVM: a dictionary of pages that are not the host's alone, and one
/// of each guest's addresses. It knows no tables, bits or states; those follow from owner and borrowers.
struct PageOwnerModel {
  enum Party: Hashable {
    case host, hypervisor, firmware
    case guest(Int)
  }

  struct Page: Equatable {
    var owner = Party.host
    /// To whom it is lent; to a plain guest as many times as it has it.
    var lent: [Party] = []
    var uses = 0
  }

  /// What a guest has at an address.
  enum Place: Equatable {
    case page(UInt64)
    case poison
  }

  let memory: Range<UInt64>
  var pages: [UInt64: Page] = [:]
  var places: [Int: [UInt64: Place]] = [:]
  var isProtected: [Int: Bool] = [:]
  var dying: Set<Int> = []

  private func page(_ address: UInt64) -> Page { pages[address] ?? Page() }

  func host(_ address: UInt64) -> PageState {
    let page = page(address)
    if page.owner == .host { return page.lent.isEmpty ? .owned : .sharedOwned }
    return page.lent == [.host] ? .sharedBorrowed : .noPage
  }

  func hypervisor(_ address: UInt64) -> PageState {
    let page = page(address)
    return page.owner == .hypervisor
      ? .owned : page.lent == [.hypervisor] ? .sharedBorrowed : .noPage
  }

  func guest(_ number: Int, _ address: UInt64) -> PageState {
    switch places[number]?[address] {
    case nil: return .noPage
    case .poison: return .poison
    case .page(let page):
      if self.page(page).owner != .guest(number) { return .sharedBorrowed }
      return self.page(page).lent.isEmpty ? .owned : .sharedOwned
    }
  }

  /// Whether the host, and so a device of it, may reach a page.
  func isReachable(_ address: UInt64) -> Bool {
    let page = page(address)
    return page.owner == .host || page.lent.contains(.host)
  }

  private func hostAlone(_ address: UInt64) -> KernelError? {
    let page = page(address)
    if page.owner != .host || !page.lent.isEmpty { return .eperm }
    return page.uses > 0 ? .ebusy : nil
  }

  private func isRunning(_ guest: Int, protected: Bool) -> Bool {
    isProtected[guest] == protected && !dying.contains(guest)
  }

  /// Carries out a call on pages of memory; the error that it must end in.
  mutating func apply(_ call: PKVMCall) -> KernelError? {
    switch call {
    case .hostShareHyp(let page):
      if let error = hostAlone(page) { return error }
      pages[page] = Page(lent: [.hypervisor])
    case .hostUnshareHyp(let page):
      if self.page(page).lent != [.hypervisor] { return .eperm }
      if self.page(page).uses > 0 { return .ebusy }
      pages[page] = nil
    case .hostDonateHyp(let range):
      if let error = first(range, { hostAlone($0) }) { return error }
      for page in Self.all(range) { pages[page] = Page(owner: .hypervisor) }
    case .hypDonateHost(let range):
      if let error = first(range, { self.page($0).owner == .hypervisor ? nil : .eperm }) {
        return error
      }
      for page in Self.all(range) { pages[page] = nil }
    case .hypPin(let page):
      if self.page(page).lent != [.hypervisor] { return .eperm }
      pages[page]?.uses += 1
    case .hypUnpin(let page):
      if self.page(page).lent != [.hypervisor] { return .eperm }
      if self.page(page).uses == 0 { return .einval }
      pages[page]?.uses -= 1
    case .hostPin(let range):
      if let error = first(range, { isReachable($0) ? nil : .eperm }) { return error }
      for page in Self.all(range) { pages[page, default: Page()].uses += 1 }
    case .hostUnpin(let range):
      if let error = first(range, { self.page($0).uses > 0 ? nil : .einval }) { return error }
      for page in Self.all(range) { pages[page]?.uses -= 1 }
    case .hostShareFFA(let range):
      if let error = first(range, { hostAlone($0) }) { return error }
      for page in Self.all(range) { pages[page] = Page(lent: [.firmware]) }
    case .hostUnshareFFA(let range):
      if let error = first(range, { self.page($0).lent == [.firmware] ? nil : .eperm }) {
        return error
      }
      for page in Self.all(range) { pages[page]?.lent = [] }
    default: return applyToGuest(call)
    }
    return nil
  }

  private mutating func applyToGuest(_ call: PKVMCall) -> KernelError? {
    switch call {
    case .hostDonateGuest(let guest, let page, let address):
      if !isRunning(guest, protected: true) { return .einval }
      if let error = hostAlone(page) { return error }
      if places[guest]?[address] != nil { return .eperm }
      pages[page] = Page(owner: .guest(guest))
      places[guest, default: [:]][address] = .page(page)
    case .hostShareGuest(let guest, let range, let address, _):
      let page = range.lowerBound
      if !isRunning(guest, protected: false) { return .einval }
      if places[guest]?[address] != nil { return .eperm }
      let isPlain = self.page(page).lent.allSatisfy { if case .guest = $0 { true } else { false } }
      if self.page(page).owner != .host || !isPlain { return .eperm }
      pages[page, default: Page()].lent.append(.guest(guest))
      places[guest, default: [:]][address] = .page(page)
    case .hostUnshareGuest(let guest, let range):
      if isProtected[guest] != false { return .einval }
      guard case .page(let page) = places[guest]?[range.lowerBound] else { return .enoent }
      places[guest]?[range.lowerBound] = nil
      if let index = pages[page]?.lent.firstIndex(of: .guest(guest)) {
        pages[page]?.lent.remove(at: index)
      }
    case .guestShareHost(let guest, let address):
      if !isRunning(guest, protected: true) { return .einval }
      guard case .page(let page) = places[guest]?[address] else { return missing(guest, address) }
      if !self.page(page).lent.isEmpty { return .eperm }
      pages[page]?.lent = [.host]
    case .guestUnshareHost(let guest, let address):
      if !isRunning(guest, protected: true) { return .einval }
      guard case .page(let page) = places[guest]?[address] else { return missing(guest, address) }
      if self.page(page).lent != [.host] { return .eperm }
      if self.page(page).uses > 0 { return .ebusy }
      pages[page]?.lent = []
    case .reclaimGuest(let guest, let address):
      if isProtected[guest] != true || !dying.contains(guest) { return .einval }
      guard case .page(let page) = places[guest]?[address] else {
        // Success for a page reclaimed by force: the host's pin is dropped.
        return places[guest]?[address] == .poison ? nil : .enoent
      }
      places[guest]?[address] = nil
      pages[page]?.owner = .host
      pages[page]?.lent = []
    case .forceReclaim(let page):
      if isReachable(page) { return .eagain }
      guard case .guest(let guest) = self.page(page).owner else { return .eperm }
      guard let address = places[guest]?.first(where: { $0.value == .page(page) })?.key else {
        return .eperm
      }
      places[guest]?[address] = .poison
      pages[page] = nil
    default: return .einval
    }
    return nil
  }

  private func missing(_ guest: Int, _ address: UInt64) -> KernelError {
    places[guest]?[address] == .poison ? .ehwpoison : .enoent
  }

  private static func all(_ range: Range<UInt64>) -> [UInt64] {
    Array(stride(from: range.lowerBound, to: range.upperBound, by: 4096))
  }

  /// The error of the first page that has one; a range must lie in memory.
  private func first(_ range: Range<UInt64>, _ check: (UInt64) -> KernelError?) -> KernelError? {
    if !memory.contains(range.lowerBound) { return .eperm }
    if range.upperBound > memory.upperBound { return .einval }
    return Self.all(range).lazy.compactMap(check).first
  }
}
