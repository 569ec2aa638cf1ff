/// A walk of a table over a range of input addresses, as `kvm_pgtable_walk` makes it: down from the
/// root, in ascending order of addresses, to every entry that overlaps the range.
///
/// One walk serves all tables: the machine's own, L1's in L1's memory, the VMM's stage 1, and the SMMU's
/// view behind the CPUs' caches. They differ in how a word is read, which the caller of `next` supplies,
/// and in what is done at each entry, which is the body of the caller's loop:
///
///     var walk = TableWalk(of: table, range, [.mapping, .tablePost])
///     while let entry = memory.next(&walk) { ... }
///
/// The kernel passes a visitor to its walker. Here the visitor owns the walker, so it may change the
/// machine, as unmapping must, and it stops by leaving its loop. As in the kernel, an entry that is not a
/// table is read again before the walk continues: if the visitor has replaced a block by a table, the
/// walk descends into it.
///
/// To walk for one address, use a range of one byte. For only the end of such a walk, in a table in the
/// machine's frames, use `Memory.walk`: every access and every map needs it, and it is several times as
/// fast because it keeps no state to resume from.
package struct TableWalk {
  /// Which entries a walk stops at.
  package struct Visits: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Blocks and pages.
    package static let mapping = Visits(rawValue: 1 << 0)
    /// Nonzero entries that are neither leaf nor table: annotations, entries under break-before-make,
    /// reserved encodings.
    package static let other = Visits(rawValue: 1 << 1)
    /// Zero entries.
    package static let empty = Visits(rawValue: 1 << 2)
    /// Tables, before their entries (`KVM_PGTABLE_WALK_TABLE_PRE`).
    package static let tablePre = Visits(rawValue: 1 << 3)
    /// Tables, after their entries (`KVM_PGTABLE_WALK_TABLE_POST`). With both, each table comes twice.
    package static let tablePost = Visits(rawValue: 1 << 4)

    /// All nonzero entries that are not tables.
    package static let used: Visits = [.mapping, .other]
    /// All entries that are not tables (`KVM_PGTABLE_WALK_LEAF`).
    package static let leaf: Visits = [.mapping, .other, .empty]
    /// The path to one address: its tables, and its end.
    package static let path: Visits = [.leaf, .tablePre]
  }

  /// The next thing to do.
  private enum Next {
    /// The entry has not been read yet.
    case read
    /// The entry is a table that the visitor has been given.
    case descend(Descriptor)
    /// The entry is not a table, or was not when the visitor was given it.
    case readAgain
    /// The entry is finished.
    case advance
    /// The walk is over.
    case end
  }

  private let geometry: Geometry
  private let range: Range<UInt64>
  private let visits: Visits
  /// Level at which the walk begins.
  private let top: Int
  /// The current entry: level, first input address, place, and how many follow it in its page.
  private var level: Int
  private var address: UInt64
  private var place: UInt64
  private var left: Int
  private var next = Next.read
  /// The places, by level, of the entries through which the walk descended.
  private var parents = SIMD4<UInt64>()

  /// A walk of a table whose root lies at a place. The range is clipped to the table's input addresses.
  @inline(__always)
  package init(
    _ geometry: Geometry, root: UInt64, _ range: Range<UInt64>, _ visits: Visits
  ) {
    self.init(
      geometry, page: root, level: geometry.startLevel, at: 0,
      range.clamped(to: 0..<geometry.inputSize), visits)
  }

  /// A walk of one table page and all below it.
  ///
  /// - Parameters:
  ///   - page: where the page lies.
  ///   - level: level of its entries.
  ///   - base: first input address of the page.
  ///   - range: input addresses of the page.
  @inline(__always)
  init(
    _ geometry: Geometry, page: UInt64, level: Int, at base: UInt64, _ range: Range<UInt64>,
    _ visits: Visits
  ) {
    self.geometry = geometry
    self.range = range
    self.visits = visits
    self.level = level
    top = level
    address = 0
    place = 0
    left = 0
    if range.isEmpty { next = .end } else { enter(page, at: base) }
  }

  /// Goes to the first entry of a page that the range overlaps.
  @inline(__always)
  private mutating func enter(_ page: UInt64, at base: UInt64) {
    let shift = geometry.shift(level)
    let index = range.lowerBound > base ? (range.lowerBound &- base) &>> shift : 0
    address = base &+ index &<< shift
    place = page &+ index &* 8
    countRest()
    next = .read
  }

  /// Counts the entries in the range that follow the current one in its page.
  @inline(__always)
  private mutating func countRest() {
    let shift = geometry.shift(level)
    let last = Int(truncatingIfNeeded: (range.upperBound &- 1 &- address) &>> shift)
    left =
      level == top ? last : min(last, geometry.tableEntries &- 1 &- geometry.index(address, level))
  }

  /// The next entry at which the walk stops; nil after the last, or if a word cannot be read.
  ///
  /// - Parameter read: the word at a place, or nil to end the walk.
  @inline(__always)
  package mutating func next(_ read: (_ place: UInt64) -> UInt64?) -> TableEntry? {
    while true {
      switch next {
      case .end: return nil
      case .read:
        guard let bits = read(place) else { return end() }
        if bits == 0, !visits.contains(.empty) {
          next = .advance
          continue
        }
        let entry = TableEntry(
          Descriptor(bits), at: address, level: level, place: place, in: geometry)
        if entry.kind == .table {
          if visits.contains(.tablePre) {
            next = .descend(entry.descriptor)
            return entry
          }
          goDown(entry.descriptor)
        } else {
          // An entry of the last level leads nowhere, whatever it becomes.
          next = level == Geometry.lastLevel ? .advance : .readAgain
          let wanted: Visits = bits == 0 ? .empty : entry.isLeaf ? .mapping : .other
          if visits.contains(wanted) { return entry }
          next = .advance
        }
      case .descend(let entry): goDown(entry)
      case .readAgain:
        guard let bits = read(place) else { return end() }
        let entry = Descriptor(bits)
        if geometry.kind(of: entry, at: level) == .table { goDown(entry) } else { next = .advance }
      case .advance:
        if left > 0 {
          left &-= 1
          place &+= 8
          address &+= geometry.size(level)
          next = .read
        } else if level == top {
          next = .end
        } else {
          level &-= 1
          place = parents[level]
          address &= ~(geometry.size(level) &- 1)
          countRest()
          if visits.contains(.tablePost) {
            guard let bits = read(place) else { return end() }
            let entry = TableEntry(
              Descriptor(bits), at: address, level: level, place: place, in: geometry)
            if entry.kind == .table { return entry }
          }
        }
      }
    }
  }

  private mutating func end() -> TableEntry? {
    next = .end
    return nil
  }

  @inline(__always)
  private mutating func goDown(_ table: Descriptor) {
    parents[level] = place
    level &+= 1
    enter(table.address(granuleShift: geometry.granuleShift), at: address)
  }

  /// Skips everything below the last returned table, which must have come by `tablePre`.
  package mutating func skip() { next = .advance }
}

extension TableWalk {
  /// A walk of a table in the machine's frames.
  @inline(__always)
  package init(of table: Table, _ range: Range<UInt64>, _ visits: Visits) {
    self.init(table.geometry, root: table.rootAddress, range, visits)
  }

  /// A walk of a whole table in the machine's frames.
  package init(of table: Table, _ visits: Visits) {
    self.init(of: table, 0..<table.geometry.inputSize, visits)
  }

  /// A walk of a table that L1 keeps.
  package init(of guest: GuestTable, _ range: Range<UInt64>, _ visits: Visits) {
    self.init(guest.geometry, root: guest.root, range, visits)
  }
}

extension Memory {
  /// The next entry of a walk through a table in the machine's frames.
  @inline(__always)
  func next(_ walk: inout TableWalk) -> TableEntry? {
    walk.next { load(fromFrameAt: $0, offset: 0) }
  }
}

/// Visiting tables without changing them.
extension Machine {
  /// Calls `visit` for the entries of a table in the machine's frames, in ascending order of addresses.
  /// O(number of entries in all its pages).
  package func visit(
    _ visits: TableWalk.Visits, of table: Table, _ visit: (TableEntry) -> Void
  ) {
    var walk = TableWalk(of: table, visits)
    while let entry = memory.next(&walk) { visit(entry) }
  }

  /// The entries that a walk for an input address reads, from the root down.
  package func path(to address: UInt64, in table: Table) -> [TableEntry] {
    let address = address & table.inputMask
    var walk = TableWalk(of: table, address..<address + 1, .path)
    var entries: [TableEntry] = []
    while let entry = memory.next(&walk) { entries.append(entry) }
    return entries
  }
}

/// Visiting tables that L1 keeps.
extension Machine {
  /// Maximum number of table pages visited for one guest table: a table that points to itself has no end.
  package static let guestTableLimit = 1 << 14

  /// Calls `visit` for the entries of a table that L1 keeps, in ascending order of addresses. An
  /// unreadable word counts as zero.
  ///
  /// - Returns: false if the table has more than `guestTableLimit` pages; only the first ones were visited.
  @discardableResult
  package func visit(
    _ visits: TableWalk.Visits, of guest: GuestTable, _ visit: (TableEntry) -> Void
  ) -> Bool {
    var left = Self.guestTableLimit - 1
    var walk = TableWalk(
      of: guest, 0..<guest.geometry.inputSize, visits.union(.tablePre))
    while let entry = walk.next({ peekGuestMemory(at: $0) ?? 0 }) {
      if entry.kind == .table {
        left -= 1
        if left <= 0 { return false }
        if !visits.contains(.tablePre) { continue }
      }
      visit(entry)
    }
    return true
  }
}
