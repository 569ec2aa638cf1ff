import TestSupport
import Testing

@testable import Engine

/// A device's own domain of stage 1: its context descriptor, its ASID, its table, and what DMA gets.
@Suite struct DeviceStageTests {
  private static func machine(_ stage: IOMMUConfiguration.Stage) throws -> Machine {
    try OneSlot.machine { $0.stage = stage }
  }

  /// What a walk of VMSAv8-64 stage 1 finds, by the words of the context descriptor and of memory alone (Arm ARM
  /// D8.2 and D8.4; SMMUv3 architecture 5.4).
  private struct Walk {
    var output: UInt64
    var level: Int
    var isWritable: Bool

    init?(_ address: UInt64, _ image: TableImage) {
      let control = image.registers[0].value
      var pages: [UInt64: [UInt64]] = [:]
      for page in image.pages { pages[page.address] = page.words }
      let bits = 64 - control & 0x3f
      guard image.registers.map(\.name) == ["CD0", "CD1"], control >> 6 & 3 == 0,
        control >> 31 & 1 == 1, address < 1 << bits
      else { return nil }
      var table = image.registers[1].value & 0xf_ffff_ffff_fff0
      level = 4 - Int((bits - 12 + 8) / 9)
      while true {
        let shift = UInt64(39 - 9 * level)
        guard let word = pages[table]?[Int(address >> shift & 511)], word & 1 == 1 else {
          return nil
        }
        let isTable = word & 2 != 0 && level < 3
        if isTable {
          table = word & 0xffff_ffff_f000
          level += 1
          continue
        }
        // nG, AF, inner shareable, AttrIndx 1, and AP[1] for an access without privilege.
        guard word & 0xf7c == 0xf44 || word & 0xf7c == 0xfc4 else { return nil }
        let size: UInt64 = 1 << shift
        output = word & 0xffff_ffff_f000 & ~(size - 1) | address & (size - 1)
        isWritable = word & 1 << 7 == 0
        return
      }
    }
  }

  @Test func `a walker by the architecture finds in the table what was mapped`() throws {
    for seed in UInt64(0)..<6 {
      var random = Generator(seed: seed)
      var machine = try Self.machine(.stage1)
      try machine.apply(.iommu(device: 0, .attach))
      var mapped: [(range: Range<UInt64>, to: UInt64, write: Bool)] = []
      for _ in 0..<40 {
        let size: UInt64 = [4096, 3 * 4096, 2 << 20, 5 << 20, 1 << 30][random.below(5)]
        let align = size >= 1 << 30 ? UInt64(1 << 30) : size >= 2 << 20 ? 2 << 20 : 4096
        let start = UInt64(random.below(1 << 14)) << 18 & ~(align - 1)
        let physical = UInt64(random.below(1 << 14)) << 20 & ~(align - 1)
        let range = start..<start + size
        if mapped.contains(where: { $0.range.overlaps(range) }) {
          if let place = mapped.firstIndex(where: { $0.range.overlaps(range) }),
            random.below(2) == 0
          {
            try machine.apply(.iommu(device: 0, .unmap(mapped.remove(at: place).range)))
            #expect(machine.lastError == nil, "seed \(seed)")
          }
          continue
        }
        let write = random.below(2) == 0
        try machine.apply(.iommu(device: 0, .map(range, to: physical, write: write)))
        #expect(machine.lastError == nil, "seed \(seed)")
        mapped.append((range, physical, write))
      }
      let image = try #require(machine.image(of: .iommu(0)))
      for (range, physical, write) in mapped {
        for address in [range.lowerBound, range.upperBound - 8] {
          let walk = try #require(Walk(address, image), "seed \(seed), \(address)")
          #expect(walk.output == physical + (address - range.lowerBound), "seed \(seed)")
          #expect(walk.isWritable == write, "seed \(seed)")
          #expect(
            machine.deviceOutcome(of: address, write: false)
              == .walked(walk.output, level: walk.level))
          #expect(
            machine.deviceOutcome(of: address, write: true)
              == (write
                ? .walked(walk.output, level: walk.level)
                : .fault(.permission, level: walk.level)))
        }
      }
      for _ in 0..<50 {
        let address = UInt64(random.below(1 << 20)) << 12
        if mapped.contains(where: { $0.range.contains(address) }) { continue }
        #expect(Walk(address, image) == nil, "seed \(seed), \(address)")
      }
    }
  }

  @Test func `both stages give DMA the same, cached or walked`() throws {
    for seed in UInt64(0)..<8 {
      var random = Generator(seed: seed)
      var machines = try [Self.machine(.stage1), Self.machine(.stage2)]
      func both(_ event: Event) throws {
        for index in machines.indices { try machines[index].apply(event) }
        #expect(machines[0].lastError == machines[1].lastError, "seed \(seed), \(event)")
        #expect(
          machines[0].lastDeviceOutcome == machines[1].lastDeviceOutcome, "seed \(seed), \(event)")
        #expect(machines[0].iotlbEntries.count == machines[1].iotlbEntries.count)
      }
      for _ in 0..<150 {
        let device = random.below(2)
        let start = UInt64(random.below(64)) << 12
        let range = start..<start + UInt64(1 + random.below(4)) << 12
        switch random.below(9) {
        case 0: try both(.iommu(device: device, .attach))
        case 1: try both(.iommu(device: device, random.below(3) == 0 ? .attachOwn : .detach))
        case 2: try both(.iommu(device: device, random.below(2) == 0 ? .free : .bypass))
        case 3, 4:
          try both(
            .iommu(device: device, .map(range, to: 1 << 35 | start, write: random.below(2) == 0)))
        case 5: try both(.iommu(device: device, .unmap(range)))
        default: try both(.dma(device: device, start, write: random.below(2) == 0))
        }
        for machine in machines {
          #expect(machine.violations(after: 0..<0).isEmpty, "seed \(seed)")
        }
      }
    }
  }

  @Test func `the stream's entry points to a context descriptor with the domain's ASID`() throws {
    var machine = try Self.machine(.stage1)
    try machine.apply(.iommu(device: 1, .attach))
    let entry = machine.streamEntry(ofDevice: 1)
    #expect(entry.kind == .stage1)
    let slot = machine.slot(.contextDescriptor, ofDevice: 1)
    // S1ContextPtr, bits 55:6 of word 0.
    #expect(entry.words[0] & 0xff_ffff_ffff_ffc0 == Memory.address(ofSlot: slot))
    let descriptor = machine.contextDescriptor(ofDevice: 1)
    #expect(descriptor.context == .asid(1, isPrivate: true))
    #expect(descriptor.root == machine.table(.iommu(1))?.rootAddress)
    try machine.apply(.iommu(device: 1, .detach))
    #expect(machine.streamEntry(ofDevice: 1).kind == .abort)
    #expect(!machine.contextDescriptor(ofDevice: 1).isValid)
    #expect(
      machine.steps.steps.contains { $0.action == .tlb(.commandAll(.asid(1, isPrivate: true))) })
  }

  @Test func `domains and processes get the lowest ASID that none of them has`() throws {
    var machine = try Self.machine(.stage1)
    func context(_ device: Int) -> TranslationContext {
      machine.contextDescriptor(ofDevice: device).context
    }
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.iommu(device: 1, .attachOwn))
    try machine.apply(.iommu(device: 2, .shareAddresses))
    try machine.apply(.iommu(device: 3, .shareAddresses))
    #expect((0..<4).map { context($0).number } == [1, 2, 3, 3])
    #expect(machine.sharesAddresses(2) && !machine.sharesAddresses(0))
    try machine.apply(.iommu(device: 0, .detach))
    try machine.apply(.iommu(device: 0, .free))
    try machine.apply(.iommu(device: 0, .attachOwn))
    #expect(context(0).number == 1)
    // Moving from the VM's domain to one of its own flushes nothing that another still uses.
    try machine.apply(.iommu(device: 0, .detach))
    try machine.apply(.iommu(device: 0, .free))
    #expect(machine.violations(after: 0..<0).isEmpty)
  }

  @Test func `an event of stage 1 has no IPA`() throws {
    for stage in IOMMUConfiguration.Stage.allCases {
      var machine = try Self.machine(stage)
      try machine.apply(.iommu(device: 0, .attach))
      try machine.apply(.dma(device: 0, 0x1234_5000, write: true))
      let slot = machine.slot(.event, ofDevice: 0)
      let words = (slot..<slot + 4).map { machine.memory.load($0) }
      // F_TRANSLATION; S2, bit 39 of word 1; the input address; the IPA.
      #expect(words[0] & 0xff == 0x10 && words[2] == 0x1234_5000)
      #expect(words[1] >> 39 & 1 == (stage == .stage2 ? 1 : 0))
      #expect(words[3] == (stage == .stage2 ? 0x1234_5000 : 0))
    }
  }

  @Test func `what CPUs use is of stage 2 in any case`() throws {
    var machine = try OneSlot.machine {
      $0.stage = .stage1
      $0.table = .shared
    }
    try machine.apply(.iommu(device: 0, .attach))
    #expect(machine.streamEntry(ofDevice: 0).kind == .stage2)
  }
}
