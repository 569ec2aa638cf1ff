/// How the pages of a guest of AMD's are given back one by one, where they were given in regions of 2M.
public struct RMPConfiguration: Equatable, Sendable {
  /// In which order the RMP and the IOMMU's table are brought from 2M to 4K.
  public enum Order: String, CaseIterable, Sendable {
    /// The IOMMU's table, the flush of its TLB, the RMP.
    case iommuFirst = "iommu-first"
    /// The RMP, the IOMMU's table, the flush.
    case rmpFirst = "rmp-first"
    /// One call of the firmware, which changes both while it has all DMA stalled.
    case firmware
  }

  /// When the IOMMU looks at the RMP. Nobody has said on a list whether a cached translation is checked
  /// again: it is inferred, so it can be chosen.
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
