import KernelText
import TestSupport
import Testing

@testable import Engine
@testable import Language

/// Rules of Linux 7.3 about devices that no capture shows, each as a short scenario: what must hold follows from
/// the kernel's function that is named.
@Suite struct DeviceRuleTests {
  /// The end of a scenario, whose expectations must hold.
  private func run(_ text: String) throws -> Machine {
    var session = Session(
      try Scenario(parsing: [UInt8](("pagewalk 1\nvm ipa=40\n" + text).utf8), file: "f.pw"))
    try session.finish()
    #expect(session.failures == [])
    return session.timeline.machine
  }

  /// The micro-steps of an event.
  private func steps(of event: Event, in machine: inout Machine) throws -> [Step] {
    machine.steps.isRecording = true
    machine.steps.removeAll()
    try machine.apply(event)
    return machine.steps.steps
  }

  /// The number of pages in each range that some steps unpin.
  private func unpinnedPages(_ steps: [Step]) -> [UInt64] {
    steps.filter { $0.action.caseName == "pagesUnpinned" }.map { $0.size / Page.size }
  }

  /// In which order some steps wait for the SMMU, perhaps several times, and unpin.
  private func waits(_ steps: [Step]) -> [String] {
    let names = steps.map(\.action.caseName).filter { ["sync", "pagesUnpinned"].contains($0) }
    return zip(names, [""] + names).filter { $0.0 != $0.1 || $0.0 != "sync" }.map(\.0)
  }

  /// Guest memory of which no two neighbours lie together: every other page is older.
  private func scattered(pages: UInt64) -> String {
    "memslot 0 0x80000000 32M backing=4K\n"
      + stride(from: 0, to: pages, by: 2).map {
        "host write 0x\(hex(0x8000_0000 + $0 * 4096)) 4K\n"
      }.joined()
  }

  // MARK: Domains

  @Test func `a domain's table is allocated before its number (arm_smmu_domain_finalise)`() throws {
    for stage in [1, 2] {
      var machine = try run("policy iommu-stage=\(stage)")
      let names = try steps(of: .iommu(device: 0, .attach), in: &machine).map(\.action.caseName)
      let root = try #require(names.firstIndex(of: "rootAllocated"))
      #expect(names.firstIndex(of: "domainTagged") ?? -1 > root)
    }
  }

  @Test func `an unmap of parts of pages does nothing (__iommu_unmap_domain_pgtbl)`() throws {
    var machine = try run("iommu attach\niommu map 0x80000000 8K 0x840000000 rw")
    let steps = try steps(
      of: .iommu(device: 0, .unmap(0x8000_0000..<0x8000_0800)), in: &machine)
    #expect(steps.map(\.action.caseName) == ["unmapUnaligned"])
    #expect(machine.lastError == .einval)
  }

  @Test func `a device whose domain others have joined stays, which is no error of the kernel's`()
    throws
  {
    var machine = try run("iommu attach\niommu@1 attach")
    let before = machine.streamEntry(ofDevice: 0)
    let steps = try steps(of: .iommu(device: 0, .attachOwn), in: &machine)
    #expect(machine.lastError == nil)
    #expect(machine.streamEntry(ofDevice: 0) == before)
    #expect(steps.last?.explanation.source.place == "pagewalk")
  }

  @Test(arguments: [
    ("iommufd", "pin_user_pages_fast"), ("vfio", "pin_user_pages_remote"),
  ])
  func `pages are pinned as the subsystem does (pfn_reader_user_pin, vaddr_get_pfns)`(
    choice: String, function: String
  ) throws {
    var machine = try run(
      "policy iommu-pin=\(choice)\nmemslot 0 0x80000000 4M backing=4K\niommu attach")
    let steps = try steps(
      of: .iommu(device: 0, .pin(0x8000_0000..<0x8000_1000)), in: &machine)
    let pin = try #require(steps.first { $0.action.caseName == "pagePinned" })
    #expect(pin.explanation.source.detail == function)
  }

  // MARK: Stream table entries and context descriptors

  @Test func `stage 1 also translates DMA without a substream (arm_smmu_make_cdtable_ste)`() throws
  {
    let machine = try run("iommu attach")
    // S1DSS = SSID0, write-back, inner shareable, and the EL2 regime.
    #expect(machine.streamEntry(ofDevice: 0).words[1] == 0x8000_00d6)
  }

  @Test(arguments: [IOMMUOperation.detach, .bypass])
  func `a device's descriptor is cleared after the flush (arm_smmu_attach_dev_ste)`(
    operation: IOMMUOperation
  ) throws {
    var machine = try run("iommu attach")
    let first = machine.memory.journalCount
    let steps = try steps(of: .iommu(device: 0, operation), in: &machine)
    func store(to slot: Int) throws -> Int {
      try #require(
        (first..<machine.memory.journalCount).last {
          machine.memory.journalEntry($0).slot == slot
        })
    }
    let entry = try store(to: machine.slot(.streamEntry, ofDevice: 0))
    let flush = try #require(steps.first { $0.action.caseName == "commandAll" })
    let descriptor = try store(to: machine.slot(.contextDescriptor, ofDevice: 0))
    #expect(entry < flush.start && flush.start < descriptor)
  }

  @Test(arguments: [true, false])
  func `an SMMU that can updates a process's access flags (arm_smmu_make_sva_cd)`(
    canUpdate: Bool
  ) throws {
    let machine = try run(
      """
      \(canUpdate ? "policy smmu-httu=on" : "")
      memslot 0 0x80000000 16M backing=4K
      host write 0x80000000 64K
      iommu sva
      host idle 0x80000000
      dev read 0xffff9b000000
      \(canUpdate ? "expect dma pa=0x800400000 walked" : "expect dma fault=access")
      expect idle 0x80000000 1
      host test-idle 0x80000000
      expect idle 0x80000000 \(canUpdate ? 0 : 1)
      """)
    // TCR_HA and TCR_HD.
    let updates: UInt64 = 1 << 43 | 1 << 42
    #expect(
      machine.contextDescriptor(ofDevice: 0).control & updates == (canUpdate ? updates : 0))
  }

  // MARK: The command queue

  @Test(
    arguments: [
      (1, 1), (31, 1), (32, 1), (33, 2), (63, 2), (96, 1), (511, 2),
    ] as [(UInt64, Int)])
  func `a command covers five bits of pages (arm_smmu_cmdq_batch_add_range)`(
    pages: UInt64, count: Int
  ) throws {
    let start: UInt64 = 0x4000_1000
    let range = start..<start + pages * Page.size
    var machine = try run(
      "iommu attach\niommu map 0x40001000 \(pages * 4)K 0x880001000 rw\n")
    let before = machine[.invalidations]
    let steps = try steps(of: .iommu(device: 0, .unmap(range)), in: &machine)
    let commands = steps.filter { $0.action.caseName == "command" }
    #expect(commands.count == count)
    #expect(machine[.invalidations] == before + UInt64(count))
    guard case .tlb(.sync(let waited)) = steps.last(where: { $0.action.caseName == "sync" })?.action
    else {
      Issue.record("nothing waits")
      return
    }
    #expect(waited == UInt64(count))
    // NUM, from 1 to 31, times 2^SCALE pages; together the range, and nothing else.
    var next = range.lowerBound
    for command in commands {
      #expect(command.address == next)
      let pages = command.size >> 12
      #expect(pages >> UInt64(pages.trailingZeroBitCount) <= 31)
      next += command.size
    }
    #expect(next == range.upperBound)
  }

  @Test
  func `no command for a process is of one page (arm_smmu_mm_arch_invalidate_secondary_tlbs)`()
    throws
  {
    _ = try run(
      """
      memslot 0 0x80000000 16M backing=4K
      host write 0x80000000 64K
      iommu sva
      dev read 0xffff9b000000
      dev read 0xffff9b001000
      dev read 0xffff9b002000
      host discard 0x80000000 4K
      dev read 0xffff9b001000
      expect dma pa=0x800401000 walked
      dev read 0xffff9b002000
      expect dma pa=0x800402000 cached
      """)
  }

  @Test func `a TLBI of one CPU is no broadcast (__kvm_tlb_flush_vmid_ipa_nsh)`() throws {
    let machine = try run(
      """
      policy iommu=shared
      policy iommu-tlbi=broadcast
      memslot 0 0x80000000 16M backing=4K
      host write 0x80000000 8K
      host dirty-log on 0x80000000
      l1 read 0x80000000
      iommu attach
      dev read 0x80000000
      l1 write 0x80000000
      dev write 0x80000000
      expect dma fault=permission level=3
      host discard 0x80000000 4K
      l1 write 0x80000000
      dev write 0x80000000
      """)
    // The notifier's TLBI is broadcast.
    guard case .walked = machine.lastDeviceOutcome else {
      Issue.record("\(String(describing: machine.lastDeviceOutcome))")
      return
    }
  }

  // MARK: Pinned memory

  @Test func `iommufd unmaps and unpins batch by batch (iopt_area_unpin_domain)`() throws {
    var machine = try run(
      scattered(pages: 5462) + "iommu attach\niommu pin 0x80000000 21848K\n")
    let start: UInt64 = 0x8000_0000
    let range = start..<start + 5462 * Page.size
    let steps = try steps(of: .iommu(device: 0, .unmap(range)), in: &machine)
    #expect(waits(steps) == ["sync", "pagesUnpinned", "sync", "pagesUnpinned"])
    // 65,536 bytes are enough for 5,461 runs of pages, of 12 bytes each.
    #expect(unpinnedPages(steps) == [5461, 1])
    #expect(!machine.isAnyPinned(in: range, of: 0))
    #expect(machine.lastError == nil)
  }

  @Test
  func `a batch that cannot be mapped is undone before those before it (iopt_area_fill_domains)`()
    throws
  {
    // What is mapped already lies in the second batch, nine pages from its start.
    let start: UInt64 = 0x8000_0000
    let taken = start + (5461 + 9) * Page.size
    var machine = try run(
      scattered(pages: 5480) + "iommu attach\niommu map 0x\(hex(taken)) 4K 0x900000000 rw\n")
    let range = start..<start + 5480 * Page.size
    let steps = try steps(of: .iommu(device: 0, .pin(range)), in: &machine)
    #expect(machine.lastError == .eexist)
    let undone = Array(steps.drop { $0.action.caseName != "unmapCall" })
    #expect(waits(undone) == ["sync", "pagesUnpinned", "sync", "pagesUnpinned"])
    #expect(unpinnedPages(undone) == [19, 5461])
    let outcome = machine.deviceOutcome(of: taken, write: true)
    #expect(outcome == .walked(0x9_0000_0000, level: 3))
  }

  // MARK: Sentences

  @Test(arguments: [true, false])
  func `whether the SMMU has cached what is unpinned is said as it is`(syncs: Bool) throws {
    var machine = try run(
      """
      policy iommu-sync=\(syncs ? "on" : "off")
      memslot 0 0x80000000 4M backing=4K
      iommu attach
      iommu pin 0x80000000 4K
      dev read 0x80000000
      """)
    let steps = try steps(
      of: .iommu(device: 0, .unmap(0x8000_0000..<0x8000_1000)), in: &machine)
    let unpinned = try #require(steps.first { $0.action.caseName == "pagesUnpinned" })
    #expect(machine.iotlbEntries.isEmpty == syncs)
    #expect(unpinned.explanation.why.contains("has cached none") == syncs)
  }

  @Test(arguments: ["1", "2"])
  func `a domain has its root before anything is mapped (arm_lpae_alloc_pgtable)`(
    stage: String
  ) throws {
    var machine = try run("policy iommu-stage=\(stage)")
    let steps = try steps(of: .iommu(device: 0, .attach), in: &machine)
    let root = try #require(steps.first { $0.facts.stepClass == .tableAllocated })
    #expect(root.explanation.source.detail == "arm_64_lpae_alloc_pgtable_s\(stage)")
  }
}
