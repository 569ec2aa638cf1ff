import Engine

/// The type of the memory that a leaf maps, in any encoding.
enum MemoryType: String {
  case device
  case notCacheable = "normal, not cacheable"
  case writeBack = "normal, write-back"
  /// No dump tells it.
  case unknown = "? not told"
  /// Stage 2 leaves it to stage 1.
  case ofStage1 = "as stage 1 says"
  /// Normal memory of another kind, which nothing here writes.
  case normal
  /// A stage-1 index without a meaning.
  case none = "no memory type"
}

extension Descriptor {
  /// The memory type of a leaf: MemAttr, with FEAT_S2FWB or without, whose values do not overlap as KVM, pKVM and
  /// io-pgtable-arm use them (MT_S2_NORMAL, MT_S2_FWB_NORMAL); at stage 1 an index into io-pgtable-arm's
  /// MAIR.
  var memoryType: MemoryType {
    switch format {
    case .stage2:
      switch memAttr {
      case 0...3: .device
      case 5: .notCacheable
      case 6, 0xf: .writeBack
      case 7: .ofStage1
      default: .normal
      }
    case .dump: .unknown
    case .process: .writeBack
    case .stage1:
      switch memAttr & 7 {
      case 0: .notCacheable
      case 1: .writeBack
      case 2: .device
      default: .none
      }
    }
  }

  /// Whether the memory of both leaves is of one type and shareability.
  func isSameMemory(as other: Descriptor) -> Bool {
    memoryType == other.memoryType
      && (bits ^ other.bits) & Self.innerShareable == 0
  }
}
