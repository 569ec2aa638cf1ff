/// The meaning of a frame's words for the rules.
struct FollowedFrame: Sendable {
  enum Kind: UInt8, Sendable {
    /// Nothing that a rule reads; or nodes of range trees, known by the frame's use.
    case other
    /// Records of the machine, each kind in its own frames.
    case registers, contexts, vcpus, memslots, tlb, vmids, smmu, iotlb, protected
    /// A translation table, or a level of a sparse array.
    case table, sparse
  }

  /// A sparse array that rules read.
  enum Array: UInt16, Sendable {
    case pinCounts, pins0, pins1, pins2, pins3, rmp, granules, vmemmap, otherVMs, uncleaned,
      parkedTasks

    /// The device whose pinned pages it holds, or nil.
    var pinsOfDevice: Int? {
      (Self.pins0.rawValue...Self.pins3.rawValue).contains(rawValue)
        ? Int(rawValue - Self.pins0.rawValue) : nil
    }
  }

  var kind = Kind.other
  /// Level of a table or of a sparse array.
  var level: UInt8 = 0
  /// Number of the table, or of the sparse array.
  var number: UInt16 = 0
  /// The check in which it got this role.
  var look: UInt32 = 0
  /// First input address of a table, or first index of a sparse array.
  var base: UInt64 = 0

  /// The input address of the entry at a slot of a table.
  @inline(__always)
  func address(of slot: Int) -> UInt64 {
    base &+ UInt64(slot & (Memory.frameWords - 1)) << TLB.geometry.shift(Int(level))
  }
}
