import TestSupport
import Testing

@testable import Engine

/// `iommu map` and `iommu pin` that are stopped in the middle.
@Suite struct DevicePauseTests {
  private static let slot: Range<UInt64> = 0x8000_0000..<0x8040_0000

  private func machine(
    _ backing: Backing = .pages, _ slot: Range<UInt64> = slot,
    _ pinning: IOMMUConfiguration.PinningChoice = .iommufd
  ) throws -> Machine {
    var configuration = VMConfiguration(ipaBits: 40, vcpus: 1, nested: false)
    configuration.iommu.pinning = pinning
    var machine = Machine(configuration)
    try machine.apply(.addMemslot(id: 0, slot, backing))
    try machine.apply(.iommu(device: 0, .attach))
    machine.steps.isRecording = true
    return machine
  }

  /// All that the device's table maps, page by page.
  private func pages(of machine: Machine) -> [UInt64: UInt64] {
    var pages: [UInt64: UInt64] = [:]
    guard let table = machine.table(.iommu(0)) else { return pages }
    machine.visit(.mapping, of: table) { leaf in
      for offset in stride(from: 0, to: table.geometry.size(leaf.level), by: 4096) {
        pages[leaf.address + offset] = leaf.descriptor.address + offset
      }
    }
    return pages
  }

  private func hasStopped(_ machine: Machine) -> UInt64? {
    machine.isPaused ? machine.steps.steps.last { $0.action.caseName == "parked" }?.address : nil
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `where a map stops all before it is mapped, and nothing after it`(seed: UInt64) throws {
    var random = Generator(seed: seed)
    var machine = try machine()
    let start = UInt64(random.below(1 << 12)) << 12
    let range = start..<start + UInt64(1 + random.below(3000)) << 12
    let physical = 0x9_0000_0000 + UInt64(random.below(1 << 12)) << 12
    // A page in the way, in half of the runs.
    var old: [UInt64: UInt64] = [:]
    if random.below(2) == 0 {
      let obstacle = range.lowerBound + UInt64(random.below(3000)) << 12
      try machine.apply(
        .iommu(device: 0, .map(obstacle..<obstacle + 4096, to: 0x8_0000_0000, write: true)))
      old = [obstacle: 0x8_0000_0000]
    }
    var whole = machine
    try whole.apply(.iommu(device: 0, .map(range, to: physical, write: true)))
    let calls = whole.steps.steps.count { $0.action.caseName == "mapCall" }

    var stops = 0
    try machine.apply(.pause(0))
    try machine.apply(.iommu(device: 0, .map(range, to: physical, write: true)))
    while let place = hasStopped(machine) {
      stops += 1
      var expected = old
      for page in stride(from: range.lowerBound, to: place, by: 4096) {
        expected[page] = physical + (page - range.lowerBound)
      }
      #expect(pages(of: machine) == expected, "seed \(seed), stop \(stops)")
      for page in [range.lowerBound, place - 4096, place, range.upperBound - 4096] {
        let outcome = machine.deviceOutcome(of: page, write: true)
        #expect(outcome.physical == expected[page], "seed \(seed), stop \(stops)")
      }
      #expect(machine.violations(after: 0..<0).isEmpty)
      try machine.apply(.resume(next: true))
    }
    #expect(stops == calls - 1)
    #expect(machine.lastError == whole.lastError)
    #expect(pages(of: machine) == pages(of: whole))
    let overlaps = old.keys.contains { range.contains($0) }
    #expect((machine.lastError == .eexist) == overlaps)
    if overlaps { #expect(pages(of: machine) == old) }
  }

  @Test(arguments: [Backing.pages, .transparentHuge], 1...10 as ClosedRange<UInt64>)
  func `a pin that is stopped anywhere ends as one that is not`(backing: Backing, seed: UInt64)
    throws
  {
    var random = Generator(seed: seed)
    var machine = try machine(backing)
    // Some pages are there before, so that what follows lies scattered in memory.
    for _ in 0..<random.below(4) {
      let page = Self.slot.lowerBound + UInt64(random.below(64)) << 12
      try machine.apply(.host(.touch(page..<page + 4096, write: random.below(2) == 0)))
    }
    let start = Self.slot.lowerBound + UInt64(random.below(8)) << 12
    let range = start..<start + UInt64(1 + random.below(56)) << 12
    var whole = machine
    try whole.apply(.iommu(device: 0, .pin(range)))
    try machine.apply(.pause(0))
    try machine.apply(.iommu(device: 0, .pin(range)))
    var isMapping = false
    while let place = hasStopped(machine) {
      let mapped = pages(of: machine)
      let pinned = machine.pinned(in: range, of: 0)
      isMapping = isMapping || !mapped.isEmpty
      if isMapping {
        #expect(mapped.keys.sorted() == Array(stride(from: range.lowerBound, to: place, by: 4096)))
      } else if place > range.lowerBound {
        #expect(pinned.allSatisfy { $0.iova < place })
      }
      for (iova, page) in mapped { #expect(machine.pinnedPage(at: iova, device: 0) == page) }
      #expect(machine.violations(after: 0..<0).isEmpty)
      try machine.apply(.resume(next: true))
    }
    #expect(machine.lastError == nil && whole.lastError == nil)
    #expect(pages(of: machine) == pages(of: whole))
    #expect(pages(of: machine).count == Int((range.upperBound - range.lowerBound) / 4096))
  }

  /// Guest pages from the slot's first on in a random order in memory: single ones, and runs of some.
  private func scatter(
    _ pages: Int, longest: Int = 3, _ random: inout Generator, _ machine: inout Machine
  ) throws {
    var runs: [Range<Int>] = []
    var next = 0
    while next < pages {
      let end = min(pages, next + 1 + random.below(longest))
      runs.append(next..<end)
      next = end
    }
    while !runs.isEmpty {
      let run = runs.remove(at: random.below(runs.count))
      let start = Self.slot.lowerBound + UInt64(run.lowerBound) << 12
      try machine.apply(.host(.touch(start..<start + UInt64(run.count) << 12, write: true)))
    }
  }

  /// What a pinning is seen to do: pages that it pins, and pages that it maps, in order.
  private enum PinEvent: Equatable { case pin(UInt64), map(UInt64) }

  private func pinEvents(_ machine: Machine) -> [PinEvent] {
    machine.steps.steps.flatMap { step -> [PinEvent] in
      switch step.action {
      case .domain(.pagePinned): [.pin(step.address)]
      case .table(.makeLeaf):
        stride(from: step.address, to: step.address + step.size, by: 4096).map { .map($0) }
      default: []
      }
    }
  }

  /// The loops of `vfio_pin_map_dma` and of `iopt_area_fill_domain` over a list of pages.
  private func modelled(
    _ pages: [UInt64], _ start: UInt64, _ choice: IOMMUConfiguration.PinningChoice
  ) -> [PinEvent] {
    var events: [PinEvent] = []
    var pinned = 0
    var mapped = 0
    let (call, batch) = choice == .vfio ? (512, 1) : (8192, 5461)
    func run(from index: Int) -> Int {
      var end = index + 1
      while end < pinned, pages[end] == pages[end - 1] + 4096 { end += 1 }
      return end
    }
    while mapped < pages.count {
      // A batch takes pages until one would begin a run too many.
      var end = mapped
      var runs = 0
      while true {
        if end == pinned {
          if pinned == pages.count { break }
          for _ in 0..<min(call, pages.count - pinned) {
            events.append(.pin(start + UInt64(pinned) << 12))
            pinned += 1
          }
        }
        if end == mapped || pages[end] != pages[end - 1] + 4096 {
          if runs == batch { break }
          runs += 1
        }
        end += 1
      }
      while mapped < end {
        let last = min(run(from: mapped), end)
        for index in mapped..<last { events.append(.map(start + UInt64(index) << 12)) }
        mapped = last
      }
    }
    return events
  }

  @Test(arguments: IOMMUConfiguration.PinningChoice.allCases, [(20, 3), (600, 3), (5600, 1)])
  func `pages are pinned and mapped in the order of the kernel's loops`(
    choice: IOMMUConfiguration.PinningChoice, pages count: (all: Int, ofRun: Int)
  ) throws {
    let slot = Self.slot.lowerBound..<Self.slot.lowerBound + 32 << 20
    var random = Generator(seed: UInt64(count.all))
    var machine = try machine(.pages, slot, choice)
    try scatter(count.all, longest: count.ofRun, &random, &machine)
    let range = slot.lowerBound..<slot.lowerBound + UInt64(count.all) << 12
    try machine.apply(.iommu(device: 0, .pin(range)))
    let places = machine.pinned(in: range, of: 0).map(\.page)
    #expect(machine.lastError == nil && places.count == count.all)
    let wanted = modelled(places, range.lowerBound, choice)
    let seen = pinEvents(machine)
    // The lists are too long to be printed.
    let difference = zip(seen, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    #expect(seen.count == wanted.count && difference == nil)
    #expect(machine.violations(after: 0..<0).isEmpty)
  }

  @Test func `a run that VFIO has mapped can be reached before the next is`() throws {
    var machine = try machine(.pages, Self.slot, .vfio)
    let start = Self.slot.lowerBound
    for page in [1, 0, 3] as [UInt64] {
      let first = start + page << 12
      try machine.apply(.host(.touch(first..<first + 4096, write: true)))
    }
    try machine.apply(.pause(start + 0x2000))
    try machine.apply(.iommu(device: 0, .pin(start..<start + 0x4000)))
    #expect(machine.isPaused && machine.pinned(in: start..<start + 0x4000, of: 0).count == 4)
    #expect(Set(pages(of: machine).keys) == [start, start + 0x1000])
    try machine.apply(.resume(next: false))
    #expect(pages(of: machine).count == 4)
  }

  @Test func `what VFIO has mapped goes again when a later page cannot be pinned`() throws {
    var random = Generator(seed: 9)
    var machine = try machine(.pages, Self.slot, .vfio)
    try scatter(513, &random, &machine)
    let start = Self.slot.lowerBound
    let range = start..<start + 600 << 12
    try machine.apply(.host(.unmap(start + 513 << 12..<range.upperBound)))
    try machine.apply(.dma(device: 0, start, write: false))
    try machine.apply(.iommu(device: 0, .pin(range)))
    #expect(machine.lastError == .efault)
    #expect(pinEvents(machine).contains(.map(start)), "the first call's runs were mapped")
    #expect(pages(of: machine).isEmpty && machine.pinned(in: range, of: 0).isEmpty)
    #expect(machine.violations(after: 0..<0).isEmpty)
  }

  @Test func `memory that goes before it is pinned makes the pin fail, and nothing stays`() throws {
    let range = Self.slot.lowerBound..<Self.slot.lowerBound + 0x4000
    let last = range.upperBound - 4096..<range.upperBound
    for taking in [HostOperation.unmap(last), .deleteMemslot(Self.slot.lowerBound)] {
      var machine = try machine()
      try machine.apply(.pause(range.lowerBound + 0x2000))
      try machine.apply(.iommu(device: 0, .pin(range)))
      #expect(machine.pinned(in: range, of: 0).count == 2)
      try machine.apply(.host(taking))
      try machine.apply(.resume(next: false))
      #expect(machine.lastError == .efault)
      #expect(pages(of: machine).isEmpty && machine.pinned(in: range, of: 0).isEmpty)
      #expect(machine.violations(after: 0..<0).isEmpty)
    }
  }

  @Test func `while a map is stopped nobody else changes its table, but DMA goes on`() throws {
    var machine = try machine()
    try machine.apply(.pause(0))
    try machine.apply(.iommu(device: 0, .map(0x1ff000..<0x201000, to: 0x9_001f_f000, write: true)))
    #expect(machine.isPaused)
    #expect(throws: Refusal(.lockHeld)) {
      try machine.apply(.iommu(device: 0, .unmap(0x1ff000..<0x200000)))
    }
    try machine.apply(.dma(device: 0, 0x1ff000, write: true))
    #expect(machine.lastDeviceOutcome == .walked(0x9_001f_f000, level: 3))
    try machine.apply(.resume(next: false))
    try machine.apply(.dma(device: 0, 0x200000, write: true))
    #expect(machine.lastDeviceOutcome == .walked(0x9_0020_0000, level: 3))
  }

  /// Every event of the device is stopped wherever it can be, and others run in between.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `random events between the parts of a device's events break no rule`(seed: UInt64) throws {
    var source = RandomDevices(
      seed: seed, .own, VMConfiguration(ipaBits: 40, vcpus: 2, nested: false))
    var random = Generator(seed: seed)
    var events = source.setUp()
    for _ in 0..<60 {
      let event = source.next()
      guard case .iommu = event else {
        events.append(event)
        continue
      }
      events += [.pause(0), event]
      for _ in 0..<random.below(6) {
        events += [source.next(), .resume(next: true)]
      }
      events.append(.resume(next: false))
    }
    let run = RandomRun(source.configuration, events, watching: RandomRun.rules)
    #expect(run.broken == nil, "\(run.shortest().scenario)")
  }

  @Test func `stops in a device's events are undone exactly`() throws {
    var timeline = Timeline(VMConfiguration(ipaBits: 40, vcpus: 1, nested: false))
    let range = Self.slot.lowerBound..<Self.slot.lowerBound + 0x5000
    var events: [Event] = [
      .addMemslot(id: 0, Self.slot, .pages), .iommu(device: 0, .attach),
      .host(.touch(range.lowerBound + 0x2000..<range.lowerBound + 0x3000, write: true)),
      .pause(0), .iommu(device: 0, .pin(range)),
    ]
    events += Array(repeating: .resume(next: true), count: 8)
    var states: [Memory] = []
    for event in events {
      do { try timeline.append(event) } catch { continue }
      states.append(timeline.machine.memory)
    }
    #expect(!timeline.machine.isPaused && states.count > 9)
    for index in states.indices.reversed() {
      timeline.seek(to: Moment(events: index + 1))
      #expect(timeline.machine.memory.hasSameWords(as: states[index]))
    }
  }
}
