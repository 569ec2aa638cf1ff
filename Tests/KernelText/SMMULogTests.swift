import Engine
import TestSupport
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

  /// As dmesg, syslog and /dev/kmsg have them, with the task or the CPU beside the time.
  @Test(arguments: [
    ("[  812.004511] ", true), ("[  812.004511][  T123] ", true), ("[  812.004511] [  C0] ", true),
    ("<3>[  812.004511] ", true), ("kern  :err   : [  812.004511] ", true),
    ("Nov 30 17:44:01 host kernel: [  812.004511] ", true), ("3,1234,812004511,-;", true),
    ("[Mon Nov 30 17:44:01 2026] ", false), ("2026-11-30T17:44:01,004511+00:00 ", false),
    ("> > [  812.004511] ", true),
  ])
  func `the time is found among what stands before`(prefix: String, hasTime: Bool) {
    let record: [UInt64] = [0x8_0000_0010, 0x280_0000_0000, 0x5000, 0x5000]
    let text = EventRecordText.text(record, device: 2).split(separator: "\n")
    for tab in ["\t", "\\x09", "#011", "\\t", "        "] {
      let lines = text.map { prefix + $0.replacing("\t", with: tab) + "\n" }.joined()
      let events = SMMULog.events([UInt8](lines.utf8))
      #expect(events.map(\.record) == [record])
      #expect(events.map(\.nanoseconds) == [hasTime ? 812_004_511_000 : nil])
    }
  }

  @Test func `lines of two SMMUs may alternate, and words of two events follow each other`() {
    let records: [[UInt64]] = [
      [0x8_0000_0010, 0x280_0000_0000, 0x5000, 0x5000],
      [0x9_0000_0013, 0x280_0000_0000, 0x6000, 0],
    ]
    let texts = records.enumerated().map { index, record in
      EventRecordText.text(record, device: index).split(separator: "\n").map {
        $0.replacing("arm-smmu-v3.0.auto", with: "2b4\(index)0000.iommu")
      }
    }
    let alternating = zip(texts[0], texts[1]).flatMap { [$0, $1] }.joined(separator: "\n")
    #expect(SMMULog.events([UInt8](alternating.utf8)).map(\.record) == records)
    let words = records.map {
      EventRecordText.text($0, device: 0).split(separator: "\n").dropFirst(5).joined(
        separator: "\n")
    }
    let found = SMMULog.events([UInt8](words.joined(separator: "\n").utf8))
    #expect(found.map(\.address) == [0x5000, 0x6000] && found.map(\.isWrite) == [true, true])
    #expect(found.map(\.fault) == [.translation, .permission])
  }

  @Test func `the log that the machine would write is read as its fault`() {
    let record: [UInt64] = [0x8_0000_0010, 0x280_0000_0000, 0x5000, 0x5000]
    let events = SMMULog.events([UInt8](EventRecordText.text(record, device: 2).utf8))
    #expect(events.count == 1)
    #expect(events.first?.record == record && events.first?.address == 0x5000)
    #expect(events.first?.device == "0000:00:03.0")
  }
}
