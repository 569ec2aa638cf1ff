/// The use of a frame, which determines how its words count in the machine's fingerprint (`Fingerprint`).
enum FrameUse: UInt8, CaseIterable {
  /// On the free list; all its words are zero.
  case free
  /// A level of a sparse array above its elements: nothing but slots of frames.
  case sparse
  /// Records of the machine, in words whose classes the records' fields declare.
  case registers, mmus, vcpus, vmids, smmu, pkvm
  /// Bitmaps of VMIDs.
  case vmidMaps
  /// A TLB's leaves of one level.
  case tlb
  /// A translation table whose entries may point to tables, and one of the last level.
  case table, lastTable
  /// The known contents of a guest page.
  case contents
  /// Elements of a sparse array, and those of a memory slot's dirty bitmap.
  case elements, dirty

  // The words of these count together with others, see `Fingerprint`.

  /// Memory slots: a record counts by the slot's id, not by its place.
  case memslots
  /// Elements of the array of page contents: two words a page.
  case contentsIndex
  /// Sixteen nodes of range trees: two words an entry.
  case nodes

  /// The first use whose words count together with others.
  static let firstCombined = memslots
}

/// The use and owner of a frame, by which its words count instead of by the frame's number.
///
///      63  55 54        40 39  32 31                      0
///     +------+------------+------+-------------------------+
///     |  0   |   number   | use  |          place          |
///     +------+------------+------+-------------------------+
///
/// No two frames in use have the same role at the end of an event, except those of records and of nodes,
/// whose words distinguish them.
struct FrameRole: Equatable {
  /// The word that the allocator keeps about the frame.
  let bits: UInt64

  private static let useShift: UInt64 = 32
  private static let numberShift: UInt64 = 40
  private static let placeMask: UInt64 = 0xffff_ffff
  private static let numberMask: UInt64 = 0x7fff
  /// Lowest bit of the level in a table's place.
  private static let levelShift: UInt64 = 28

  init(bits: UInt64) { self.bits = bits }

  /// A role.
  ///
  /// - Parameters:
  ///   - number: which one of that use, 15 bits.
  ///   - place: which part of it, 32 bits.
  init(_ use: FrameUse, number: UInt64 = 0, place: UInt64 = 0) {
    bits =
      (number & Self.numberMask) << Self.numberShift | UInt64(use.rawValue) << Self.useShift
      | place & Self.placeMask
  }

  /// The role of a table, or of a page of a concatenated root, by the first input address that it covers.
  init(_ table: TableID, level: Int, at address: UInt64) {
    // A table of the last level covers 2 MiB, one above it 512 times as much.
    let index = address >> UInt64(21 + 9 * (Geometry.lastLevel - level))
    self.init(
      level == Geometry.lastLevel ? .lastTable : .table, number: table.frameNumber,
      place: UInt64(level) << Self.levelShift | index)
  }

  /// The role of a guest page's contents, by the page number, 47 bits.
  init(contentsOfPage page: UInt64) {
    self.init(.contents, number: page >> 32, place: page)
  }

  /// The use, as a raw value of `FrameUse`.
  @inline(__always)
  var use: UInt8 { UInt8(truncatingIfNeeded: bits &>> Self.useShift) }

  /// Which part of its kind.
  @inline(__always)
  var place: UInt64 { bits & Self.placeMask }

  /// Which one of its use.
  var number: UInt64 { bits >> Self.numberShift & Self.numberMask }

  /// The level of a table's entries.
  var level: Int { Int(place >> Self.levelShift) }

  /// The input addresses that an entry of a table covers, by the entry's slot.
  func addresses(ofEntry slot: Int) -> Range<UInt64> {
    let above = 9 * UInt64(Geometry.lastLevel - level)
    let first = (place & (1 << Self.levelShift - 1)) << (21 + above)
    let size: UInt64 = 1 << (12 + above)
    let start = first + UInt64(slot & (Memory.frameWords - 1)) * size
    return start..<start + size
  }

  /// The same use and number at another place.
  func at(_ place: UInt64) -> FrameRole {
    FrameRole(bits: bits & ~Self.placeMask | place & Self.placeMask)
  }

  /// The role of one of the frame's words: no two words have the same.
  @inline(__always)
  func word(_ index: UInt64) -> UInt64 { bits &<< 9 | index }
}
