import TestSupport
import Testing

@testable import Engine

/// The tree against the simplest thing that holds ranges: a sorted array.
private struct Model {
  var entries: [RangeEntry] = []

  mutating func erase(_ range: Range<UInt64>) {
    entries = entries.flatMap { old -> [RangeEntry] in
      guard old.range.overlaps(range) else { return [old] }
      return [
        RangeEntry(old.range.lowerBound..<max(old.range.lowerBound, range.lowerBound), old.payload),
        RangeEntry(min(old.range.upperBound, range.upperBound)..<old.range.upperBound, old.payload),
      ].filter { !$0.range.isEmpty }
    }
  }

  mutating func store(_ payload: UInt64, _ range: Range<UInt64>) {
    erase(range)
    let place = entries.firstIndex { $0.range.lowerBound > range.lowerBound } ?? entries.count
    entries.insert(RangeEntry(range, payload), at: place)
  }

  func find(_ address: UInt64) -> RangeEntry? { entries.first { $0.range.contains(address) } }

  func first(in range: Range<UInt64>) -> RangeEntry? {
    entries.first { $0.range.overlaps(range) }
  }

  func last(before address: UInt64) -> RangeEntry? {
    entries.last { $0.range.lowerBound < address }
  }
}

@Suite struct RangeTreeTests {
  /// A memory with an empty tree in the registers of a machine.
  private func empty() -> (memory: Memory, tree: RangeTree) {
    (Memory.boot(), RangeTree(slot: Machine.Register.vmas.slot, number: 1))
  }

  private static let operationsOfRun = 1_500

  @Test(arguments: 1...UInt64(RandomRun.runs(of: operationsOfRun, default: 6_000)))
  func `agrees with a sorted array after every operation`(seed: UInt64) {
    // Half of the runs have entries all over, so that few of them meet.
    let pages: UInt64 = [1 << 36, 64, 64, 1 << 20][Int(seed % 4)]
    var random = Generator(seed: seed)
    var (memory, tree) = empty()
    var model = Model()
    for operation in 0..<Self.operationsOfRun {
      let start = UInt64.random(in: 0..<pages, using: &random)
      let longest = operation % 50 == 0 ? pages - start : min(pages - start, 8)
      let length = UInt64.random(in: 1...longest, using: &random)
      let range = start << 12..<(start + length) << 12
      switch random.below(10) {
      case 0..<6:
        let payload = UInt64.random(in: 1...4095, using: &random)
        memory.store(payload, for: range, in: tree)
        model.store(payload, range)
      case 6..<9:
        memory.erase(range, in: tree)
        model.erase(range)
      default:
        #expect(memory.find(start << 12, in: tree) == model.find(start << 12))
        #expect(memory.first(in: range, of: tree) == model.first(in: range))
        #expect(memory.last(before: start << 12, of: tree) == model.last(before: start << 12))
      }
      let faults = memory.faults(in: tree)
      #expect(faults.isEmpty, "seed \(seed), operation \(operation): \(faults)")
      if !faults.isEmpty { return }
      if operation % 10 == 0 {
        #expect(
          memory.entries(in: 0..<pages << 12, of: tree) == model.entries,
          "seed \(seed), operation \(operation)")
        #expect(memory.entryCount(of: tree) == model.entries.count)
      }
    }
  }

  @Test func `ascending insertions fill the nodes, and the tree can be emptied from either end`() {
    for fromStart in [true, false] {
      var (memory, tree) = empty()
      let count: UInt64 = 4000
      for page in 0..<count {
        memory.store(page + 1, for: page * 2 << 12..<(page * 2 + 1) << 12, in: tree)
      }
      #expect(memory.faults(in: tree) == [])
      // 15 entries a leaf, and a fifteenth more for the levels above.
      #expect(memory.nodeCount(of: tree) <= Int(count) / 14 + 3)
      for index in 0..<count {
        let page = fromStart ? index : count - 1 - index
        memory.erase(page * 2 << 12..<(page * 2 + 1) << 12, in: tree)
        if index % 37 == 0 { #expect(memory.faults(in: tree) == []) }
      }
      #expect(memory.entryCount(of: tree) == 0)
      #expect(memory.nodeCount(of: tree) == 0)
    }
  }

  @Test func `shuffled insertions leave the nodes three quarters full`() {
    var (memory, tree) = empty()
    var random = Generator(seed: 7)
    let count = 20000
    for page in (0..<UInt64(count)).shuffled(using: &random) {
      memory.store(1, for: page * 2 << 12..<(page * 2 + 1) << 12, in: tree)
    }
    #expect(memory.faults(in: tree) == [])
    #expect(memory.nodeCount(of: tree) * 256 <= count * 25)
  }

  @Test func `an insertion journals the words of its pair, and a removal one`() {
    var (memory, tree) = empty()
    memory.store(7, for: 0x1000..<0x2000, in: tree)
    let range: Range<UInt64> = 0x5000..<0x9000
    let before = memory.journalCount
    memory.insert(7, for: range, at: memory.search(range, in: tree), in: tree)
    #expect(memory.journalCount == before + 2)
    memory.remove(at: memory.search(range, in: tree), in: tree)
    #expect(memory.journalCount == before + 3)
  }

  @Test func `a leaf's span grows with an entry that reaches over its border`() {
    var (memory, tree) = empty()
    for page in 0..<UInt64(100) { memory.store(1, for: page << 20..<page << 20 + 4096, in: tree) }
    // Every second entry goes, and its neighbour is stored again up to the next one that is left.
    for page in stride(from: UInt64(1), to: 100, by: 2) {
      memory.erase(page << 20..<page << 20 + 4096, in: tree)
      memory.store(2, for: (page - 1) << 20..<(page + 1) << 20, in: tree)
      #expect(memory.faults(in: tree) == [])
      #expect(memory.find((page + 1) << 20 - 1, in: tree)?.payload == 2)
    }
  }

  @Test func `removing all gives every node back`() {
    var (memory, tree) = empty()
    for page in 0..<UInt64(500) { memory.store(1, for: page << 13..<page << 13 + 4096, in: tree) }
    memory.removeAll(in: tree)
    #expect(memory.nodeCount(of: tree) == 0)
    #expect(memory.first(in: 0..<1 << 52, of: tree) == nil)
  }

  @Test func `a long range keeps its end and a payload of twelve bits`() {
    var (memory, tree) = empty()
    let range: Range<UInt64> = 0x1000..<1 << 48
    memory.store(0xfff, for: range, in: tree)
    #expect(memory.find(1 << 47, in: tree) == RangeEntry(range, 0xfff))
    memory.erase(1 << 40..<1 << 41, in: tree)
    #expect(
      memory.entries(in: 0..<1 << 52, of: tree) == [
        RangeEntry(0x1000..<1 << 40, 0xfff), RangeEntry(1 << 41..<1 << 48, 0xfff),
      ])
  }
}
