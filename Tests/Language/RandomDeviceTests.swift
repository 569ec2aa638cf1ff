import Engine
import Foundation
import TestSupport
import Testing

@testable import Language

/// Devices under random events; how many each policy sees, `RandomRun.length` says.
@Suite struct RandomDeviceTests {
  struct Example: CustomTestStringConvertible, Sendable {
    let system: RandomDevices.System
    let policies: [String]
    /// The rules that it breaks, or none if it is right.
    var breaks: [Invariant] = []

    var testDescription: String { policies.joined(separator: " ") }

    /// The file of the shortest run that breaks a rule.
    func name(breaking rule: Invariant) -> String {
      (policies.last ?? "").replacing("=", with: "-") + "-\(rule.rawValue).pw"
    }

    var configuration: VMConfiguration {
      var scenario = Scenario(file: "random")
      scenario.configuration = VMConfiguration(ipaBits: 40, vcpus: 2)
      scenario.configuration.vmidBits = 3
      for policy in policies {
        do {
          scenario = try scenario.under(policy: policy)
        } catch {
          preconditionFailure("\(error)")
        }
      }
      return scenario.configuration
    }

    /// A run as a scenario, with the policies that made the machine.
    func text(of run: RandomRun) -> String {
      let head = "pagewalk 1\nvm ipa=40 vcpus=2 nested=off vmid-bits=3\n"
      return head
        + (policies.map { "policy \($0)" } + run.events.map(\.statement))
        .joined(separator: "\n") + "\n"
    }

    func run(seed: UInt64, watching rules: Set<Invariant>) -> RandomRun {
      var source = RandomDevices(seed: seed, system, configuration)
      let setUp = source.setUp()
      return RandomRun(
        configuration,
        (0..<setUp.count + RandomDeviceTests.eventsOfRun).lazy.map {
          $0 < setUp.count ? setUp[$0] : source.next()
        }, watching: rules)
    }
  }

  private static let eventsOfRun = 500
  private static let runs = RandomRun.runs(of: eventsOfRun, default: 500)

  private static let right: [Example] = [
    Example(system: .own, policies: ["smmu-vmid=private"]),
    Example(system: .own, policies: ["smmu-vmid=pinned"]),
    Example(system: .own, policies: ["iommu-walk=noncoherent"]),
    Example(system: .own, policies: ["iommu-stage=1"]),
    Example(system: .own, policies: ["iommu-stage=1", "iommu-walk=noncoherent"]),
    Example(system: .process, policies: ["iommu-stage=1", "iommu-fault=stall"]),
    Example(system: .own, policies: ["iommu-pin=vfio"]),
    Example(
      system: .mirror, policies: ["iommu=shared", "iommu-tlbi=broadcast", "smmu-vmid=pinned"]),
    Example(
      system: .mirror, policies: ["iommu=shared", "iommu-tlbi=forward", "smmu-vmid=private"]),
    Example(system: .mirror, policies: ["iommu=shared", "iommu-tlbi=forward", "smmu-vmid=kvm"]),
    Example(system: .mirror, policies: ["iommu=shared", "iommu-fault=stall"]),
    Example(system: .mirror, policies: ["iommu=shared", "iommu-fault=pin"]),
    Example(system: .mirror, policies: ["iommu=shared", "iommu-fault=pin", "bbm-cpu=2"]),
    Example(system: .process, policies: ["iommu-fault=stall"]),
    Example(system: .process, policies: ["iommu-tlbi=broadcast"]),
    Example(system: .process, policies: ["smmu-httu=on"]),
    Example(system: .process, policies: ["iommu-tlbi=broadcast", "sva-aset=off"]),
    Example(
      system: .process,
      policies: [
        "iommu-fault=stall", "iommu-tlbi=broadcast", "sva-asid=process", "sva-notifier=off",
      ]
    ),
    Example(system: .rmp, policies: ["rmp-order=firmware", "rmp-check=walk"]),
    Example(system: .rmp, policies: ["rmp-order=firmware", "rmp-check=access"]),
    Example(system: .realm, policies: ["cca=on", "bbm-cpu=2", "bbm-smmu=2"]),
  ]

  static let wrong: [Example] = [
    Example(system: .own, policies: ["iommu-sync=off"], breaks: [.staleIOTLB]),
    Example(system: .own, policies: ["iommu-stage=1", "iommu-sync=off"], breaks: [.staleIOTLB]),
    Example(
      system: .mirror, policies: ["iommu=shared", "iommu-tlbi=broadcast", "smmu-vmid=private"],
      breaks: [.mirrorVMID, .staleIOTLB]),
    Example(
      system: .mirror, policies: ["iommu=shared", "iommu-tlbi=broadcast", "smmu-vmid=kvm"],
      breaks: [.mirrorVMID, .staleIOTLB]),
    Example(
      system: .mirror, policies: ["iommu=shared", "iommu-tlbi=none"], breaks: [.staleIOTLB]),
    Example(system: .process, policies: ["sva-notifier=off"], breaks: [.staleIOTLB]),
    Example(
      system: .process, policies: ["iommu-tlbi=broadcast", "sva-notifier=off"],
      breaks: [.mirrorVMID, .staleIOTLB]),
    Example(
      system: .process,
      policies: [
        "iommu-tlbi=broadcast", "sva-asid=process", "sva-aset=on", "sva-notifier=off",
      ], breaks: [.mirrorVMID, .staleIOTLB]),
    Example(system: .rmp, policies: ["rmp-order=iommu-first"], breaks: [.dmaHole]),
    Example(system: .rmp, policies: ["rmp-order=rmp-first"], breaks: [.dmaHole]),
    Example(system: .realm, policies: ["cca=on", "bbm-cpu=0"], breaks: [.dmaHole]),
    Example(system: .realm, policies: ["cca=on", "iommu-sync=off"], breaks: [.foreignDMA]),
  ]

  @Test(arguments: right)
  func `a policy that is right breaks no rule`(example: Example) {
    for seed in 0..<UInt64(Self.runs) {
      let run = example.run(seed: seed, watching: RandomRun.rules)
      #expect(run.disagreement == nil, "seed \(seed)")
      if let rule = run.broken {
        Issue.record("seed \(seed) breaks \(rule.rawValue):\n\(example.text(of: run.shortest()))")
        return
      }
    }
  }

  /// A device that can wait fares as a vCPU does in its place: it reaches the same memory, or nothing.
  @Test(arguments: [[], ["iommu-tlbi=broadcast", "smmu-vmid=pinned"]] as [[String]])
  func `a device that can wait reaches what the guest would`(policies: [String]) throws {
    let policies = ["iommu=shared", "iommu-fault=stall"] + policies
    let example = Example(system: .mirror, policies: policies)
    var reached = 0
    var waited = 0
    for seed in 0..<UInt64(4) {
      var source = RandomDevices(seed: seed, .mirror, example.configuration)
      var machine = Machine(example.configuration)
      let events = (0..<150).map { _ in source.next() }
      for event in source.setUp() + [.iommu(device: 0, .attach)] + events {
        guard case .dma(_, let iova, let write) = event else {
          _ = try? machine.apply(event)
          continue
        }
        var guest = machine
        try machine.apply(event)
        if machine.isPaused || machine.lastDeviceOutcome == .aborted { continue }
        if guest.deviceOutcome(of: iova, write: write) == .stalled { waited += 1 }
        try guest.apply(
          .access(.l1, vcpu: 0, write ? .write : .read, iova, value: nil))
        let table = try #require(guest.table(.canonical))
        let translation = guest.translate(iova, by: table, for: write ? .write : .read)
        let physical = translation.fault == nil ? translation.output(of: iova, in: table) : nil
        #expect(machine.lastDeviceOutcome?.physical == physical, "seed \(seed): \(event)")
        reached += physical == nil ? 0 : 1
      }
    }
    #expect(reached > 50 && waited > 20, "\(reached) reached, \(waited) waited")
  }

  /// With `PAGEWALK_EXAMPLES` in the environment, the shortest run for each rule is written into that
  /// folder.
  @Test(arguments: wrong)
  func `what is wrong with a policy is found`(example: Example) throws {
    let folder = ProcessInfo.processInfo.environment["PAGEWALK_EXAMPLES"]
    for rule in example.breaks {
      var best: RandomRun?
      for seed in 0..<UInt64(max(Self.runs, 20)) {
        let run = example.run(seed: seed, watching: [rule])
        #expect(run.disagreement == nil, "seed \(seed)")
        if run.broken == nil { continue }
        let short = folder == nil ? run : run.shortest()
        if short.events.count < best?.events.count ?? .max { best = short }
        if folder == nil { break }
      }
      #expect(best != nil, "\(rule.rawValue)")
      if let folder, let best {
        let path = "\(folder)/\(example.name(breaking: rule))"
        try example.text(of: best).write(toFile: path, atomically: true, encoding: .utf8)
      }
    }
  }

  @Test(arguments: right + wrong)
  func `an event is read as it was written`(example: Example) throws {
    var source = RandomDevices(seed: 5, example.system, example.configuration)
    for event in source.setUp() + (0..<300).map({ _ in source.next() }) {
      try expectReadBack(event, after: "vm ipa=40 vcpus=2 nested=off")
    }
  }
}
