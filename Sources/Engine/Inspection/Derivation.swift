/// Where a shadow leaf comes from: L1's entry, composed with the canonical page.
public struct Derivation: Equatable, Sendable {
  /// L1's leaf; nil if L1 had stage 2 off, so that nested and canonical addresses are the same.
  public let guest: GuestTranslation?
  /// Canonical IPA.
  public let ipa: UInt64
  /// The host's page, or nil if there is none now.
  public let page: HostPage?
}

extension Machine {
  /// L1's table that a shadow serves; nil while it is not in use, or serves an L1 with stage 2 off.
  public func guestTable(ofShadow number: Int) -> GuestTable? {
    let context = shadowContext(number)
    guard context.isValid, context.stage2Enabled else { return nil }
    let table = GuestTable(vttbr: VTTBR(context.vttbr), vtcr: VTCR(context.vtcr))
    return table.vtcr.isWalkable ? table : nil
  }

  /// The current sources of a shadow's leaf for a nested IPA; nil if L1 maps nothing there, or the
  /// shadow is not in use.
  public func derivation(of nested: UInt64, inShadow number: Int) -> Derivation? {
    let context = shadowContext(number)
    guard context.isValid else { return nil }
    guard context.stage2Enabled else {
      return Derivation(guest: nil, ipa: nested, page: hostPage(at: nested))
    }
    guard let table = guestTable(ofShadow: number), let found = peekGuestWalk(nested, table)
    else { return nil }
    return Derivation(guest: found, ipa: found.output, page: hostPage(at: found.output))
  }

  /// Whether L1's entry, composed with canonical memory, would no longer give a shadow's leaf. That is
  /// legal until L1 invalidates.
  public func isStale(
    _ leaf: Descriptor, at address: UInt64, level: Int, inShadow number: Int
  ) -> Bool {
    // Of a real kernel's tables it cannot be known.
    if configuration.isRecorded { return false }
    let mmu = shadow(number)
    return isStale(
      TableEntry(leaf, at: address, level: level, place: 0, in: geometry(of: mmu)), of: mmu)
  }
}
