/// Fault status code of an exception syndrome, DFSC or IFSC (Arm ARM, ESR_ELx; `asm/esr.h`).
public struct FaultStatus: Hashable, Sendable {
  /// The six bits.
  public let code: UInt8

  /// The status with this code.
  public init(_ code: UInt8) { self.code = code }

  /// The fault classes of stage 2, with the code of level 0.
  public enum Class: UInt8, Sendable {
    /// An output or table address beyond the implemented size.
    case addressSize = 0x00
    /// An invalid entry.
    case translation = 0x04
    /// An entry whose access flag is clear.
    case accessFlag = 0x08
    /// An access that the entry does not permit.
    case permission = 0x0c
    /// An external abort, not on a table walk.
    case external = 0x10
    /// An external abort on reading a table.
    case externalOnWalk = 0x14
  }

  /// A fault of a class at a level.
  public init(_ fault: Class, level: Int) {
    code = fault.rawValue | UInt8(level & 3)
  }

  /// The class, or nil for codes that the engine does not raise.
  public var faultClass: Class? { Class(rawValue: code & 0x3c) }
  /// Level of the walk.
  public var level: Int { Int(code & 3) }
}
