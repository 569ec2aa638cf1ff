import TestSupport
import Testing

@testable import Engine

/// An access goes by what its CPU has cached: that is seen where a TLBI is missing, or is for one CPU.
@Suite struct TLBTests {
  private static let vttbr: UInt64 = 1 << 48 | 0x4010_0000
  private static let vtcr: UInt64 = 0x8002_3559

  /// A VM with a shadow, in which nested 0x1000 is canonical 0x80005000.
  private func nested(vcpus: Int = 1, keeps: Bool = false) throws -> Machine {
    var configuration = VMConfiguration(vcpus: vcpus, nested: true)
    configuration.keepsTLB = keeps
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, 0x4000_0000..<0x4040_0000, .pages))
    try machine.apply(.addMemslot(id: 1, 0x8000_0000..<0x8040_0000, .pages))
    for (address, entry): (UInt64, UInt64) in [
      (0x4010_0000, 0x4010_1003), (0x4010_1000, 0x4010_2003), (0x4010_2008, 0x8000_57ff),
    ] {
      try machine.apply(.access(.l1, vcpu: 0, .write, address, value: entry))
    }
    for vcpu in 0..<vcpus {
      try machine.apply(.context(vcpu: vcpu, vttbr: Self.vttbr, vtcr: Self.vtcr, hcr: 1))
    }
    return machine
  }

  private func access(
    _ machine: inout Machine, _ kind: AccessKind, vcpu: Int = 0, value: UInt64? = nil
  ) throws {
    try machine.apply(.access(.l2, vcpu: vcpu, kind, 0x1000, value: value))
  }

  private func isWritable(_ machine: Machine) throws -> Bool {
    let shadow = try #require(machine.table(.shadow(0)))
    return machine.walk(0x1000, in: shadow).descriptor.permissions.write
  }

  @Test func `a write through a stale writable entry is made, and nothing notes it`() throws {
    var machine = try nested()
    try access(&machine, .write, value: 1)
    try machine.apply(.host(.dirtyLog(0x8000_0000, true)))
    let found = machine.violations(after: 0..<0)
    #expect(found == [Violation(invariant: .staleTLB, table: .shadow(0), address: 0x1000)])

    let faults = machine[.shadowFaults]
    try access(&machine, .write, value: 2)
    #expect(machine[.shadowFaults] == faults && machine.outcome(of: .l2, vcpu: 0) == .completed)
    #expect(try !isWritable(machine))
    try machine.apply(.host(.getDirtyLog(0x8000_0000)))
    #expect(machine.reportedDirtyWord(ofSlot: 1) == 0)
    try machine.apply(.access(.l1, vcpu: 0, .read, 0x8000_5000, value: nil))
    #expect(machine.lastValue == 2)
  }

  @Test func `what is write-protected under a VMID that is invalidated faults`() throws {
    var machine = try nested()
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x8000_5000, value: 1))
    try machine.apply(.host(.dirtyLog(0x8000_0000, true)))
    #expect(machine.violations(after: 0..<0) == [])
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x8000_5000, value: 2))
    try machine.apply(.host(.getDirtyLog(0x8000_0000)))
    #expect(machine.reportedDirtyWord(ofSlot: 1) == 0x20)
  }

  /// The leaf is relaxed with a TLBI for one CPU. Another finds in its TLB what it was, faults, and KVM finds
  /// nothing to change; its TLBI is what helps.
  @Test func `a permission fault is taken on what is cached`() throws {
    var machine = try nested(vcpus: 2)
    try access(&machine, .write)
    try machine.apply(.host(.dirtyLog(0x8000_0000, true)))
    try machine.apply(.l2Invalidate(vcpu: 0))
    for vcpu in 0..<2 { try access(&machine, .read, vcpu: vcpu) }
    try access(&machine, .write, vcpu: 0)
    #expect(try isWritable(machine))
    #expect(machine.violations(after: 0..<0) == [])
    try machine.apply(.host(.getDirtyLog(0x8000_0000)))
    #expect(machine.reportedDirtyWord(ofSlot: 1) == 0x20)

    // CPU 0 has it writable; only CPU 1 faults.
    var faults = machine[.shadowFaults]
    try access(&machine, .write, vcpu: 0)
    #expect(machine[.shadowFaults] == faults)
    try access(&machine, .write, vcpu: 1)
    #expect(machine[.shadowFaults] == faults + 1)
    faults += 1
    try access(&machine, .write, vcpu: 1)
    #expect(machine[.shadowFaults] == faults)
  }

  @Test(arguments: [false, true])
  func `a new run of L2 finds nothing cached, unless the policy keeps it`(keeps: Bool) throws {
    for isFetch in [false, true] {
      var machine = try nested(keeps: keeps)
      try access(&machine, .write)
      try machine.apply(.host(.dirtyLog(0x8000_0000, true)))
      if isFetch {
        try access(&machine, .execute)
      } else {
        try machine.apply(.l2Invalidate(vcpu: 0))
      }
      try access(&machine, .write)
      #expect(try isWritable(machine) == !keeps)
    }
  }

  /// Addresses beyond every table have the low bits of those that are cached.
  @Test func `no entry is found for an address that no table translates`() throws {
    var machine = try nested()
    try access(&machine, .write)
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.iommu(device: 0, .pin(0x8000_5000..<0x8000_6000)))
    try machine.apply(.dma(device: 0, 0x8000_5000, write: false))
    #expect(machine.lastDeviceOutcome?.physical != nil)
    for bit: UInt64 in 48..<64 {
      try machine.apply(.access(.l2, vcpu: 0, .read, 0x1000 | 1 << bit, value: nil))
      #expect(machine.outcome(of: .l2, vcpu: 0) == .sizeFault, "bit \(bit)")
      try machine.apply(.dma(device: 0, 0x8000_5000 | 1 << bit, write: false))
      #expect(machine.lastDeviceOutcome?.physical == nil, "bit \(bit)")
    }
  }

  @Test(arguments: IOMMUConfiguration.Forwarding.allCases)
  func `what the SMMU has cached writable of a shared table counts also`(
    forwarding: IOMMUConfiguration.Forwarding
  ) throws {
    var configuration = VMConfiguration()
    configuration.iommu.table = .shared
    configuration.iommu.faults = .stall
    configuration.iommu.forwarding = forwarding
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, 0x8000_0000..<0x8040_0000, .pages))
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.dma(device: 0, 0x8000_0000, write: true))
    try machine.apply(.host(.dirtyLog(0x8000_0000, true)))
    let isMissed = forwarding == .none
    #expect(machine.violations(after: 0..<0).map(\.invariant) == (isMissed ? [.staleIOTLB] : []))
    try machine.apply(.dma(device: 0, 0x8000_0000, write: true))
    try machine.apply(.host(.getDirtyLog(0x8000_0000)))
    #expect(machine.reportedDirtyWord(ofSlot: 0) == (isMissed ? 0 : 1))
  }

  /// A second model of the TLBs, made of what steps say: walks fill, invalidations remove. What an access
  /// finds cached must be in it; what it walks for may have been evicted.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `no access uses what an invalidation has reached`(seed: UInt64) {
    var source = RandomEvents(seed: seed)
    var machine = Machine(source.configuration)
    machine.steps.isRecording = true
    var known: [Key: UInt64] = [:]
    var hits = 0
    for number in 0..<400 {
      let events = number == 0 ? source.setUp() : [source.next()]
      for event in events {
        // What is left of a paused event is carried out by another, whose vCPU the steps do not say.
        if case .pause = event { continue }
        guard (try? machine.apply(event)) != nil else { continue }
        for step in machine.steps.steps { follow(step, of: event, &known, &hits) }
      }
    }
    #expect(hits > 20, "seed \(seed)")
  }

  private struct Key: Hashable {
    let cpu: Int
    let table: TableID
    let page: UInt64
  }

  private func follow(
    _ step: Step, of event: Event, _ known: inout [Key: UInt64], _ hits: inout Int
  ) {
    guard let id = step.table else {
      if case .tlb(.flush) = step.action { known = [:] }
      return
    }
    guard case .access(_, let cpu, _, _, _) = event else {
      if case .tlb(.invalidate) = step.action { remove(step, id, nil, &known) }
      return
    }
    let key = Key(cpu: cpu, table: id, page: step.address.page)
    switch step.action {
    case .access(.translated(let physical)): known[key] = physical.page
    case .access(.cached(let leaf, _)):
      hits += 1
      let size = TLB.geometry.size(step.level)
      let physical = leaf.address & ~(size - 1) | step.address.page & (size - 1)
      // A page of a block may be found by what was filled for another.
      if let filled = known[key] {
        #expect(filled == physical, "\(event)")
      } else {
        let block = step.address & ~(size - 1)
        #expect(
          known.keys.contains {
            $0.cpu == cpu && $0.table == id && block..<block + size ~= $0.page
          }, "\(event)")
      }
    case .tlb(.invalidate(let reason, _)):
      remove(step, id, reason == .relaxed ? cpu : nil, &known)
    default: break
    }
  }

  private func remove(
    _ step: Step, _ id: TableID, _ cpu: Int?, _ known: inout [Key: UInt64]
  ) {
    known = known.filter { key, _ in
      key.table != id || cpu.map { $0 != key.cpu } ?? false
        || !(step.address..<step.address + step.size ~= key.page)
    }
  }
}
