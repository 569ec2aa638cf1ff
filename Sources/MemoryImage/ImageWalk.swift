import Engine
import Observation

/// A stage-2 table in a memory image, walked from its root.
///
/// Any bytes can look like a table: so a page that is its own ancestor ends the walk there, and no more
/// is read than a table can have.
package struct ImageWalk: Sendable {
  /// A page of the table, or its root with all its concatenated pages.
  package struct Page: Equatable, Sendable {
    /// Its physical address; for a guest's own table, the guest's physical address.
    package let place: UInt64
    package let level: Int
    package let words: [UInt64]
  }

  /// An entry that could not be followed.
  package struct Fault: Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
      /// The table that it points to is not in the image.
      case missing
      /// The table that it points to is its own ancestor.
      case cycle
      /// The walk would read more than a table may have.
      case tooLarge
    }

    package let reason: Reason
    /// The first input address of the entry.
    package let address: UInt64
    /// The address of the table.
    package let place: UInt64

    /// The fault in a sentence without a full stop.
    package var sentence: String {
      let what =
        switch reason {
        case .missing: "is not in the image"
        case .cycle: "leads to itself"
        case .tooLarge:
          "was left out, after \(ImageWalk.bytesAtMost >> 20) MiB of tables or \(ImageWalk.runsAtMost >> 20) M runs"
        }
      return
        "the table at \(Phrase.address(place)), for input address \(Phrase.address(address)), \(what)"
    }
  }

  /// The table's shape.
  package let geometry: Geometry
  /// The observed table, with output addresses.
  package let table: ObservedTable
  /// Its pages, in the order of a walk; a page with several parents is listed once.
  package let pages: [Page]
  /// The entries that could not be followed.
  package let faults: [Fault]

  /// Maximum bytes of table pages read.
  package static let bytesAtMost = 1 << 30
  /// Maximum number of runs: a few pages with many links to each other would make a table of any size.
  package static let runsAtMost = 1 << 24
  private static let faultsAtMost = 1000

  /// Walks the table in an image that two registers describe.
  ///
  /// - Throws: if no hardware could walk with such registers, or the root is not in the image.
  package init(
    _ image: inout MemoryImage, vttbr: UInt64, vtcr: UInt64, runsAtMost: Int = Self.runsAtMost
  ) throws(ImageError) {
    let register = VTCR(vtcr)
    if vtcr >> 32 & 1 != 0 {
      throw ImageError(
        "VTCR \(Phrase.address(vtcr)) has DS: its table is of LPA2, with addresses of 52 bits; expected one of 48"
      )
    }
    guard register.isWalkable else {
      throw ImageError(
        "VTCR \(Phrase.address(vtcr)) describes no table: T0SZ, SL0 and TG0 do not fit together")
    }
    let geometry = register.geometry
    let root = VTTBR(vttbr).base & ~(geometry.rootBytes - 1)
    try self.init(
      geometry, root: root,
      context: ObservedTable.Context(vtcr: vtcr, vttbr: vttbr, stage2Enabled: true),
      runsAtMost: runsAtMost
    ) { image.words(at: $0, count: $1) }
  }

  /// Walks a table whose 64-bit words a function reads, `count` from an address on, or nil if it lacks
  /// them.
  ///
  /// - Throws: if it lacks the root.
  package init(
    _ geometry: Geometry, root: UInt64, context: ObservedTable.Context? = nil,
    runsAtMost: Int = Self.runsAtMost, read: (UInt64, Int) -> [UInt64]?
  ) throws(ImageError) {
    var walker = Walker(geometry: geometry, runsAtMost: runsAtMost)
    guard let words = read(root, geometry.rootEntries) else {
      throw ImageError("the root at \(Phrase.address(root)) is not in it")
    }
    walker.visit(Page(place: root, level: geometry.startLevel, words: words), at: 0, read)
    self.geometry = geometry
    table = ObservedTable(context: context, runs: walker.runs, known: ~0)
    pages = walker.pages
    faults = walker.faults
  }

  private struct Walker {
    let geometry: Geometry
    let runsAtMost: Int
    var runs: [ObservedTable.Run] = []
    var pages: [Page] = []
    var faults: [Fault] = []
    private var places: Set<UInt64> = []
    private var bytes = 0
    private var path: [UInt64] = []

    init(geometry: Geometry, runsAtMost: Int) {
      self.geometry = geometry
      self.runsAtMost = runsAtMost
    }

    mutating func visit(
      _ page: Page, at address: UInt64, _ read: (UInt64, Int) -> [UInt64]?
    ) {
      if places.insert(page.place).inserted { pages.append(page) }
      bytes += page.words.count * 8
      path.append(page.place)
      defer { path.removeLast() }
      let size = geometry.size(page.level)
      for (index, word) in page.words.enumerated() {
        let entry = Descriptor(word)
        let start = address + UInt64(index) * size
        if geometry.kind(of: entry, at: page.level) == .table {
          follow(entry, page.level, at: start, read)
        } else {
          add(entry, page.level, start..<start + size)
        }
      }
    }

    private mutating func follow(
      _ entry: Descriptor, _ level: Int, at address: UInt64, _ read: (UInt64, Int) -> [UInt64]?
    ) {
      let place = entry.address(granuleShift: geometry.granuleShift)
      let size = geometry.size(level)
      let reason: Fault.Reason
      if path.contains(place) {
        reason = .cycle
      } else if bytes + geometry.tableEntries * 8 > ImageWalk.bytesAtMost
        || runs.count + geometry.tableEntries > runsAtMost
      {
        reason = .tooLarge
      } else if let words = read(place, geometry.tableEntries) {
        return visit(Page(place: place, level: level + 1, words: words), at: address, read)
      } else {
        reason = .missing
      }
      if faults.count < ImageWalk.faultsAtMost {
        faults.append(Fault(reason: reason, address: address, place: place))
      }
      add(Descriptor(0), level, address..<address + size)
    }

    private mutating func add(_ entry: Descriptor, _ level: Int, _ range: Range<UInt64>) {
      let isLeaf = geometry.kind(of: entry, at: level).isLeaf
      var bits = entry.bits
      // A faulting encoding is not a leaf, whatever its valid bit.
      if !isLeaf { bits &= ~Descriptor.valid }
      if let last = runs.last, Int(last.level) == level, last.end == range.lowerBound {
        let offset = isLeaf ? last.end - last.start : 0
        if last.descriptor.bits &+ offset == bits {
          runs[runs.count - 1] = ObservedTable.Run(
            last.start..<range.upperBound, level: level, descriptor: last.descriptor, line: 0)
          return
        }
      }
      runs.append(ObservedTable.Run(range, level: level, descriptor: Descriptor(bits), line: 0))
    }
  }
}
