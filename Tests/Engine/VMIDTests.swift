import TestSupport
import Testing

@testable import Engine

/// The allocator of hardware VMIDs, against a second model of it and against the kernel's rules.
@Suite struct VMIDTests {
  private func machine(bits: Int, cpus: Int) throws -> Machine {
    var configuration = VMConfiguration(vcpus: cpus)
    configuration.vmidBits = bits
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, 0x8000_0000..<0x8010_0000, .pages))
    machine.steps.isRecording = true
    return machine
  }

  private func holder(_ number: Int, of machine: Machine) -> VMIDHolder {
    number == 0 ? .context(machine.canonical) : .otherVM(UInt64(number - 1))
  }

  private static let eventsOfRun = 600

  @Test(arguments: 1...UInt64(RandomRun.runs(of: eventsOfRun, default: 7_200)))
  func `random runs, rollovers and pins agree with a model of sets`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    let bits = 3 + random.below(3)
    let cpus = 1 + random.below(4)
    var machine = try machine(bits: bits, cpus: cpus)
    var model = VMIDModel(bits: bits, cpus: cpus)
    let holders = (1 << bits) + 4
    for number in 0..<Self.eventsOfRun {
      let who = random.below(holders)
      let cpu = random.below(cpus)
      let holder = holder(who, of: machine)
      switch random.below(10) {
      case 0..<4 where who > 0:
        try machine.apply(.otherVM(UInt64(who - 1), .run(cpu: cpu)))
        model.run(who, on: cpu)
      case 4:
        try machine.apply(.run(vcpu: cpu))
        model.run(0, on: cpu)
      case 5 where model.onCPU.values.contains(who) && who > 0:
        try machine.apply(.otherVM(UInt64(who - 1), .wait))
        model.stop(who)
      case 6, 7:
        try machine.apply(.access(.l1, vcpu: cpu, .read, 0x8000_0000, value: nil))
        model.visit(0, on: cpu)
      case 8:
        #expect(
          (machine.pinVMID(holder) != nil) == model.pin(who), "seed \(seed), event \(number)")
      case 9 where model.pins[who, default: 0] > 0:
        machine.unpinVMID(holder)
        model.unpin(who)
      default: continue
      }
      for who in 0..<holders {
        let id = machine[idOf: self.holder(who, of: machine)]
        let agrees =
          Int(machine.vmid(ofID: id)) == model.vmid[who, default: 0]
          && (id != 0 && machine.isCurrent(id)) == model.current.contains(who)
        #expect(agrees, "seed \(seed), event \(number), holder \(who)")
        if !agrees { return }
      }
      #expect(machine.vmidViolations().isEmpty, "seed \(seed), event \(number)")
    }
    #expect(model.rollovers > 3, "seed \(seed)")
  }

  @Test func `a rollover empties the TLB, and says what it keeps`() throws {
    var machine = try machine(bits: 3, cpus: 2)
    try machine.apply(.access(.l1, vcpu: 0, .write, 0x8000_0000, value: 1))
    try machine.apply(.otherVM(0, .run(cpu: 1)))
    for number in 1...5 { try machine.apply(.otherVM(UInt64(number), .run(cpu: 0))) }
    #expect(machine.tlbEntries.count == 1)
    try machine.apply(.otherVM(6, .run(cpu: 0)))
    #expect(machine.tlbEntries.isEmpty)
    // VM 0 ran on CPU 1 under VMID 2; CPU 0 was being left.
    let steps = machine.steps.steps
    #expect(
      steps.map(\.action) == [
        .identifier(.vcpuLeaves(.otherVM(5), cpu: 0)),
        .identifier(.vmidRollover(generation: 2, limit: 7)),
        .identifier(.vmidReserved(vmid: 2, cpu: 1)), .tlb(.flush),
        .identifier(.vmidTaken(.otherVM(6), vmid: 1, generation: 2)),
        .identifier(.vcpuStays(.otherVM(6), vmid: 1, cpu: 0)),
      ])
    // This VM did not run, and VM 6 has its VMID: it gets another.
    try machine.apply(.access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil))
    #expect(machine.table(of: machine.canonical).vmid == 3)
    #expect(machine.violations(after: 0..<0).isEmpty)
  }

  @Test func `a VMID of an older generation is kept if nobody has taken it`() throws {
    var machine = try machine(bits: 3, cpus: 1)
    for number in 0..<2 { try machine.apply(.otherVM(UInt64(number), .run(cpu: 0))) }
    try machine.apply(.access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil))
    for number in 2...6 { try machine.apply(.otherVM(UInt64(number), .run(cpu: 0))) }
    try machine.apply(.access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil))
    #expect(
      machine.steps.steps.contains {
        if case .identifier(.vmidKept(_, vmid: 3, _, .free)) = $0.action { true } else { false }
      })
  }

  @Test func `another VM's invalidation takes only entries of its VMID`() throws {
    var machine = try machine(bits: 3, cpus: 1)
    try machine.apply(.otherVM(0, .run(cpu: 0)))
    try machine.apply(.access(.l1, vcpu: 0, .read, 0x8000_0000, value: nil))
    try machine.apply(.otherVM(0, .unmap(0x8000_0000..<0x8000_1000)))
    #expect(machine.tlbEntries.count == 1)
  }

  @Test func `every event is undone exactly, rollovers included`() throws {
    var configuration = VMConfiguration(vcpus: 2)
    configuration.vmidBits = 3
    var timeline = Timeline(configuration)
    var states = [timeline.machine.memory]
    var random = Generator(seed: 7)
    for _ in 0..<60 {
      try timeline.append(.otherVM(UInt64(random.below(12)), .run(cpu: random.below(2))))
      states.append(timeline.machine.memory)
    }
    for index in (0..<60).reversed() {
      timeline.seek(to: Moment(events: index))
      #expect(timeline.machine.memory.hasSameWords(as: states[index]))
    }
  }

  @Test func `what makes no sense is refused`() throws {
    var machine = try machine(bits: 3, cpus: 1)
    #expect(throws: Refusal(.notRunning, operand: .vcpu)) { try machine.apply(.wait(vcpu: 0)) }
    #expect(throws: Refusal(.notRunning, operand: .other)) { try machine.apply(.otherVM(1, .wait)) }
    #expect(throws: Refusal(.noSuchCPU(1), operand: .cpu)) {
      try machine.apply(.otherVM(1, .run(cpu: 1)))
    }
    #expect(throws: Refusal(.noSuchVM(Machine.otherVMLimit), operand: .other)) {
      try machine.apply(.otherVM(.max, .run(cpu: 0)))
    }
  }
}
