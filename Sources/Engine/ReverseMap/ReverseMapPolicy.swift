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

/// How KVM finds the nested IPAs at which shadows map canonical memory that is being unmapped.
///
/// The engine calls a policy where the kernel's code would be; its state is in words of the machine.
protocol ReverseMapPolicy: Sendable {
  /// Whether anything is recorded, so that recording it can fail.
  var keepsMap: Bool { get }

  /// How its entries are encoded.
  var encoding: ReverseMapEncoding { get }

  /// Whether two maps are kept, from canonical and from nested IPAs, that must agree.
  var keepsTwoMaps: Bool { get }

  /// Called just before a leaf is mapped, under `mmu_lock` for reading. False if the fault must fail
  /// (-ENOMEM).
  func record(_ mapping: ShadowMapping, in machine: inout Machine) -> Bool

  /// The tasks after which no shadow maps the canonical range of a cause.
  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work]

  /// The tasks after which a shadow maps nothing of a canonical range: a part of `unmap` that was
  /// deferred because the part before it may drop `mmu_lock`.
  func continueUnmap(
    _ range: Range<UInt64>, of mmu: MMU, for cause: UnmapCause, in machine: inout Machine
  ) -> [Work]

  /// Called before L1's invalidation of nested IPAs unmaps them from a shadow.
  func invalidate(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// Called before a whole shadow is unmapped.
  func reset(_ mmu: MMU, in machine: inout Machine)

  /// Called after a whole shadow was unmapped; `mmu_lock` may have been dropped meanwhile.
  func didUnmapAll(_ mmu: MMU, in machine: inout Machine)

  /// Called before nested IPAs of a shadow are unmapped, for any reason, with `mmu_lock` held until
  /// they are.
  func willUnmap(_ nested: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// The entries of a shadow, ascending by canonical IPA.
  func entries(of mmu: MMU, in machine: Machine) -> [ReverseMapEntry]

  /// The first entry that ends after a canonical IPA, and the last that starts before one.
  func entry(of mmu: MMU, from address: UInt64, in machine: Machine) -> ReverseMapEntry?
  func entry(of mmu: MMU, before address: UInt64, in machine: Machine) -> ReverseMapEntry?

  /// An address at which reverse and direct map of a shadow disagree, or nil.
  func unmirrored(of mmu: MMU, in machine: Machine) -> UInt64?

  /// Keeps an entry that a dump of a real kernel's map showed; without a nested IPA it is unknown, which an
  /// exact map has no entries for.
  func see(_ nested: UInt64?, over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// Drops what was seen of a range of canonical IPAs.
  func seeNothing(over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine)

  /// Whether a leaf of a shadow is sure to be found when any page of its canonical range is unmapped.
  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool
}

/// Defaults for what a policy need not do.
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
  func see(
    _ nested: UInt64?, over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine
  ) {}
  func seeNothing(over canonical: Range<UInt64>, of mmu: MMU, in machine: inout Machine) {}
  func covers(_ mapping: ShadowMapping, in machine: Machine) -> Bool { true }
}

/// Linux 7.3.4: nothing is recorded, so any unmap empties all shadows.
struct NoReverseMap: ReverseMapPolicy {
  var keepsMap: Bool { false }
  var encoding: ReverseMapEncoding { ReverseMapEncoding(validBit: nil, isKeyedByNested: false) }

  func unmap(for cause: UnmapCause, in machine: inout Machine) -> [Work] {
    machine.emptyShadowsTasks(.noReverseMap, cause) + [.dropVNCR(Machine.allAddresses)]
  }
}
