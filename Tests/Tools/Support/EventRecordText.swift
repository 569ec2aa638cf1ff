import Engine

/// The kernel log's lines for an event recorded by the SMMU (`arm_smmu_dump_event`, with the raw record
/// that `arm_smmu_dump_raw_event` prints first).
public enum EventRecordText {
  /// - Parameters:
  ///   - record: the four words of the event.
  ///   - device: the device with its StreamID.
  public static func text(_ record: [UInt64], device: Int) -> String {
    let id = record[0] & 0xff
    let name = "0000:00:\(hex(UInt64(device + 1), 2)).0"
    let prefix = "arm-smmu-v3 arm-smmu-v3.0.auto: "
    var lines = ["event 0x\(hex(id, 2)) received:"]
    lines += record.map { "\t0x\(hex($0, 16))" }
    let fault = DeviceFault(rawValue: UInt8(truncatingIfNeeded: id))
    let event = fault.flatMap { $0 == .conflict ? nil : $0.name } ?? "UNKNOWN"
    let streamID = record[0] >> 32
    let head = "event: \(event) client: \(name) sid: 0x\(hex(streamID)) ssid: 0x0"
    switch fault {
    case .translation, .addressSize, .accessFlag, .permission:
      let details = record[1]
      let classes = [
        "CD fetch", "Stage 1 translation table fetch", "Input address caused fault", "Reserved",
      ]
      lines.append(
        head + " iova: 0x\(hex(record[2])) ipa: 0x\(hex(record[3] & 0xf_ffff_ffff_f000))")
      lines.append(
        "\(details >> 33 & 1 == 0 ? "unpriv" : "priv") \(details >> 34 & 1 == 0 ? "data" : "inst") "
          + "\(details >> 35 & 1 == 0 ? "write" : "read") \(details >> 39 & 1 == 0 ? "s1" : "s2") "
          + "\"\(classes[Int(details >> 40 & 3)])\"\(details >> 31 & 1 == 0 ? "" : " stall") "
          + "stag: 0x\(hex(details & 0xffff))")
    default: lines.append(head)
    }
    return lines.map { prefix + $0 + "\n" }.joined()
  }
}
