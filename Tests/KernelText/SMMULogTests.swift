import Engine
import Testing

@testable import KernelText

/// The SMMU's lines of a kernel log.
@Suite struct SMMULogTests {
  @Test func `raw records and words are one event, whatever stands before them`() throws {
    let text = """
      [  812.004000] pci 0000:00:01.0: enabling device
      [  812.004511] arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:
      [  812.004511] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000800000010
      [  812.004512] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000028000000000
      [  812.004512] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000040001008
      [  812.004512] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000040001000
      [  812.004513] arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0x0 iova: 0x40001008 ipa: 0x40001000
      [  812.004514] arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data write s2 "Input address caused fault" stag: 0x0
      Nov 30 07:21:00 host kernel: arm-smmu-v3 2b400000.iommu: event 0x13 received:
      Nov 30 07:21:00 host kernel: arm-smmu-v3 2b400000.iommu: \t0x0000000900000013
      Nov 30 07:21:00 host kernel: arm-smmu-v3 2b400000.iommu: \t0x0000028880000000
      Nov 30 07:21:00 host kernel: arm-smmu-v3 2b400000.iommu: \t0x0000000000002000
      Nov 30 07:21:00 host kernel: arm-smmu-v3 2b400000.iommu: \t0x0000000000002000
      """
    let events = SMMULog.events([UInt8](text.utf8))
    #expect(events.map(\.line) == [2, 9])
    #expect(events.map(\.fault) == [.translation, .permission])
    #expect(events.map(\.streamID) == [8, 9])
    #expect(events.map(\.device) == ["0000:00:01.0", nil])
    #expect(events.map(\.address) == [0x4000_1008, 0x2000])
    #expect(events.map(\.isWrite) == [true, false])
    #expect(events.map(\.isStage2) == [true, true])
    #expect(events.map(\.isStalled) == [false, true])
    #expect(events.map(\.tableClass) == [.input, .input])
    #expect(events[0].nanoseconds == 812_004_511_000 && events[1].nanoseconds == nil)
  }

  /// Words without a record, which a rate limit may leave.
  @Test func `words alone are an event`() {
    let text = """
      arm-smmu-v3 arm-smmu-v3.0.auto: event: F_PERMISSION client: (unassigned sid) sid: 0x8 ssid: 0x0 iova: 0x1000 ipa: 0x0
      arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data read s1 "CD fetch" stag: 0x0
      arm-smmu-v3 arm-smmu-v3.0.auto: CMD_SYNC timeout at 0x00000012
      """
    let events = SMMULog.events([UInt8](text.utf8))
    #expect(events.count == 1)
    #expect(events.first?.fault == .permission && events.first?.device == nil)
    #expect(events.first?.isWrite == false && events.first?.isStage2 == false)
    #expect(events.first?.tableClass == .contextDescriptor)
  }

  @Test func `the log that the machine would write is read as its fault`() {
    let record: [UInt64] = [0x8_0000_0010, 0x280_0000_0000, 0x5000, 0x5000]
    let events = SMMULog.events([UInt8](EventRecordText.text(record, device: 2).utf8))
    #expect(events.count == 1)
    #expect(events.first?.record == record && events.first?.address == 0x5000)
    #expect(events.first?.device == "0000:00:03.0")
  }
}
