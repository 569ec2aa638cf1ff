/// The context that tags a TLB entry: a VMID, or an ASID of a host process, with no stage 2 behind it.
///
///     bit 17      ASET: the ASID is the SMMU's own; the CPUs' TLBIs by ASID or address do not affect it
///     bit 16      stage 1: the number is an ASID bits 15:0   VMID or ASID
///
/// Source: SMMUv3 architecture, 3.17 (TLB tagging) and 5.4 (CD.ASET). Stage 2 has nothing like ASET.
public struct TranslationContext: Hashable, Sendable {
  /// The bits, as micro-steps and TLBs hold them.
  public let bits: UInt64

  /// The context with these bits.
  @inline(__always)
  public init(bits: UInt64) { self.bits = bits }

  static let mask: UInt64 = 0x3_ffff
  private static let stage1: UInt64 = 1 << 16
  private static let privateSet: UInt64 = 1 << 17

  /// Stage 2 of a VMID.
  @inline(__always)
  public static func vmid(_ vmid: UInt16) -> Self { Self(bits: UInt64(vmid)) }

  /// Stage 1 of an ASID: of the SMMU's private set, or of the set that it shares with the CPUs.
  public static func asid(_ asid: UInt16, isPrivate: Bool) -> Self {
    Self(bits: UInt64(asid) | stage1 | (isPrivate ? privateSet : 0))
  }

  /// The VMID or ASID.
  public var number: UInt16 { UInt16(truncatingIfNeeded: bits) }
  /// Whether the number is an ASID.
  public var isStage1: Bool { bits & Self.stage1 != 0 }
  /// ASET.
  public var isPrivate: Bool { bits & Self.privateSet != 0 }
}
