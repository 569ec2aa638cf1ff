/// The outcome of a DMA.
public enum DeviceOutcome: Equatable, Sendable {
  /// A physical address, from an entry of the SMMU's TLB.
  case cached(UInt64, level: Int)
  /// A physical address, from a walk.
  case walked(UInt64, level: Int)
  /// A physical address: the stream is not translated.
  case bypassed(UInt64)
  /// A fault; an event is recorded.
  case fault(DeviceFault, level: Int)
  /// Terminated without an event, by the stream table entry.
  case aborted
  /// Stalled: nothing has happened yet, and it resumes later.
  case stalled

  /// The physical address, or nil.
  public var physical: UInt64? {
    switch self {
    case .cached(let physical, _), .walked(let physical, _), .bypassed(let physical): physical
    case .fault, .aborted, .stalled: nil
    }
  }
}

/// Classes of faults, with the number of the event that the SMMU records.
public enum DeviceFault: UInt8, CaseIterable, Sendable {
  /// A granule protection fault: the page is not the host's. It is reported to root firmware in
  /// SMMU_ROOT_GPF_FAR, and no event is recorded.
  case granule = 0
  /// RMP_PAGE_FAULT, of AMD's IOMMU: the RMP does not allow it (EVENT_TYPE_RMP_FAULT).
  case rmp = 0x0d
  /// C_BAD_STE.
  case badStreamEntry = 0x04
  /// F_TRANSLATION.
  case translation = 0x10
  /// F_ADDR_SIZE.
  case addressSize = 0x11
  /// F_ACCESS.
  case accessFlag = 0x12
  /// F_PERMISSION.
  case permission = 0x13
  /// F_TLB_CONFLICT: two entries of the TLB translate the address.
  case conflict = 0x20
}

/// The outcome of a device's last DMA, in words.
extension Machine {
  mutating func setDeviceOutcome(_ outcome: DeviceOutcome, _ device: Int) {
    let (code, operand): (UInt64, UInt64) =
      switch outcome {
      case .cached(let physical, let level): (1 | UInt64(level) << 8, physical)
      case .walked(let physical, let level): (2 | UInt64(level) << 8, physical)
      case .bypassed(let physical): (3, physical)
      case .fault(let fault, let level): (4 | UInt64(level) << 8, UInt64(fault.rawValue))
      case .aborted: (5, 0)
      case .stalled: (6, 0)
      }
    let slot = slot(.outcome, ofDevice: device)
    memory.store(code, at: slot)
    memory.store(operand, at: slot + 1)
    self[.lastDevice] = UInt64(device + 1)
  }

  /// The outcome of the last DMA of any device, or nil if there was none.
  public var lastDeviceOutcome: DeviceOutcome? {
    guard let device = lastDevice else { return nil }
    let slot = slot(.outcome, ofDevice: device)
    let code = memory.load(slot)
    let operand = memory.load(slot + 1)
    let level = Int(code >> 8)
    switch code & 0xff {
    case 1: return .cached(operand, level: level)
    case 2: return .walked(operand, level: level)
    case 3: return .bypassed(operand)
    case 4:
      return DeviceFault(rawValue: UInt8(truncatingIfNeeded: operand)).map {
        .fault($0, level: level)
      }
    case 5: return .aborted
    case 6: return .stalled
    default: return nil
    }
  }

  /// The device that made the last DMA, or nil.
  public var lastDevice: Int? { self[.lastDevice] == 0 ? nil : Int(self[.lastDevice]) - 1 }

  /// The last event recorded for a device: four words, or nil if there was none.
  public func lastEventRecord(ofDevice device: Int) -> [UInt64]? {
    if !hasSMMU || self[device, .events] == 0 { return nil }
    let slot = slot(.event, ofDevice: device)
    return (slot..<slot + 4).map { memory.load($0) }
  }
}

extension DeviceFault {
  /// The name of the event, as the kernel prints it; for a conflict, which the driver does not name, the
  /// architecture's name.
  public var name: String {
    switch self {
    case .badStreamEntry: "C_BAD_STE"
    case .granule: "GPF"
    case .rmp: "RMP_PAGE_FAULT"
    case .translation: "F_TRANSLATION"
    case .addressSize: "F_ADDR_SIZE"
    case .accessFlag: "F_ACCESS"
    case .permission: "F_PERMISSION"
    case .conflict: "F_TLB_CONFLICT"
    }
  }
}
