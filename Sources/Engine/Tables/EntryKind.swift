/// What a table entry is to a walker.
///
/// Hardware, KVM's walk of L1's tables, dumps, panes and rules share this one answer: what is shown of a
/// table is what its walker sees. A walker faults on everything but `table`, `block` and `page`.
public enum EntryKind: Equatable, Sendable {
  /// Zero, or bits without a meaning here: a translation fault.
  case invalid
  /// Not valid, with a note by software: a translation fault for the hardware.
  case annotation(Annotation)
  /// Not valid, and under break-before-make: another walker waits or retries.
  case locked
  /// Nobody knows what: no dump of the table told it.
  case unseen
  /// Points to a table of the next level.
  case table
  /// Maps a block, at levels 1 and 2.
  case block
  /// Maps a page, at level 3.
  case page
  /// Valid, but with an encoding that the architecture does not define there: bits 1:0 = 01 at level 3,
  /// or a block at a level where the granule has none. A translation fault.
  case reserved
  /// A table, block or page whose address lies beyond the output size: an address size fault.
  ///
  /// Bits of an address below the size of a block, or of a table with a larger granule, are RES0:
  /// walkers ignore them, and so does `Geometry.output(of:at:)`. They do not make an entry illegal.
  case illegalOutput

  /// What software notes in an entry that is not valid.
  public enum Annotation: Equatable, Sendable {
    /// pKVM, in the host's table: the page belongs to another; see `Descriptor.donation`.
    case donation
    /// pKVM, in a guest's table: the host took the page back by force.
    case poisoned
    /// The RMM, in a realm's table: the address's RIPAS and HIPAS; see `Descriptor.realmNote`.
    case realm
    /// A type that nothing here writes.
    case unknown
  }

  /// Whether it maps memory.
  @inline(__always)
  public var isLeaf: Bool { self == .block || self == .page }

  /// The fault of the hardware's walker, and of KVM's walker of L1's tables, at the entry; nil if the
  /// walk continues or has found a leaf.
  public var fault: FaultStatus.Class? {
    switch self {
    case .table, .block, .page: nil
    case .invalid, .annotation, .locked, .unseen, .reserved: .translation
    case .illegalOutput: .addressSize
    }
  }
}

extension Geometry {
  /// The kind of an entry at a level, 0 to 3. Checks in the order of `walk_nested_s2_pgd`: an
  /// encoding that does not exist there comes before an address that is too large.
  @inline(__always)
  public func kind(of entry: Descriptor, at level: Int) -> EntryKind {
    if !entry.isValid {
      return entry.bits == 0 || !keepsNotes ? .invalid : Self.note(in: entry)
    }
    let isTableOrPage = entry.bits & Descriptor.tableOrPage != 0
    if level == Self.lastLevel {
      if !isTableOrPage { return .reserved }
    } else if !isTableOrPage, !allowsLeaf(level) {
      return .reserved
    }
    if entry.bits & illegalOutputMask != 0 { return .illegalOutput }
    return level == Self.lastLevel ? .page : isTableOrPage ? .table : .block
  }

  /// The kind of an entry that is not valid. Bits 63:60 are KVM's type (`KVM_INVALID_PTE_TYPE_*`); the
  /// RMM uses other bits instead.
  private static func note(in entry: Descriptor) -> EntryKind {
    switch entry.bits >> 60 {
    case 0: .annotation(.realm)
    case Descriptor.locked >> 60: .locked
    case _ where entry.isUnseen: .unseen
    case _ where entry.donation != nil: .annotation(.donation)
    case _ where entry == .poisoned: .annotation(.poisoned)
    default: .annotation(.unknown)
    }
  }
}
