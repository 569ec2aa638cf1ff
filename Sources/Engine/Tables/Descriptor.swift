/// A translation table entry, bit for bit: of stage 2 (Arm ARM D8.3; `kvm_pgtable.h`) unless its format says
/// otherwise.
///
///      63 62  59 58 55 54 53 52  51  50 48 47               12 11 10  9 8  7 6  5    2  1  0
///     +--+------+-----+-----+--+----+-----+-------------------+--+--+-----+----+-------+--+--+
///     |NS| PBHA | SW  | XN  |C |DBM |     |  output address   |FnXS AF| SH |S2AP MemAttr|T |V |
///     +--+------+-----+-----+--+----+-----+-------------------+--+--+-----+----+-------+--+--+
///
/// With V = 0 all other bits are software's: bits 63:60 give the type of an annotation.
public struct Descriptor: Hashable, Sendable {
  /// The format of a leaf's permissions and memory type.
  public enum Format: Hashable, Sendable {
    /// Stage 2: S2AP, XN[1:0], MemAttr.
    case stage2
    /// Stage 1, as io-pgtable-arm writes it for a device: AP[2:1], UXN and PXN, AttrIndx, nG.
    case stage1
    /// Stage 1, as Linux writes it for a process: see `HostEntry`. Permissions are a device's that shares the
    /// process's addresses, at EL0: read always, write if the process may.
    case process
    /// Stage 2 as a dump tells it.
    case dump(Dump)

    /// What dumps of debugfs tell of an entry.
    public enum Dump: Sendable {
      /// Those of Linux 7.1 and later have words for XN[1:0].
      case words
      /// Those of Linux 6.12 have a mark for XN[1].
      case marks
      /// Android's have names for XN[1], FnXS and the contiguous bit.
      case names
      /// The text of a raw table has all bits. Where its tables lie is not kept.
      case descriptors
    }

    /// The bits of an entry that are known; the others are 0, which says nothing.
    public var known: UInt64 {
      let told = valid | tableOrPage | read | write | accessed
      return switch self {
      case .stage2, .stage1, .process: ~0
      case .dump(.words): told | executeNeverMask
      case .dump(.marks): told | 1 << 54
      case .dump(.names): told | 1 << 54 | 1 << 11 | contiguous
      case .dump(.descriptors): ~0
      }
    }

    /// Whether it is known where leaves lead.
    public var knowsOutputs: Bool { known & addressMask != 0 }

    /// Whether it is known where tables lie: of those that were seen, the model has its own pages.
    public var knowsPlaces: Bool {
      switch self {
      case .stage2, .stage1, .process: true
      case .dump: false
      }
    }
  }

  /// The 64 bits.
  public var bits: UInt64
  /// What they mean in a leaf.
  public var format: Format

  /// The entry with these bits.
  @inline(__always)
  public init(_ bits: UInt64, _ format: Format = .stage2) {
    self.bits = bits
    self.format = format
  }

  /// Bit 0: the hardware uses the entry.
  public static let valid: UInt64 = 1 << 0
  /// Bit 1: a table at levels 0 to 2, a page at level 3.
  public static let tableOrPage: UInt64 = 1 << 1
  /// Bits 5:2, memory type.
  public static let memAttrMask: UInt64 = 0xf << 2
  /// Bit 6: S2AP[0], readable.
  public static let read: UInt64 = 1 << 6
  /// Bit 7: S2AP[1], writable.
  public static let write: UInt64 = 1 << 7
  /// Stage 1, bit 6: AP[1], access without privilege.
  public static let unprivileged: UInt64 = 1 << 6
  /// Stage 1, bit 7: AP[2], read-only.
  public static let readOnly: UInt64 = 1 << 7
  /// Stage 1, bit 11: nG, for this ASID only.
  public static let notGlobal: UInt64 = 1 << 11
  /// Bits 9:8 = 3, inner shareable.
  public static let innerShareable: UInt64 = 3 << 8
  /// Bit 10: accessed.
  public static let accessed: UInt64 = 1 << 10
  /// Bits 47:12 of an output address.
  public static let addressMask: UInt64 = 0xffff_ffff_f000
  /// Bit 52: one of a contiguous run.
  public static let contiguous: UInt64 = 1 << 52
  /// Bits 54:53, execute-never.
  public static let executeNeverMask: UInt64 = 3 << 53
  /// Bits 58:55, free for software.
  public static let softwareMask: UInt64 = 0xf << 55
  /// The bits that `stage2_pte_needs_update` ignores: S2AP and XN.
  public static let permissionMask: UInt64 = read | write | executeNeverMask
  /// An entry under break-before-make (`KVM_INVALID_PTE_TYPE_LOCKED`).
  public static let locked: UInt64 = 1 << 60

  /// Whether the hardware uses the entry.
  @inline(__always)
  public var isValid: Bool { bits & Self.valid != 0 }

  /// An entry of a table that was seen which no dump told: no entry of a kernel has this type.
  public static let unseen: UInt64 = 0xf << 60

  /// Whether no dump told what the entry is.
  public var isUnseen: Bool { bits == Self.unseen }

  /// Whether the entry points to a table of the next level. Of a table that the machine keeps, whose
  /// granule is 4K and whose addresses are legal; of any table `Geometry.kind` says it.
  @inline(__always)
  public func isTable(_ level: Int) -> Bool {
    level < Geometry.lastLevel && bits & 3 == 3
  }

  /// Whether the entry is a valid block or page, in a table that the machine keeps.
  @inline(__always)
  public func isLeaf(_ level: Int) -> Bool {
    bits & 3 == (level == Geometry.lastLevel ? 3 : 1)
  }

  /// Whether break-before-make is under way on the entry.
  public var isLocked: Bool { !isValid && bits >> 60 == 1 }

  /// Output address, or address of the next table, with a 4 KiB granule.
  @inline(__always)
  public var address: UInt64 { bits & Self.addressMask }

  /// Output address, or address of the next table, with a given granule.
  public func address(granuleShift: Int) -> UInt64 {
    bits & Self.addressMask & ~((1 << UInt64(granuleShift)) - 1)
  }

  /// Memory type, bits 5:2.
  public var memAttr: Int { Int(bits >> 2 & 0xf) }

  /// A valid leaf's permissions; at stage 1, for unprivileged accesses such as a device's.
  @inline(__always)
  public var permissions: Permissions {
    switch format {
    case .stage2, .dump:
      Permissions(
        read: bits & Self.read != 0, write: bits & Self.write != 0, executeNever: executeNever)
    case .stage1:
      Permissions(
        read: bits & Self.unprivileged != 0,
        write: bits & (Self.unprivileged | Self.readOnly) == Self.unprivileged,
        executeNever: bits >> 54 & 1 != 0 ? 2 : 0)
    case .process:
      Permissions(read: true, write: bits & HostEntry.write != 0, executeNever: 2)
    }
  }

  /// The leaf in stage-2 format, the only one that TLBs keep.
  var cached: Descriptor {
    let kept = Self.addressMask | Self.valid | Self.tableOrPage | Self.accessed
    return Descriptor(bits & kept | permissions.bits)
  }

  /// Bits 54:53.
  public var executeNever: UInt8 { UInt8(bits >> 53 & 3) }

  /// Level of the guest's leaf that a shadow leaf was made from, or 0.
  public var guestLevel: Int { Int(bits >> 55 & 3) }

  /// An entry that points to the table at a physical address.
  public static func table(at address: UInt64) -> Descriptor { Descriptor(address | 3) }

  /// A leaf of normal memory as `stage2_set_prot_attr` and `kvm_init_valid_leaf_pte` make it.
  ///
  /// - Parameter guestLevel: 1 to 3 for a shadow leaf, else 0.
  public static func leaf(
    at address: UInt64, level: Int, memAttr: UInt64, permissions: Permissions, guestLevel: Int
  ) -> Descriptor {
    Descriptor(
      address | valid | (level == Geometry.lastLevel ? tableOrPage : 0) | memAttr << 2
        | permissions.bits | innerShareable | accessed | UInt64(guestLevel) << 55)
  }
}
