import Engine
import Observation
import TestSupport
import Testing

/// Differences of two sights of a table, against a look at each page.
@Suite struct ObservedTableTests {
  private func table(_ random: inout Generator, known: UInt64) -> ObservedTable {
    var runs: [ObservedTable.Run] = []
    var page = random.below(4) == 0 ? UInt64(random.below(3)) : 0
    while page < 64 {
      let end = min(64, page + UInt64(random.below(12) + 1))
      let bits: UInt64 =
        [0, 0x7c3, 0x743, 0x7c3 | 1 << 54][random.below(4)]
        | (random.below(2) == 0 ? 0x4000_0000 + page << 12 : 0)
      runs.append(
        ObservedTable.Run(
          page << 12..<end << 12, level: 3,
          descriptor: Descriptor(bits & 1 == 0 ? 0 : bits & known), line: 1))
      page = end
    }
    return ObservedTable(runs: runs, known: known)
  }

  @Test(arguments: [~UInt64(0), ~Descriptor.addressMask])
  func `the changes are the pages of which the two say different things`(known: UInt64) {
    var random = Generator(seed: 20)
    for _ in 0..<300 {
      let one = table(&random, known: ~0)
      let two = table(&random, known: known)
      let changes = one.changes(to: two)
      #expect(changes.map(\.range.lowerBound) == changes.map(\.range.lowerBound).sorted())
      for page in UInt64(0)..<64 {
        let address = page << 12
        func said(_ table: ObservedTable) -> [UInt64]? {
          guard let run = table.run(at: address) else { return nil }
          let bits = run.descriptor.bits & known
          return [
            bits & ~Descriptor.addressMask,
            run.isMapped && known & Descriptor.addressMask != 0
              ? run.descriptor.address + (address - run.start) : 0,
          ]
        }
        let isChanged = changes.contains { $0.range.contains(address) }
        #expect(isChanged == (said(one) != said(two)), "page \(page)")
      }
    }
  }

  @Test func `a run that one of two never prints is no change`() {
    let leaf = ObservedTable.Run(0..<4096, level: 3, descriptor: Descriptor(0x7c3), line: 1)
    let rest = ObservedTable.Run(4096..<1 << 40, level: 1, descriptor: Descriptor(0), line: 2)
    let whole = ObservedTable(runs: [leaf, rest], known: 0xff)
    let cut = ObservedTable(runs: [leaf], known: 0xff, coverage: .lastRunMissing)
    #expect(whole.changes(to: cut).isEmpty && cut.changes(to: whole).isEmpty)
    #expect(cut.unknowns.contains("last run") && cut.unknowns.contains("output addresses"))
    #expect(whole.run(at: 4095) == leaf && whole.run(at: 4096) == rest)
    #expect(whole.run(at: 1 << 40) == nil)
  }
}
