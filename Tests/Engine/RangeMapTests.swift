import Testing

@testable import Engine

/// What the postings do to their trees, seen from outside a fault.
@Suite struct RangeMapTests {
  private static let a: UInt64 = 0x10_0000
  private static let b: UInt64 = 0x20_0000

  private func record(
    _ canonical: Range<UInt64>, _ nested: UInt64, by map: RangeMap, in machine: inout Machine
  ) -> Bool {
    let mapping = ShadowMapping(
      mmu: machine.mmu(1), canonical: canonical, nested: nested, hasGuestLeaf: true)
    return map.record(mapping, in: &machine)
  }

  private func entries(_ machine: Machine) -> [RangeEntry] {
    machine.memory.entries(in: Machine.allAddresses, of: machine.mmu(1).reverseMap)
  }

  @Test func `the loop that fuses stops at the first gap, and what lies beyond keeps its payload`()
  {
    // The example of the posting's text, each number times 16, so that ranges are whole pages.
    var machine = Machine(VMConfiguration(nested: true, reverseMap: .v2))
    let valid = RangeMap.v2.validEntry
    #expect(record(0x10000..<0x20000, Self.a, by: .v2, in: &machine))
    #expect(record(0x50000..<0x70000, Self.b, by: .v2, in: &machine))
    #expect(record(0x18000..<0x60000, 0x40_0000, by: .v2, in: &machine))
    #expect(
      entries(machine) == [
        RangeEntry(0x10000..<0x60000, RangeMap.unknown),
        RangeEntry(0x60000..<0x70000, Self.b | valid),
      ])
  }

  @Test func `without a gap all ranges fuse to the end of the last`() {
    var machine = Machine(VMConfiguration(nested: true, reverseMap: .v2))
    #expect(record(0x10000..<0x20000, Self.a, by: .v2, in: &machine))
    #expect(record(0x20000..<0x40000, Self.b, by: .v2, in: &machine))
    #expect(record(0x1f000..<0x21000, 0x40_0000, by: .v2, in: &machine))
    #expect(
      entries(machine) == [RangeEntry(0x10000..<0x40000, RangeMap.unknown)])
  }

  @Test func `the same mapping again changes nothing`() {
    var machine = Machine(VMConfiguration(nested: true, reverseMap: .v2))
    #expect(record(0x10000..<0x20000, Self.a, by: .v2, in: &machine))
    let before = machine.memory
    #expect(record(0x10000..<0x20000, Self.a, by: .v2, in: &machine))
    #expect(machine.memory.hasSameWords(as: before))
  }

  @Test func `nested IPA 0 is an entry where there is a valid bit, and none in v1`() {
    for (map, isThere) in [
      (RangeMap.v1, false), (.v2, true), (.v3, true), (.repaired, true),
    ] {
      var machine = Machine(VMConfiguration(nested: true))
      _ = record(0x10000..<0x20000, 0, by: map, in: &machine)
      #expect(entries(machine).count == (isThere ? 1 : 0))
      #expect(entries(machine).allSatisfy { $0.payload == map.validEntry })
    }
  }

  @Test func `a failed insertion breaks the map, and in v1 it fails the fault`() {
    for (map, succeeds) in [
      (RangeMap.v1, false), (.v2, true), (.v3, true), (.repaired, true),
    ] {
      var machine = Machine(VMConfiguration(nested: true))
      machine[.failInsertions] = 1
      #expect(record(0x10000..<0x20000, Self.a, by: map, in: &machine) == succeeds)
      #expect(entries(machine).isEmpty)
      #expect((machine[machine.mmu(1), .broken] != 0) == succeeds)
      // Broken maps record nothing; v1, which has no such state, goes on.
      #expect(record(0x30000..<0x40000, Self.b, by: map, in: &machine))
      #expect(entries(machine).count == (succeeds ? 0 : 1))
    }
  }
}
