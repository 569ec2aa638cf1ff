import Engine

/// Statements `pkvm`: what the host, its guests and the hypervisor do with pages.
extension StatementParser {
  mutating func pkvm() throws(Mistake) -> PKVMOperation {
    if operands.takeIf("memory") { return .memory(try operands.range("PA")) }
    if operands.takeIf("snapshot") { return .snapshot }
    if operands.takeIf("host") {
      let kind = try accessKind()
      let address = try operands.number("PA")
      return .hostAccess(kind, address, value: try value(for: kind))
    }
    if operands.takeIf("create") {
      let number = try guest()
      return .createGuest(
        number, isProtected: try operands.take(["protected": true, "plain": false]))
    }
    if operands.takeIf("teardown") { return .tearDownGuest(try guest()) }
    if operands.takeIf("share") { return .call(try share()) }
    if operands.takeIf("unshare") { return .call(try unshare()) }
    if operands.takeIf("donate") { return .call(try donate()) }
    if operands.takeIf("reclaim") {
      let number = try guest()
      return .call(.reclaimGuest(number, try operands.number("IPA")))
    }
    if operands.takeIf("force-reclaim") {
      return .call(.forceReclaim(try operands.number("PA")))
    }
    if operands.takeIf("pin") {
      return .call(
        try isHypervisor()
          ? .hypPin(try operands.number("PA")) : .hostPin(try operands.range("PA")))
    }
    if operands.takeIf("unpin") {
      return .call(
        try isHypervisor()
          ? .hypUnpin(try operands.number("PA")) : .hostUnpin(try operands.range("PA")))
    }
    if isGuestNext {
      let number = try guest()
      let kind = try accessKind()
      let address = try operands.number("IPA")
      return .guestAccess(number, kind, address, value: try value(for: kind))
    }
    throw operands.mistake(
      "memory, snapshot, host, guest, create, teardown, share, unshare, donate, reclaim, "
        + "force-reclaim, pin or unpin")
  }

  private mutating func share() throws(Mistake) -> PKVMCall {
    if isGuestNext {
      let number = try guest()
      try operands.take(keyword: "host")
      return .guestShareHost(number, try operands.number("IPA"))
    }
    try operands.take(keyword: "host")
    if operands.takeIf("hyp") { return .hostShareHyp(try operands.number("PA")) }
    if operands.takeIf("ffa") { return .hostShareFFA(try operands.range("PA")) }
    let number = try guest()
    let range = try operands.range("PA")
    let address = try operands.number("IPA")
    return .hostShareGuest(
      number, range, at: address, write: try operands.take(["r": false, "rw": true]))
  }

  private mutating func unshare() throws(Mistake) -> PKVMCall {
    if isGuestNext {
      let number = try guest()
      try operands.take(keyword: "host")
      return .guestUnshareHost(number, try operands.number("IPA"))
    }
    try operands.take(keyword: "host")
    if operands.takeIf("hyp") { return .hostUnshareHyp(try operands.number("PA")) }
    if operands.takeIf("ffa") { return .hostUnshareFFA(try operands.range("PA")) }
    let number = try guest()
    return .hostUnshareGuest(number, try operands.range("IPA"))
  }

  private mutating func donate() throws(Mistake) -> PKVMCall {
    if operands.takeIf("hyp") {
      try operands.take(keyword: "host")
      return .hypDonateHost(try operands.range("PA"))
    }
    try operands.take(keyword: "host")
    if operands.takeIf("hyp") { return .hostDonateHyp(try operands.range("PA")) }
    let number = try guest()
    let physical = try operands.number("PA")
    return .hostDonateGuest(number, physical, at: try operands.number("IPA"))
  }

  private var isGuestNext: Bool {
    operands.next.map { operands.words.hasPrefix($0, "guest") } ?? false
  }

  private mutating func guest() throws(Mistake) -> Int {
    try number(after: "guest", below: PKVM.guests, "a guest")
  }

  private mutating func isHypervisor() throws(Mistake) -> Bool {
    try operands.take(["host": false, "hyp": true])
  }

  private mutating func accessKind() throws(Mistake) -> AccessKind {
    try operands.take(["read": .read, "write": .write, "exec": .execute])
  }

  private mutating func value(for kind: AccessKind) throws(Mistake) -> UInt64? {
    kind == .write ? try operands.option("value=") : nil
  }

  /// `expect pkvm …`: states of pages, and counts.
  mutating func pkvmExpectation() throws(Mistake) -> Expectation {
    if isGuestNext {
      let number = try guest()
      let address = try operands.number("IPA")
      return .pageState(.guest(number), address, try pageState())
    }
    if operands.takeIf("shares") {
      let page = try operands.number("PA")
      return .pageCount(page, shares: try operands.number("N"))
    }
    let party = try operands.take(["host": PageParty.host, "hyp": .hypervisor])
    let page = try operands.number("PA")
    return .pageState(party, page, try pageState())
  }

  private mutating func pageState() throws(Mistake) -> PageState {
    try operands.take([
      "owned": .owned, "shared-owned": .sharedOwned, "shared-borrowed": .sharedBorrowed,
      "nopage": .noPage, "poison": .poison,
    ])
  }
}
