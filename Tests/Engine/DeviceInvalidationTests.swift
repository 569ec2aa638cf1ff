import TestSupport
import Testing

@testable import Engine

/// Which invalidations the kernel sends for a domain over its life, from attaching to freeing.
@Suite struct DeviceInvalidationTests {
  private static let pages: Range<UInt64> = 0x4000_0000..<0x4000_4000

  /// What a machine does about the SMMU's TLB in an event.
  private func commands(_ event: Event, _ machine: inout Machine) throws -> [String] {
    try machine.apply(event)
    #expect(machine.lastError == nil)
    return machine.steps.steps.compactMap { step in
      guard case .tlb = step.action else { return nil }
      return step.action.caseName
    }
  }

  @Test func `the last detach flushes the VMID, and a domain without a device sends nothing`()
    throws
  {
    for syncs in [true, false] {
      var machine = try OneSlot.machine { $0.syncs = syncs }
      let map = IOMMUOperation.map(Self.pages, to: 0x9_0000_0000, write: true)
      #expect(try commands(.iommu(device: 0, .attach), &machine) == [])
      #expect(try commands(.iommu(device: 0, map), &machine) == [])
      try machine.apply(.dma(device: 0, 0x4000_0000, write: false))
      try machine.apply(.dma(device: 0, 0x4000_1000, write: false))
      #expect(machine.iotlbEntries.count == 2)
      #expect(try commands(.iommu(device: 0, .attach), &machine) == [], "the same domain")
      #expect(try commands(.iommu(device: 0, .detach), &machine) == ["commandAll", "sync"])
      #expect(machine.iotlbEntries.isEmpty && machine.queuedInvalidations.isEmpty)
      #expect(try commands(.iommu(device: 0, .detach), &machine) == [], "it was detached")
      #expect(
        try commands(.iommu(device: 0, .unmap(0x4000_0000..<0x4000_1000)), &machine)
          == ["noCommand"])
      #expect(try commands(.iommu(device: 0, .attach), &machine) == [])
      try machine.apply(.dma(device: 0, 0x4000_0000, write: false))
      #expect(machine.lastDeviceOutcome == .fault(.translation, level: 3))
      try machine.apply(.dma(device: 0, 0x4000_1000, write: false))
      #expect(machine.lastDeviceOutcome == .walked(0x9_0000_1000, level: 3))
      // What takes the stream away from the domain is a detach, too.
      #expect(try commands(.iommu(device: 0, .bypass), &machine) == ["commandAll", "sync"])
      #expect(try commands(.iommu(device: 0, .free), &machine) == [])
      #expect(machine.violations(after: 0..<0).isEmpty)
    }
  }

  @Test func `the last device of a process flushes the ASID`() throws {
    var machine = try OneSlot.machine()
    let page: Range<UInt64> = 0x8000_0000..<0x8000_1000
    for device in 0..<2 { try machine.apply(.iommu(device: device, .shareAddresses)) }
    try machine.apply(.host(.touch(page, write: true)))
    for device in 0..<2 { try machine.apply(.dma(device: device, OneSlot.hva, write: false)) }
    #expect(try commands(.iommu(device: 1, .detach), &machine) == [], "device 0 still uses it")
    #expect(machine.iotlbEntries.count == 1)
    #expect(try commands(.iommu(device: 0, .detach), &machine) == ["commandAll", "sync"])
    #expect(machine.iotlbEntries.isEmpty)
    // The notifier stays until the domain goes; it has nobody to tell.
    #expect(
      try commands(.host(.discard(page)), &machine).filter { $0.hasSuffix("ommand") }
        == ["noCommand"])
    for device in 0..<2 { #expect(try commands(.iommu(device: device, .free), &machine) == []) }
  }

  @Test func `another VM's device takes its translations along`() throws {
    var machine = try OneSlot.machine()
    #expect(try commands(.otherVM(1, .attach), &machine) == [])
    #expect(try commands(.otherVM(1, .detach), &machine) == ["commandAll", "sync"])
  }

  @Test func `a shared table whose device is detached forwards no TLBI`() throws {
    var machine = try OneSlot.machine { $0.table = .shared }
    for page: UInt64 in [0x8000_0000, 0x8000_1000] {
      try machine.apply(.access(.l1, vcpu: 0, .write, page, value: nil))
    }
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.dma(device: 0, 0x8000_0000, write: false))
    #expect(try commands(.iommu(device: 0, .detach), &machine) == ["commandAll", "sync"])
    let discard = Event.host(.discard(0x8000_0000..<0x8000_1000))
    #expect(try commands(discard, &machine) == ["invalidate", "noCommand"])
    try machine.apply(.iommu(device: 0, .attach))
    try machine.apply(.dma(device: 0, 0x8000_0000, write: false))
    #expect(machine.lastDeviceOutcome == .fault(.translation, level: 3))
  }

  @Test(arguments: [RandomDevices.System.own, .process, .mirror])
  func `nothing is cached under what no device uses`(system: RandomDevices.System) throws {
    var configuration = VMConfiguration(ipaBits: 40, vcpus: 2)
    configuration.vmidBits = 3
    if system == .mirror { configuration.iommu.table = .shared }
    var source = RandomDevices(seed: 5, system, configuration)
    var machine = Machine(configuration)
    for event in source.setUp() { try machine.apply(event) }
    var seen = 0
    for _ in 0..<500 {
      // What makes no sense at its moment is refused.
      try? machine.apply(source.next())
      let used = machine.attachedDevices.map { machine.context(ofDevice: $0) }
      for entry in machine.iotlbEntries {
        seen += 1
        #expect(used.contains(entry.context))
      }
    }
    #expect(seen > 50)
  }
}
