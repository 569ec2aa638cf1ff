import TestSupport
import Testing

@testable import Engine

/// TLBIs of ranges: what one instruction can say.
@Suite struct GuestInvalidationTests {
  /// All that an operand of RIPAS2E1IS holds, by its fields.
  private static let operands = Set(
    (0...3 as ClosedRange<UInt64>).flatMap { scale in
      (0...31 as ClosedRange<UInt64>).map { ($0 + 1) << (5 * scale + 1) }
    })

  @Test func `a number of granules takes the fewest instructions that cover no others`() {
    // The fewest, found by trying all operands.
    var fewest = [0]
    for granules in 1...300 {
      let last = Self.operands.union([1]).filter { $0 <= granules }
      fewest.append(1 + (last.map { fewest[granules - Int($0)] }.min() ?? 0))
    }
    var random = Generator(seed: 5)
    let samples = (1...300).map { UInt64($0) } + (0..<100).map { _ in random.next() >> 28 }
    for granules in samples where granules > 0 {
      let counts = GuestInvalidation.instructions(covering: granules)
      #expect(counts.reduce(0, +) == granules)
      #expect(counts.dropLast().allSatisfy(Self.operands.contains), "\(granules)")
      #expect(counts.last.map { $0 == 1 || Self.operands.contains($0) } ?? false, "\(granules)")
      if granules <= 300 { #expect(counts.count == fewest[Int(granules)], "\(granules)") }
    }
  }

  @Test(arguments: [(1, 1), (2, 1), (3, 2), (64, 1), (65, 2), (66, 2), (67, 3)])
  func `KVM unmaps just the granules, and a step says what they take`(
    pages: UInt64, instructions: Int
  ) throws {
    var machine = Machine(VMConfiguration(nested: true))
    machine.steps.isRecording = true
    try machine.apply(.addMemslot(id: 0, 0x4000_0000..<0x4040_0000, .pages))
    try machine.apply(.addMemslot(id: 1, 0x8000_0000..<0x8040_0000, .pages))
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x4010_0000, value: 0x4010_1003))
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x4010_1000, value: 0x4010_2003))
    for index in 0..<80 as Range<UInt64> {
      try machine.apply(
        .access(
          .l1, vcpu: 0, .write, 0x4010_2000 + 8 * index, value: 0x8000_07ff + index << 12))
    }
    try machine.apply(
      .context(vcpu: 0, vttbr: 1 << 48 | 0x4010_0000, vtcr: 0x8002_3559, hcr: 1))
    for index in 0..<80 as Range<UInt64> {
      try machine.apply(.access(.l2, vcpu: 0, .read, index << 12, value: nil))
    }
    try machine.apply(
      .invalidate(vcpu: 0, .range(0x5fff, pages: pages, granuleShift: 12)))
    let shadow = try #require(machine.table(.shadow(0)))
    let left = (0..<80 as Range<UInt64>).filter { machine.walk($0 << 12, in: shadow).isLeaf }
    #expect(left == (0..<80).filter { !(5..<5 + pages ~= $0) })

    let sweeps = machine.steps.steps.count {
      if case .table(.sweep) = $0.action { true } else { false }
    }
    let isTold = machine.steps.steps.contains {
      if case .guest(.rangeTaken) = $0.action { true } else { false }
    }
    #expect(sweeps == instructions)
    #expect(isTold == (instructions > 1 || pages == 1))
  }
}
