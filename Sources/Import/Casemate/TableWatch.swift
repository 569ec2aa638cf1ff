import Engine
import KernelText
import MemoryImage
import Observation

/// Page tables that are changed while CPUs walk them, and the architecture's rules for that, judged only by a
/// log's stores, barriers, TLBIs, registers and locks.
///
/// A CPU may cache its walks: so an entry that maps something must become invalid, and its cached copies be
/// invalidated, before it may map something else (break-before-make, Arm ARM D8.16). An invalidated entry
/// is clean after these, in this order:
///
/// | what | why |
/// |---|---|
/// | DSB of the thread that stored | so that walkers see the store |
/// | TLBI that reaches the address, under each VMID that the table was loaded with | so that the entry goes |
/// | of stage 2 by an IPA alone: DSB, and a TLBI of stage 1 | what both stages gave is cached by the stage 1 address |
/// | DSB of the thread that invalidated | so that the TLBI is done |
package struct TableWatch {
  /// A rule, named by its violation.
  package enum Rule: String, CaseIterable, Sendable {
    /// A valid entry became another valid one in one store.
    case replaced
    /// An entry became valid before the cached copies of its last value were invalidated.
    case unclean
    /// A table is stored to without holding its lock, or has none.
    case unlocked, lockless
    /// A page that CPUs may still walk became part of another table.
    case reused
    /// A page that CPUs may still walk was freed.
    case released

    /// Its demand, in a few words.
    package var demand: String {
      switch self {
      case .replaced, .unclean: "break before make"
      case .unlocked, .lockless: "a table is stored to under its lock"
      case .reused, .released: "a page is reused after its last walker"
      }
    }
  }

  /// A rule that a record breaks.
  package struct Breach: Equatable, Sendable {
    package let rule: Rule
    /// Index of the record.
    package let record: Int
    /// Address of the entry, or of the page.
    package let location: UInt64
    /// Level of the entry, and the first input address; nil for a page that is part of no table.
    package let level: Int?
    package let input: UInt64?
    /// What is wrong, as a sentence without the record's place.
    package let sentence: String
  }

  /// A table that was loaded on some CPU.
  private struct Tree {
    let isStage2: Bool
    let geometry: Geometry
    /// VMIDs that it was loaded with; 0 for a table of EL2, which has none.
    var tags: [UInt16]
  }

  /// A page of a table that CPUs may walk.
  private struct Node {
    let root: UInt64
    let level: Int
    /// Input address of its first entry.
    let input: UInt64
  }

  private var memory = LoggedMemory()
  private var trees: [UInt64: Tree] = [:]
  private var nodes: [UInt64: Node] = [:]
  private var broken: BrokenEntries
  private var locks: [UInt64: UInt64] = [:]
  private var holders: [UInt64: UInt64] = [:]
  private var loaded: [UInt64: UInt64] = [:]
  /// The shape of stage 2, which casemate assumes to be the largest without a register value.
  private(set) var stage2Geometry = Geometry(granuleShift: 12, inputBits: 48, startLevel: 0)
  private var stage1Geometry = Geometry(granuleShift: 12, inputBits: 48, startLevel: 0)
  private let records: [CasemateLog.Record]

  /// - Parameter records: all records to be applied.
  package init(_ records: [CasemateLog.Record]) {
    self.records = records
    broken = BrokenEntries(isAlone: Set(records.map(\.thread)).count <= 1)
  }

  /// The first of `count` records that breaks a rule; nil if none does.
  ///
  /// - Throws: if a record covers more memory than tables have.
  package mutating func firstBreach(
    in count: Int
  ) throws(TextError) -> Breach? {
    for index in 0..<min(count, records.count) {
      if let breach = try apply(index) { return breach }
    }
    return nil
  }

  /// The current stage-2 tables, with the VMIDs under which they were loaded.
  package var tables: [(vmid: UInt16, table: ObservedTable)] {
    trees.sorted { $0.key < $1.key }.flatMap { root, tree -> [(UInt16, ObservedTable)] in
      guard tree.isStage2,
        let walk = try? ImageWalk(
          tree.geometry, root: root, read: { memory.words(at: $0, count: $1) })
      else { return [] }
      return tree.tags.map { tag in
        var table = walk.table
        table.context = ObservedTable.Context(
          vtcr: VTCR.hypervisor(tree.geometry).bits, vttbr: UInt64(tag) << 48 | root,
          stage2Enabled: true)
        return (tag, table)
      }
    }
  }
}

// MARK: Records

extension TableWatch {
  private mutating func apply(_ index: Int) throws(TextError) -> Breach? {
    let record = records[index]
    switch record.action {
    case .write(let address, let value, _): return try store(value, at: address & ~7, index)
    case .initialize(let range):
      if let breach = release(range, index) { return breach }
      return try clear(range, index)
    case .free(let range): return release(range, index)
    case .set(let range, let value):
      let word = (value & 0xff) * 0x0101_0101_0101_0101
      if word == 0 { return try clear(range, index) }
      guard range.size <= LoggedMemory.setAtMost else {
        throw TextError(
          line: record.line,
          "more than \(Phrase.size(LoggedMemory.setAtMost)) are set: no table is so large")
      }
      for address in stride(from: range.lowerBound & ~7, to: range.upperBound, by: 8) {
        if let breach = try store(word, at: address, index) { return breach }
      }
    case .barrier(let barrier): broken.complete(barrier, record.thread)
    case .invalidate(let invalidation):
      broken.invalidate(
        invalidation, record.thread, vmid: VTTBR(loaded[record.thread] ?? 0).vmid)
    case .register(let register, let value): return write(register, value, index)
    case .hint(.setRootLock, let root, let lock): locks[root] = lock
    case .hint(.releaseTable, let place, _): return release(table: place, index)
    case .hint(.setOwnerRoot, _, _), .hint(.setThreadOwner, _, _): break
    case .lock(let lock): holders[lock] = record.thread
    case .unlock(let lock): holders[lock] = nil
    case .read, .other: break
    }
    return nil
  }

  private mutating func write(
    _ register: CasemateLog.Register, _ value: UInt64, _ index: Int
  ) -> Breach? {
    switch register {
    case .vttbr:
      loaded[records[index].thread] = value
      let geometry = stage2Geometry
      return load(
        VTTBR(value).base & ~(geometry.rootBytes - 1), VTTBR(value).vmid,
        Tree(isStage2: true, geometry: geometry, tags: []), index)
    case .ttbr0:
      return load(
        value & Descriptor.addressMask, 0,
        Tree(isStage2: false, geometry: stage1Geometry, tags: []),
        index)
    case .vtcr:
      // Casemate's tests write values with which no hardware would walk. Other granules' tables are not
      // pages.
      if VTCR(value).isWalkable, VTCR(value).granuleShift == 12 {
        stage2Geometry = VTCR(value).geometry
      }
    case .tcr:
      let bits = min(48, max(25, 64 - Int(value & 0x3f)))
      stage1Geometry = Geometry(
        granuleShift: 12, inputBits: bits, startLevel: 4 - (bits - 12 + 8) / 9)
    case .hcr, .sctlr, .mair: break
    }
    return nil
  }

  private mutating func load(
    _ root: UInt64, _ tag: UInt16, _ tree: Tree, _ index: Int
  ) -> Breach? {
    if trees[root] == nil {
      trees[root] = tree
      for page in 0..<UInt64(tree.geometry.rootPages) {
        let place = root + page << UInt64(tree.geometry.granuleShift)
        let input = page << UInt64(tree.geometry.granuleShift - 3)
        if let breach = link(
          place, tree.geometry.startLevel, input &* tree.geometry.size(tree.geometry.startLevel),
          root,
          index)
        {
          return breach
        }
      }
    }
    if trees[root]?.tags.contains(tag) == false { trees[root]?.tags.append(tag) }
    return nil
  }
}

// MARK: Entries

extension TableWatch {
  private mutating func store(
    _ value: UInt64, at address: UInt64, _ index: Int
  ) throws(TextError) -> Breach? {
    let old = memory[address]
    let page = address & ~4095
    guard let node = nodes[page], let geometry = trees[node.root]?.geometry else {
      if let entry = broken.entry(leadingTo: page), value & Descriptor.valid != 0 {
        return breach(
          .reused, index, page, nil,
          "an entry is stored to the page at \(Phrase.address(page)), which CPUs may still walk by the entry at "
            + "\(Phrase.address(entry)): \(broken.lack(of: entry))")
      }
      try memory.store(value, at: address, records[index].line)
      return nil
    }
    if let breach = checkLock(of: node, address, index) { return breach }
    try memory.store(value, at: address, records[index].line)
    let input = node.input &+ (address & 4095) >> 3 &* geometry.size(node.level)
    let place = (level: node.level, input: input)
    switch (old & Descriptor.valid != 0, value & Descriptor.valid != 0) {
    case (false, false): return nil
    case (true, true):
      if (old ^ value) & Self.bitsToBreakFor(old, place.level) == 0 { return nil }
      return breach(
        .replaced, index, address, place,
        "\(Phrase.address(old)) becomes \(Phrase.address(value)) in one store, without having been invalid"
      )
    case (true, false): breakEntry(old, at: address, place, node.root, index)
    case (false, true):
      if broken.contains(address) {
        return breach(
          .unclean, index, address, place,
          "\(Phrase.address(value)) makes the entry valid, but \(broken.lack(of: address))")
      }
      if isTable(value, place.level) {
        return link(
          value & Descriptor.addressMask, place.level + 1, input, node.root, index)
      }
    }
    return nil
  }

  private func isTable(_ value: UInt64, _ level: Int) -> Bool { Descriptor(value).isTable(level) }

  /// The bits of a valid entry that may not change in one store. Permissions, the access flag and what is
  /// software's may; so may all of a table entry but its validity and its address.
  private static func bitsToBreakFor(_ entry: UInt64, _ level: Int) -> UInt64 {
    if Descriptor(entry).isTable(level) { return Descriptor.addressMask | 3 }
    let free =
      Descriptor.read | Descriptor.write | Descriptor.accessed | Descriptor.executeNeverMask
      | Descriptor.softwareMask | 1 << 51 | 0xf << 59
    return ~free
  }

  private func checkLock(of node: Node, _ address: UInt64, _ index: Int) -> Breach? {
    guard let geometry = trees[node.root]?.geometry else { return nil }
    let place = (
      level: node.level, input: node.input &+ (address & 4095) >> 3 &* geometry.size(node.level)
    )
    guard let lock = locks[node.root] else {
      return breach(
        .lockless, index, address, place,
        "no lock was named for the table at \(Phrase.address(node.root))")
    }
    let thread = records[index].thread
    if holders[lock] == thread { return nil }
    let holder = holders[lock].map { "thread \($0) holds" } ?? "nobody holds"
    return breach(
      .unlocked, index, address, place,
      "thread \(thread) stores to it, but \(holder) the lock at \(Phrase.address(lock))")
  }

  /// Adds a page, and those below it, to a tree.
  private mutating func link(
    _ page: UInt64, _ level: Int, _ input: UInt64, _ root: UInt64, _ index: Int
  ) -> Breach? {
    if let entry = broken.entry(leadingTo: page) {
      return breach(
        .reused, index, page, nil,
        "the page at \(Phrase.address(page)) becomes part of the table at \(Phrase.address(root)), but CPUs may still walk "
          + "it by the entry at \(Phrase.address(entry)): \(broken.lack(of: entry))")
    }
    if let other = nodes[page] {
      // A page may be in one tree twice; the walk does not continue below it.
      if other.root == root { return nil }
      return breach(
        .reused, index, page, nil,
        "the page at \(Phrase.address(page)) becomes part of the table at \(Phrase.address(root)), but is one of the table "
          + "at \(Phrase.address(other.root))")
    }
    nodes[page] = Node(root: root, level: level, input: input)
    guard let words = memory.page(page), let geometry = trees[root]?.geometry else { return nil }
    for (place, word) in words.enumerated() where isTable(word, level) {
      let below = input &+ UInt64(place) &* geometry.size(level)
      if let breach = link(word & Descriptor.addressMask, level + 1, below, root, index) {
        return breach
      }
    }
    return nil
  }

  private mutating func breakEntry(
    _ old: UInt64, at address: UInt64, _ place: (level: Int, input: UInt64), _ root: UInt64,
    _ index: Int
  ) {
    guard let tree = trees[root] else { return }
    var pages: [UInt64] = []
    var mapped = [(value: old, level: place.level, input: place.input)]
    if isTable(old, place.level) {
      unlink(old & Descriptor.addressMask, root, &pages, &mapped)
    }
    let remnants = mapped.flatMap { entry in
      let range = entry.input..<entry.input &+ tree.geometry.size(entry.level)
      return tree.tags.map { tag in
        BrokenEntries.Remnant(
          range: range, level: entry.level, isTable: isTable(entry.value, entry.level), tag: tag)
      }
    }
    broken.add(
      BrokenEntries.Entry(
        root: root, isStage2: tree.isStage2, record: records[index].id,
        thread: records[index].thread, remnants: remnants, pages: pages), at: address)
  }

  /// Removes a page, and those below it, from a tree, with their leaves.
  private mutating func unlink(
    _ page: UInt64, _ root: UInt64, _ pages: inout [UInt64],
    _ leaves: inout [(value: UInt64, level: Int, input: UInt64)]
  ) {
    guard let node = nodes[page], node.root == root, let geometry = trees[root]?.geometry else {
      return
    }
    nodes[page] = nil
    pages.append(page)
    guard let words = memory.page(page) else { return }
    for (place, word) in words.enumerated() where word & Descriptor.valid != 0 {
      if isTable(word, node.level) {
        unlink(word & Descriptor.addressMask, root, &pages, &leaves)
      } else {
        leaves.append(
          (word, node.level, node.input &+ UInt64(place) &* geometry.size(node.level)))
      }
    }
  }
}

// MARK: Pages

extension TableWatch {
  /// Memory becomes zero; entries of tables by one store each.
  private mutating func clear(_ range: Range<UInt64>, _ index: Int) throws(TextError) -> Breach? {
    for page in memory.pages(in: range) {
      guard nodes[page] != nil else {
        memory.clear(page, range)
        continue
      }
      for address in stride(from: page, to: page + 4096, by: 8)
      where range.contains(address) && memory[address] != 0 {
        if let breach = try store(0, at: address, index) { return breach }
      }
    }
    return nil
  }

  /// Memory is freed, or reused for something else.
  private func release(_ range: Range<UInt64>, _ index: Int) -> Breach? {
    broken.firstPage(in: range).map { released($0.page, by: $0.entry, index) }
  }

  private func released(_ page: UInt64, by entry: UInt64, _ index: Int) -> Breach {
    breach(
      .released, index, page, nil,
      "the page at \(Phrase.address(page)) is given back, but CPUs may still walk it by the entry at "
        + "\(Phrase.address(entry)): \(broken.lack(of: entry))")
  }

  /// A table is reported to be no longer used.
  private mutating func release(table place: UInt64, _ index: Int) -> Breach? {
    if let entry = broken.entry(leadingTo: place) { return released(place, by: entry, index) }
    guard trees[place] != nil else { return nil }
    if let entry = broken.firstEntry(of: place) {
      return released(place, by: entry, index)
    }
    for (page, node) in nodes where node.root == place { nodes[page] = nil }
    trees[place] = nil
    return nil
  }
}

extension TableWatch {
  private func breach(
    _ rule: Rule, _ index: Int, _ address: UInt64, _ place: (level: Int, input: UInt64)?,
    _ sentence: String
  ) -> Breach {
    let entry = place.map {
      "the entry at \(Phrase.address(address)), level \($0.level), input address \(Phrase.address($0.input)): "
    }
    return Breach(
      rule: rule, record: index, location: address, level: place?.level, input: place?.input,
      sentence: (entry ?? "") + sentence)
  }
}
