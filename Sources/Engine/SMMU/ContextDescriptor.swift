/// A context descriptor (CD) of stage 1, as `arm_smmu_make_s1_cd` and `arm_smmu_make_sva_cd` write it.
///
/// Linux binds a process to a PASID, which picks the descriptor from a table. Here a device has one
/// descriptor, which all of its DMA uses. Of the eight words only these two are not zero: memory types
/// (MAIR) are not modelled.
public struct ContextDescriptor: Equatable, Sendable {
  /// Word 0.
  public let control: UInt64
  /// Word 1: TTB0.
  public let root: UInt64

  private static let valid: UInt64 = 1 << 31
  private static let accessFlagUpdate: UInt64 = 1 << 43

  /// V, word 0 bit 31.
  public var isValid: Bool { control & Self.valid != 0 }
  /// HA, word 0 bit 43: the SMMU sets access flags itself.
  var setsAccessFlags: Bool { control & Self.accessFlagUpdate != 0 }
  /// ASID, word 0 bits 63:48, and ASET, bit 47.
  public var context: TranslationContext {
    .asid(UInt16(control >> 48), isPrivate: control >> 47 & 1 != 0)
  }

  init(control: UInt64, root: UInt64) {
    self.control = control
    self.root = root
  }

  /// A descriptor for the table of a process or of a domain, under an ASID.
  ///
  /// - Parameters:
  ///   - stalls: whether faulting DMA stalls.
  ///   - updatesFlags: whether the SMMU sets access flags, and makes clean pages dirty (HA and HD).
  init(
    _ table: Table, _ context: TranslationContext, stalls: Bool, updatesFlags: Bool = false
  ) {
    // TG0 = 4K, IRGN0 and ORGN0 write-back, SH0 inner shareable, EPD1, IPS = 48 bits, AA64, R, A; S.
    let flags: UInt64 =
      1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 5 << 32 | 1 << 41 | 1 << 45 | 1 << 46
      | (stalls ? 1 << 44 : 0) | (updatesFlags ? Self.accessFlagUpdate | 1 << 42 : 0)
    control =
      UInt64(64 - table.geometry.inputBits) | flags | Self.valid
      | (context.isPrivate ? 1 << 47 : 0) | UInt64(context.number) << 48
    root = table.rootAddress
  }

  static let none = ContextDescriptor(control: 0, root: 0)
}

extension Machine {
  /// The context descriptor of a device, 0 to 3.
  public func contextDescriptor(ofDevice device: Int) -> ContextDescriptor {
    if !hasSMMU { return .none }
    let slot = slot(.contextDescriptor, ofDevice: device)
    return ContextDescriptor(control: memory.load(slot), root: memory.load(slot + 1))
  }

  /// A stream table entry that points to a device's context descriptor.
  func stage1Entry(ofDevice device: Int) -> StreamEntry {
    .stage1(contextAt: Memory.address(ofSlot: slot(.contextDescriptor, ofDevice: device)))
  }

  mutating func setContextDescriptor(_ descriptor: ContextDescriptor, ofDevice device: Int) {
    let slot = slot(.contextDescriptor, ofDevice: device)
    memory.store(descriptor.control, at: slot)
    memory.store(descriptor.root, at: slot + 1)
  }
}
