/// How pages of an SEV-SNP guest that were assigned in 2M regions are returned one by one.
public struct RMPConfiguration: Equatable, Sendable {
  /// The order in which the RMP and the IOMMU's table are split from 2M to 4K.
  public enum Order: String, CaseIterable, Sendable {
    /// The IOMMU's table, the flush of its TLB, the RMP.
    case iommuFirst = "iommu-first"
    /// The RMP, the IOMMU's table, the flush.
    case rmpFirst = "rmp-first"
    /// One call of the firmware, which changes both while it stalls all DMA.
    case firmware
  }

  /// When the IOMMU checks the RMP. No list posting says whether a cached translation is checked again:
  /// that is inferred, so it is configurable.
  public enum Check: String, CaseIterable, Sendable {
    /// When it walks: a cached translation is not checked.
    case walk
    /// At every access.
    case access
  }

  /// The order.
  public var order = Order.firmware
  /// When DMA is checked.
  public var check = Check.walk

  /// The firmware's order; walks are checked.
  public init() {}
}
