import TestSupport
import Testing

@testable import Engine

/// Devices that work with the VMM's own addresses.
@Suite struct SharedAddressTests {
  private func page(_ number: Int, of base: UInt64) -> Range<UInt64> {
    let first = base + UInt64(number) << 12
    return first..<first + 4096
  }

  private func outcome(_ outcome: DeviceOutcome?) -> SharedAddressModel.Outcome? {
    switch outcome {
    case .cached: .cached
    case .walked: .walked
    case .fault(.translation, _): .translation
    case .fault(.permission, _): .permission
    default: nil
    }
  }

  private static let eventsOfRun = 250
  private static let machines = 16

  @Test(arguments: [IOMMUConfiguration.Forwarding.forward, .broadcast], 0..<machines / 2)
  func `random events agree with a model of pairs of ASID and page`(
    forwarding: IOMMUConfiguration.Forwarding, choice: Int
  ) throws {
    let usesProcessASID = choice & 1 != 0
    let isPrivate = choice & 2 != 0
    let notifies = choice & 4 != 0
    let runs = RandomRun.runs(of: Self.eventsOfRun * Self.machines, default: 16_000)
    for seed in 1...UInt64(runs) {
      var random = Generator(seed: seed)
      var machine = try OneSlot.machine {
        $0.forwarding = forwarding
        $0.asids = usesProcessASID ? .process : .private
        $0.asidSet = isPrivate
        $0.notifies = notifies
      }
      var model = SharedAddressModel(
        broadcasts: forwarding == .broadcast, usesProcessASID: usesProcessASID,
        isPrivate: isPrivate, notifies: notifies)
      for _ in 0..<random.below(3) {
        let process = random.below(3)
        try machine.apply(.otherProcess(UInt64(process), .run))
        model.run(process)
      }
      try machine.apply(.iommu(device: 0, .shareAddresses))
      model.bind()
      for event in 0..<Self.eventsOfRun {
        let number = random.below(6)
        switch random.below(8) {
        case 0, 1:
          try machine.apply(.host(.touch(page(number, of: OneSlot.range.lowerBound), write: true)))
          model.write(number)
        case 2:
          try machine.apply(.host(.discard(page(number, of: OneSlot.range.lowerBound))))
          model.discard(number)
        case 3 where random.below(4) == 0:
          try machine.apply(.host(.fork))
          model.fork()
        case 4:
          let process = random.below(3)
          let range = page(number, of: OneSlot.hva)
          try machine.apply(.otherProcess(UInt64(process), .unmap(range)))
          model.unmap(process, page: number)
        default:
          let write = random.below(2) == 0
          let address = page(number, of: OneSlot.hva).lowerBound + 8
          try machine.apply(.dma(device: 0, address, write: write))
          #expect(
            outcome(machine.lastDeviceOutcome) == model.access(number, write: write),
            "seed \(seed), event \(event)")
        }
        let cached = machine.iotlbEntries.map { Int(($0.address - OneSlot.hva) >> 12) }
        #expect(cached.sorted() == model.cached.keys.sorted(), "seed \(seed), event \(event)")
        let rules = machine.violations(after: 0..<0).map(\.invariant)
        #expect(
          rules.contains(.staleIOTLB) == model.isStale, "seed \(seed), event \(event)")
        if cached.sorted() != model.cached.keys.sorted() { return }
      }
    }
  }

  @Test func `a device that can wait has its faults handled as the VMM's own`() throws {
    var machine = try OneSlot.machine { $0.faults = .stall }
    try machine.apply(.iommu(device: 0, .shareAddresses))
    // Absent, and read: the zero page; then a write, which takes a copy after a notification.
    try machine.apply(.dma(device: 0, OneSlot.hva, write: false))
    #expect(machine.lastDeviceOutcome == .walked(Machine.zeroPage, level: 3))
    try machine.apply(.dma(device: 0, OneSlot.hva + 8, write: true))
    guard case .walked(let physical, 3) = machine.lastDeviceOutcome else {
      Issue.record("no translation")
      return
    }
    #expect(physical & ~4095 == machine.hostWalk(OneSlot.hva).entry.address)
    let actions = machine.steps.steps.map(\.action)
    #expect(
      actions.contains(.host(.notifierStart(.slots)))
        && actions.contains { if case .tlb(.host) = $0 { true } else { false } })
    // Where the VMM has nothing, nobody can help.
    try machine.apply(.dma(device: 0, 0x1000, write: false))
    #expect(machine.lastDeviceOutcome == .fault(.translation, level: 0))
    // The event says stage 1, and tells of no IPA.
    let record = try #require(machine.lastEventRecord(ofDevice: 0))
    #expect(record[1] >> 39 & 1 == 0 && record[3] == 0)
  }

  @Test func `devices of a process have one ASID, which goes with the last`() throws {
    var machine = try OneSlot.machine()
    try machine.apply(.otherProcess(7, .run))
    try machine.apply(
      .host(.touch(OneSlot.range.lowerBound..<OneSlot.range.lowerBound + 4096, write: true)))
    for device in 0..<2 { try machine.apply(.iommu(device: device, .shareAddresses)) }
    #expect(machine.context(ofDevice: 1) == .asid(1, isPrivate: true))
    try machine.apply(.dma(device: 0, OneSlot.hva, write: true))
    try machine.apply(.dma(device: 1, OneSlot.hva, write: true))
    #expect(machine.lastDeviceOutcome?.physical != nil && machine.iotlbEntries.count == 1)
    // Bound, it has no domain of its own, and cannot go while it is used.
    try machine.apply(.iommu(device: 0, .attach))
    #expect(machine.lastError == .ebusy)
    try machine.apply(.iommu(device: 0, .free))
    #expect(machine.lastError == .ebusy)
    for device in 0..<2 {
      #expect(machine.iotlbEntries.count == 1)
      try machine.apply(.iommu(device: device, .detach))
      try machine.apply(.iommu(device: device, .free))
    }
    #expect(machine.iotlbEntries.isEmpty && machine.processContext == nil)
    try machine.apply(.iommu(device: 0, .attach))
    #expect(machine.lastError == nil)
    try machine.apply(.iommu(device: 0, .shareAddresses))
    #expect(machine.lastError == .ebusy)
  }

  @Test func `the context descriptor and the stream's entry have the driver's bits`() throws {
    var machine = try OneSlot.machine { $0.faults = .stall }
    try machine.apply(.iommu(device: 2, .shareAddresses))
    let descriptor = machine.contextDescriptor(ofDevice: 2)
    // ASID 1, ASET, A, R, S, AA64, IPS = 5, V, EPD1, SH0 = 3, ORGN0 = IRGN0 = 1, T0SZ = 16.
    #expect(descriptor.control == 0x0001_f205_c000_3510)
    #expect(descriptor.root == machine.hostTable.rootAddress)
    let entry = machine.streamEntry(ofDevice: 2)
    #expect(entry.kind == .stage1 && entry.words[0] & 0x3f == 0xb)
    let place = try #require(machine.memory.slot(at: entry.words[0] & 0xf_ffff_ffff_ffc0))
    #expect(machine.memory.load(place) == descriptor.control)
  }

  @Test func `a rollover of VMIDs leaves what is cached of processes`() throws {
    var configuration = VMConfiguration(ipaBits: 40, vcpus: 1, nested: false)
    configuration.vmidBits = 3
    configuration.iommu.forwarding = .broadcast
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, OneSlot.range, .pages))
    try machine.apply(
      .host(.touch(OneSlot.range.lowerBound..<OneSlot.range.lowerBound + 4096, write: true)))
    try machine.apply(.iommu(device: 0, .shareAddresses))
    try machine.apply(.dma(device: 0, OneSlot.hva, write: false))
    for number in 0..<9 { try machine.apply(.otherVM(UInt64(number), .run(cpu: 0))) }
    #expect(machine.iotlbEntries.map(\.context) == [.asid(1, isPrivate: true)])
  }

  @Test func `guests' devices have no addresses of the host's`() throws {
    for isolation in [Isolation.rmp, .cca, .pkvm(.v5)] {
      var configuration = VMConfiguration(ipaBits: 40, vcpus: 1, nested: false)
      configuration.isolation = isolation
      var machine = Machine(configuration)
      #expect(throws: Refusal(.noSharedAddresses)) {
        try machine.apply(.iommu(device: 0, .shareAddresses))
      }
    }
  }

  @Test func `the TLB holds what was put in until it is dropped, and finds just that`() {
    var memory = Memory.boot()
    let tlb = TLB(base: memory.allocateFrames(4) { _ in FrameRole(.tlb) })
    var random = Generator(seed: 3)
    let contexts: [TranslationContext] = [
      .vmid(1), .vmid(0xffff), .asid(1, isPrivate: true), .asid(1, isPrivate: false),
    ]
    for _ in 0..<RandomRun.length(default: 3_000) {
      let context = contexts[random.below(contexts.count)]
      let address = UInt64(random.below(64)) << 30 | UInt64(random.below(64)) << 12
      let level = 1 + random.below(3)
      let cpu = [0, 1, 63][random.below(3)]
      let before = memory.entries(of: tlb)
      if random.below(3) > 0 {
        let leaf = Descriptor(0x8_0000_0001 | UInt64(random.below(64)) << 30)
        memory.fill(
          tlb, context, address, WalkEnd(slot: 0, level: level, descriptor: leaf), cpu: cpu)
        let slot = memory.slot(of: address, level: level, context, cpu: cpu, in: tlb)
        #expect(slot.map { memory.load($0 + 1) } == leaf.bits)
        // At most one made room, of the same level.
        let after = memory.entries(of: tlb)
        let gone = before.filter { old in !after.contains { $0 == old } && old.slot != slot }
        #expect(gone.isEmpty && after.count <= before.count + 1)
      } else {
        let range = address..<address + [4096, 8192, 1 << 31][random.below(3)]
        let cpus = random.below(2) == 0 ? nil : cpu
        memory.drop(range, context, cpu: cpus, from: tlb)
        let kept = before.filter {
          $0.context != context || !$0.range.overlaps(range) || $0.cpu != cpus ?? $0.cpu
        }
        #expect(memory.entries(of: tlb) == kept)
      }
      if random.below(200) == 0 {
        let kept = memory.entries(of: tlb).filter { $0.cpu != cpu }
        memory.drop(cpu: cpu, from: tlb)
        #expect(memory.entries(of: tlb) == kept)
      }
      for entry in memory.entries(of: tlb) {
        let slot = memory.slot(
          of: entry.address, level: entry.level, entry.context, cpu: entry.cpu, in: tlb)
        #expect(slot == entry.slot)
      }
    }
  }
}
