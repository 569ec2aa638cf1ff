import TestSupport
import Testing

@testable import Engine

/// What an entry is, decided a second time, from the architecture's tables (Arm ARM D8.3) and nothing of
/// the engine's: for each granule the levels that may hold blocks, then the output size.
private enum Decoded: Equatable {
  case fault, addressSize, table(UInt64), leaf

  init(_ bits: UInt64, level: Int, granule: Int, outputBits: Int) {
    let blocks: [Int: [Int]] = [12: [1, 2], 14: [2], 16: [2]]
    let isTooLarge = (bits & 0x0000_ffff_ffff_f000) >> UInt64(outputBits) != 0
    switch (bits & 3, level) {
    case (1, 0...2):
      self =
        !(blocks[granule] ?? []).contains(level) ? .fault : isTooLarge ? .addressSize : .leaf
    case (3, 3): self = isTooLarge ? .addressSize : .leaf
    case (3, 0...2):
      self =
        isTooLarge
        ? .addressSize : .table(bits & 0x0000_ffff_ffff_ffff & ~((1 << UInt64(granule)) - 1))
    default: self = .fault
    }
  }
}

/// A table in a dictionary, and the entries of it in order, found by going through all of it.
private struct ModelTable {
  let geometry: Geometry
  var words: [UInt64: UInt64] = [:]
  let root: UInt64 = 0x1000_0000

  /// An entry as a walk is to see it: its first input address, level, place and bits.
  struct Visit: Equatable {
    let address: UInt64
    let level: Int
    let place: UInt64
    let bits: UInt64
  }

  init(_ generator: inout Generator) {
    let granule = [12, 12, 14, 16][generator.below(4)]
    let start = granule == 12 ? 1 + generator.below(3) : 2 + generator.below(2)
    // The root is one page, or up to 16 beside each other.
    let stride = granule - 3
    let below = granule + stride * (3 - start)
    let bits = min(48, max(25, below + 1 + generator.below(stride > 9 ? 6 : stride + 4)))
    geometry = Geometry(
      granuleShift: granule, inputBits: bits, startLevel: start,
      outputBits: [32, 36, 40, 42, 44, 48][generator.below(6)])
    var next: UInt64 = 0x2000_0000
    fill(root, entries: geometry.rootEntries, level: start, &next, &generator)
  }

  private mutating func fill(
    _ page: UInt64, entries: Int, level: Int, _ next: inout UInt64, _ generator: inout Generator
  ) {
    for _ in 0..<5 {
      let place = page + UInt64(generator.below(entries)) * 8
      let random = UInt64.random(in: 0...UInt64.max, using: &generator)
      switch generator.below(6) {
      // Anything but a table, which would lead anywhere.
      case 0: words[place] = level < 3 ? random & ~2 : random
      case 1: words[place] = random & ~1
      case 2 where level < 3 && geometry.outputBits < 48: words[place] = 0xffff_0000_0003
      case 3 where level < 3, 4 where level < 3:
        let child = next
        next += 1 << 16
        words[place] = child | 3
        fill(child, entries: geometry.tableEntries, level: level + 1, &next, &generator)
      default: words[place] = 0x4000_0000 | (level == 3 ? 0x7ff : 0x7fd)
      }
    }
  }

  /// All entries that overlap a range, tables before and after what they hold.
  func visits(in range: Range<UInt64>, _ visits: TableWalk.Visits) -> [Visit] {
    var found: [Visit] = []
    go(root, geometry.rootEntries, geometry.startLevel, 0, range, visits, &found)
    return found
  }

  private func go(
    _ page: UInt64, _ entries: Int, _ level: Int, _ base: UInt64, _ range: Range<UInt64>,
    _ visits: TableWalk.Visits, _ found: inout [Visit]
  ) {
    let size: UInt64 =
      1 << UInt64(geometry.granuleShift + (geometry.granuleShift - 3) * (3 - level))
    for index in 0..<entries {
      let address = base + UInt64(index) * size
      guard address < range.upperBound, range.lowerBound < address + size else { continue }
      let place = page + UInt64(index) * 8
      let bits = words[place] ?? 0
      let visit = Visit(address: address, level: level, place: place, bits: bits)
      let decoded = Decoded(
        bits, level: level, granule: geometry.granuleShift, outputBits: geometry.outputBits)
      switch decoded {
      case .table(let child):
        if visits.contains(.tablePre) { found.append(visit) }
        go(child, geometry.tableEntries, level + 1, address, range, visits, &found)
        if visits.contains(.tablePost) { found.append(visit) }
      case .leaf: if visits.contains(.mapping) { found.append(visit) }
      case .fault, .addressSize:
        if visits.contains(bits == 0 ? .empty : .other) { found.append(visit) }
      }
    }
  }

  /// The same by the engine's walk.
  func walk(in range: Range<UInt64>, _ visits: TableWalk.Visits) -> [Visit] {
    var walk = TableWalk(geometry, root: root, range, visits)
    var found: [Visit] = []
    while let entry = walk.next({ words[$0] ?? 0 }) {
      found.append(
        Visit(
          address: entry.address, level: entry.level, place: entry.place,
          bits: entry.descriptor.bits))
    }
    return found
  }
}

@Suite struct TableWalkTests {
  @Test(arguments: 0..<24)
  func `a walk sees what going through all of the table finds`(seed: UInt64) {
    var generator = Generator(seed: seed)
    let table = ModelTable(&generator)
    let size = table.geometry.inputSize
    for visits: TableWalk.Visits in [
      .mapping, .used, [.used, .tablePre], [.used, .tablePost], [.tablePre, .tablePost],
    ] {
      #expect(table.walk(in: 0..<size, visits) == table.visits(in: 0..<size, visits))
      for _ in 0..<3 {
        let ends = (0..<2).map { _ in UInt64.random(in: 0..<size, using: &generator) }.sorted()
        let range = ends[0]..<ends[1]
        #expect(table.walk(in: range, visits) == table.visits(in: range, visits))
      }
    }
    // One address: the way to it.
    let places = table.visits(in: 0..<size, .used).map(\.address)
    for address in places + [0, size - 1] {
      let range = address..<address + 1
      #expect(table.walk(in: range, .path) == table.visits(in: range, .path))
    }
  }

  @Test func `empty entries are seen where they are asked for`() {
    var generator = Generator(seed: 7)
    let table = ModelTable(&generator)
    let range = 0..<min(table.geometry.inputSize, 1 << 32)
    #expect(table.walk(in: range, .leaf) == table.visits(in: range, .leaf))
    #expect(table.walk(in: 5..<5, .leaf).isEmpty)
    #expect(table.walk(in: table.geometry.inputSize..<UInt64.max, .leaf).isEmpty)
  }

  @Test func `an entry is what the architecture says, at every level of every granule`() {
    var generator = Generator(seed: 1)
    for granule in [12, 14, 16] {
      for outputBits in [32, 36, 40, 42, 44, 48] {
        let geometry = Geometry(
          granuleShift: granule, inputBits: 40, startLevel: 1, outputBits: outputBits)
        for level in 0...3 {
          for _ in 0..<400 {
            // Every second one with the bits of an address that every output size has.
            let mask: UInt64 = generator.below(2) == 0 ? .max : ~0xffff_0000_0000
            let bits = UInt64.random(in: 0...UInt64.max, using: &generator) & mask
            let kind = geometry.kind(of: Descriptor(bits), at: level)
            let found: Decoded =
              switch kind {
              case .table: .table(Descriptor(bits).address(granuleShift: granule))
              case .block, .page: .leaf
              case .illegalOutput: .addressSize
              case .invalid, .annotation, .locked, .unseen, .reserved: .fault
              }
            #expect(
              found == Decoded(bits, level: level, granule: granule, outputBits: outputBits),
              "\(granule) level \(level) \(bits)")
            #expect((kind == .page) == (found == .leaf && level == 3))
            #expect(
              kind.fault
                == (found == .fault ? .translation : found == .addressSize ? .addressSize : nil))
          }
        }
      }
    }
  }

  @Test func `of a table that the machine keeps the bits alone say what an entry is`() {
    let geometry = Geometry.stage2(bits: 40)
    for level in 1...3 {
      for bits in 0..<UInt64(4) {
        let entry = Descriptor(bits | 0x4000_0000)
        let kind = geometry.kind(of: entry, at: level)
        #expect(kind.isLeaf == entry.isLeaf(level))
        #expect((kind == .table) == entry.isTable(level))
      }
    }
  }

  @Test func `notes of software are told apart`() {
    let geometry = Geometry.stage2(bits: 40)
    func kind(_ entry: Descriptor) -> EntryKind { geometry.kind(of: entry, at: 3) }
    #expect(kind(Descriptor(0)) == .invalid)
    #expect(kind(Descriptor(Descriptor.locked)) == .locked)
    #expect(kind(.donation(to: .hypervisor)) == .annotation(.donation))
    #expect(kind(.donation(to: .guest(handle: 0x1000, page: 3))) == .annotation(.donation))
    #expect(kind(.poisoned) == .annotation(.poisoned))
    #expect(kind(RealmEntry.unassigned(.destroyed).descriptor) == .annotation(.realm))
    #expect(kind(Descriptor(5 << 60)) == .annotation(.unknown))
  }

  @Test
  func `a block that becomes a table while it is visited is entered, and a table can be skipped`() {
    let geometry = Geometry(granuleShift: 12, inputBits: 39, startLevel: 1)
    var words: [UInt64: UInt64] = [0x1000: 0x4000_07fd, 0x1008: 0x3003, 0x3000: 0x4000_07fd]
    var walk = TableWalk(geometry, root: 0x1000, 0..<geometry.inputSize, [.used, .tablePre])
    var seen: [UInt64] = []
    while let entry = walk.next({ words[$0] ?? 0 }) {
      seen.append(entry.place)
      if entry.place == 0x1000 {
        words[0x1000] = 0x2003
        words[0x2010] = 0x4040_07fd
      }
      if entry.place == 0x1008 { walk.skip() }
    }
    #expect(seen == [0x1000, 0x2010, 0x1008])
  }

  @Test func `a word that cannot be read ends the walk`() {
    let geometry = Geometry(granuleShift: 12, inputBits: 39, startLevel: 1)
    let words: [UInt64: UInt64] = [0x1000: 0x2003]
    var walk = TableWalk(geometry, root: 0x1000, 0x5000..<0x5001, .path)
    #expect(walk.next({ words[$0] })?.kind == .table)
    #expect(walk.next({ words[$0] }) == nil)
    #expect(walk.next({ _ in 0x4000_07ff }) == nil)
  }
}
