/// VTCR_EL2, stage-2 control (tools/arch/arm64/include/asm/sysreg; Arm ARM D19.2.158).
public struct VTCR: Hashable, Sendable {
  /// The 64 bits.
  public let bits: UInt64

  /// The register with these bits.
  public init(_ bits: UInt64) { self.bits = bits }

  /// Input size in bits: 64 - T0SZ (bits 5:0).
  public var inputBits: Int { 64 - Int(bits & 0x3f) }
  /// SL0, bits 7:6.
  public var sl0: Int { Int(bits >> 6 & 3) }
  /// Log2 of the granule that TG0 (bits 15:14) asks for; the reserved value counts as 64K, as in KVM.
  public var granuleShift: Int {
    switch bits >> 14 & 3 {
    case 0: 12
    case 2: 14
    default: 16
    }
  }
  /// Bits of an output address by PS (bits 18:16), at most 48.
  public var outputBits: Int {
    let bits = [32, 36, 40, 42, 44, 48, 48, 48]
    return bits[Int(self.bits >> 16 & 7)]
  }
  /// HA, bit 21: the hardware sets the access flag.
  public var hardwareAccessFlag: Bool { bits >> 21 & 1 != 0 }
  /// Level of the root: 2 - SL0 with 4K, 3 - SL0 else. May be negative.
  public var startLevel: Int { (granuleShift == 12 ? 2 : 3) - sl0 }

  /// The shape that the register describes.
  public var geometry: Geometry {
    Geometry(
      granuleShift: granuleShift, inputBits: inputBits, startLevel: startLevel,
      outputBits: outputBits)
  }

  /// What KVM writes for a table of its own (`kvm_get_vtcr`): 4K pages, inner shareable write-back
  /// walks, 48-bit output, 16-bit VMIDs, hardware access flag.
  public static func hypervisor(_ geometry: Geometry) -> VTCR {
    let t0sz = UInt64(64 - geometry.inputBits)
    let sl0 = UInt64(2 - geometry.startLevel)
    return VTCR(
      t0sz | sl0 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 5 << 16 | 1 << 19 | 1 << 21 | 1 << 31)
  }

  /// VS, bit 19: VMIDs have 16 bits.
  private static let wideVMIDs: UInt64 = 1 << 19

  /// What is kept of a value that L1 writes (`vtcr_el2_feat_map`): T0SZ to PS, HA, and HWU, and VS if the CPU's
  /// VMIDs have 16 bits; HD and what belongs to features that are not offered to it reads as zero, bit 31 as
  /// one.
  public static func sanitised(_ bits: UInt64, vmidBits: Int) -> UInt64 {
    bits & (vmidBits < 16 ? 0x1e2f_ffff & ~wideVMIDs : 0x1e2f_ffff) | 1 << 31
  }
}

/// VTTBR_EL2, stage-2 root and VMID.
public struct VTTBR: Hashable, Sendable {
  /// The 64 bits.
  public let bits: UInt64

  /// The register with these bits.
  public init(_ bits: UInt64) { self.bits = bits }

  /// Bit 0, common not private. In a `kvm_s2_mmu` it marks a context that is not valid.
  public static let commonNotPrivate: UInt64 = 1
  /// Root address, bits 47:1.
  public var base: UInt64 { bits & 0xffff_ffff_fffe }
  /// What is kept of a value that L1 writes: unless the CPU's VMIDs have 16 bits, L1 has 8, and bits 63:56 read
  /// as zero (`kvm_init_nv_sysregs`).
  public static func sanitised(_ bits: UInt64, vmidBits: Int) -> UInt64 {
    vmidBits < 16 ? bits & ~(0xff << 56) : bits
  }
  /// Bits 63:48.
  public var vmid: UInt16 { UInt16(bits >> 48) }
}
