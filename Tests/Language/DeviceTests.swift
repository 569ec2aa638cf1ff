import KernelText
import TestSupport
import Testing

@testable import Engine
@testable import Language

/// DMA through a device's own table.
@Suite struct DeviceTests {
  @Test func `a DMA is aborted, faults, walks, and then is cached`() throws {
    let session = try session(
      """
      dev read 0x40000000
      expect dma aborted
      iommu attach
      dev read 0x40000000
      expect dma fault=translation level=0
      iommu map 0x40000000 4M 0x80000000 rw
      dev write 0x40200008
      expect dma pa=0x80200008 walked
      dev read 0x40200010
      expect dma pa=0x80200010 cached
      iommu unmap 0x40200000 2M
      dev read 0x40200010
      expect dma fault=translation level=2
      iommu map 0x40200000 4K 0x80200000 r
      dev write 0x40200010
      expect dma fault=permission level=3
      iommu detach
      dev read 0x40000000
      expect dma aborted
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `part of a block is not unmapped, and nothing is mapped over a leaf`() throws {
    let session = try session(
      """
      iommu attach
      iommu map 0x40000000 2M 0x80000000 rw
      iommu unmap 0x40001000 4K
      expect error einval
      expect leaf iommu 0x40000000 2M
      iommu map 0x40000000 4K 0x90000000 rw
      expect error eexist
      iommu map 0x3ffff000 8K 0x90000000 rw
      expect error eexist
      expect leaf iommu 0x3ffff000 none
      expect leaf iommu 0x40000000 2M
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `an event is printed as the kernel's log has it`() throws {
    let session = try session("policy iommu-stage=2\niommu attach\ndev write 0x40001008\n")
    let machine = session.timeline.machine
    let record = try #require(machine.lastEventRecord(ofDevice: 0))
    let prefix = "arm-smmu-v3 arm-smmu-v3.0.auto: "
    #expect(
      EventRecordText.text(record, device: 0)
        == [
          "event 0x10 received:", "\t0x0000000800000010", "\t0x0000028000000000",
          "\t0x0000000040001008", "\t0x0000000040001000",
          "event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0x0 iova: 0x40001008 "
            + "ipa: 0x40001000",
          "unpriv data write s2 \"Input address caused fault\" stag: 0x0",
        ].map { prefix + $0 + "\n" }.joined())
  }

  @Test func `what a DMA would get is known at every instant without one being made`() throws {
    var session = try session(
      """
      iommu attach
      iommu map 0x40000000 4K 0x80000000 rw
      dev read 0x40000000
      iommu unmap 0x40000000 4K
      """)
    session.seek(to: Moment(events: 3, steps: 1))
    var seen: [DeviceOutcome] = []
    while session.timeline.moment.events == 3 {
      let words = session.timeline.machine.memory
      let outcome = session.timeline.machine.deviceOutcome(of: 0x4000_0000, write: false)
      #expect(session.timeline.machine.memory.hasSameWords(as: words))
      if seen.last != outcome { seen.append(outcome) }
      _ = session.move { $0.stepForward() }
    }
    seen.append(session.timeline.machine.deviceOutcome(of: 0x4000_0000, write: false))
    #expect(seen == [.cached(0x8000_0000, level: 3), .fault(.translation, level: 3)])
  }

  @Test func `no VMID left is an error of the kernel, and nothing is half done`() throws {
    let others = (0..<7).map { "other-vm \($0) attach\n" }.joined()
    let session = try session(
      "policy smmu-vmid=private\n\(others)expect error eperm\niommu attach\nexpect error enospc\n"
        + "dev read 0\nexpect dma aborted\nother-vm 3 detach\niommu attach\n"
        + "dev read 0\nexpect dma fault=translation\nother-vm 9 attach\nexpect error enospc\n"
        + "other-vm 9 detach\nexpect error enoent\nother-vm 1 attach\nexpect error ebusy\n",
      vmidBits: 3)
    // The first expectation asks for an error that there is none of.
    #expect(session.failures.map(\.message) == ["it did not fail"])
    #expect(session.timeline.machine.streamEntry(ofDevice: 0).vmid == 4)
  }

  @Test func `only so many VMIDs of KVM can be pinned`() throws {
    let session = try session(
      """
      policy smmu-vmid=pinned
      other-vm 0 attach
      other-vm 1 attach
      other-vm 2 attach
      other-vm 3 attach
      iommu attach
      iommu detach
      iommu free
      other-vm 4 attach
      other-vm 5 attach
      expect error enospc
      iommu attach
      expect error enospc
      dev read 0
      expect dma aborted
      """, vmidBits: 3)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `a VMID that is free again is not found in the SMMU's TLB`() throws {
    let session = try session(
      """
      policy iommu-stage=2
      iommu attach
      iommu map 0x40000000 4K 0x80000000 rw
      dev read 0x40000000
      iommu detach
      iommu free
      iommu@1 attach
      dev@1 read 0x40000000
      expect dma fault=translation level=0
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    #expect(session.timeline.machine.streamEntry(ofDevice: 1).vmid == 1)
  }

  @Test func `devices of a VM have one domain, which goes when none is attached`() throws {
    let session = try session(
      """
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      iommu pin 0x80000000 4K
      iommu@1 pin 0x80001000 4K
      iommu@1 pin 0x80000000 8K
      expect error eexist
      iommu@1 attach
      dev read 0x80001000
      expect dma pa=0x800401000 walked
      dev@1 read 0x80001000
      expect dma pa=0x800401000 cached
      expect leaf iommu1 0x80000000 4K
      iommu detach
      dev@1 read 0x80001000
      expect dma pa=0x800401000 cached
      iommu free
      expect error ebusy
      iommu unmap 0x80001000 4K
      dev@1 read 0x80001000
      expect dma fault=translation level=3
      iommu@1 detach
      iommu@1 free
      iommu free
      expect error enoent
      expect violation none
      iommu@1 attach
      dev@1 read 0x80000000
      expect dma fault=translation level=0
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    #expect(session.timeline.machine.contextDescriptor(ofDevice: 1).context.number == 1)
  }

  @Test func `a domain of its own has another table and VMID, and nobody joins it`() throws {
    let session = try session(
      """
      policy iommu-stage=2
      iommu attach own
      iommu map 0x40000000 4K 0x80000000 rw
      iommu@1 attach
      iommu@2 attach
      dev@2 read 0x40000000
      expect dma fault=translation level=0
      iommu@2 map 0x40000000 4K 0x90000000 rw
      dev@1 read 0x40000000
      expect dma pa=0x90000000 walked
      iommu@1 attach own
      dev@1 read 0x40000000
      expect dma pa=0x90000000 cached
      iommu@2 attach own
      dev@2 read 0x40000000
      expect dma fault=translation level=0
      dev@1 read 0x40000000
      expect dma pa=0x90000000 cached
      iommu@1 attach own
      dev@1 read 0x40000000
      expect dma pa=0x90000000 cached
      iommu@3 attach
      dev@3 read 0x40000000
      expect dma fault=translation level=0
      dev read 0x40000000
      expect dma pa=0x80000000 walked
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    let machine = session.timeline.machine
    #expect((0..<4).map { machine.streamEntry(ofDevice: $0).vmid } == [1, 2, 3, 4])
  }

  @Test func `what makes no sense is refused with its place`() {
    let head = "memslot 0 0x80000000 4M backing=4K\n"
    #expect(
      refusal(head + "iommu pin 0x80001800 4K")
        == "f.pw:4:11: expected a multiple of 4K, not 0x80001800")
    #expect(refusal(head + "iommu pin 0x80000000 8M")?.hasPrefix("f.pw:4:22: expected") == true)
    #expect(refusal(head + "iommu pin 0x70000000 4K")?.hasPrefix("f.pw:4:11: expected") == true)
    #expect(
      refusal("policy smmu-vmid=kvm\niommu attach\niommu@1 attach own")?.hasPrefix(
        "f.pw:5:1: expected")
        == true)
    #expect(refusal("policy iommu=shared\niommu pin 0 4K")?.hasPrefix("f.pw:4:1: expected") == true)
    #expect(
      refusal("policy smmu-vmid=none")?.hasPrefix("f.pw:3:18: expected smmu-vmid=private|kvm")
        == true)
  }

  @Test func `pinning what cannot be made writable undoes itself`() throws {
    let session = try session(
      """
      memslot 0 0x80000000 64K backing=4K
      host protect 0x80004000 4K r
      iommu attach
      iommu pin 0x80000000 32K
      expect error efault
      expect leaf iommu 0x80000000 none
      iommu map 0x80002000 4K 0x900000000 rw
      iommu pin 0x80000000 16K
      expect error eexist
      expect leaf iommu 0x80000000 none
      expect leaf iommu 0x80002000 4K
      host merge 0x80000000 64K
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    let machine = session.timeline.machine
    #expect(!machine.isPinned(Machine.pagesBase + 0x40_0000))
  }

  @Test(arguments: [0, 1, 2] as [Int])
  func `an unmap that is paused goes on, and back is exact`(place: Int) throws {
    let text = """
      iommu attach
      iommu map 0x401ff000 2M 0x801ff000 rw
      iommu map 0x403ff000 4K 0x803ff000 rw
      dev read 0x40200000
      pause at=\([0, 0x4020_0000, 0x4040_0000][place])
      iommu unmap 0x401ff000 0x201000
      dev read 0x40200000
      resume
      dev read 0x40200000
      expect dma fault=translation
      expect violation none
      """
    var session = try session(text)
    #expect(session.failures.isEmpty, "\(session.failures)")
    let end = session.timeline.machine.memory
    while session.move({ $0.stepBack() }) {}
    while session.move({ $0.stepForward() }) {}
    #expect(session.timeline.machine.memory.hasSameWords(as: end))
    #expect(!session.timeline.machine.isPaused)
  }

  @Test func `type 1 refuses a part of a pinned area before it unmaps anything`() throws {
    let session = try session(
      """
      policy iommu-pin=vfio
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      iommu pin 0x80000000 8K
      iommu pin 0x80004000 16K
      iommu unmap 0x80000000 20K
      expect error einval
      expect leaf iommu 0x80000000 4K
      iommu unmap 0x80005000 4K
      expect error einval
      expect leaf iommu 0x80005000 4K
      iommu unmap 0x80000000 32K
      expect leaf iommu 0x80000000 none
      expect leaf iommu 0x80007000 none
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `iommufd unmaps the areas before one of which only a part is asked for`() throws {
    var session = try session(
      """
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      iommu pin 0x80000000 8K
      iommu pin 0x80004000 16K
      iommu unmap 0x80000000 20K
      expect error enoent
      expect leaf iommu 0x80000000 none
      expect leaf iommu 0x80004000 4K
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    session.seek(to: Moment(events: 5))
    let words = session.timeline.steps.suffix(2).map(\.explanation)
    #expect(words.first?.what.contains("0x80004000+4K is a part of 0x80004000+16K") ?? false)
    #expect(words.last?.what == "the call fails with ENOENT at 0x80004000")
  }

  @Test func `what lies between pinned areas does not keep them from being unmapped`() throws {
    let session = try session(
      """
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      iommu pin 0x80001000 4K
      iommu pin 0x80004000 4K
      iommu unmap 0x80000000 32K
      expect leaf iommu 0x80001000 none
      expect leaf iommu 0x80004000 none
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
    #expect(session.timeline.machine.lastError == nil)
  }
}
