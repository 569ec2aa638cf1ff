/// The state of a page for one party (`enum pkvm_page_state`). The owner of a page is the party for
/// which it is owned or shared-owned; there is at most one.
public enum PageState: UInt64, CaseIterable, Sendable {
  /// The party owns it alone.
  case owned = 0
  /// The party owns it, and lends it to others.
  case sharedOwned = 1
  /// Another party owns it, and lends it to this one.
  case sharedBorrowed = 2
  /// The party has no access to it.
  case noPage = 3
  /// It was a guest's until the host took it back by force. For guests only.
  case poison = 4

  /// The state as `expect pkvm` spells it.
  public var name: String {
    switch self {
    case .owned: "owned"
    case .sharedOwned: "shared-owned"
    case .sharedBorrowed: "shared-borrowed"
    case .noPage: "nopage"
    case .poison: "poison"
    }
  }
}

/// The hypervisor's record of a page of memory (`struct hyp_page` in the `hyp_vmemmap`), in one word.
/// Zero is the state at boot: the host owns the page, and no other party uses it.
///
///      63             32 31    28 27    24 23   16 15            0
///     +-----------------+--------+--------+-------+--------------+
///     | shares: guests  | hyp, ~ | host   |   0   | references   |
///     +-----------------+--------+--------+-------+--------------+
struct HypPage: Equatable {
  var bits: UInt64

  /// The host's state.
  var host: PageState {
    get { PageState(rawValue: bits >> 24 & 3) ?? .owned }
    set { bits = bits & ~(3 << 24) | newValue.rawValue << 24 }
  }

  /// The hypervisor's state, stored complemented so that zero means no page.
  var hypervisor: PageState {
    get { PageState(rawValue: bits >> 28 & 3 ^ 3) ?? .noPage }
    set { bits = bits & ~(3 << 28) | (newValue.rawValue ^ 3) << 28 }
  }

  /// References that forbid a change of the page's owner: the hypervisor's own, and those of DMA.
  var references: UInt64 {
    get { bits & 0xffff }
    set { bits = bits & ~0xffff | newValue }
  }

  /// Number of guests with which the host shares the page (`host_share_guest_count`).
  var shares: UInt64 {
    get { bits >> 32 }
    set { bits = bits & 0xffff_ffff | newValue << 32 }
  }

  /// The most references that the word can hold.
  static let maxReferences: UInt64 = 0xffff
}

extension Machine {
  private var vmemmap: SparseArray { SparseArray(root: Register.vmemmap.slot, .vmemmap) }

  /// The hypervisor's record of the page at a physical address of memory.
  func hypPage(at physical: UInt64) -> HypPage {
    HypPage(bits: vmemmap.load(physical >> 12, from: memory))
  }

  mutating func setHypPage(_ page: HypPage, at physical: UInt64) {
    vmemmap.store(page.bits, at: physical >> 12, in: &memory)
  }

  /// The first page in a range of physical addresses whose nonzero record meets a condition.
  func firstRecordedPage(
    in physical: Range<UInt64>, where isWanted: (UInt64, HypPage) -> Bool
  ) -> UInt64? {
    var start = physical.lowerBound >> 12
    let end = (physical.upperBound + Page.size - 1) >> Page.shift
    while start < end, let index = vmemmap.firstIndex(in: start..<end, of: memory) {
      let record = HypPage(bits: vmemmap.load(index, from: memory))
      if isWanted(index << 12, record) { return index << 12 }
      start = index + 1
    }
    return nil
  }

  /// The host's state of the page at a physical address.
  public func hostState(of physical: UInt64) -> PageState { hypPage(at: physical).host }

  /// The hypervisor's state of the page at a physical address.
  public func hypervisorState(of physical: UInt64) -> PageState {
    hypPage(at: physical).hypervisor
  }

  /// Number of guests with which the host shares the page at a physical address.
  public func shareCount(of physical: UInt64) -> UInt64 { hypPage(at: physical).shares }

  /// Number of references that keep the page at a physical address with its owner.
  public func referenceCount(of physical: UInt64) -> UInt64 { hypPage(at: physical).references }
}
