/// The owner of a page that the host gave away.
public enum PageOwner: Equatable, Sendable {
  /// The hypervisor.
  case hypervisor
  /// A protected guest, by its handle, and the number of the page there.
  case guest(handle: UInt64, page: UInt64)
}

/// Annotations: entries that are not valid, but carry information (`KVM_INVALID_PTE_TYPE_*`).
///
///      63  60 59                    20 19         4 3    1  0
///     +------+------------------------+------------+------+--+
///     | type | guest's page number    | handle     | owner|0 |
///     +------+------------------------+------------+------+--+
extension Descriptor {
  private static let typeShift: UInt64 = 60
  private static let donationType: UInt64 = 2
  private static let hypervisorOwner: UInt64 = 1
  private static let guestOwner: UInt64 = 2

  /// In a guest's table: the host took the page back by force (`KVM_GUEST_INVALID_PTE_TYPE_POISONED`).
  public static let poisoned = Descriptor(3 << typeShift)

  /// In the host's table: the page belongs to another (`KVM_HOST_INVALID_PTE_TYPE_DONATION`).
  public static func donation(to owner: PageOwner) -> Descriptor {
    switch owner {
    case .hypervisor: Descriptor(donationType << typeShift | hypervisorOwner << 1)
    case .guest(let handle, let page):
      Descriptor(
        donationType << typeShift | page << 20 & ~(0xf << typeShift) | (handle & 0xffff) << 4
          | guestOwner << 1)
    }
  }

  /// The owner to whom the page was donated; nil if the entry is not a donation.
  public var donation: PageOwner? {
    guard !isValid, bits >> Self.typeShift == Self.donationType else { return nil }
    switch bits >> 1 & 7 {
    case Self.hypervisorOwner: return .hypervisor
    case Self.guestOwner:
      return .guest(handle: bits >> 4 & 0xffff, page: (bits & ~(0xf << Self.typeShift)) >> 20)
    default: return nil
    }
  }

  /// The page state in bits 56:55 of a guest's leaf, or the state that its absence means.
  public var pageState: PageState {
    if isValid { return PageState(rawValue: bits >> 55 & 3) ?? .noPage }
    return self == .poisoned ? .poison : .noPage
  }
}
