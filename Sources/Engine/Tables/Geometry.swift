/// Shape of a translation table: granule, input size, start level, and the format of its entries.
///
/// Source: Arm ARM D8.2; `stage2_pgtable_levels` and `kvm_pgd_pages` in the kernel.
public struct Geometry: Equatable, Sendable {
  /// Log2 of the granule: 12, 14 or 16.
  public let granuleShift: Int
  /// Bits of an input address, 25 to 48.
  public let inputBits: Int
  /// Level of the root, 0 to 3.
  public let startLevel: Int
  /// Bits of an output address, 32 to 48: a larger address is an address size fault.
  public let outputBits: Int
  /// What the bits of its leaves mean.
  public let format: Descriptor.Format
  /// Whether an entry that is not valid may hold a note of the host's software. One of L1's table is L1's own affair.
  public internal(set) var keepsNotes: Bool

  /// The last level, whose leaves are pages.
  public static let lastLevel = 3

  /// A table with the given shape.
  @inline(__always)
  public init(
    granuleShift: Int, inputBits: Int, startLevel: Int, outputBits: Int = 48,
    format: Descriptor.Format = .stage2, keepsNotes: Bool = true
  ) {
    self.format = format
    self.keepsNotes = keepsNotes
    self.granuleShift = granuleShift
    self.inputBits = inputBits
    self.startLevel = startLevel
    self.outputBits = outputBits
  }

  /// The table that KVM builds for `bits` of IPA with 4 KiB pages: the root resolves up to 4 bits more
  /// than a level does, and there are at least two levels.
  public static func stage2(bits: Int, _ format: Descriptor.Format = .stage2) -> Geometry {
    let levels = max(2, (bits - 8) / 9)
    return Geometry(granuleShift: 12, inputBits: bits, startLevel: 4 - levels, format: format)
  }

  /// The table that io-pgtable-arm builds for stage 1 of a device, with 4 KiB pages: four levels for
  /// 48-bit input addresses.
  static let deviceStage1 = Geometry(
    granuleShift: 12, inputBits: 48, startLevel: 0, format: .stage1)

  /// Any table of L1's with 4 KiB pages, to say what an entry is whose table is not at hand.
  static let guests = Geometry(
    granuleShift: 12, inputBits: 48, startLevel: 0, keepsNotes: false)

  /// Index bits of a level.
  public var stride: Int { granuleShift - 3 }

  /// Log2 of the bytes that an entry of `level` covers.
  @inline(__always)
  public func shift(_ level: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: granuleShift &+ (granuleShift &- 3) &* (3 &- level))
  }

  /// Bytes that an entry of `level` covers.
  @inline(__always)
  public func size(_ level: Int) -> UInt64 { 1 &<< shift(level) }

  /// Whether an entry of `level` maps a block or page.
  public func isLeaf(_ entry: Descriptor, at level: Int) -> Bool {
    kind(of: entry, at: level).isLeaf
  }

  /// Output address of a leaf of `level`. The bits of its address below its size are RES0, and ignored.
  @inline(__always)
  public func output(of leaf: Descriptor, at level: Int) -> UInt64 {
    leaf.address & ~(size(level) &- 1)
  }

  /// Number of input addresses.
  @inline(__always)
  public var inputSize: UInt64 { 1 &<< UInt64(truncatingIfNeeded: inputBits) }

  /// Entries of a table below the root.
  public var tableEntries: Int { 1 << stride }

  /// Entries of the root, with all its concatenated pages.
  public var rootEntries: Int { 1 << max(0, inputBits - Int(shift(startLevel))) }

  /// Pages of the root.
  public var rootPages: Int { max(1, rootEntries >> stride) }

  /// Bytes of the root, which are also its alignment (at least 64).
  public var rootBytes: UInt64 { max(64, UInt64(rootEntries) * 8) }

  /// The bits of a descriptor's address that lie beyond the output size.
  @inline(__always)
  var illegalOutputMask: UInt64 {
    Descriptor.addressMask & ~(1 &<< UInt64(truncatingIfNeeded: outputBits) &- 1)
  }

  /// Index of the entry for an input address, in the root if `level` is the start level.
  @inline(__always)
  public func index(_ address: UInt64, _ level: Int) -> Int {
    let entries = level == startLevel ? rootEntries : tableEntries
    return Int(truncatingIfNeeded: address >> shift(level)) & (entries - 1)
  }

  /// Whether `level` may hold leaves: pages, 4K blocks at 1 and 2, 16K and 64K blocks at 2.
  public func allowsLeaf(_ level: Int) -> Bool { level >= (granuleShift == 12 ? 1 : 2) }

  /// The level whose leaves have `size`, or nil.
  public func level(ofSize size: UInt64) -> Int? {
    (startLevel...Self.lastLevel).first { allowsLeaf($0) && self.size($0) == size }
  }

  /// Number of leaves in a contiguous run at `level` (Arm ARM D8.7.1).
  public func contiguousRun(_ level: Int) -> Int {
    switch granuleShift {
    case 12: 16
    case 14: level == 2 ? 32 : 128
    default: 32
    }
  }
}
