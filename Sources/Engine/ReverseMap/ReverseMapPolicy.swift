/// A leaf that is about to be mapped into a shadow.
struct ShadowMapping: Equatable {
  let mmu: MMU
  /// Canonical IPAs, aligned to their size.
  let canonical: Range<UInt64>
  /// First nested IPA.
  let nested: UInt64
  /// Whether it came from a leaf of L1 (`s2fd->nested`); false with stage 2 off.
  let hasGuestLeaf: Bool

  var nestedRange: Range<UInt64> { nested..<nested + canonical.size }
}

/// How KVM finds the nested IPAs at which shadows map canonical memory that goes away.
///
/// The engine calls a policy where the kernel's code would; what it keeps is in words of the machine.
protocol ReverseMapPolicy: Sendable {
  /// Whether anything is recorded, so that recording it can fail.
  var keepsMap: Bool { get }

  /// How its entries are written.
  var encoding: ReverseMapEncoding { get }

  /// Whether two maps are kept, from canonical and from nested IPAs, that must say the same.
  var keepsTwoMaps: Bool { get }

  /// Called just before a leaf is mapped, under `mmu_lock` for reading. False if the fault must fail
  /// (-ENOMEM).
  func record(_ mapping: ShadowMapping, in machine: inout Machine) -> Bool

  /// What must be done so that no shadow maps the canonical range of a cause any more.
  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work]

  /// What must be done so that a shadow maps nothing of a canonical range any more: a step of `unmap`
  /// that was put off because the one before it may drop `mmu_lock`.
  func continueUnmap(
    _ range: Range<UInt64>, of mmu: MMU, for cause: UnmapCause, in machine: inout Machine
  ) -> [Work]

  /// Called before L1's invalidation of nested IPAs unmaps them from a shadow.
  func invalidate(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// Called before all of a shadow is unmapped.
  func reset(_ mmu: MMU, in machine: inout Machine)

  /// Called after all of a shadow was unmapped; `mmu_lock` may have been dropped meanwhile.
  func didUnmapAll(_ mmu: MMU, in machine: inout Machine)

  /// Called before nested IPAs of a shadow are unmapped, whatever the reason, with `mmu_lock` held until
  /// they are.
  func willUnmap(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// What is recorded for a shadow, ascending by canonical IPA.
  func entries(of mmu: MMU, in machine: Machine) -> [ReverseMapEntry]

  /// The first entry that ends after a canonical IPA, and the last that starts before one.
  func entry(of mmu: MMU, from address: UInt64, in machine: Machine) -> ReverseMapEntry?
  func entry(of mmu: MMU, before address: UInt64, in machine: Machine) -> ReverseMapEntry?

  /// An address at which reverse and direct map of a shadow disagree, or nil.
  func unmirrored(of mmu: MMU, in machine: Machine) -> UInt64?

  /// Whether a leaf of a shadow is sure to be found when some page of its canonical range goes.
  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool
}

/// What a policy need not do.
extension ReverseMapPolicy {
  var keepsMap: Bool { true }
  var keepsTwoMaps: Bool { false }
  func record(_ mapping: ShadowMapping, in machine: inout Machine) -> Bool { true }
  func continueUnmap(
    _ range: Range<UInt64>, of mmu: MMU, for cause: UnmapCause, in machine: inout Machine
  ) -> [Work] { [] }
  func invalidate(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {}
  func reset(_ mmu: MMU, in machine: inout Machine) {}
  func didUnmapAll(_ mmu: MMU, in machine: inout Machine) {}
  func willUnmap(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {}
  func entries(of mmu: MMU, in machine: Machine) -> [ReverseMapEntry] { [] }
  func entry(of mmu: MMU, from address: UInt64, in machine: Machine) -> ReverseMapEntry? {
    entries(of: mmu, in: machine).first { $0.canonical.upperBound > address }
  }
  func entry(of mmu: MMU, before address: UInt64, in machine: Machine) -> ReverseMapEntry? {
    entries(of: mmu, in: machine).last { $0.canonical.lowerBound < address }
  }
  func unmirrored(of mmu: MMU, in machine: Machine) -> UInt64? { nil }
  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool { true }
}

/// Linux 7.3.4: nothing is recorded, so whatever goes, everything goes.
struct NoReverseMap: ReverseMapPolicy {
  var keepsMap: Bool { false }
  var encoding: ReverseMapEncoding { ReverseMapEncoding(validBit: nil, isKeyedByNested: false) }

  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work] {
    machine.validShadows.flatMap { Machine.unmapAllTasks($0, .noReverseMap, cause) }
      + [.dropVNCR(Machine.allAddresses)]
  }
}
