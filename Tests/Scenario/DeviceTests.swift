import Engine
import Testing

@testable import Scenario

/// DMA through a device's own table.
@Suite struct DeviceTests {
  private func session(_ text: String) throws -> Session {
    let head = "pagewalk 1\nvm ipa=40 vcpus=1 nested=off\n"
    var session = Session(try Scenario(parsing: [UInt8]((head + text).utf8), file: "f.pw"))
    try session.finish()
    return session
  }

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
    let session = try session("iommu attach\ndev write 0x40001008\n")
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
}
