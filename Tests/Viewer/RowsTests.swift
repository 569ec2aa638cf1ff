import Engine
import Inquiry
import TestSupport
import Testing

@testable import Viewer

/// The rows of a table, which are found one from another, beside a plain list of its entries.
@Suite struct RowsTests {
  /// An entry as a plain list has it.
  private struct Entry: Equatable {
    var position: Position
    var descriptor: Descriptor
    var size: UInt64
    var count: UInt64
    var isTable: Bool
    var isChanged: Bool
    /// Whether it may not stand for a run with its neighbours.
    var isAlone: Bool

    var end: UInt64 { position.address + size * count }

    func isContinued(by next: Entry) -> Bool {
      !isTable && !next.isTable && !isAlone && !next.isAlone && isChanged == next.isChanged
        && position.level == next.position.level && end == next.position.address
        && (descriptor.isLeaf(position.level)
          ? next.descriptor.bits == descriptor.bits + size * count
          : next.descriptor.bits == descriptor.bits)
    }
  }

  /// All entries of a page and what is below it, in order.
  private func entries(_ page: TablePage, _ reader: TableReader, _ rows: Rows) -> [Entry] {
    var entries: [Entry] = []
    for index in 0..<page.count where page[index].bits != 0 {
      let position = Position(page.address(of: index), level: page.level)
      let isTable = page[index].isTable(page.level)
      entries.append(
        Entry(
          position: position, descriptor: page[index], size: page.entrySize, count: 1,
          isTable: isTable, isChanged: page.entry(index, in: rows.past) != page[index],
          isAlone: rows.folds.isUnfolded(Position(page.address, level: page.level))))
      let isOpen = rows.face == .flat || !rows.folds.isClosed(position)
      if let child = reader.child(of: index, in: page), isOpen {
        entries += self.entries(child, reader, rows)
      }
    }
    return entries
  }

  /// What the rows should be: runs as one, in a tree within one page, in the flat face wherever they end.
  private func expected(_ rows: Rows) -> [Entry] {
    var folded: [Entry] = []
    for entry in entries(rows.reader.root, rows.reader, rows)
    where rows.face == .tree || !entry.isTable {
      let pageSize = entry.size * UInt64(rows.reader.geometry.tableEntries)
      let startsPage =
        entry.position.level > rows.reader.geometry.startLevel
        && entry.position.address % pageSize == 0
      if let last = folded.last, last.isContinued(by: entry), rows.face == .flat || !startsPage {
        folded[folded.count - 1].count += 1
      } else {
        folded.append(entry)
      }
    }
    return folded
  }

  private func check(_ rows: Rows, seed: UInt64, _ random: inout Generator) {
    let expected = expected(rows)
    var found: [Row] = []
    var next = rows.first
    while let row = next {
      found.append(row)
      next = rows.next(after: row)
    }
    func isSame(_ row: Row, _ entry: Entry) -> Bool {
      row.position == entry.position && UInt64(row.count) == entry.count
        && row.descriptor == entry.descriptor && row.isChanged == entry.isChanged
        && row.isTable == entry.isTable
    }
    let agrees = found.count == expected.count && zip(found, expected).allSatisfy(isSame)
    #expect(agrees, "seed \(seed): forward")
    // From the end, with nothing found before.
    let again = Rows(rows.reader, folds: rows.folds, face: rows.face, past: rows.past)
    var back: [Row] = []
    var previous = again.last
    while let row = previous {
      back.append(row)
      previous = again.previous(before: row)
    }
    #expect(back.reversed() == found, "seed \(seed): backward")
    // From anywhere.
    for _ in 0..<5 where !expected.isEmpty {
      let entry = expected[random.below(expected.count)]
      let inside = entry.position.address + UInt64(random.below(Int(entry.count))) * entry.size
      let fresh = Rows(rows.reader, folds: rows.folds, face: rows.face, past: rows.past)
      let level = entry.isTable ? entry.position.level : Geometry.lastLevel
      let row = fresh.row(at: Position(inside, level: level))
      #expect(row.map { isSame($0, entry) } ?? false, "seed \(seed): at \(inside)")
    }
  }

  @Test func `random tables have the rows that a plain list has`() throws {
    for seed in 0..<UInt64(8) {
      var random = Generator(seed: seed)
      var source = RandomEvents(seed: seed, policy: .none)
      var timeline = Timeline(source.configuration)
      for event in source.setUp() { try? timeline.append(event) }
      for _ in 0..<5 {
        for _ in 0..<20 { try? timeline.append(source.next()) }
        let changes = Changes(in: timeline)
        let machine = timeline.machine
        var readers = machine.guestTables.map { TableReader($0, in: machine) }
        readers += ([.canonical, .shadow(0), .shadow(1)] as [TableID])
          .compactMap { machine.reader(of: $0) }
        for reader in readers {
          for face in Face.allCases {
            let plain = Rows(reader, face: face, past: changes.past)
            check(plain, seed: seed, &random)
            let folds = folds(entries(reader.root, reader, plain), reader, &random)
            check(
              Rows(reader, folds: folds, face: face, past: changes.past), seed: seed, &random)
          }
        }
      }
    }
  }

  /// Some tables closed, some pages with a row for every entry.
  private func folds(
    _ entries: [Entry], _ reader: TableReader, _ random: inout Generator
  ) -> Folds {
    var folds = Folds()
    for entry in entries where random.below(4) == 0 {
      if entry.isTable { folds.close(entry.position) }
      if let page = reader.path(to: entry.position.address).last?.page {
        folds.unfold(Position(page.address, level: page.level))
      }
    }
    return folds
  }

  @Test func `a range of many table pages is one row`() throws {
    // The output is not aligned to 2M, so that there are no blocks.
    var screen = try Screen(statements: "iommu attach\niommu map 0x80000000 8M 0x90001000 rw\n")
    screen.press("$")
    let reader = try #require(screen.model.machine.reader(of: .iommu(0)))
    let rows = Rows(reader, face: .flat)
    let first = try #require(rows.first)
    #expect(first.address == 0x8000_0000 && first.count == 2048)
    #expect(rows.next(after: first) == nil)
    #expect(rows.row(at: Position(0x8030_0000, level: 3)) == first)
  }
}
