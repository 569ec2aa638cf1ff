/// A walk of a table over a range of input addresses, as `kvm_pgtable_walk` makes it: down from the
/// root, in ascending order of addresses, to every entry whose span overlaps the range.
///
/// There is one walk for all tables: the machine's own, L1's in L1's memory, the VMM's stage 1, what the
/// SMMU sees behind the CPUs' caches. They differ in who reads a word, which is for the caller of `next`
/// to say, and in what is done at the entries. That is the body of the caller's loop:
///
///     var walk = TableWalk(of: table, range, [.mapping, .tablePost])
///     while let entry = memory.next(&walk) { ... }
///
/// The kernel passes a visitor to its walker. Here the walker is passed to the visitor, which so may
/// change the machine, as unmapping must, and stops by leaving its loop. As in the kernel, what is no
/// table is read again before the walk goes on from it: a block that the visitor has replaced by a table
/// is entered.
///
/// A walk for one address is one over a range of one byte. Where only its end is wanted, from a table in
/// the machine's frames, there is `Memory.walk`, which every access and every map needs, and which is
/// several times as fast because it keeps no place to go on from.
package struct TableWalk {
  /// Which entries a walk stops at.
  package struct Visits: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Blocks and pages.
    package static let mapping = Visits(rawValue: 1 << 0)
    /// What is neither zero nor maps anything nor is a table: annotations, entries under break-before-make,
    /// reserved encodings.
    package static let other = Visits(rawValue: 1 << 1)
    /// Entries that are zero.
    package static let empty = Visits(rawValue: 1 << 2)
    /// Tables, before what they hold (`KVM_PGTABLE_WALK_TABLE_PRE`).
    package static let tablePre = Visits(rawValue: 1 << 3)
    /// Tables, after what they hold (`KVM_PGTABLE_WALK_TABLE_POST`). Who asks for both is given them twice.
    package static let tablePost = Visits(rawValue: 1 << 4)

    /// All that is not zero and no table.
    package static let used: Visits = [.mapping, .other]
    /// All that is no table (`KVM_PGTABLE_WALK_LEAF`).
    package static let leaf: Visits = [.mapping, .other, .empty]
    /// The way to one address: the tables on it, and its end.
    package static let path: Visits = [.leaf, .tablePre]
  }

  /// What comes next.
  private enum Next {
    /// The entry at the place has not been looked at.
    case read
    /// The entry at the place is a table, which was given to the visitor.
    case descend(Descriptor)
    /// The entry at the place is none, or was none when it was given to the visitor.
    case readAgain
    /// The entry at the place is done with.
    case advance
    /// There is nothing more.
    case end
  }

  private let geometry: Geometry
  private let range: Range<UInt64>
  private let visits: Visits
  /// Level at which the walk begins.
  private let top: Int
  /// The entry at hand: level, first input address, where it lies, and how many follow it in its page.
  private var level: Int
  private var address: UInt64
  private var place: UInt64
  private var left: Int
  private var next = Next.read
  /// Where the entries lie, by level, that the walk came down by.
  private var parents = SIMD4<UInt64>()

  /// A walk of a table whose root lies at a place. Of the range counts what the table has input
  /// addresses for.
  @inline(__always)
  package init(
    _ geometry: Geometry, root: UInt64, _ range: Range<UInt64>, _ visits: Visits
  ) {
    self.init(
      geometry, page: root, level: geometry.startLevel, at: 0,
      range.clamped(to: 0..<geometry.inputSize), visits)
  }

  /// A walk of one page of a table and what is below it.
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

  /// How many entries follow the one at hand in its page, as far as the range goes.
  @inline(__always)
  private mutating func countRest() {
    let shift = geometry.shift(level)
    let last = Int(truncatingIfNeeded: (range.upperBound &- 1 &- address) &>> shift)
    left =
      level == top ? last : min(last, geometry.tableEntries &- 1 &- geometry.index(address, level))
  }

  /// The next entry that the walk stops at; nil after the last, and where a word cannot be read.
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
          // An entry of the last level leads nowhere, whatever becomes of it.
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

  /// Passes over what is below the table that was given last, before what it holds.
  package mutating func skip() { next = .advance }
}

extension TableWalk {
  /// A walk of a table in the machine's frames.
  @inline(__always)
  package init(of table: Table, _ range: Range<UInt64>, _ visits: Visits) {
    self.init(table.geometry, root: table.rootAddress, range, visits)
  }

  /// A walk of all of a table in the machine's frames.
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
  /// Costs as much as the table has entries, in all its pages.
  package func visit(
    _ visits: TableWalk.Visits, of table: Table, _ visit: (TableEntry) -> Void
  ) {
    var walk = TableWalk(of: table, visits)
    while let entry = memory.next(&walk) { visit(entry) }
  }

  /// The entries that a walk for an input address reads, from the root on.
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
  /// Tables of one guest that are visited at most; a table that points to itself has no end.
  package static let guestTableLimit = 1 << 14

  /// Calls `visit` for the entries of a table that L1 keeps, in ascending order of addresses. What
  /// cannot be read counts as zero.
  ///
  /// - Returns: false if the table has too many parts to be visited; those that come first were.
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
