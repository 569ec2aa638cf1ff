/// One page of a translation table, or its root with all its concatenated pages, in any memory.
public struct TablePage: Sendable {
  /// First input address that the page covers.
  public let address: UInt64
  /// Level of its entries.
  public let level: Int
  /// Number of its entries.
  public let count: Int
  private let geometry: Geometry
  private let words: Words

  fileprivate enum Words {
    /// In the machine's memory, from a slot on.
    case slots(Memory, Int)
    /// In consecutive pages of L1's memory, from a canonical IPA on; nil for an unreadable page.
    case guest([GuestPage?], UInt64)
  }

  /// Bytes that an entry covers.
  public var entrySize: UInt64 { geometry.size(level) }

  /// The entry at an index. An unreadable one counts as empty, as in the kernel's dump.
  public subscript(index: Int) -> Descriptor {
    switch words {
    case .slots(let memory, let first):
      return Descriptor(memory.load(first + index), geometry.format)
    case .guest(let pages, let place):
      let word = Int(place >> 3 & 511) + index
      return Descriptor(pages[word >> 9]?[word & 511] ?? 0)
    }
  }

  /// The kind of the entry at an index.
  public func kind(of index: Int) -> EntryKind { geometry.kind(of: self[index], at: level) }

  /// Number of entries that are not empty.
  public var usedCount: Int {
    switch words {
    case .slots(let memory, let first):
      stride(from: first, to: first + count, by: Memory.frameWords)
        .reduce(0) { $0 + memory.usedWords(inFrameAt: $1) }
    case .guest: (0..<count).count { self[$0].bits != 0 }
    }
  }

  /// Whether any entry may have differed before some stores.
  public func mayDiffer(from past: PastWords) -> Bool {
    switch words {
    case .slots(_, let first):
      stride(from: first, to: first + count, by: Memory.frameWords)
        .contains { past.touchesFrame(of: $0) }
    case .guest(let pages, _): pages.contains { $0?.mayDiffer(from: past) ?? false }
    }
  }

  /// The entry at an index as it was before some stores, if the page was already there.
  public func entry(_ index: Int, in past: PastWords) -> Descriptor {
    switch words {
    case .slots(_, let first):
      return past[first + index].map { Descriptor($0, geometry.format) } ?? self[index]
    case .guest(let pages, let place):
      let word = Int(place >> 3 & 511) + index
      return Descriptor(pages[word >> 9]?.word(word & 511, in: past) ?? 0)
    }
  }

  /// First input address of an entry.
  public func address(of index: Int) -> UInt64 { address + UInt64(index) << geometry.shift(level) }

  /// Index of the entry that covers an input address; an address outside the page gives its nearest entry.
  public func index(of address: UInt64) -> Int {
    address < self.address
      ? 0 : min(count - 1, Int((address - self.address) >> geometry.shift(level)))
  }

  /// Where an entry lies: its physical address, or in L1's memory its canonical IPA.
  public func place(of index: Int) -> UInt64 {
    switch words {
    case .slots(_, let first): Memory.address(ofSlot: first + index)
    case .guest(_, let place): place + UInt64(index) * 8
    }
  }

  /// Slots of the words that determine an entry.
  public func slots(of index: Int) -> [Int] {
    switch words {
    case .slots(_, let first): return [first + index]
    case .guest(let pages, let place):
      let word = Int(place >> 3 & 511) + index
      return pages[word >> 9]?.slots(ofWord: word & 511) ?? []
    }
  }

  fileprivate init(
    _ words: Words, address: UInt64, level: Int, count: Int, _ geometry: Geometry
  ) {
    self.words = words
    self.address = address
    self.level = level
    self.count = count
    self.geometry = geometry
  }
}

/// Reads a table page by page: one that the host keeps, or one of L1's.
public struct TableReader: Sendable {
  /// The table's shape.
  public let geometry: Geometry
  private let machine: Machine
  private let keeper: Keeper

  private enum Keeper {
    case host(root: Int)
    case guest(root: UInt64)
  }

  /// A reader of a table that the host keeps.
  public init(_ table: Table, in machine: Machine) {
    geometry = table.geometry
    keeper = .host(root: table.root)
    self.machine = machine
  }

  /// A reader of a table that L1 keeps.
  public init(_ guest: GuestTable, in machine: Machine) {
    geometry = guest.geometry
    keeper = .guest(root: guest.root)
    self.machine = machine
  }

  /// The root.
  public var root: TablePage {
    switch keeper {
    case .host(let root): page(.slots(machine.memory, root), 0, geometry.startLevel)
    case .guest(let root): guestPage(at: root, 0, geometry.startLevel)
    }
  }

  /// The table that an entry of a page points to, or nil if it points to none.
  public func child(of index: Int, in page: TablePage) -> TablePage? {
    guard page.kind(of: index) == .table else { return nil }
    let entry = page[index]
    let address = page.address(of: index)
    switch keeper {
    case .host:
      guard let slot = machine.memory.slot(at: entry.address) else { return nil }
      return self.page(.slots(machine.memory, slot), address, page.level + 1)
    case .guest:
      return guestPage(
        at: entry.address(granuleShift: geometry.granuleShift), address, page.level + 1)
    }
  }

  /// The entries that a walk reads for an input address, from the root down.
  public func path(to address: UInt64) -> [(page: TablePage, index: Int)] {
    var page = root
    var path = [(page, page.index(of: address))]
    while let child = child(of: page.index(of: address), in: page) {
      page = child
      path.append((page, page.index(of: address)))
    }
    return path
  }

  /// Bytes that the leaf at an input address maps, or nil if there is none.
  public func leafSize(at address: UInt64) -> UInt64? {
    guard address < geometry.inputSize, let (page, index) = path(to: address).last,
      geometry.isLeaf(page[index], at: page.level)
    else { return nil }
    return page.entrySize
  }

  private func entries(_ level: Int) -> Int {
    level == geometry.startLevel ? geometry.rootEntries : geometry.tableEntries
  }

  private func page(_ words: TablePage.Words, _ address: UInt64, _ level: Int) -> TablePage {
    TablePage(words, address: address, level: level, count: entries(level), geometry)
  }

  private func guestPage(at place: UInt64, _ address: UInt64, _ level: Int) -> TablePage {
    let bytes = UInt64(entries(level)) * 8
    let pages = stride(from: place.page, to: place + bytes, by: Page.stride)
      .map { machine.guestPage(at: $0) }
    return page(.guest(pages, place), address, level)
  }
}

extension Machine {
  /// A reader of a table, also of one of L1's that is in use; nil if there is none.
  public func reader(of id: TableID) -> TableReader? {
    if let guest = guestTable(id) { return TableReader(guest, in: self) }
    return table(id).map { TableReader($0, in: self) }
  }
}
